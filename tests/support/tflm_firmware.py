"""Emitted C++ linked with a library that TensorFlow Lite Micro's makefile built, on a core."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.network import tflm
from asc_tiny.model.ensemble import Model
from asc_tiny.targets.build.project import Tflm
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.micro_kernel import Kernels
from asc_tiny.tflm.options import DEFAULT, TflmOptions
from support import c_programs
from support.emulated import LINK, PROJECT, emulate, write_platform
from support.native import FLAGS, write

CXX = ("-std=c++17", "-O2", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics")
CHECK = "ASC_NET_ARENA_SIZE < kLeast"
WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror")


@dataclass(frozen=True)
class Build:
    """TensorFlow Lite Micro for a core: where it is, the board to run on, and its kernels."""

    tflm: Tflm
    board: Board
    kernels: Kernels


def find() -> Build:
    """Return what TFLM_ROOT and TFLM_LIB name; skip the test where they are not set."""
    root, library = os.environ.get("TFLM_ROOT"), os.environ.get("TFLM_LIB")
    if not root or not library:
        pytest.skip(
            "TFLM_ROOT and TFLM_LIB are not set: no TensorFlow Lite Micro built by its makefile"
        )
    attributes = _output("arm-none-eabi-readelf", "-A", library)
    board, core = _core(attributes)
    optimized = "arm_convolve_wrapper_s8" in _output("arm-none-eabi-nm", library)
    return Build(Tflm(Path(root), Path(library)), board, core if optimized else None)


def _core(attributes: str) -> tuple[Board, Core]:
    if "v8.1-M" in attributes:
        return catalog.get("mps3-an547"), Core.MVE
    if "v7E-M" in attributes:
        return catalog.get("mps2-an386"), Core.DSP
    # What runs on a lesser core runs on Cortex-M3.
    return catalog.get("mps2-an385"), Core.PLAIN


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def _bytes_of_ends(header: str) -> list[str]:
    """Return definitions of the bytes of inputs and outputs for the program."""
    found = {
        side: re.findall(rf"#define ASC_NET_{side}\d*_BYTES (\d+)", header)
        for side in ("INPUT", "OUTPUT")
    }
    return [f"-D{side}_BYTES={','.join(sizes)}" for side, sizes in found.items()]


class EmulatedNetwork:
    """The emitted network of a model on the core of a build.

    Args:
        model: int8 network or ensemble.
        build: what to link.
        folder: to build in.
        arena_size: bytes to give instead of those in the header.
        checked: whether the emitted code looks at that size before TensorFlow Lite Micro does.
        options: options of the emitted code.
        others: sources besides, file name to text.
    """

    def __init__(
        self,
        model: Model,
        build: Build,
        folder: Path,
        *,
        arena_size: int | None = None,
        checked: bool = True,
        options: TflmOptions = DEFAULT,
        others: Mapping[str, str] | None = None,
    ) -> None:
        self.board, self.folder = build.board, folder
        files = {**tflm.generate(model, options=options), **(others or {})}
        if not checked:
            assert files["asc_net.cc"].count(CHECK) == 1
            files["asc_net.cc"] = files["asc_net.cc"].replace(CHECK, "false")
        write(files, folder)
        c_programs.put("tflm_main.c", folder)
        shutil.copy(PROJECT / "platform" / "tflm_support.c", folder)
        write_platform(self.board, folder, stack_bytes=8192, runtime="tflm")
        size = [f"-DASC_NET_ARENA_SIZE={arena_size}"] if arena_size else []
        self._compile(build, [*size, *_bytes_of_ends(files["asc_net.h"])])

    def _compile(self, build: Build, size: Sequence[str]) -> None:
        downloads = build.tflm.root / "tensorflow/lite/micro/tools/make/downloads"
        include = [build.tflm.root, downloads / "flatbuffers/include", downloads / "gemmlowp"]
        system = [f"-isystem{path}" for path in include]
        core = [*self.board.compiler_flags, "-ffunction-sections", "-fdata-sections"]
        objects = []
        for source in sorted([*self.folder.glob("*.c"), *self.folder.glob("*.cc")]):
            result = source.with_suffix(f"{source.suffix}.o")
            if source.suffix == ".c":
                command = ["arm-none-eabi-gcc", *core, *FLAGS]
            else:
                command = ["arm-none-eabi-g++", *core, *CXX, *WARNINGS, "-DTF_LITE_STATIC_MEMORY"]
            subprocess.run([*command, *size, *system, "-c", source, "-o", result], check=True)
            objects.append(result)
        link = ["arm-none-eabi-g++", *core, *LINK, f"-T{self.folder / 'link.ld'}", *objects]
        image = self.folder / "network.elf"
        subprocess.run([*link, build.tflm.library, "-lm", "-o", image], check=True)

    def run(self, values: Sequence[np.ndarray]) -> tuple[np.ndarray, dict[str, int]]:
        """Run inputs and return the outputs, shape (inputs, outputs), and the printed figures."""
        (self.folder / "in.bin").write_bytes(b"".join(v.astype(np.int8).tobytes() for v in values))
        figures = self._figures("infer", "in.bin", "out.bin")
        codes = np.frombuffer((self.folder / "out.bin").read_bytes(), np.int8)
        return codes.reshape(len(values), -1) if codes.size else codes, figures

    def run_bytes(self, inferences: Sequence[bytes]) -> tuple[bytes, dict[str, int]]:
        """Run inputs of any types, all of an inference in a row; return all outputs so."""
        (self.folder / "in.bin").write_bytes(b"".join(inferences))
        figures = self._figures("infer", "in.bin", "out.bin")
        return (self.folder / "out.bin").read_bytes(), figures

    def faults(self) -> dict[str, int]:
        """Return the code of each mistake in the use of the interface."""
        return self._figures("faults")

    def _figures(self, *arguments: str) -> dict[str, int]:
        self.text = emulate(self.board, self.folder / "network.elf", arguments)
        lines = [line.split(" ") for line in self.text.splitlines()]
        return {
            pair[0]: int(pair[1])
            for pair in lines
            if len(pair) == 2 and pair[1].removeprefix("-").isdigit()
        }
