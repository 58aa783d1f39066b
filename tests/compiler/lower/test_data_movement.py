"""Operators that only move codes, against NumPy's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for

SHAPE = (1, 6, 5, 4)
INT32 = np.int32


def ints(*values: int) -> np.ndarray:
    return np.array(values, INT32)


def strided(**more: int) -> dict[str, Any]:
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    return {**dict.fromkeys(masks, 0), "offset": False, **more}


Moved = Callable[[np.ndarray], np.ndarray]
CASES: dict[str, tuple[str, list[np.ndarray], dict[str, Any], Moved]] = {
    "slice": (
        "SLICE",
        [ints(0, 1, 2, 0), ints(1, 4, 3, 3)],
        {},
        lambda x: x[:, 1:5, 2:5, :3],
    ),
    "every other": (
        "STRIDED_SLICE",
        [ints(0, 1, 0, 0), ints(1, 6, 5, 4), ints(1, 2, 2, 1)],
        strided(),
        lambda x: x[:, 1:6:2, ::2],
    ),
    "backwards": (
        "STRIDED_SLICE",
        [ints(0, 5, 0, 0), ints(1, -7, 5, 4), ints(1, -1, 1, 1)],
        strided(),
        lambda x: x[:, ::-1],
    ),
    "pad": (
        "PAD",
        [np.array([[0, 0], [1, 2], [0, 3], [2, 0]], INT32)],
        {},
        lambda x: np.pad(x, ((0, 0), (1, 2), (0, 3), (2, 0)), constant_values=17),
    ),
    "transpose": ("TRANSPOSE", [ints(0, 2, 1, 3)], {}, lambda x: x.transpose(0, 2, 1, 3)),
    "channels first": ("TRANSPOSE", [ints(0, 3, 1, 2)], {}, lambda x: x.transpose(0, 3, 1, 2)),
    "nearest, twice as large": (
        "RESIZE_NEAREST_NEIGHBOR",
        [ints(12, 10)],
        {"align_corners": False, "half_pixel_centers": False},
        lambda x: x.repeat(2, axis=1).repeat(2, axis=2),
    ),
    "nearest, odd": (
        "RESIZE_NEAREST_NEIGHBOR",
        [ints(4, 7)],
        {"align_corners": False, "half_pixel_centers": False},
        lambda x: x[:, [n * 6 // 4 for n in range(4)]][:, :, [n * 5 // 7 for n in range(7)]],
    ),
    "depth to space": (
        "DEPTH_TO_SPACE",
        [],
        {"block_size": 2},
        lambda x: x.reshape(1, 6, 5, 2, 2, 1).transpose(0, 1, 3, 2, 4, 5).reshape(1, 12, 10, 1),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_codes_are_where_numpy_puts_them(name: str, tmp_path: Path) -> None:
    operator, constants, options, moved = CASES[name]
    builder = GraphBuilder(SHAPE, 0.5, 17)
    inputs = [0, *(builder.constant(values) for values in constants)]
    shape = moved(np.zeros(SHAPE, np.int8)).shape
    builder.add(operator, inputs, shape, 0.5, 17, **options)
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        assert np.array_equal(output, moved(sample[None])[0])


VIEWS: dict[str, tuple[str, list[np.ndarray], Moved]] = {
    "rows": ("SLICE", [ints(0, 2, 0, 0), ints(1, 3, 6, 4)], lambda x: x[:, 2:5]),
    "reshape": ("RESHAPE", [ints(1, 10, 12)], lambda x: x.reshape(1, 10, 12)),
    "squeeze": ("SQUEEZE", [], lambda x: x.reshape(5, 6, 4)),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_of_what_is_copied_before(name: str, tmp_path: Path) -> None:
    operator, constants, moved = VIEWS[name]
    builder = GraphBuilder(SHAPE, 0.5, 17)
    copied = builder.add(
        "TRANSPOSE", (0, builder.constant(ints(0, 2, 1, 3))), (1, 5, 6, 4), 0.5, 17
    )
    wanted = [moved(sample[None].transpose(0, 2, 1, 3)) for sample in samples_for(builder.graph())]
    inputs = [copied, *(builder.constant(values) for values in constants)]
    builder.add(operator, inputs, wanted[0].shape, 0.5, 17)
    graph = builder.graph()
    for output, each in zip(outputs_of(graph, samples_for(graph), tmp_path), wanted, strict=True):
        assert output.ravel().tolist() == each.ravel().tolist()


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_parts_joined_in_another_order(axis: int, tmp_path: Path) -> None:
    """Two slices change places: SLICE as a view or a copy, CONCATENATION in place or by copy."""
    builder = GraphBuilder(SHAPE, 0.5, 0)
    cut, size = 2, SHAPE[axis]
    parts = []
    for begin, count in ((cut, size - cut), (0, cut)):
        begins, sizes = ints(0, 0, 0, 0), np.array(SHAPE, INT32)
        begins[axis], sizes[axis] = begin, count
        constants = (builder.constant(begins), builder.constant(sizes))
        parts.append(builder.add("SLICE", (0, *constants), tuple(map(int, sizes)), 0.5, 0))
    builder.add("CONCATENATION", parts, SHAPE, 0.5, 0, axis=axis, fused_activation_function="NONE")
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        assert np.array_equal(output[None], np.roll(sample[None], -cut, axis))
