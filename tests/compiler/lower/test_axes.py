"""Axes that are not neighbours, and more than four: reductions and broadcasts against TFLM's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.model.model_file import ModelFile

pytest.importorskip("tflite_micro")

from support.one_operator import Case, check

IMAGE = (1, 6, 5, 4)


def reduced(
    name: str, shape: tuple[int, ...], *axes: int, keep_dims: bool = False, scale: float = 0.1
) -> ModelFile:
    c = Case(shape)
    left = np.zeros(shape).sum(axis=axes, keepdims=keep_dims).shape
    same = name.startswith("REDUCE")
    y = c.activation(left) if same else c.activation(left, scale, -20)
    c.add(name, [c.x, c.ints(axes)], y, keepDims=keep_dims)
    return c.model(y, f"{name} {shape} {axes}")


def broadcast(name: str, shape: tuple[int, ...], other: tuple[int, ...]) -> ModelFile:
    """An operand that is constant."""
    c = Case(shape)
    values = np.random.default_rng(1).integers(-128, 128, other)
    second = c.codes(values, 0.1, -100)
    y = c.activation(np.broadcast_shapes(shape, other), 0.1 if "MUM" in name else 0.3)
    c.add(name, [second, c.x] if name == "SUB" else [c.x, second], y)
    return c.model(y, f"{name} {shape} {other}")


def computed_operand(name: str, shape: tuple[int, ...], *axes: int) -> ModelFile:
    """An operand that a reduction makes."""
    c = Case(shape)
    left = np.zeros(shape).sum(axis=axes, keepdims=True).shape
    means = c.add("MEAN", [c.x, c.ints(axes)], c.activation(left, 0.1), keepDims=True)
    y = c.add(name, [c.x, means], c.activation(shape, 0.2))
    return c.model(y, f"{name} {shape} by means over {axes}")


MODELS: list[Callable[[], ModelFile]] = [
    lambda: reduced("MEAN", IMAGE, 1, 3),
    lambda: reduced("MEAN", IMAGE, 1, 3, keep_dims=True, scale=0.07),
    lambda: reduced("MEAN", (2, 3, 4, 5), 0, 2),
    lambda: reduced("SUM", (2, 3, 4, 5), 0, 3, scale=1.1),
    lambda: reduced("SUM", (2, 3, 2, 3, 2), 0, 2, 4, scale=1.1),
    lambda: reduced("REDUCE_MAX", (2, 3, 4, 5), 0, 2),
    lambda: reduced("REDUCE_MIN", (2, 3, 4, 5), 1, 3),
    lambda: reduced("REDUCE_MIN", IMAGE, 1, 2),
    lambda: reduced("REDUCE_MIN", IMAGE, 1),
    lambda: reduced("REDUCE_MIN", IMAGE, 3, keep_dims=True),
    lambda: reduced("REDUCE_MIN", IMAGE, 2),
    lambda: reduced("REDUCE_MIN", (1, 9), 1),
    lambda: broadcast("ADD", (2, 3, 4, 5), (2, 1, 4, 1)),
    lambda: broadcast("SUB", (2, 3, 4, 5), (1, 3, 1, 5)),
    lambda: broadcast("MUL", (2, 1, 4, 1), (2, 3, 4, 5)),
    lambda: broadcast("MUL", (2, 1, 4, 1), (1, 3, 1, 5)),
    lambda: broadcast("MAXIMUM", (2, 3, 4, 5), (2, 1, 4, 1)),
    lambda: broadcast("ADD", (1, 2, 3, 4, 5), (1, 2, 3, 4, 5)),
    lambda: computed_operand("ADD", (2, 3, 4, 5), 1, 3),
    lambda: computed_operand("MUL", (3, 4, 5), 1),
    lambda: computed_operand("MUL", IMAGE, 1, 3),
]


def test_bits_are_those_of_tensorflow_lite_micro(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path)


@pytest.mark.slow
@pytest.mark.qemu
def test_bits_on_an_emulated_core(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path, "mps2-an386")
