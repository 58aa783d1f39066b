"""Operators of one or several int8 tensors against TensorFlow Lite Micro's kernels, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.network_models import TflmNetwork
from support.one_operator import Case, check, samples, shape_of
from support.one_operator import computed as run

IMAGE = (1, 6, 5, 4)
Shape = tuple[int, ...]


def unary(
    name: str,
    shape: Shape,
    *settings: list[int],
    scale: float = 0.1,
    zero_point: int = -100,
    result: tuple[float, int] = (0.1, -100),
    **options: Any,
) -> ModelFile:
    c = Case(shape, scale, zero_point)
    inputs = [c.x, *(c.ints(values) for values in settings)]
    y = c.add(name, inputs, c.activation(shape, *result), **options)
    return c.model(y, f"{name} {shape} {scale} {zero_point} {result} {options}")


def softmax(shape: Shape, scale: float = 0.1, beta: float = 1.0, dtype: str = "INT8") -> ModelFile:
    c = Case(shape, scale)
    result = {"INT8": (1 / 256, -128), "INT16": (1 / 65536, -32768)}[dtype]
    y = c.builder.activation(shape, *result, dtype)
    c.add("SOFTMAX", [c.x], y, beta=beta)
    return c.model(y, f"SOFTMAX {shape} {scale} {beta} {dtype}")


def log_softmax(shape: Shape, scale: float = 0.1, zero_point: int = -100) -> ModelFile:
    result = (1 / 16, 127)
    return unary("LOG_SOFTMAX", shape, scale=scale, zero_point=zero_point, result=result)


def cumsum(shape: Shape, axis: int, exclusive: bool = False, reverse: bool = False) -> ModelFile:
    options = {"exclusive": exclusive, "reverse": reverse}
    return unary("CUMSUM", shape, [axis], result=(0.7, -60), **options)


def l2_norm(shape: Shape, zero_point: int) -> ModelFile:
    return unary("L2_NORMALIZATION", shape, zero_point=zero_point, result=(1 / 128, 0))


def binary(
    name: str,
    shape: Shape,
    other: Shape,
    second: tuple[float, int] = (0.07, -10),
    result: tuple[float, int] = (0.3, -40),
    *,
    turned: bool = False,
    low: int = -128,
    **options: Any,
) -> ModelFile:
    """An operator with a constant; ``low`` is the least code of the constant."""
    c = Case(shape, 0.1, -30)
    values = np.random.default_rng(1).integers(low, 128, other)
    constant = c.codes(values, *second)
    y = c.activation(np.broadcast_shapes(shape, other), *result)
    c.add(name, [constant, c.x] if turned else [c.x, constant], y, **options)
    return c.model(y, f"{name} {shape} {other} {second} {result} {turned}")


def computed(name: str, shape: Shape, result: tuple[float, int]) -> ModelFile:
    """An operator whose second operand is computed: the negative of the first, as it were."""
    c = Case(shape, 0.1, 20)
    second = c.add("QUANTIZE", [c.x], c.activation(shape, 0.2, 90))
    y = c.add(name, [c.x, second], c.activation(shape, *result))
    return c.model(y, f"{name} of two computed {shape}")


def add_n(count: int, shape: Shape = IMAGE) -> ModelFile:
    c = Case(shape, 0.1, 20)
    others = [
        c.add("RELU", [c.x], c.activation(shape, 0.1, 20)),
        c.codes(np.random.default_rng(1).integers(-128, 128, shape), 0.1, 20),
    ]
    operands = [c.x, *others, *[c.x] * count][:count]
    y = c.add("ADD_N", operands, c.activation(shape, 0.2, -7))
    return c.model(y, f"ADD_N of {count}")


def matmul(
    first: Shape, second: Shape, adj_x: bool = False, adj_y: bool = False, kind: str = "constant"
) -> ModelFile:
    """A product with a constant on one side, or of two that are computed."""
    c = Case(first, 0.1, 20)
    rng = np.random.default_rng(1)
    if kind == "computed":
        total = c.codes(rng.integers(-128, 128, second), 0.05, 3)
        bit = c.add("MEAN", [c.x, c.ints(list(range(len(first))))], c.activation((), 0.1, 0))
        other = c.add("ADD", [total, bit], c.activation(second, 0.06, -5))
    else:
        other = c.codes(rng.integers(-128, 128, second), 0.05, 3)
    left, right = np.zeros(first), np.zeros(second)
    if kind == "turned":
        left, right = right, left
    left = np.swapaxes(left, -1, -2) if adj_x else left
    right = np.swapaxes(right, -1, -2) if adj_y else right
    shape = np.matmul(left, right).shape
    operands = [other, c.x] if kind == "turned" else [c.x, other]
    y = c.add("BATCH_MATMUL", operands, c.activation(shape, 0.9, -4), adjX=adj_x, adjY=adj_y)
    return c.model(y, f"BATCH_MATMUL {first} {second} {adj_x} {adj_y} {kind}")


MODELS: list[Callable[[], ModelFile]] = [
    lambda: unary("LOGISTIC", (1, 40), result=(0.01, -128)),
    lambda: unary("TANH", (1, 40), result=(0.01, 17)),
    lambda: softmax((1, 4, 3, 9), 0.1, dtype="INT16"),
    lambda: softmax((1, 1000), 0.03, dtype="INT16"),
    lambda: softmax((1, 1), 0.3, dtype="INT16"),
    lambda: log_softmax((1, 12)),
    lambda: log_softmax((1, 4, 3, 7), 0.02),
    lambda: log_softmax((1, 35), 0.7, 3),
    lambda: log_softmax((2, 600), 0.05),
    lambda: log_softmax((1, 1), 0.05),
    lambda: cumsum(IMAGE, 1),
    lambda: cumsum(IMAGE, 2),
    lambda: cumsum(IMAGE, -1, exclusive=True),
    lambda: cumsum(IMAGE, 2, reverse=True),
    lambda: cumsum((1, 5, 7), 1, exclusive=True, reverse=True),
    lambda: l2_norm((1, 9), 4),
    lambda: l2_norm(IMAGE, -100),
    lambda: l2_norm((3, 70), 127),
    lambda: l2_norm((1, 2000), -128),
    lambda: l2_norm((1, 1), -128),
    *(
        lambda shapes=shapes, turned=turned: binary("SQUARED_DIFFERENCE", *shapes, turned=turned)
        for shapes in ((IMAGE, IMAGE), (IMAGE, (4,)), ((2, 3, 4, 5), (2, 1, 4, 1)), ((1, 9), (1,)))
        for turned in (False, True)
    ),
    lambda: computed("SQUARED_DIFFERENCE", IMAGE, (2.0, -128)),
    *(
        lambda shapes=shapes, result=result: binary("DIV", *shapes, result=result, low=0)
        for shapes in ((IMAGE, IMAGE), (IMAGE, (4,)), ((2, 3, 4, 5), (2, 1, 4, 1)), ((1, 90), (1,)))
        for result in ((0.3, -40), (0.01, 5), (4.0, 60))
    ),
    lambda: binary("DIV", (1, 500), (1, 500), (0.07, -128), low=-127),
    lambda: binary("DIV", (1, 500), (1, 500), (0.07, 127), (20.0, 0), low=-128),
    lambda: binary("DIV", (1, 90), (1, 90), low=1, fusedActivationFunction="RELU"),
    lambda: add_n(2),
    lambda: add_n(3),
    lambda: add_n(5, (1, 7)),
    lambda: matmul((1, 5, 7), (1, 7, 3)),
    lambda: matmul((1, 5, 7), (7, 3)),
    lambda: matmul((5, 7), (7, 3)),
    lambda: matmul((2, 5, 7), (2, 3, 7), adj_y=True),
    lambda: matmul((2, 7, 5), (2, 7, 3), adj_x=True),
    lambda: matmul((2, 7, 5), (2, 3, 7), adj_x=True, adj_y=True),
    lambda: matmul((1, 4, 5, 7), (1, 4, 7, 3)),
    lambda: matmul((1, 4, 5, 7), (1, 4, 3, 7), adj_y=True, kind="computed"),
    lambda: matmul((1, 4, 5, 7), (1, 1, 7, 3), kind="computed"),
    lambda: matmul((2, 4, 5, 7), (4, 7, 3), kind="computed"),
    lambda: matmul((2, 4, 5, 7), (2, 1, 7, 3)),
    lambda: matmul((2, 2, 3, 5, 7), (2, 2, 3, 7, 2)),
    lambda: matmul((1, 7, 3), (1, 5, 7), kind="turned"),
    lambda: matmul((4, 7, 3), (1, 5, 7), kind="turned"),
    lambda: matmul((1, 9, 1), (1, 1, 9), kind="computed"),
]


def test_bits_are_those_of_tensorflow_lite_micro(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path)


@pytest.mark.slow
@pytest.mark.qemu
def test_bits_on_an_emulated_core(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path, "mps2-an386")


def test_softmax_of_many_classes(tmp_path: Path) -> None:
    """Where many are equal, TensorFlow Lite Micro shifts too far and stops, if built to check."""
    models = [softmax((1, 1001), 0.05), softmax((1, 3, 700), 0.2, 0.5), softmax((1, 4095), 0.1)]
    for model, made in zip(models, run(models, tmp_path), strict=True):
        different = samples(shape_of(model))[:2]
        reference = TflmNetwork(model.data)
        for sample, output in zip(different, made[:2], strict=True):
            assert np.array_equal(output, reference.run(sample)), model.path
        # One of 512 or more that are equal
        assert set(made[4].tolist()) == set(made[5].tolist()) == {-127}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: softmax((1, 4096)), "over 4096 classes, at most 4095"),
        (lambda: unary("LOGISTIC", (1, 4), result=(1 / 256, 0)), "must have zero point -128"),
        (lambda: unary("LOG_SOFTMAX", (1, 4)), "scale 1/16 and zero point 127"),
        (lambda: l2_norm((1, 40000), 0), "over 40000 values, at most 32768"),
        (lambda: binary("DIV", (1, 4), (1, 4), result=(1e-9, 0)), "too far apart"),
        (lambda: binary("SQUARED_DIFFERENCE", (1, 4), (1, 4), result=(1e-9, 0)), "too small"),
    ],
)
def test_what_is_refused(make: Callable[[], ModelFile], message: str) -> None:
    with pytest.raises(AscError, match=message):
        compiled.compile_network(make())
