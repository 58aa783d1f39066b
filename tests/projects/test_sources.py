"""Drop-in sources: what their README says is done as it says, with each compiler and standard."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from asc_tiny.boards import catalog
from asc_tiny.firmware.c.templates import template_root
from asc_tiny.projects.sources import compiler
from support import own_boards
from support.bare_networks import convolution
from support.commands import asc_tiny
from support.dropped_sources import examples, expected, generate, heard
from support.emulated import CLANG
from support.native import CORES, FLAGS
from support.paths import FILES, MODEL

PICOLIBC = ["-isystem", "/usr/lib/picolibc/riscv64-unknown-elf/include"]
MACROS = FILES / "common_macros.h"

ARM_AND_QEMU = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="needs arm-none-eabi-gcc and qemu-system-arm",
)


@pytest.mark.qemu
@ARM_AND_QEMU
@pytest.mark.parametrize("lost", [False, True], ids=["whole", "with a gap"])
def test_bare_metal_example_gives_the_scenes(lost: bool, tmp_path: Path) -> None:
    sources = generate(tmp_path)
    bare_metal, _ = examples(sources / "asc_README.md")
    assert heard(sources, bare_metal, lost=lost) == expected(lost)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("sources"))


def check(command: Sequence[str | Path], files: Sequence[Path]) -> None:
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]


@pytest.mark.parametrize("standard", ["c99", "c11", "c17", "c2x"])
def test_compile_as_every_standard_of_c(standard: str, sources: Path) -> None:
    flags = [flag for flag in FLAGS if not flag.startswith(("-std", "-O"))]
    check(["cc", f"-std={standard}", *flags, "-fsyntax-only"], sorted(sources.glob("*.c")))


@pytest.mark.parametrize("standard", ["c++11", "c++14", "c++17", "c++20"])
@pytest.mark.parametrize("macros", [False, True], ids=["", "behind macros of others"])
def test_headers_are_for_cpp(standard: str, macros: bool, sources: Path, tmp_path: Path) -> None:
    public = ("audio", "classifier", "listen", "net", "protocol", "provenance", "selftest")
    program = tmp_path / "program.cpp"
    program.write_text("".join(f'#include "asc_{name}.h"\n' for name in public))
    flags = ["-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
    include = ["-include", MACROS] if macros else []
    check(["c++", f"-std={standard}", *flags, f"-I{sources}", *include], [program])


@pytest.mark.parametrize("core", [None, "cortex-m0plus", "cortex-m4", "cortex-m55"])
def test_no_name_is_a_macro_of_others(core: str | None, sources: Path) -> None:
    """All files of the runtime, those that the released models do not need, too."""
    if core is None:
        command = ["cc"]
    else:
        toolchain, *flags = CORES[core]
        assert shutil.which(toolchain.compiler), f"{toolchain.compiler} is not installed"
        command = [toolchain.compiler, *flags, *toolchain.compiler_flags]
    runtime = [path for path in (template_root() / "runtime").iterdir() if path.is_dir()]
    headers = [f"-I{folder}" for folder in (sources, *runtime)]
    # What these include is made for a network alone, a resampler or a PDM microphone.
    left_out = ("asc_golden.c", "asc_pdm.c", "asc_resample.c")
    files = [path for folder in runtime for path in sorted(folder.glob("*.c"))]
    files = [path for path in files if path.name not in left_out]
    flags = [*FLAGS, "-fsyntax-only", "-include", MACROS, *headers]
    check([*command, *flags], files)


CLANG_CORES = {
    "cortex-m0plus": [*CLANG, "-mcpu=cortex-m0plus", "-mthumb"],
    "cortex-m4": [*CLANG, "-mcpu=cortex-m4", "-mthumb"],
    "rv32imc": ["clang", "--target=riscv32", "-march=rv32imc", "-mabi=ilp32", *PICOLIBC],
    "rv32imac": ["clang", "--target=riscv32", "-march=rv32imac", "-mabi=ilp32", *PICOLIBC],
}


@pytest.mark.skipif(not shutil.which("clang"), reason="needs clang")
@pytest.mark.parametrize("core", CLANG_CORES)
def test_clang_needs_no_library_of_atomics(core: str, sources: Path, tmp_path: Path) -> None:
    """Nor a warning of it: what interrupt and application share is loaded and stored at once."""
    for name in ("asc_audio.c", "asc_line.c", "asc_listen.c"):
        target = tmp_path / "object.o"
        check([*CLANG_CORES[core], *FLAGS, "-c", "-o", target], [sources / name])
        with target.open("rb") as file:
            symbols = ELFFile(file).get_section_by_name(".symtab")
            names = [symbol.name for symbol in symbols.iter_symbols()]
        assert any(name.startswith("asc_") for name in names)
        assert not [name for name in names if "atomic" in name]


def test_the_board_says_how_many_blocks_wait(tmp_path: Path) -> None:
    """As many as in the other kinds of project, since the network is as slow there."""
    for board, kind in (("disco_l475_iot1", "stm32cubeide"), ("nano33ble_sense", "arduino")):
        headers = []
        for name in ("sources", kind):
            out = tmp_path / board / name
            options = ["--project", name, "--board", board, "--out", out, "--resample"]
            assert asc_tiny("generate", MODEL, *options) == 0
            headers += [path.read_text() for path in out.rglob("asc_audio.h")]
        assert headers[0] == headers[1]
        assert "#define ASC_AUDIO_BLOCKS 2u" not in headers[0]


@pytest.mark.parametrize(
    ("board", "command"),
    [
        ("host", "cc -O2"),
        ("rpi_pico", "arm-none-eabi-gcc -mcpu=cortex-m0plus -O2"),
        ("esp32c3_devkitm", "riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32 -O2"),
    ],
)
def test_readme_names_the_compiler_of_the_core(board: str, command: str) -> None:
    assert f"{compiler(catalog.get(board))} -O2" == command


def test_readme_names_the_compiler_of_a_chip_of_espressifs(tmp_path: Path) -> None:
    assert compiler(catalog.get(str(own_boards.esp32s3(tmp_path)))) == "xtensa-esp32s3-elf-gcc"


def test_readme_knows_the_prefix_and_all_files(tmp_path: Path) -> None:
    generate(tmp_path, "--prefix", "near")
    text = (tmp_path / "near_README.md").read_text()
    assert "near_listen_samples(pcm, count)" in text
    assert "asc_" not in text.split("sha256")[1]
    named = re.findall(r"`(near_\w+)(?:\.\[ch\]|\.h|\*)`", text)
    assert all(list(tmp_path.glob(f"{name}*")) for name in named)


def test_readme_of_a_network_alone(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(convolution())
    assert asc_tiny("generate", model, "--project", "sources", "--out", tmp_path) == 0
    text = (tmp_path / "asc_README.md").read_text()
    assert "| input 0 | int8 | 1 x 6 x 5 x 2 |" in text
    assert "listen" not in text
