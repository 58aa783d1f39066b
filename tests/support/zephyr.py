"""Projects for Zephyr, generated, and built by Zephyr itself, where ``ZEPHYR_BASE`` names it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.zephyr import TABLE
from support.commands import asc_tiny
from support.paths import MODEL


def release() -> str:
    """Return the release of Zephyr that is installed."""
    text = (Path(os.environ["ZEPHYR_BASE"]) / "VERSION").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(\w+) *= *(\w*)$", text, re.MULTILINE))
    parts = (values[name] for name in ("VERSION_MAJOR", "VERSION_MINOR", "PATCHLEVEL"))
    return f"Zephyr {'.'.join(parts)}"


def compiler(folder: Path) -> str:
    """Return the compiler of a configured build."""
    cache = (folder / "CMakeCache.txt").read_text(encoding="utf-8")
    (path,) = re.findall(r"^CMAKE_C_COMPILER:\w+=(.+)$", cache, re.MULTILINE)
    command = [path, "-dumpfullversion"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(version.split('.')[:2])}"


def build(project: Path, target: str) -> tuple[Path, str]:
    """Configure and build without west, whose manifest wants the network.

    Returns:
        The image and an empty text, or what the linker says of regions that overflow.
    """
    folder = project.with_name(f"{project.name}-build")
    modules = os.environ.get("ZEPHYR_MODULES")
    configure = ["cmake", "-G", "Ninja", "-S", project, "-B", folder, f"-DBOARD={target}"]
    configure += [f"-DZEPHYR_MODULES={modules}"] if modules else []
    for command in (configure, ["cmake", "--build", folder]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        text = done.stdout + done.stderr
        overflow = "\n".join(re.findall(r"region .* overflowed by .*", text))
        assert done.returncode == 0 or overflow, text[-8000:]
        assert ": warning:" not in text
        if overflow:
            return folder / "zephyr" / "zephyr_pre0.elf", text
    return folder / "zephyr" / "zephyr.elf", ""


def generate(folder: Path, board: str, model: Path = MODEL) -> Path:
    resample = ["--resample"] if catalog.BOARDS[board].microphone else []
    command = ["generate", model, "--project", "zephyr", "--board", board, "--out", folder]
    assert asc_tiny(*command, *resample) == 0
    return folder


def target_of(board: str) -> str:
    """Return Zephyr's name of a board; skip the test if this release has not got it."""
    target = TABLE.read(catalog.BOARDS[board]).target
    boards = Path(os.environ["ZEPHYR_BASE"]) / "boards"
    name, *_ = target.split("/")
    emulated = target.replace("/", "_")
    if name.startswith("mps2") and not list(boards.glob(f"arm/**/{emulated}.dts")):
        pytest.skip(f"{release()} has no board {target}")
    return target
