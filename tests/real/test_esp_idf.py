"""The ESP-IDF project against ESP-IDF's own options, headers and build, where it is (``IDF_PATH``).

``IDF_PATH`` is a checkout of ESP-IDF 5.3 or later; the package esp-idf-kconfig makes sdkconfig.h of
its options. Where no compiler of Espressif's is (it is in no registry), files are compiled by
Debian's for RISC-V against newlib's headers, or picolibc's from ESP-IDF 6 on. Where PATH has
riscv32-esp-elf-gcc, ESP-IDF builds and links the project, by the Python with its packages that
``IDF_PYTHON`` names, with the further options of the file ``IDF_DEFAULTS``, if there is one.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from support.build_records import COMPILED, LINKED, Build, memory_use, released
from support.commands import asc_tiny
from support.esp_idf import (
    LINKING_COMPILER,
    NEEDS_COMPILER,
    NEEDS_IDF,
    built,
    compiler,
    project_in,
    release,
    target_of,
)
from support.paths import MODEL, MODELS

NEWLIB = Path("/usr/include/newlib")
PICOLIBC = Path("/usr/lib/picolibc/riscv64-unknown-elf/include")
COMPILER = "riscv64-unknown-elf-gcc"
BOARDS = ("esp32c3_devkitm", "esp32c6_devkitc")

Record = Callable[[str, Build], None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    NEEDS_IDF,
    pytest.mark.skipif(
        not importlib.util.find_spec("kconfgen"), reason="needs the package esp-idf-kconfig"
    ),
    pytest.mark.skipif(
        not (shutil.which(COMPILER) and NEWLIB.is_dir() and PICOLIBC.is_dir()),
        reason=f"needs {COMPILER}, newlib's and picolibc's headers",
    ),
]


def configure(idf: Path, project: Path, target: str, folder: Path) -> Path:
    """Have ESP-IDF's tool make sdkconfig.h of all options; return its folder."""
    folder.mkdir()
    lists = {}
    for name, files in (
        ("COMPONENT_KCONFIGS", "Kconfig"),
        ("COMPONENT_KCONFIGS_PROJBUILD", "Kconfig.projbuild"),
    ):
        places = (idf / "components", project / "components", project)
        found = [path for place in places for path in sorted(place.glob(f"*/{files}"))]
        source = folder / f"{name}.in"
        source.write_text("".join(f'source "{path}"\n' for path in found))
        lists[name] = " ".join(map(str, found))
        lists[f"{name}_SOURCE_FILE"] = str(source)
    header = folder / "sdkconfig.h"
    values = {
        **lists,
        "COMPONENT_SDKCONFIG_RENAMES": "",
        "IDF_ENV_FPGA": "",
        "IDF_INIT_VERSION": release(),
        "IDF_TARGET": target,
        "IDF_TOOLCHAIN": "gcc",
        "IDF_VERSION": release(),
    }
    command = [sys.executable, "-m", "kconfgen", "--kconfig", idf / "Kconfig"]
    command += ["--config", folder / "sdkconfig", "--defaults", project / "sdkconfig.defaults"]
    command += ["--output", "header", header]
    environment = {**os.environ, **values}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower()
    return folder


