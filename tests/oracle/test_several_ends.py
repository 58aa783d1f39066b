"""Several inputs and outputs, in every arrangement, against TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
