"""Operators that only move values, by index maps: against TFLM's kernels, and NumPy's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.one_operator import Case, check, computed, samples, shape_of

IMAGE = (1, 6, 5, 4)


def reverse(shape: tuple[int, ...], *axes: int) -> ModelFile:
    c = Case(shape)
    y = c.add("REVERSE_V2", [c.x, c.ints(axes)], c.activation(shape))
    return c.model(y, f"reverse {shape} {axes}")


def broadcast(shape: tuple[int, ...], target: tuple[int, ...]) -> ModelFile:
    c = Case(shape)
    y = c.add("BROADCAST_TO", [c.x, c.ints(target)], c.activation(target))
    return c.model(y, f"broadcast {shape} {target}")


def mirror(shape: tuple[int, ...], amounts: list[tuple[int, int]], mode: str) -> ModelFile:
    c = Case(shape)
    padded = [n + sum(pair) for n, pair in zip(shape, amounts, strict=True)]
    y = c.add("MIRROR_PAD", [c.x, c.ints(amounts)], c.activation(padded), mode=mode)
    return c.model(y, f"mirror {shape} {amounts} {mode}")


def transpose(shape: tuple[int, ...], *order: int) -> ModelFile:
    c = Case(shape)
    y = c.add("TRANSPOSE", [c.x, c.ints(order)], c.activation([shape[n] for n in order]))
    return c.model(y, f"transpose {shape} {order}")


def gather(shape: tuple[int, ...], axis: int, places: list[int] | list[list[int]]) -> ModelFile:
    c = Case(shape)
    taken = np.take(np.zeros(shape), places, axis).shape
    y = c.add("GATHER", [c.x, c.ints(places)], c.activation(taken), axis=axis)
    return c.model(y, f"gather {shape} {axis} {places}")


def gather_batches(batch_dims: int) -> ModelFile:
    """One list of places for each of the first axes."""
    c = Case((2, 3, 4, 5))
    places = np.random.default_rng(0).integers(0, 4, (2, 3, 6)[: batch_dims + 1])
    axis = 2
    taken = (2, 3, *places.shape[batch_dims:], 5)
    y = c.add("GATHER", [c.x, c.ints(places)], c.activation(taken), axis=axis, batchDims=batch_dims)
    return c.model(y, f"gather with {batch_dims} batch dims")


def gather_nd(shape: tuple[int, ...], places: list[list[int]]) -> ModelFile:
    c = Case(shape)
    rest = shape[len(places[0]) :]
    y = c.add("GATHER_ND", [c.x, c.ints(places)], c.activation((len(places), *rest)))
    return c.model(y, f"gather_nd {shape} {places}")


def space_to_batch(shape: tuple[int, ...], blocks: list[int], pads: list[list[int]]) -> ModelFile:
    c = Case(shape)
    sizes = [(n + sum(p)) // b for n, b, p in zip(shape[1:], blocks, pads, strict=False)]
    made = (shape[0] * int(np.prod(blocks)), *sizes, *shape[1 + len(blocks) :])
    inputs = [c.x, c.ints(blocks), c.ints(pads)]
    y = c.add("SPACE_TO_BATCH_ND", inputs, c.activation(made))
    return c.model(y, f"space_to_batch {shape} {blocks} {pads}")


def batch_to_space(shape: tuple[int, ...], blocks: list[int], crops: list[list[int]]) -> ModelFile:
    c = Case(shape)
    sizes = [n * b - sum(p) for n, b, p in zip(shape[1:], blocks, crops, strict=False)]
    made = (shape[0] // int(np.prod(blocks)), *sizes, *shape[1 + len(blocks) :])
    inputs = [c.x, c.ints(blocks), c.ints(crops)]
    y = c.add("BATCH_TO_SPACE_ND", inputs, c.activation(made))
    return c.model(y, f"batch_to_space {shape} {blocks} {crops}")


MODELS: list[Callable[[], ModelFile]] = [
    lambda: reverse((1, 7), 1),
    lambda: reverse(IMAGE, 1),
    lambda: reverse(IMAGE, 2, 3),
    lambda: reverse(IMAGE, 3),
    lambda: reverse((2, 3, 2, 5), -3, -2),
    lambda: reverse((1, 2, 3, 2, 4), 3),
    lambda: broadcast((1, 1), (1, 9)),
    lambda: broadcast((4,), (1, 3, 5, 4)),
    lambda: broadcast((1, 1, 5, 1), IMAGE),
    lambda: broadcast((6, 1, 4), IMAGE),
    lambda: broadcast((2, 1, 3, 1), (2, 2, 4, 3, 5)),
    lambda: mirror(IMAGE, [(0, 0), (0, 0), (2, 4), (1, 3)], "REFLECT"),
    lambda: mirror(IMAGE, [(0, 0), (5, 1), (0, 0), (0, 0)], "REFLECT"),
    lambda: mirror(IMAGE, [(0, 0), (6, 1), (5, 5), (4, 0)], "SYMMETRIC"),
    lambda: mirror((1, 8, 3), [(0, 0), (3, 7), (0, 2)], "REFLECT"),
    lambda: transpose((1, 2, 3, 4, 5), 0, 3, 1, 4, 2),
    lambda: transpose((2, 3, 2, 4, 2), 4, 2, 0, 3, 1),
    lambda: transpose((1, 2, 3, 4, 5), 0, 1, 2, 4, 3),
    lambda: gather(IMAGE, 1, [5, 0, 0, 3]),
    lambda: gather(IMAGE, 1, [1, 3, 5]),
    lambda: gather(IMAGE, 2, [4, 1, 1]),
    lambda: gather(IMAGE, -1, [3, 1, 0]),
    lambda: gather((1, 9), 1, [8, 2, 3]),
    lambda: gather((3, 7, 2), 1, [[6, 0], [2, 2]]),
    lambda: gather_batches(1),
    lambda: gather_batches(2),
    lambda: gather_nd((3, 4, 5), [[2, 1], [0, 3], [2, 1]]),
    lambda: gather_nd((3, 4), [[2, 1], [0, 3]]),
    lambda: gather_nd(IMAGE, [[0, 5], [0, 2]]),
    lambda: space_to_batch((1, 6, 4, 3), [2, 2], [[0, 0], [0, 0]]),
    lambda: space_to_batch((2, 6, 6, 2), [3, 2], [[0, 0], [0, 0]]),
    lambda: space_to_batch((1, 8, 3), [4], [[0, 0]]),
    lambda: batch_to_space((4, 3, 2, 3), [2, 2], [[0, 0], [0, 0]]),
    lambda: batch_to_space((4, 3, 2, 3), [2, 2], [[1, 0], [1, 2]]),
    lambda: batch_to_space((6, 2, 3, 2), [3, 1], [[1, 1], [0, 0]]),
    lambda: batch_to_space((4, 2, 3), [4], [[0, 3]]),
]


def test_values_are_where_tensorflow_lite_micro_puts_them(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path)


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("board", ["mps2-an386"])
def test_values_on_an_emulated_core(board: str, tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path, board)


def tile(shape: tuple[int, ...], *multiples: int, dtype: type = np.int32) -> ModelFile:
    c = Case(shape)
    made = [n * m for n, m in zip(shape, multiples, strict=True)]
    y = c.add("TILE", [c.x, c.ints(multiples, dtype)], c.activation(made))
    return c.model(y, f"tile {shape} {multiples}")


TILES = [
    (IMAGE, (1, 1, 2, 3)),
    (IMAGE, (1, 3, 1, 1)),
    ((1, 1, 5, 4), (1, 3, 1, 2)),
    ((1, 7), (1, 3)),
    ((2, 3, 4), (2, 1, 2)),
    ((1, 2, 3, 2, 3), (1, 2, 2, 1, 3)),
]


def test_tiles_are_those_of_numpy(tmp_path: Path) -> None:
    """TensorFlow Lite Micro has no TILE."""
    models = [tile(shape, *multiples) for shape, multiples in TILES]
    models.append(tile((1, 4), 1, 2, dtype=np.int64))
    multiples = [each for _, each in TILES] + [(1, 2)]
    for model, made, each in zip(models, computed(models, tmp_path), multiples, strict=True):
        wanted = [np.tile(sample, each).ravel() for sample in samples(shape_of(model))]
        assert np.array_equal(made, wanted), model.path


def test_blocks_are_padded_with_the_zero_point(tmp_path: Path) -> None:
    """TensorFlow Lite Micro never sets what it pads with; TensorFlow Lite takes the zero point."""
    pads = [[1, 2], [0, 1]]
    model = space_to_batch((1, 3, 5, 2), [3, 2], pads)
    (made,) = computed([model], tmp_path)
    for sample, output in zip(samples((1, 3, 5, 2)), made, strict=True):
        padded = np.pad(sample, [(0, 0), *pads, (0, 0)], constant_values=-100)
        parts = [padded[:, y::3, x::2] for y in range(3) for x in range(2)]
        assert np.array_equal(output, np.concatenate(parts).ravel())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gather(IMAGE, 2, [4, 1]), ""),
        (lambda: gather_outside(5), "index 5 of an axis of 5, must be 0 to 4"),
        (lambda: gather_outside(-1), "index -1 of an axis of 5, must be 0 to 4"),
        (lambda: mirror((1, 4), [(0, 0), (4, 0)], "REFLECT"), r"paddings \[\[0, 0\], \[4, 0\]\]"),
        (lambda: mirror((1, 4), [(0, 0), (0, 5)], "SYMMETRIC"), r"paddings \[\[0, 0\], \[0, 5\]\]"),
        (lambda: tile((1, 4), 1, 0), "states the output|multiples|elements"),
    ],
)
def test_places_outside_are_refused(make: Callable[[], ModelFile], message: str) -> None:
    if not message:
        compiled.compile_network(make())
        return
    with pytest.raises(AscError, match=message):
        compiled.compile_network(make())


def gather_outside(place: int) -> ModelFile:
    c = Case(IMAGE)
    y = c.add("GATHER", [c.x, c.ints([0, place])], c.activation((1, 6, 2, 4)), axis=2)
    return c.model(y, "outside")


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (reverse(IMAGE, 2), 6),
        (reverse(IMAGE, 1), 6),
        (gather(IMAGE, 3, [2, 0]), 6),
        (gather(IMAGE, 1, [1, 3, 5]), 3),
        (gather(IMAGE, 1, [1, 2, 5]), 1),
        (mirror(IMAGE, [(0, 0), (0, 0), (1, 1), (0, 0)], "REFLECT"), 6),
        (tile(IMAGE, 1, 1, 2, 1), 6),
        (tile(IMAGE, 1, 2, 1, 1), 1),
    ],
)
def test_rows_are_made_one_by_one_where_that_is_possible(model: ModelFile, rows: int) -> None:
    stages = compiled.compile_network(model).lowered.stages
    assert [stage.runs for stage in stages][-1] == rows


@pytest.mark.parametrize("axes", [(1, 3), (2, 2), (0, 1, 3)])
def test_axes_that_tflm_does_not_reverse(axes: tuple[int, ...]) -> None:
    with pytest.raises(AscError, match="are not next to each other"):
        compiled.compile_network(reverse(IMAGE, *axes))
