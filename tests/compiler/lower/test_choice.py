"""Truths and integers: comparisons, choices, casts, places that are computed, against TFLM."""

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

from support.one_operator import Case, check, computed, samples, shape_of
from support.tflite_builder import Value

IMAGE = (1, 6, 5, 4)
Shape = tuple[int, ...]
COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")


def plain(c: Case, shape: Shape, dtype: str) -> Value:
    """Add a tensor without a scale."""
    return c.builder._tensor(tuple(shape), dtype, None, [], [])


def as_int32(c: Case, x: Value) -> Value:
    return c.add("CAST", [x], plain(c, x.shape, "INT32"))


def truth(c: Case, x: Value, code: int = -100) -> Value:
    """Whether codes are above one of them."""
    return c.add("GREATER", [x, c.codes([code], 0.1, -100)], plain(c, x.shape, "BOOL"))


def as_codes(c: Case, x: Value) -> Value:
    """Give truths as codes, which a network can give."""
    return c.add("CAST", [x], c.activation(x.shape))


def compare(
    name: str, shape: Shape, other: Shape, quantization: tuple[float, int] = (0.1, -100)
) -> ModelFile:
    c = Case(shape)
    values = np.random.default_rng(1).integers(-128, 128, other)
    values.ravel()[0] = -100
    made = np.broadcast_shapes(shape, other)
    y = c.add(name, [c.x, c.codes(values, *quantization)], plain(c, made, "BOOL"))
    return c.model(as_codes(c, y), f"{name} {shape} {other} {quantization}")


def compare_integers(name: str, shape: Shape, other: Shape) -> ModelFile:
    c = Case(shape)
    values = np.random.default_rng(1).integers(-102, -98, other)
    y = c.add(name, [as_int32(c, c.x), c.ints(values)], plain(c, shape, "BOOL"))
    return c.model(as_codes(c, y), f"{name} of integers {shape} {other}")


def logical(name: str) -> ModelFile:
    c = Case(IMAGE)
    operands = [truth(c, c.x, -101), truth(c, c.x, 5)][: 1 if name == "LOGICAL_NOT" else 2]
    y = c.add(name, operands, plain(c, IMAGE, "BOOL"))
    return c.model(as_codes(c, y), name)


def equal_truths(name: str) -> ModelFile:
    c = Case(IMAGE)
    y = c.add(name, [truth(c, c.x, -101), truth(c, c.x, 5)], plain(c, IMAGE, "BOOL"))
    return c.model(as_codes(c, y), f"{name} of truths")


def select(name: str, shape: Shape, second: Shape, condition: Shape | None = None) -> ModelFile:
    c = Case(shape)
    other = c.codes(np.random.default_rng(1).integers(-128, 128, second), 0.2, 3)
    chosen = truth(c, c.x)
    if condition is not None:
        mask = np.random.default_rng(2).integers(0, 2, condition).astype(np.int8)
        chosen = c.add(
            "GREATER", [c.codes(mask, 0.1, 0), c.codes([0], 0.1, 0)], plain(c, condition, "BOOL")
        )
    y = c.add(name, [chosen, c.x, other], c.activation(shape))
    return c.model(y, f"{name} {shape} {second} {condition}")


def cast(*dtypes: str) -> ModelFile:
    """A chain of casts to these types and back."""
    c = Case(IMAGE)
    y = c.x
    for dtype in dtypes:
        is_code = dtype in ("INT8", "INT16")
        result = c.builder.activation(IMAGE, 0.1, 0, dtype) if is_code else plain(c, IMAGE, dtype)
        y = c.add("CAST", [y], result)
    return c.model(y, f"CAST to {dtypes}")


def integers(name: str, shape: Shape, other: Shape, **options: Any) -> ModelFile:
    c = Case(shape)
    large = np.random.default_rng(1).integers(-(2**31), 2**31, other, np.int64).astype(np.int32)
    values = np.where(large % 2 == 0, large, large % 1000 + 3)
    made = np.broadcast_shapes(shape, other)
    squares = c.add("MUL", [as_int32(c, c.x)] * 2, plain(c, shape, "INT32"))
    y = c.add(name, [squares, c.ints(values)], plain(c, made, "INT32"), **options)
    return c.model(y, f"{name} of integers {shape} {other}")


