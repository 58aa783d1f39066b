"""Sums, differences, products and extremes of two tensors against their definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for
from support.integer_reference import added, multiplied

SCALES, ZEROS = (0.1, 0.03, 0.2), (5, -30, 9)
FLOAT32 = [float(np.float32(scale)) for scale in SCALES]

RULES: dict[str, Callable[[int, int], int]] = {
    "ADD": lambda a, b: added(a, b, FLOAT32, ZEROS, 1),
    "SUB": lambda a, b: added(a, b, FLOAT32, ZEROS, -1),
    "MUL": lambda a, b: multiplied(a, b, FLOAT32, ZEROS),
}
SHAPES = {"alike": (1, 4, 6, 3), "a channel": (3,), "a row": (1, 1, 6, 3), "a number": (1,)}


def check(name: str, rule: Callable[[int, int], int], shape: tuple[int, ...], folder: Path) -> None:
    """Compare an operator with a constant as its second operand, all codes among the first."""
    is_alike = name in ("MAXIMUM", "MINIMUM")
    scales, zeros = ((0.1,) * 3, (5,) * 3) if is_alike else (SCALES, ZEROS)
    other = np.random.default_rng(2).integers(-128, 128, shape).astype(np.int8)
    builder = GraphBuilder((1, 4, 6, 3), scales[0], zeros[0])
    constant = builder.constant(other, [scales[1]])
    builder.tensors[constant] = replace(builder.tensors[constant], zero_points=(zeros[1],))
    builder.add(
        name,
        (0, constant),
        (1, 4, 6, 3),
        scales[2],
        zeros[2],
        fused_activation_function="NONE",
        pot_scale_int16=False,
    )
    graph = builder.graph()
    samples = samples_for(graph, 8)
    for sample, output in zip(samples, outputs_of(graph, samples, folder), strict=True):
        pairs = np.broadcast_arrays(sample[None], other)
        wanted = [rule(int(a), int(b)) for a, b in zip(*map(np.ravel, pairs), strict=True)]
        assert output.ravel().tolist() == wanted


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", RULES)
def test_arithmetic(name: str, shape: str, tmp_path: Path) -> None:
    check(name, RULES[name], SHAPES[shape], tmp_path)


@pytest.mark.parametrize(("name", "rule"), [("MAXIMUM", max), ("MINIMUM", min)])
def test_extremes(name: str, rule: Callable[[int, int], int], tmp_path: Path) -> None:
    check(name, rule, (1, 4, 6, 3), tmp_path)


def test_two_branches(tmp_path: Path) -> None:
    """A tensor that two operators read: itself, and the double of itself."""
    builder = GraphBuilder((1, 3, 5, 2), 0.25, 0)
    none = {"fused_activation_function": "NONE", "pot_scale_int16": False}
    double = builder.add("ADD", (0, 0), (1, 3, 5, 2), 0.5, 0, **none)
    builder.add("ADD", (0, double), (1, 3, 5, 2), 0.75, 0, **none)
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        assert np.array_equal(output, sample), "x + 2 x, in thirds"
