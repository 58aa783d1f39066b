"""Networks of several inputs and outputs of any type, compiled for this computer, and the same by
TensorFlow Lite Micro."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import NUMPY_TYPES, Graph, Tensor
from support.native import SANITISER, shared_library
from support.network_models import emit

_GUARD = 48


class SeveralEnds:
    """The C code of a network with any inputs and outputs."""

    def __init__(
        self,
        model: ModelFile,
        folder: Path,
        options: Options = compiled.DEFAULT,
        sanitizer: Sequence[str] = SANITISER,
    ) -> None:
        emit(model, folder, options)
        self.graph = compiled.compile_network(model, options).graph
        self.library = shared_library(folder, sanitizer=sanitizer)
        self.header = (folder / "asc_net.h").read_text(encoding="utf-8")
        self.memory = np.random.default_rng(0).integers(
            -128, 128, self.macro("ARENA_SIZE") + 2 * _GUARD, dtype=np.int8
        )

    def macro(self, name: str) -> int:
        found = re.search(rf"#define ASC_NET_{name} (\d+)$", self.header, re.MULTILINE)
        assert found
        return int(found[1])

    def run(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run inputs and return all outputs; nothing outside of the arena may be written."""
        given = [np.ascontiguousarray(each) for each in values]
        made = [_empty(tensor) for tensor in ends(self.graph, self.graph.outputs)]
        start = _GUARD - (self.memory.ctypes.data + _GUARD) % 16
        end = start + self.macro("ARENA_SIZE")
        outside = np.r_[0:start, end : len(self.memory)]
        before = self.memory[outside].copy()
        arena = ctypes.c_void_p(self.memory.ctypes.data + start)
        if len(given) == len(made) == 1:
            pointers = [ctypes.c_void_p(each[0].ctypes.data) for each in (given, made)]
        else:
            pointers = [_addresses(given), _addresses(made)]
        assert self.library.asc_net_infer(arena, *pointers) == 0
        assert np.array_equal(self.memory[outside], before)
        return made


def tflm_outputs(data: bytes, values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return all outputs of TensorFlow Lite Micro's kernels for these inputs."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(data, arena_size=8_000_000)
    for number, each in enumerate(values):
        interpreter.set_input(each, number)
    interpreter.invoke()
    count = len(_outputs(data))
    return [np.array(interpreter.get_output(number)) for number in range(count)]


def _outputs(data: bytes) -> tuple[int, ...]:
    from asc_tiny.tflite.reader import parse_graph

    return parse_graph(data, source="model").outputs


def ends(graph: Graph, indices: Sequence[int]) -> list[Tensor]:
    """Return the tensors of inputs or outputs."""
    return [graph.tensor(index) for index in indices]


def random_values(graph: Graph, seed: int) -> list[np.ndarray]:
    """Return an input for each end: all codes, or numbers beyond the range of its scale."""
    rng = np.random.default_rng(seed)
    return [_values(tensor, rng) for tensor in ends(graph, graph.inputs)]


def _values(tensor: Tensor, rng: np.random.Generator) -> np.ndarray:
    dtype = np.dtype(NUMPY_TYPES[tensor.dtype])
    if dtype.kind == "f":
        return rng.normal(0.0, 4.0, tensor.shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, tensor.shape).astype(dtype)
    span = np.iinfo(dtype)
    return rng.integers(span.min, span.max, tensor.shape, dtype, endpoint=True)


def _empty(tensor: Tensor) -> np.ndarray:
    return np.zeros(tensor.shape, np.dtype(NUMPY_TYPES[tensor.dtype]))


def _addresses(arrays: Sequence[np.ndarray]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(arrays))(*(each.ctypes.data for each in arrays))
