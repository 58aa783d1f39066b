"""ESP-IDF with a compiler of Espressif's name: its own build of a generated project.

The first build of a chip takes minutes. ``IDF_BUILDS`` names a folder, if there is one, where the
project and its builds are kept for the next run; ``IDF_JOBS`` how many compilers run at a time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asc_tiny.boards import catalog

LINKING_COMPILER = "riscv32-esp-elf-gcc"

NEEDS_IDF = pytest.mark.skipif("IDF_PATH" not in os.environ, reason="needs ESP-IDF: IDF_PATH")
NEEDS_COMPILER = pytest.mark.skipif(
    not shutil.which(LINKING_COMPILER), reason=f"needs {LINKING_COMPILER}"
)


def release() -> str:
    """Return ESP-IDF's release, such as 5.5.5."""
    version = Path(os.environ["IDF_PATH"]) / "tools" / "cmake" / "version.cmake"
    return ".".join(re.findall(r"set\(IDF_VERSION_\w+ (\d+)\)", version.read_text("utf-8")))


def target_of(board: str) -> str:
    """Return ESP-IDF's name of a board's chip."""
    return str(catalog.get(board).own_tables["esp-idf"]["target"])


def compiler(program: str) -> str:
    """Return a compiler with its release, such as GCC 14.2."""
    command = [program, "-dumpfullversion"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(text.split('.')[:2])}"


def project_in(folder: Path) -> Path:
    """Return where to generate: a folder that is kept, or one in ``folder``."""
    return Path(os.environ.get("IDF_BUILDS", folder)) / "project"


def built(project: Path, board: str) -> tuple[Path, str]:
    """Have ESP-IDF build a project.

    Returns:
        The image, an ELF file beside the .bin that is flashed; and what was left out.
    """
    folder = Path(os.environ.get("IDF_BUILDS", project.parent)) / f"build_{board}"
    if not folder.is_dir():
        defaults = ["sdkconfig.defaults", *filter(None, [os.environ.get("IDF_DEFAULTS")])]
        options = {"IDF_TARGET": target_of(board), "SDKCONFIG_DEFAULTS": ";".join(defaults)}
        options["SDKCONFIG"] = str(folder / "sdkconfig")
        options["PYTHON"] = os.environ.get("IDF_PYTHON", sys.executable)
        configure = ["cmake", "-G", "Ninja", "-B", folder]
        configure += [f"-D{name}={value}" for name, value in options.items()]
        subprocess.run(configure, cwd=project, check=True)
    jobs = os.environ.get("IDF_JOBS")
    subprocess.run(["ninja", "-C", folder, *([f"-j{jobs}"] if jobs else [])], check=True)
    config = (folder / "config" / "sdkconfig.h").read_text(encoding="utf-8")
    is_default = ("CONFIG_LIBC_PICOLIBC 1" in config) == (release() >= "6")
    (image,) = folder.glob("*.elf")
    return image, "" if is_default else "its own C library, with the other one"