def by_place(shape: Shape, axis: int, name: str = "ARG_MAX") -> ModelFile:
    """Of each row what lies where its largest value is."""
    c = Case(shape)
    places = c.add(name, [c.x, c.ints(axis)], plain(c, shape[:axis] + shape[axis + 1 :], "INT32"))
    table = c.codes(np.random.default_rng(1).integers(-128, 128, (shape[axis], 3)), 0.1, -100)
    y = c.add("GATHER", [table, places], c.activation((*places.shape, 3)), axis=0)
    return c.model(y, f"GATHER by {name} of {shape} along {axis}")


def gather_batches() -> ModelFile:
    c = Case((2, 3, 4))
    places = c.add("ARG_MAX", [c.x, c.ints(1)], plain(c, (2, 4), "INT32"))
    y = c.activation((2, 4, 4))
    c.add("GATHER", [c.x, places], y, axis=1, batchDims=1)
    return c.model(y, "GATHER with batches")


def gather_nd() -> ModelFile:
    c = Case((4, 6))
    rows = c.add("ARG_MAX", [c.x, c.ints(0)], plain(c, (6,), "INT32"))
    columns = c.add("ARG_MIN", [c.x, c.ints(0)], plain(c, (6,), "INT32"))
    places = c.add("PACK", [rows, columns], plain(c, (6, 2), "INT32"), valuesCount=2, axis=1)
    table = c.codes(np.random.default_rng(1).integers(-128, 128, (4, 4, 5)), 0.1, -100)
    y = c.add("GATHER_ND", [table, places], c.activation((6, 5)))
    return c.model(y, "GATHER_ND by computed places")


def moved_integers() -> ModelFile:
    """Integers through operators that only move values."""
    c = Case(IMAGE)
    x = as_int32(c, c.x)
    a, b = (plain(c, (1, 3, 5, 4), "INT32") for _ in range(2))
    c.builder.operator("SPLIT", [c.ints(1), x], [a, b], numSplits=2)
    y = c.add("CONCATENATION", [b, a], plain(c, (1, 6, 5, 4), "INT32"), axis=1)
    y = c.add("RESHAPE", [y, c.ints([1, 30, 4])], plain(c, (1, 30, 4), "INT32"))
    y = c.add(
        "STRIDED_SLICE",
        [y, c.ints([0, 1, 0]), c.ints([1, 30, 4]), c.ints([1, 2, 1])],
        plain(c, (1, 15, 4), "INT32"),
    )
    y = c.add("REVERSE_V2", [y, c.ints([1])], plain(c, (1, 15, 4), "INT32"))
    return c.model(y, "integers that are moved")


def filled(dtype: str) -> ModelFile:
    c = Case((1, 7))
    value = c.add("REDUCE_MAX", [c.x, c.ints([0, 1])], c.activation(()))
    if dtype == "INT32":
        value = as_int32(c, value)
    y = plain(c, (2, 3, 5), "INT32") if dtype == "INT32" else c.activation((2, 3, 5))
    c.add("FILL", [c.ints([2, 3, 5]), value], y)
    return c.model(y, f"FILL with {dtype}")


def zeros() -> ModelFile:
    c = Case(IMAGE)
    nothing = c.add("ZEROS_LIKE", [c.x], c.activation(IMAGE))
    y = c.add("MAXIMUM", [c.x, nothing], c.activation(IMAGE))
    return c.model(y, "ZEROS_LIKE")


