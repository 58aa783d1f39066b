"""Tensors of one to five dimensions through all kinds of operators, against TFLM's kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Builder, Value

SHAPES: list[tuple[int, ...]] = [
    (7,),
    (1,),
    (1, 6),
    (1, 5, 4),
    (1, 3, 4, 6),
    (1, 2, 3, 4, 2),
    (1, 3, 1, 5, 2),
    (2, 2, 3, 2, 2),
]
SAMPLES = 3
Build = Callable[[Builder, Value], Value]


def activation(b: Builder, shape: tuple[int, ...], scale: float = 0.1) -> Value:
    return b.activation(shape, scale, -3)


def numbers(b: Builder, *values: int) -> Value:
    return b.constant(np.array(values, np.int32))


def same(name: str, scale: float = 0.12, zero_point: int = -3) -> Build:
    def build(b: Builder, x: Value) -> Value:
        y = b.activation(x.shape, scale, zero_point)
        b.operator(name, [x], [y], **({"beta": 1.0} if name == "SOFTMAX" else {}))
        return y

    return build


def binary(name: str, axes: Callable[[int], bool]) -> Build:
    """Return an operator whose constant operand has a 1 along some axes."""

    def build(b: Builder, x: Value) -> Value:
        shape = [1 if axes(axis) else size for axis, size in enumerate(x.shape)]
        codes = np.random.default_rng(3).integers(-128, 128, shape).astype(np.int8)
        y = activation(b, x.shape, 0.2)
        b.operator(name, [x, b.constant(codes, [0.07], [5])], [y])
        return y

    return build


def reduced(name: str, first: int, keeps: bool) -> Build:
    """Return a reduction of all axes from one on."""

    def build(b: Builder, x: Value) -> Value:
        axes = range(min(first, len(x.shape) - 1), len(x.shape))
        shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keeps or a not in axes]
        y = activation(b, tuple(shape))
        b.operator(name, [x, numbers(b, *axes)], [y], keepDims=keeps)
        return y

    return build


def concatenated(axis: int) -> Build:
    def build(b: Builder, x: Value) -> Value:
        own = max(axis, -len(x.shape))
        shape = list(x.shape)
        shape[own] *= 2
        y, moved = activation(b, tuple(shape)), activation(b, x.shape)
        b.operator("RELU", [x], [moved])
        b.operator("CONCATENATION", [x, moved], [y], axis=own)
        return y

    return build


def padded(b: Builder, x: Value) -> Value:
    amounts = [(0, 0), *((1, 2) for _ in x.shape[1:])] if len(x.shape) > 1 else [(1, 2)]
    y = activation(b, tuple(n + sum(pair) for n, pair in zip(x.shape, amounts, strict=True)))
    b.operator("PAD", [x, b.constant(np.array(amounts, np.int32))], [y])
    return y


def sliced(b: Builder, x: Value) -> Value:
    begins = [1 if size > 2 else 0 for size in x.shape]
    sizes = [n - 2 * begin for n, begin in zip(x.shape, begins, strict=True)]
    y = activation(b, tuple(sizes))
    b.operator("SLICE", [x, numbers(b, *begins), numbers(b, *sizes)], [y])
    return y


def strided(b: Builder, x: Value) -> Value:
    y = activation(b, tuple(-(-size // 2) for size in x.shape))
    rank = len(x.shape)
    places = [numbers(b, *[value] * rank) for value in (0, 0, 2)]
    mask = 2**rank - 1
    b.operator("STRIDED_SLICE", [x, *places], [y], beginMask=mask, endMask=mask)
    return y


def transposed(b: Builder, x: Value) -> Value:
    order = [0, *range(len(x.shape) - 1, 0, -1)]
    y = activation(b, tuple(x.shape[axis] for axis in order))
    b.operator("TRANSPOSE", [x, numbers(b, *order)], [y])
    return y


def dense(b: Builder, x: Value) -> Value:
    depth = x.shape[-1]
    weights = np.random.default_rng(1).integers(-127, 128, (4, depth)).astype(np.int8)
    y = activation(b, (int(np.prod(x.shape)) // depth, 4), 0.3)
    b.operator("FULLY_CONNECTED", [x, b.constant(weights, [0.01]), None], [y])
    return y


def packed(b: Builder, x: Value) -> Value:
    y, moved = activation(b, (*x.shape[:1], 2, *x.shape[1:])), activation(b, x.shape)
    b.operator("RELU", [x], [moved])
    b.operator("PACK", [x, moved], [y], valuesCount=2, axis=1)
    return y


def reshaped(b: Builder, x: Value) -> Value:
    shape = (*x.shape[::-1], 1) if len(x.shape) < 5 else (int(np.prod(x.shape)),)
    y = activation(b, shape)
    b.operator("RESHAPE", [x, numbers(b, *shape)], [y], newShape=list(shape))
    return y


def places(b: Builder, x: Value) -> Value:
    y = b._tensor(x.shape[:-1], "INT32", None, [], [])
    b.operator("ARG_MAX", [x, b.constant(np.int32(-1))], [y], outputType="INT32")
    return y


OPERATORS: dict[str, Build] = {
    "add": binary("ADD", lambda _: False),
    "add scalar": binary("ADD", lambda _: True),
    "add channels": binary("ADD", lambda axis: axis < 2),
    "add far axes": binary("ADD", lambda axis: axis % 2 == 0),
    "mul far axes": binary("MUL", lambda axis: axis % 2 == 1),
    "sub": binary("SUB", lambda axis: axis == 1),
    "maximum": binary("MAXIMUM", lambda axis: axis == 0),
    "argument": places,
    "concatenation, first": concatenated(-5),
    "concatenation, last": concatenated(-1),
    "concatenation, before": concatenated(-2),
    "dense": dense,
    "logistic": same("LOGISTIC", 1 / 256, -128),
    "mean": reduced("MEAN", 1, keeps=False),
    "mean of last": reduced("MEAN", 5, keeps=True),
    "pack": packed,
    "pad": padded,
    "largest": reduced("REDUCE_MAX", 1, keeps=True),
    "relu": same("RELU"),
    "reshape": reshaped,
    "slice": sliced,
    "softmax": same("SOFTMAX", 1 / 256, -128),
    "strided slice": strided,
    "sum": reduced("SUM", 2, keeps=True),
    "transpose": transposed,
}


def case(name: str, shape: tuple[int, ...]) -> bytes:
    b = Builder()
    x, y = activation(b, shape), activation(b, shape)
    b.operator("RELU", [x], [y])
    return b.finish([x], [OPERATORS[name](b, y)])


def reference(data: bytes, samples: list[np.ndarray]) -> Any:
    """Return outputs of TensorFlow Lite Micro, None if it does not take so many dimensions."""
    try:
        network = TflmNetwork(data)
        return np.stack([network.run(each).copy() for each in samples])
    except RuntimeError:
        return None


@pytest.fixture(scope="module")
def runtime() -> Path:
    return compiled_runtime()


@pytest.mark.parametrize("name", OPERATORS)
def test_dimensions(name: str, runtime: Path, tmp_path: Path) -> None:
    models, samples, wanted = [], [], []
    for shape in SHAPES:
        data = case(name, shape)
        given = inputs(shape, SAMPLES + 2)[2:]
        right = reference(data, given)
        if right is not None:
            models.append(model_file(data, f"{name} of {shape}"))
            samples.append(given)
            wanted.append(right)
    assert len(models) >= 4
    made = run_all(models, samples, tmp_path / "c", runtime, {})
    for model, one, right in zip(models, made, wanted, strict=True):
        assert np.array_equal(one, right), model.path
