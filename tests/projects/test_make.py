"""The Makefile of CMake projects, by which other compilers and C libraries build them, too."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from support.bare_networks import convolution
from support.commands import asc_tiny
from support.emulated import emulate
from support.paths import MODEL

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(not shutil.which("make"), reason="needs make"),
]

CLANG = pytest.mark.skipif(
    not (shutil.which("clang") and (shutil.which("ld.lld") or shutil.which("ld.lld-14"))),
    reason="needs clang and lld",
)


def has_library(compiler: str, specs: str) -> bool:
    """Return whether a compiler has a C library of that name."""
    command = [compiler, f"--specs={specs}", "-E", "-x", "c", "/dev/null"]
    return (
        bool(shutil.which(compiler)) and not subprocess.run(command, capture_output=True).returncode
    )


PICOLIBC = pytest.mark.skipif(
    not has_library("arm-none-eabi-gcc", "picolibc.specs"), reason="needs picolibc for Arm"
)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def network(folder: Path, board: str) -> Path:
    """Generate a project of a small network alone, which knows its golden inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "model.tflite"
    model.write_bytes(convolution())
    assert asc_tiny("generate", model, "--board", board, "--out", folder / "project") == 0
    return folder / "project"


def make(project: Path, *settings: str) -> Path:
    """Build a project by its Makefile and return the image."""
    done = subprocess.run(["make", *settings], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "warning" not in done.stderr
    found = (project / "build-make" / name for name in ("firmware.elf", "firmware"))
    return next(path for path in found if path.exists())


def check_golden_inputs(project: Path, board: str, settings: Sequence[str]) -> None:
    printed = emulate(catalog.get(board), make(project, *settings), ["golden"]).splitlines()
    assert printed
    assert all(line.startswith("golden ") and " passed" in line for line in printed), printed


@pytest.mark.parametrize("board", ["mps2-an386", "virt-rv32"])
def test_builds_the_image_of_cmake(board: str, tmp_path: Path) -> None:
    project = network(tmp_path, board)
    assert asc_tiny("build", project) == 0
    assert make(project).read_bytes() == (project / "build" / "firmware.elf").read_bytes()


def test_builds_a_classifier_as_cmake_does(tmp_path: Path) -> None:
    """With another level and a macro, which both are told."""
    project = tmp_path / "project"
    assert asc_tiny("generate", MODEL, "--optimize", "size", "--out", project) == 0
    configure = ["cmake", "-G", "Ninja", "-B", "build", "-DDEFINITIONS=ASC_SELFTEST=1"]
    for command in (configure, ["cmake", "--build", "build"]):
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    image = make(project, "DEFINITIONS=ASC_SELFTEST=1")
    assert image.read_bytes() == (project / "build" / "firmware.elf").read_bytes()
    assert emulate(catalog.get("mps2-an386"), image, ["selftest"]) == "selftest 0\n"


def test_builds_for_this_computer(tmp_path: Path) -> None:
    image = make(network(tmp_path, "host"))
    assert " passed " in output(str(image), "golden")


@PICOLIBC
def test_picolibc_on_a_cortex_m4(tmp_path: Path) -> None:
    settings = ["LIBC=--specs=picolibc.specs"]
    check_golden_inputs(network(tmp_path, "mps2-an386"), "mps2-an386", settings)


@PICOLIBC
def test_picolibc_by_cmake(tmp_path: Path) -> None:
    project = network(tmp_path, "mps2-an386")
    libc = "LIBC=--specs=picolibc.specs"
    configure = ["cmake", "-G", "Ninja", "-B", "build", f"-D{libc}", "-DCMAKE_C_FLAGS_RELEASE=-O2"]
    for command in (configure, ["cmake", "--build", "build"]):
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    assert make(project, libc).read_bytes() == (project / "build" / "firmware.elf").read_bytes()


@CLANG
@pytest.mark.parametrize(
    ("board", "core"),
    [("mps2-an386", "-mcpu=cortex-m4"), ("mps2-an385", "-mcpu=cortex-m0plus")],
)
def test_clang_and_lld_on_cortex_m(board: str, core: str, tmp_path: Path) -> None:
    ask = ("arm-none-eabi-gcc", core, "-mthumb")
    libraries = [
        Path(output(*ask, f"-print-file-name={name}")).parent
        for name in ("libc_nano.a", "libgcc.a")
    ]
    folders = " ".join(f"-L{folder}" for folder in libraries)
    settings = [
        "CC=clang --target=arm-none-eabi -Qunused-arguments",
        f"CORE={core} -mthumb -isystem /usr/include/newlib",
        f"LDFLAGS=-fuse-ld=lld -nostdlib {folders}",
        "LDLIBS=-lc_nano -lgcc",
    ]
    check_golden_inputs(network(tmp_path, board), board, settings)


@CLANG
def test_clang_and_lld_on_risc_v(tmp_path: Path) -> None:
    ask = ("riscv64-unknown-elf-gcc", "-march=rv32imc", "-mabi=ilp32")
    root = Path("/usr/lib/picolibc/riscv64-unknown-elf")
    libc = root / "lib" / output(*ask, "-print-multi-directory") / "libc.a"
    settings = [
        "CC=clang --target=riscv32 -Qunused-arguments",
        f"LIBC=-isystem {root / 'include'}",
        "LDFLAGS=-fuse-ld=lld -nostdlib",
        f"LDLIBS={libc} {output(*ask, '-print-libgcc-file-name')}",
    ]
    check_golden_inputs(network(tmp_path, "virt-rv32"), "virt-rv32", settings)