MODELS: list[Callable[[], ModelFile]] = [
    *(lambda name=name: compare(name, IMAGE, IMAGE) for name in COMPARISONS),
    *(lambda name=name: compare(name, IMAGE, (4,), (0.07, 30)) for name in COMPARISONS),
    *(lambda name=name: compare(name, (1, 9), (1,), (0.9, -3)) for name in COMPARISONS),
    *(lambda name=name: compare_integers(name, IMAGE, (5, 1)) for name in COMPARISONS),
    *(lambda name=name: logical(name) for name in ("LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT")),
    *(lambda name=name: equal_truths(name) for name in ("EQUAL", "NOT_EQUAL")),
    lambda: select("SELECT_V2", IMAGE, IMAGE),
    lambda: select("SELECT_V2", IMAGE, (1,)),
    lambda: select("SELECT_V2", IMAGE, (5, 1), (1, 6, 1, 1)),
    lambda: select("SELECT_V2", (2, 3, 4, 5), (3, 1, 5), (2, 1, 4, 1)),
    lambda: select("SELECT_V2", (1, 7), (1, 7), (1,)),
    lambda: cast("INT32"),
    lambda: cast("INT16", "INT32"),
    lambda: cast("INT32", "INT8", "INT32"),
    lambda: cast("INT32", "INT16", "INT8"),
    *(
        lambda name=name: integers(name, IMAGE, IMAGE)
        for name in ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE")
    ),
    lambda: integers("ADD", IMAGE, (4,)),
    lambda: integers("SUB", (2, 3, 4), (3, 1)),
    lambda: by_place((1, 6), 1),
    lambda: by_place((3, 5, 4), 1, "ARG_MIN"),
    gather_batches,
    gather_nd,
    moved_integers,
    lambda: filled("INT8"),
    lambda: filled("INT32"),
    zeros,
]


def test_bits_are_those_of_tensorflow_lite_micro(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path)


@pytest.mark.slow
@pytest.mark.qemu
def test_bits_on_an_emulated_core(tmp_path: Path) -> None:
    check([make() for make in MODELS], tmp_path, "mps2-an386")


def test_select_by_parts(tmp_path: Path) -> None:
    """TensorFlow Lite Micro has no SELECT."""
    shape = (3, 4)
    model = select("SELECT", shape, shape, (3,))
    same = select("SELECT", shape, shape)
    scalar = select("SELECT", shape, shape, (1,))
    other = np.random.default_rng(1).integers(-128, 128, shape)
    models = [model, same, scalar]
    for case, made in zip(models, computed(models, tmp_path), strict=True):
        for sample, output in zip(samples(shape_of(case)), made, strict=True):
            condition = sample > -100
            if case is not same:
                size = (3,) if case is model else (1,)
                mask = np.random.default_rng(2).integers(0, 2, size) > 0
                condition = np.broadcast_to(mask[..., None], shape)
            assert np.array_equal(output, np.where(condition, sample, other).ravel()), case.path


def test_places_outside_are_brought_inside(tmp_path: Path) -> None:
    """TensorFlow Lite Micro stops or reads elsewhere."""
    c = Case((1, 6))
    table = c.codes([[3, 4], [5, 6], [7, 8]], 0.1, -100)
    y = c.add("GATHER", [table, as_int32(c, c.x)], c.activation((1, 6, 2)), axis=0)
    flat = Case((1, 6))
    stated = [as_int32(flat, flat.x), flat.ints([6, 1])]
    places = flat.add("RESHAPE", stated, plain(flat, (6, 1), "INT32"))
    own = flat.codes([[3, 4], [5, 6], [7, 8]], 0.1, -100)
    z = flat.add("GATHER_ND", [own, places], flat.activation((6, 2)))
    models = [c.model(y, "GATHER outside"), flat.model(z, "GATHER_ND outside")]
    values = np.array([[3, 4], [5, 6], [7, 8]])
    for made in computed(models, tmp_path):
        for sample, output in zip(samples((1, 6)), made, strict=True):
            wanted = values[np.clip(sample.ravel().astype(int), 0, 2)]
            assert np.array_equal(output, wanted.ravel())


def test_what_is_refused() -> None:
    with pytest.raises(AscError, match=r"scale 1\.5, must be below 1 to be compared"):
        compiled.compile_network(compare("LESS", (1, 4), (1, 4), (1.5, 0)))
    c = Case((1, 1))
    y = c.add("FILL", [c.ints([2, 3]), c.x], c.activation((2, 3)))
    with pytest.raises(AscError, match=r"value of shape \[1, 1\], must be a number without"):
        compiled.compile_network(c.model(y, "FILL with a list"))
    with pytest.raises(AscError, match="a fused activation of INT32 is not supported"):
        compiled.compile_network(integers("ADD", (1, 4), (1, 4), fusedActivationFunction="RELU"))
