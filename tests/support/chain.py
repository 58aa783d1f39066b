"""Chains of int8 operators, some of whose filters have no effect, against TensorFlow Lite Micro."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.compiler.options import Options
from asc_tiny.model.model_file import ModelFile
from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Builder, Value

INPUT_SCALE, SCALE, WEIGHT_SCALE = 0.05, 0.1, 0.004
ZERO = -20
"""The zero point of all activations but the input."""


class Chain:
    """A network whose operators each read the result of the one before, 12 channels wide.

    Filters without effect are given by the steps from the zero point to their only code.
    """

    def __init__(self, seed: int = 0, shape: tuple[int, ...] = (1, 7, 6, 3)) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()
        self.input = self.x = self.builder.activation(shape, INPUT_SCALE, 5)

    def conv(self, effects: Mapping[int, int], kernel: int = 1, **more: Any) -> Chain:
        weights = self.codes((more.pop("filters", 12), kernel, kernel, self.x.shape[3]))
        return self.windowed("CONV_2D", weights, 0, effects, **more)

    def depthwise(self, effects: Mapping[int, int], kernel: int = 3, **more: Any) -> Chain:
        weights = self.codes((1, kernel, kernel, more.pop("filters", self.x.shape[3])))
        more["depthMultiplier"] = weights.shape[3] // self.x.shape[3]
        return self.windowed("DEPTHWISE_CONV_2D", weights, 3, effects, **more)

    def windowed(
        self, name: str, weights: np.ndarray, axis: int, effects: Mapping[int, int], **more: Any
    ) -> Chain:
        more.setdefault("padding", "SAME")
        stride = more.pop("stride", 1)
        kernel = weights.shape[1]
        reach = 0 if more["padding"] == "SAME" else kernel - 1
        height, width = (-(-(size - reach) // stride) for size in self.x.shape[1:3])
        operands = self.operands(weights, axis, effects, more.pop("unread", ()))
        shape = (1, height, width, weights.shape[axis])
        return self.add(
            name,
            operands,
            shape,
            strideH=stride,
            strideW=stride,
            **{"dilationHFactor": 1, "dilationWFactor": 1, **more},
        )

    def dense(
        self, effects: Mapping[int, int] | None = None, units: int = 9, rows: int = 1
    ) -> Chain:
        weights = self.codes((units, math.prod(self.x.shape) // rows))
        return self.add(
            "FULLY_CONNECTED", self.operands(weights, 0, effects or {}, ()), (rows, units)
        )

    def pool(self, name: str = "MAX_POOL_2D", **more: Any) -> Chain:
        _, height, width, channels = self.x.shape
        shape = (1, -(-height // 2), -(-width // 2), channels)
        options = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2}
        return self.add(name, [], shape, padding="SAME", **options, **more)

    def pad(self, *amounts: tuple[int, int]) -> Chain:
        """Surround an image; as most converters do if nothing is said."""
        padded = np.array([(0, 0), *(amounts or ((1, 1), (0, 1))), (0, 0)][:4], np.int32)
        shape = tuple(np.array(self.x.shape) + padded.sum(axis=1))
        return self.add("PAD", [self.builder.constant(padded)], shape)

    def resize(self) -> Chain:
        _, height, width, channels = self.x.shape
        size = self.builder.constant(np.array([2 * height, 2 * width], np.int32))
        return self.add("RESIZE_NEAREST_NEIGHBOR", [size], (1, 2 * height, 2 * width, channels))

    def reshape(self, *shape: int) -> Chain:
        return self.add("RESHAPE", [self.builder.constant(np.array(shape, np.int32))], shape)

    def plus(self, other: Value) -> Chain:
        return self.add("ADD", [other], self.x.shape, fusedActivationFunction="NONE")

    def beside(self, other: Value) -> Chain:
        shape = (*self.x.shape[:3], self.x.shape[3] + other.shape[3])
        return self.add("CONCATENATION", [other], shape, axis=3)

    def add(self, name: str, operands: list[Any], shape: tuple[int, ...], **options: Any) -> Chain:
        y = self.builder.activation(shape, SCALE, ZERO)
        self.builder.operator(name, [self.x, *operands], [y], **options)
        self.x = y
        return self

    def codes(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.integers(-127, 128, shape).astype(np.int8)

    def operands(
        self, weights: np.ndarray, axis: int, effects: Mapping[int, int], unread: Any
    ) -> list[Value]:
        """Return weights and biases.

        Some filters get scales at which no weight counts; the others do not read some inputs.
        """
        count = weights.shape[axis]
        scales = self.rng.uniform(0.2, 1.0, count) * WEIGHT_SCALE
        biases = self.rng.integers(-2000, 2000, count)
        rest = [number for number in range(count) if number not in effects]
        if unread:
            weights[np.ix_(rest, *map(range, weights.shape[1:3]), unread)] = 0
        for filter_number, steps in effects.items():
            scales[filter_number] = 1e-7
            biases[filter_number] = round(steps * SCALE / (self.x.scale * 1e-7))
        bias = self.builder.constant(biases.astype(np.int32), self.x.scale * scales)
        return [self.builder.constant(weights, scales.tolist(), axis=axis), bias]

    def model(self, *more: Value) -> ModelFile:
        return model_file(self.builder.finish([self.input], [self.x, *more]), "chain")


def check(models: Sequence[ModelFile], folder: Path, options: Options | None = None) -> None:
    """Compare networks with TensorFlow Lite Micro's kernels, under all sanitizers."""
    samples = [inputs(model.graph.tensor(0).shape, 8) for model in models]
    made = run_all(models, samples, folder, compiled_runtime(), {"options": options or Options()})
    for model, each, outputs in zip(models, samples, made, strict=True):
        reference = TflmNetwork(model.data)
        assert np.array_equal(outputs, [reference.run(sample).copy() for sample in each])
