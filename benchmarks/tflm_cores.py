"""Instructions of an inference: ahead of time, and by TensorFlow Lite Micro on the same core.

``python benchmarks/tflm_cores.py --tflm TFLM m3=TFLM/gen/.../libtensorflow-microlite.a ...``: the
sources of TensorFlow Lite Micro, and libraries that its makefile built for cores. Cortex-M0+ code
runs on an emulated Cortex-M3. Counted is ``asc_net_infer``, for the released networks on noise.
Debian's RISC-V compiler has no C++ headers: ``--cxx-headers`` names those of another compiler of
the same version.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.network import tflm
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.targets.image.bench import memory
from support.emulated import LINK, PROJECT, emulate, write_platform
from support.native import write
from support.network_models import emit, inputs
from support.tflm_firmware import CXX

MODELS = ("mobilenet_esc10.tflite", "mini_segnet_esc10.tflite")
CORES = {
    "m0plus": ("mps2-an385", ("-mcpu=cortex-m0plus", "-mthumb")),
    "m3": ("mps2-an385", ("-mcpu=cortex-m3", "-mthumb")),
    "m4": ("mps2-an386", ("-mcpu=cortex-m4", "-mthumb")),
    "rv32imc": ("virt-rv32", ("-march=rv32imc", "-mabi=ilp32")),
}
PICOLIBC = """
#include <stdio.h>
static int put(char c, FILE *file) { (void)c, (void)file; return 0; }
static FILE nowhere = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &nowhere, *const stderr = &nowhere;
void _exit(int code) { (void)code; for (;;) {} }
int getpid(void) { return 1; }
int kill(int process, int number) { (void)process, (void)number; return 0; }
"""


class Program:
    """A network alone on a core, with a library of TensorFlow Lite Micro or without."""

    def __init__(self, model: ModelFile, core: str, folder: Path) -> None:
        name, flags = CORES[core]
        self.model, self.folder = model, folder
        self.board: Board = replace(catalog.get(name), core_flags=flags)
        write_platform(self.board, folder, stack_bytes=8192, runtime="tflm")
        for name in ("tflm_main.c", "harness.h"):
            shutil.copy(ROOT / "tests" / "c" / name, folder)

    def build(self, include: list[str], library: list[Path]) -> None:
        """Compile all sources in the folder and link them."""
        compiler = self.board.toolchain.compiler
        core = [*self.board.compiler_flags, "-O2", "-ffunction-sections", "-fdata-sections"]
        objects = []
        for source in sorted([*self.folder.glob("*.c"), *self.folder.glob("*.cc")]):
            command = [compiler, *core, "-std=c99"]
            if source.suffix == ".cc":
                command = [compiler.replace("gcc", "g++"), *core, *CXX, "-funsigned-char"]
                command.append("-DTF_LITE_STATIC_MEMORY")
            objects.append(source.with_suffix(f"{source.suffix}.o"))
            subprocess.run([*command, *include, "-c", source, "-o", objects[-1]], check=True)
        # As TensorFlow Lite Micro's makefile links for RISC-V.
        relax = ["-mno-relax"] if self.board.toolchain.processor == "riscv" else []
        script = f"-T{self.folder / 'link.ld'}"
        link = [compiler, *core, *LINK, *relax, script, *objects, *library]
        subprocess.run([*link, "-lm", "-o", self.folder / "network.elf"], check=True)

    def run(self) -> str:
        """Return a row: instructions, arena, flash, stack; and the scores."""
        graph = self.model.graph
        value = inputs(graph.tensor(graph.inputs[0]).shape, 1)[-1]
        (self.folder / "in.bin").write_bytes(value.astype(np.int8).tobytes())
        text = emulate(self.board, self.folder / "network.elf", ["infer", "in.bin", "out.bin"])
        pairs = [line.split() for line in text.splitlines()]
        figures = {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
        assert figures["init"] == figures["run"] == "0", text
        flash = memory(self.folder / "network.elf")[0]
        scores = np.frombuffer((self.folder / "out.bin").read_bytes(), np.int8)
        columns = (int(figures["instructions"]), int(figures["used"]), flash, int(figures["stack"]))
        return " | ".join(f"{column:,}" for column in columns) + f" | {scores.tolist()} |"


def ahead_of_time(model: ModelFile, core: str, folder: Path) -> str:
    """Return the row of the C code that a network is compiled to."""
    program = Program(model, core, folder)
    emit(model, folder)
    program.build([], [])
    return program.run()


def by_tflm(model: ModelFile, core: str, folder: Path, options: argparse.Namespace) -> str:
    """Return the row of TensorFlow Lite Micro's kernels."""
    program = Program(model, core, folder)
    write(tflm.generate(model), folder)
    downloads = options.tflm / "tensorflow/lite/micro/tools/make/downloads"
    include = [options.tflm, downloads / "flatbuffers/include", downloads / "gemmlowp"]
    if program.board.toolchain.processor == "riscv":
        (folder / "picolibc.c").write_text(PICOLIBC)
        include += options.cxx_headers
    else:
        shutil.copy(PROJECT / "platform" / "tflm_support.c", folder)
    library = dict(options.libraries)[core]
    program.build([f"-isystem{path}" for path in include], [library])
    return program.run()


def _library(text: str) -> tuple[str, Path]:
    core, _, path = text.partition("=")
    if core not in CORES or not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"{text}: not CORE=FILE, core one of {', '.join(CORES)}")
    return core, Path(path)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("libraries", nargs="+", type=_library, metavar="CORE=LIBRARY")
    parser.add_argument("--tflm", type=Path, required=True)
    parser.add_argument("--cxx-headers", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    print("| core | model | runtime | instructions | arena | flash | stack | scores |")
    print("|---|---|---|---:|---:|---:|---:|---|")
    for core, _ in options.libraries:
        for name in MODELS:
            model = load(ROOT / "models" / name)
            with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
                print(f"| {core} | {name} | aot | {ahead_of_time(model, core, Path(one))}")
                row = by_tflm(model, core, Path(other), options)
                print(f"| {core} | {name} | tflm | {row}", flush=True)


if __name__ == "__main__":
    main()
