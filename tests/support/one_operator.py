"""Small networks of one operator, run as C with all sanitisers and by TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.model.model_file import ModelFile
from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.network_models import TflmNetwork
from support.tflite_builder import Builder, Value


class Case:
    """A network in the making: an input that a RELU copies, so that it is no more than that.

    Attributes:
        builder: the builder of the file.
        x: what the RELU gives, of the quantization of the input.
    """

    def __init__(self, shape: Sequence[int], scale: float = 0.1, zero_point: int = -100) -> None:
        self.builder = Builder()
        self.shape = tuple(shape)
        self.source = self.builder.activation(shape, scale, zero_point)
        # A QUANTIZE to the same quantization gives all codes as they are.
        self.x = self.activation(shape, scale, zero_point)
        self.builder.operator("QUANTIZE", [self.source], [self.x])

    def activation(self, shape: Sequence[int], scale: float = 0.1, zero_point: int = -100) -> Value:
        return self.builder.activation(shape, scale, zero_point)

    def ints(self, values: Any, dtype: type = np.int32) -> Value:
        return self.builder.constant(np.array(values, dtype))

    def codes(self, values: Any, scale: float = 0.1, zero_point: int = 0) -> Value:
        return self.builder.constant(np.array(values, np.int8), [scale], [zero_point])

    def add(
        self, name: str, inputs: Sequence[Value], outputs: Value | Sequence[Value], **options: Any
    ) -> Value:
        made = [outputs] if isinstance(outputs, Value) else list(outputs)
        self.builder.operator(name, inputs, made, **options)
        return made[0]

    def model(self, output: Value, title: str) -> ModelFile:
        return model_file(self.builder.finish([self.source], [output]), title)


def samples(shape: Sequence[int], count: int = 6) -> list[np.ndarray]:
    """Return inputs of all codes, of few different codes, and extreme ones."""
    rng = np.random.default_rng(0)
    kinds = [(-128, 128), (-128, 128), (-102, -98), (5, 7), (-128, -127), (127, 128)]
    return [rng.integers(*kind, shape).astype(np.int8) for kind in kinds[:count]]


def shape_of(model: ModelFile) -> tuple[int, ...]:
    return model.graph.tensor(model.graph.inputs[0]).shape


def expected(model: ModelFile) -> np.ndarray:
    """Return what TensorFlow Lite Micro makes of the samples."""
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples(shape_of(model))])


def computed(models: Sequence[ModelFile], folder: Path, board: str = "") -> list[np.ndarray]:
    """Return what the C code makes of the samples, on this computer or on an emulated board."""
    given = [samples(shape_of(model)) for model in models]
    if board:
        return run_all_emulated(models, given, folder / "emulated", board)
    return run_all(models, given, folder / "c", compiled_runtime(), {})


def check(models: Sequence[ModelFile], folder: Path, board: str = "") -> None:
    """Check that the C code gives the bits of TensorFlow Lite Micro's kernels."""
    for model, made in zip(models, computed(models, folder, board), strict=True):
        wanted = expected(model)
        assert made.dtype == wanted.dtype, model.path
        assert np.array_equal(made, wanted), f"{model.path}\n{made}\n{wanted}"
