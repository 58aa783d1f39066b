"""Several inputs and outputs, in every arrangement, against TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import model_file
from support.several_ends import SeveralEnds, random_values, tflm_outputs
from support.tflite_builder import Builder, Value

Ends = tuple[list[Value], list[Value]]
IMAGE = (1, 6, 5, 3)


def image(b: Builder, *shape: int, scale: float = 0.1, zero_point: int = 3) -> Value:
    return b.activation(shape or IMAGE, scale, zero_point)


def two_inputs(b: Builder) -> Ends:
    x, y, z = image(b), image(b, scale=0.07), image(b, scale=0.2)
    b.operator("ADD", [x, y], [z])
    return [x, y], [z]


def swapped_inputs(b: Builder) -> Ends:
    inputs, outputs = two_inputs(b)
    return inputs[::-1], outputs


def two_outputs(b: Builder) -> Ends:
    x, y, z = image(b), image(b, 1, 6, 5, 1), image(b, 1, 6, 5, 2)
    axis, sizes = b.constant(np.int32(3)), b.constant(np.array([1, 2], np.int32))
    b.operator("SPLIT_V", [x, sizes, axis], [y, z], numSplits=2)
    return [x], [z, y]


def split_height(b: Builder) -> Ends:
    """Outputs that are views of the input."""
    x, y, z = image(b), image(b, 1, 3, 5, 3), image(b, 1, 3, 5, 3)
    b.operator("SPLIT", [b.constant(np.int32(1)), x], [y, z], numSplits=2)
    return [x], [y, z]


def input_is_output(b: Builder) -> Ends:
    x, y = image(b), image(b)
    b.operator("RELU", [x], [y])
    return [x], [y, x]


def unused_input(b: Builder) -> Ends:
    x, y, z = image(b), image(b, 1, 7), image(b)
    b.operator("RELU", [x], [z])
    return [y, x], [z]


def output_read_again(b: Builder) -> Ends:
    """An output that others read, too, long before the end."""
    x = image(b)
    y, z, last = image(b), image(b), image(b)
    b.operator("RELU", [x], [y])
    b.operator("ADD", [y, x], [z])
    b.operator("MUL", [z, z], [last])
    return [x], [y, last, z]


def twice(b: Builder) -> Ends:
    x, y = image(b), image(b)
    b.operator("RELU", [x], [y])
    return [x], [y, y]


def constant_output(b: Builder) -> Ends:
    x, y = image(b), image(b)
    codes = b.constant(np.arange(-20, 20, dtype=np.int8).reshape(1, 40), [0.5], [1])
    b.operator("RELU", [x], [y])
    return [x], [codes, y]


def output_in_a_concatenation(b: Builder) -> Ends:
    """Outputs whose values do not lie side by side in what they are part of."""
    x = image(b)
    y, z, both = image(b), image(b), image(b, 1, 6, 5, 6)
    b.operator("RELU", [x], [y])
    b.operator("RELU6", [x], [z])
    b.operator("CONCATENATION", [y, z], [both], axis=3)
    return [x], [y, both, z]


def reshaped_output(b: Builder) -> Ends:
    x, y, z = image(b), image(b), image(b, 1, 90)
    b.operator("RELU", [x], [y])
    b.operator("RESHAPE", [y, b.constant(np.array([1, 90], np.int32))], [z], newShape=[1, 90])
    return [x], [z, y]


def only_a_view(b: Builder) -> Ends:
    x, y = image(b), image(b, 1, 90)
    b.operator("RESHAPE", [x, b.constant(np.array([1, 90], np.int32))], [y], newShape=[1, 90])
    return [x], [y]


def no_operator(b: Builder) -> Ends:
    """What converters leave of a slice of everything."""
    x = image(b)
    return [x], [x]


def mean_without_scale(b: Builder) -> Ends:
    x, y = (b._tensor(shape, "INT8", None, [], []) for shape in (IMAGE, (1, 6, 1, 3)))
    b.operator("MEAN", [x, b.constant(np.array([2], np.int32))], [y], keepDims=True)
    return [x], [y]


def places_and_scores(b: Builder) -> Ends:
    """Outputs of different types."""
    x, y = image(b, 1, 9), image(b, 1, 9)
    place = b._tensor((1,), "INT32", None, [], [])
    b.operator("RELU", [x], [y])
    b.operator("ARG_MAX", [y, b.constant(np.int32(1))], [place], outputType="INT32")
    return [x], [y, place]


ARRANGEMENTS: list[Callable[[Builder], Ends]] = [
    two_inputs,
    swapped_inputs,
    two_outputs,
    split_height,
    input_is_output,
    unused_input,
    output_read_again,
    twice,
    constant_output,
    output_in_a_concatenation,
    reshaped_output,
    only_a_view,
    no_operator,
    mean_without_scale,
    places_and_scores,
]


@pytest.mark.parametrize("schedule", ["rows", "layers"])
@pytest.mark.parametrize("build", ARRANGEMENTS, ids=lambda build: build.__name__)
def test_outputs_are_those_of_tensorflow_lite_micro(
    build: Callable[[Builder], Ends], schedule: str, tmp_path: Path
) -> None:
    builder = Builder()
    data = builder.finish(*build(builder))
    model = model_file(data, "model.tflite")
    network = SeveralEnds(model, tmp_path, Options(schedule))
    assert network.macro("INPUTS") == len(model.graph.inputs)
    assert network.macro("OUTPUTS") == len(model.graph.outputs)
    for seed in range(4):
        values = random_values(model.graph, seed)
        made, right = network.run(values), tflm_outputs(data, values)
        assert len(made) == len(right)
        for one, other in zip(made, right, strict=True):
            assert np.array_equal(one, other)


def moves(b: Builder, kind: str) -> Ends:
    """Operators that only move elements, or put zeros beside them."""
    shape = (1, 4, 3, 5)
    x = b._tensor(shape, kind, None, [], [])
    outputs: list[Value] = []

    def numbers(*values: Any) -> Value:
        return b.constant(np.array(values, np.int32))

    def add(name: str, inputs: list[Value], *sizes: int, **options: Any) -> None:
        outputs.append(b._tensor(sizes, kind, None, [], []))
        b.operator(name, inputs, outputs[-1:], **options)

    add("SLICE", [x, numbers(0, 1, 0, 2), numbers(1, 2, 3, 3)], 1, 2, 3, 3)
    add("PAD", [x, numbers((0, 0), (1, 0), (0, 2), (1, 1))], 1, 5, 5, 7)
    add("PAD", [x, numbers((1, 0), (0, 0), (0, 2), (0, 0))], 2, 4, 5, 5)
    add("CONCATENATION", [x, x], 1, 4, 3, 10, axis=3)
    if kind == "FLOAT32":
        add("TRANSPOSE", [x, numbers(0, 2, 1, 3)], 1, 3, 4, 5)
        add("GATHER", [x, numbers(2, 0)], 1, 4, 2, 5, axis=2, batchDims=0)
    add("REVERSE_V2", [x, numbers(2)], *shape)
    add("PACK", [x, x], 1, 4, 3, 2, 5, axis=3, valuesCount=2)
    return [x], outputs


@pytest.mark.parametrize("kind", ["FLOAT32", "INT32"])
def test_elements_of_four_bytes_are_moved(kind: str, tmp_path: Path) -> None:
    """Bit by bit, whatever they are as numbers."""
    builder = Builder()
    data = builder.finish(*moves(builder, kind))
    network = SeveralEnds(model_file(data, "model.tflite"), tmp_path)
    bits = np.random.default_rng(0).integers(-(2**31), 2**31, (1, 4, 3, 5)).astype(np.int32)
    values = [bits.view(np.dtype(kind.lower()))]
    made, right = network.run(values), tflm_outputs(data, values)
    assert len(made) == len(right) > 5
    for one, other in zip(made, right, strict=True):
        assert np.array_equal(one.view(np.int32), other.view(np.int32))


def casts(b: Builder) -> Ends:
    shape = (1, 16)
    x = b._tensor(shape, "FLOAT32", None, [], [])
    numbers = [b._tensor(shape, kind, None, [], []) for kind in ("INT8", "INT16", "INT32")]
    outputs = [b._tensor(shape, kind, None, [], []) for kind in ("INT8", "INT16", "INT32")]
    outputs += [b._tensor(shape, "FLOAT32", None, [], []) for _ in numbers]
    for y in outputs[:3]:
        b.operator("CAST", [x], [y])
    for number, y in zip(numbers, outputs[3:], strict=True):
        b.operator("CAST", [number], [y])
    return [x, *numbers], outputs


def test_numbers_become_integers_and_integers_numbers(tmp_path: Path) -> None:
    """Also those that are no integer of the type, which become the nearest one."""
    builder = Builder()
    data = builder.finish(*casts(builder))
    model = model_file(data, "model.tflite")
    network = SeveralEnds(model, tmp_path)
    special = [0.0, -0.0, 0.9, -0.9, 127.9, -128.9, 300.7, -40_000.5, 2.0**31, -(2.0**31)]
    special += [2.0**31 - 128.0, 1e30, -1e30, np.inf, np.nan, 1e-40]
    for seed in range(3):
        values = random_values(model.graph, seed)
        if seed == 0:
            values[0] = np.array([special], np.float32)
        made, right = network.run(values), tflm_outputs(data, values)
        for one, other in zip(made, right, strict=True):
            assert np.array_equal(one, other)


def ends_of(first: str, last: str, *, images: bool = True) -> Callable[[Builder], Ends]:
    """Return an int8 network with an input and an output of other types."""

    def build(b: Builder) -> Ends:
        shape = IMAGE if images else (1, 37)
        x, y = (b.activation(shape, *end(name)[:2], name) for name in (first, last))
        codes, result = image(b, *shape, scale=0.05), image(b, *shape, scale=0.031, zero_point=-7)
        b.operator("QUANTIZE", [x], [codes])
        b.operator("RELU", [codes], [result])
        b.operator("DEQUANTIZE" if last == "FLOAT32" else "QUANTIZE", [result], [y])
        return [x], [y]

    return build


def end(name: str) -> tuple[float, int]:
    """Return scale and zero point of an end of a type."""
    return {"UINT8": (0.045, 131), "INT8": (0.045, -11)}.get(name, (0.001, 0))


ENDS = [
    ("FLOAT32", "FLOAT32"),
    ("UINT8", "UINT8"),
    ("FLOAT32", "UINT8"),
    ("INT8", "FLOAT32"),
    ("FLOAT32", "INT8"),
]


@pytest.mark.parametrize("images", [True, False], ids=["image", "vector"])
@pytest.mark.parametrize(("first", "last"), ENDS)
def test_ends_of_other_types(first: str, last: str, images: bool, tmp_path: Path) -> None:
    builder = Builder()
    data = builder.finish(*ends_of(first, last, images=images)(builder))
    model = model_file(data, "model.tflite")
    network = SeveralEnds(model, tmp_path, Options(io="as-is"))
    for seed in range(4):
        values = random_values(model.graph, seed)
        (made,), (right,) = network.run(values), tflm_outputs(data, values)
        assert made.dtype == right.dtype
        assert np.array_equal(made, right)


def test_every_code_becomes_its_number(tmp_path: Path) -> None:
    for kind in ("INT8", "INT16", "UINT8"):
        builder = Builder()
        count = 2**16 if kind == "INT16" else 2**8
        scale, zero_point = (0.0123, 0) if kind == "INT16" else (0.0123, 77)
        x, y = (
            builder.activation((1, count), scale, zero_point, each) for each in (kind, "FLOAT32")
        )
        builder.operator("DEQUANTIZE", [x], [y])
        data = builder.finish([x], [y])
        model = model_file(data, "model.tflite")
        dtype = np.dtype(kind.lower())
        values = [np.arange(count).astype(dtype)[None]]
        network = SeveralEnds(model, tmp_path / kind, Options(io="as-is"))
        (made,), (right,) = network.run(values), tflm_outputs(data, values)
        assert made.tobytes() == right.tobytes()


def quantising(kind: str, count: int, scale: float, zero_point: int) -> bytes:
    builder = Builder()
    x = builder._tensor((1, count), "FLOAT32", None, [], [])
    y = builder.activation((1, count), scale, zero_point, kind)
    builder.operator("QUANTIZE", [x], [y])
    return builder.finish([x], [y])


@pytest.mark.parametrize(
    ("kind", "zero_point"), [("INT8", -128), ("INT8", 5), ("INT8", 127), ("INT16", 0)]
)
@pytest.mark.parametrize("scale", [0.5, 1 / 3, 1e-3, 3.7])
def test_numbers_become_codes(kind: str, zero_point: int, scale: float, tmp_path: Path) -> None:
    """Halves, their neighbours, and numbers beyond the codes."""
    low, high = (-128, 127) if kind == "INT8" else (-(2**15), 2**15 - 1)
    halves = (np.arange(low - 40, high + 40, 0.5) - zero_point).astype(np.float32)
    exact = halves * np.float32(scale)
    near = [np.nextafter(exact, np.float32(to)) for to in (-np.inf, np.inf)]
    wide = np.float32([0.0, -0.0, 1e-45, 0.49999997, -0.49999997, 1e5 * scale, -1e5 * scale])
    values = np.concatenate([exact, *near, wide])[None]
    data = quantising(kind, values.size, scale, zero_point)
    network = SeveralEnds(model_file(data, "model.tflite"), tmp_path, Options(io="as-is"))
    (made,), (right,) = network.run([values]), tflm_outputs(data, [values])
    assert np.array_equal(made, right)


def test_numbers_that_no_code_is_near(tmp_path: Path) -> None:
    """What C leaves undefined saturates, as on Arm; what is no number is the zero point."""
    values = np.float32([[np.inf, -np.inf, 3e38, -3e38, 1e12, -1e12, np.nan]])
    for kind, zero_point, codes in (
        ("INT8", 3, [127, -128, 127, -128, 127, -128, 3]),
        ("UINT8", 140, [255, 0, 255, 0, 255, 0, 140]),
    ):
        data = quantising(kind, values.size, 1e-3, zero_point)
        model = model_file(data, "model.tflite")
        network = SeveralEnds(model, tmp_path / kind, Options(io="as-is"))
        assert network.run([values])[0].tolist() == [codes]


def test_unsigned_codes_of_numbers_are_those_of_signed_ones(tmp_path: Path) -> None:
    """TensorFlow Lite Micro has no such kernel: the formula is the same, 128 codes further."""
    values = np.random.default_rng(0).normal(0.0, 9.0, (1, 500)).astype(np.float32)
    made = []
    for kind, zero_point in (("INT8", -3), ("UINT8", 125)):
        model = model_file(quantising(kind, 500, 0.07, zero_point), "model.tflite")
        network = SeveralEnds(model, tmp_path / kind, Options(io="as-is"))
        made.append(network.run([values])[0].astype(int))
    assert np.array_equal(made[0] + 128, made[1])


@pytest.mark.parametrize("build", [two_inputs, two_outputs])
def test_streaming_has_one_of_each(build: Callable[[Builder], Ends]) -> None:
    builder = Builder()
    model = model_file(builder.finish(*build(builder)), "model.tflite")
    with pytest.raises(AscError, match="--schedule streaming needs one of each"):
        compiled.compile_network(model, Options("streaming"))


def test_nothing_is_read_or_written_at_null(tmp_path: Path) -> None:
    builder = Builder()
    network = SeveralEnds(
        model_file(builder.finish(*two_inputs(builder)), "model.tflite"), tmp_path
    )
    infer, null = network.library.asc_net_infer, -1
    assert infer(None, None, None) == null