def include(idf: Path, target: str, libc: Path, folder: Path) -> list[str]:
    """Return the folders of ESP-IDF's headers that the application may see."""
    # ESP-IDF declares a pointer of newlib without the const that Debian's newlib gives it.
    own = folder / "libc"
    (own / "sys").mkdir(parents=True)
    if libc == NEWLIB:
        (own / "sys" / "reent.h").write_text(f'#include "{NEWLIB}/sys/reent.h"\n')
    components = idf / "components"
    rtos = components / "freertos"
    places = [own]
    for pattern in ("*/include", f"*/{target}/include", "*/platform_include"):
        places += sorted(components.glob(pattern))
    places += [components / "hal" / "platform_port" / "include", components / "soc" / target]
    places += [components / "soc" / target / "register"]
    places += [components / "esp_hw_support" / "include" / "soc" / target]
    places += [components / "esp_rom" / target / "include" / target]
    places += [rtos / "FreeRTOS-Kernel" / "include", rtos / "esp_additions" / "include"]
    places += [rtos / "FreeRTOS-Kernel" / "portable" / "riscv" / "include"]
    places += [rtos / "FreeRTOS-Kernel" / "portable" / "riscv" / "include" / "freertos"]
    for config in (rtos / "config" / "include", rtos / "config" / "riscv" / "include"):
        places += [config, config / "freertos"]
    left_out = {"linux", "xtensa"}
    kept = [path for path in places if not left_out & set(path.relative_to(path.anchor).parts)]
    return [f"-isystem{path}" for path in kept if path.is_dir()]


@pytest.mark.parametrize("board", BOARDS)
def test_compiles_against_the_headers(board: str, tmp_path: Path, record: Record) -> None:
    idf = Path(os.environ["IDF_PATH"])
    project = tmp_path / "project"
    options = ["--project", "esp-idf", "--board", board, "--out", project]
    assert asc_tiny("generate", MODEL, *options) == 0
    target = target_of(board)
    sdkconfig = configure(idf, project, target, tmp_path / "sdkconfig")
    text = (sdkconfig / "sdkconfig.h").read_text(encoding="utf-8")
    # What the project asks for is an option of the release, and was taken.
    assert f"CONFIG_IDF_TARGET_{target.upper()} 1" in text
    for name in ("CONFIG_ASC_SELFTEST 1", "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ 160"):
        assert f"#define {name}\n" in text
    assert "#define CONFIG_COMPILER_OPTIMIZATION_PERF 1\n" in text
    assert "#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 8192\n" in text
    libc = PICOLIBC if "CONFIG_LIBC_PICOLIBC 1" in text else NEWLIB
    library = project / "components" / "asc"
    flags = [*catalog.get(board).core_flags, "-std=gnu17", "-O2", "-DESP_PLATFORM", "-D_GNU_SOURCE"]
    flags += ["-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{sdkconfig}", f"-I{library}"]
    flags += [f"-I{project / 'main'}", *include(idf, target, libc, tmp_path), f"-idirafter{libc}"]
    if libc == PICOLIBC:  # Debian's is older than ESP-IDF's, whose stdio.h includes this
        flags += ["-include", "sys/types.h"]
    sources = [*sorted((project / "main").glob("*.c")), *sorted(library.glob("*.c"))]
    command = [COMPILER, *flags, "-fsyntax-only", *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    build = Build(
        board=board,
        model=MODEL.stem,
        release=f"ESP-IDF {release()}",
        compiler=compiler(COMPILER),
        reached=COMPILED,
    )
    if not shutil.which(LINKING_COMPILER):
        record("esp-idf", build)


@NEEDS_COMPILER
@pytest.mark.parametrize("board", BOARDS)
def test_links(board: str, tmp_path: Path, record: Record, request: pytest.FixtureRequest) -> None:
    project = project_in(tmp_path)
    names = [MODEL.stem]
    if request.config.getoption("--record-builds", default=False):
        names += sorted({*released()} - {MODEL.stem})
    for name in names:
        model = MODELS / f"{name}.{'toml' if name.startswith('ensemble') else 'tflite'}"
        options = ["--project", "esp-idf", "--board", board, "--out", project]
        assert asc_tiny("generate", model, *options) == 0
        image, without = built(project, board)
        sizes = memory_use(image, catalog.get(board))
        build = Build(
            board=board,
            model=name,
            release=f"ESP-IDF {release()}",
            compiler=compiler(LINKING_COMPILER),
            without=without,
            reached=LINKED,
            memory={**sizes, "flash": image.with_suffix(".bin").stat().st_size},
        )
        record("esp-idf", build)
