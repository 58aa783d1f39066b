"""Each pass on graphs made by hand: it changes what it should, and no value."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.compiled import Compiled
from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.cascade import Cascade, cascadable_pairs, with_cascades
from asc_tiny.compiler.passes.pack_dense import pack_dense_layers
from asc_tiny.compiler.passes.row_blocking import block_rows, possible_rows_per_run
from asc_tiny.compiler.passes.streaming_input import with_streaming_input
from asc_tiny.compiler.passes.strip_io_conversions import without_conversions
from asc_tiny.compiler.passes.time_major import to_time_major
from asc_tiny.compiler.passes.width_split import split_stage, split_width, splittable_width
from asc_tiny.compiler.passes.width_tiles import PixelRange, SlidingWindow, pixel_ranges
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.compiler.planner.scheduler import schedule, schedule_streaming
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.util.errors import AscError
from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for
from support.integer_reference import convolution
from support.interpreted_schedule import interpret

SHAPE = (1, 8, 12, 3)


def convolutions(*kernels: tuple[int, int], stride: int = 1, filters: int = 4) -> Graph:
    """Return a chain of convolutions with random weights."""
    random = np.random.default_rng(9)
    builder = GraphBuilder(SHAPE, 0.05, 3)
    number, shape = 0, SHAPE
    for kernel in kernels:
        weights = random.integers(-127, 128, (filters, *kernel, shape[3])).astype(np.int8)
        shape = (1, -(-shape[1] // stride), -(-shape[2] // stride), filters)
        bias = random.integers(-99, 99, filters).astype(np.int32)
        constants = (
            builder.constant(weights, [0.01] * filters),
            builder.constant(bias, [0.0005] * filters),
        )
        number = builder.add(
            "CONV_2D",
            (number, *constants),
            shape,
            0.05,
            3,
            padding="SAME",
            stride_h=stride,
            stride_w=stride,
            dilation_h_factor=1,
            dilation_w_factor=1,
            fused_activation_function="NONE",
        )
    return builder.graph()


def expected(graph: Graph, sample: np.ndarray) -> np.ndarray:
    """Return what a chain of convolutions computes by its definition."""
    image = sample
    for operator in graph.operators:
        weights, bias = (graph.tensor(index) for index in operator.inputs[1:])
        assert weights.data is not None and bias.data is not None
        image = convolution(
            image,
            weights.data,
            bias.data,
            scales=(float(np.float32(0.05)), weights.scales, float(np.float32(0.05))),
            zero_points=(3, 3),
            stride=(operator.options["stride_h"], operator.options["stride_w"]),
        )
    return image


def check(graph: Graph, folder: Path, options: Options) -> Compiled:
    """Compare the graph's outputs under some options with the definition; return the plan."""
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, folder, options), strict=True):
        assert np.array_equal(output, expected(graph, sample))
    return compile_graph(graph, options)


def test_row_blocking_makes_several_rows_a_run(tmp_path: Path) -> None:
    compiled = check(convolutions((1, 1), (1, 1)), tmp_path, Options(max_ram=1 << 20))
    assert compiled.rows_per_run
    assert len(compiled.schedule.order) < sum(stage.runs for stage in compiled.initial.stages)
    (number, rows), *_ = compiled.rows_per_run.items()
    assert rows in possible_rows_per_run(compiled.initial, number)


def test_row_blocking_changes_no_byte_of_a_buffer() -> None:
    lowered = lower_graph(convolutions((1, 1), (3, 3)))
    assert possible_rows_per_run(lowered, 0) == [2, 4]
    assert possible_rows_per_run(lowered, 1) == [], "a window is no row"
    blocked = block_rows(lowered, {0: 4})
    first, second = blocked.stages
    assert (first.runs, first.output.rows, first.output.row_bytes) == (2, 2, 4 * 12 * 4)
    assert first.output.buffer.size == lowered.stages[0].output.buffer.size
    # The layer behind it reads the rows that it read before.
    assert (second.inputs[0].view.rows, second.inputs[0].view.row_bytes) == (8, 12 * 4)
    interpret(blocked, schedule(blocked))


def test_a_tight_limit_splits_rows(tmp_path: Path) -> None:
    graph = convolutions((3, 3), filters=8)
    with pytest.raises(AscError, match="needs an arena of") as error:
        compile_graph(graph, Options(max_ram=16))
    found = re.search(r"arena of ([\d,]+) bytes", str(error.value))
    assert found
    least = int(found[1].replace(",", ""))
    compiled = check(graph, tmp_path, Options(max_ram=least))
    assert compiled.arena.size == least < compile_graph(graph, Options()).arena.size
    assert len(compiled.lowered.stages) > len(lower_graph(graph).stages)


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_width_split_covers_a_row_once(size: int) -> None:
    lowered = lower_graph(convolutions((3, 3)))
    assert splittable_width(lowered.stages[0]) == 12
    parts = split_stage(lowered.stages[0], size)
    row = np.zeros(12 * 4, int)
    for part in parts:
        row[part.output.start : part.output.start + part.output.row_bytes] += 1
    assert (row == 1).all()
    assert max(part.scratch for part in parts) <= lowered.stages[0].scratch
    split = split_width(lowered, {0: size})
    interpret(split, schedule(split))


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("width", [1, 2, 7, 12, 31])
def test_pixel_ranges_cover_a_row_in_even_sizes(width: int, count: int) -> None:
    ranges = pixel_ranges(width, count)
    assert [pixel for each in ranges for pixel in range(each.first, each.end)] == list(range(width))
    assert len(ranges) <= count
    assert all(each.count % 2 == 0 for each in ranges[:-1])


@pytest.mark.parametrize("seed", range(40))
def test_a_tile_reads_the_pixels_under_its_windows(seed: int) -> None:
    """Against all windows of the tile, column by column."""
    random = np.random.default_rng(seed)
    width, stride, dilation, factor = (int(random.integers(1, n)) for n in (6, 4, 4, 4))
    reach = (width - 1) * dilation
    left = int(random.integers(0, reach + 1))
    inputs = int(random.integers(3, 20))
    outputs = max(1, (inputs * factor + left - reach - 1) // stride + 1)
    window = SlidingWindow(width, stride, dilation, left, factor, inputs, 1, outputs, 1)
    for first in range(outputs):
        for end in range(first + 1, outputs + 1):
            written = PixelRange(first, end)
            read = window.read(written)
            padding = window.padding(written, read)
            places = []
            for n in range(first, end):
                for k in range(width):
                    place = (n * stride - left + k * dilation) // factor
                    places.append(place)
                    own = ((n - first) * stride - padding + k * dilation) // factor
                    assert own + read.first == place, "the tile reads the same pixel"
            if any(0 <= place < inputs for place in places):
                assert read.first == max(min(places), 0)
                assert read.end == min(max(places) + 1, inputs)


def tiles_cover(stage: Stage, row_bytes: int, channels: int) -> bool:
    row = np.zeros(row_bytes, int)
    for tile in stage.tiles:
        width = SlidingWindow.of(tile.params).output_width
        row[tile.output : tile.output + width * channels] += 1
    return bool((row == 1).all())


@pytest.mark.parametrize("tiles", [2, 3])
def test_a_cascade_makes_tiles_on_demand(tiles: int) -> None:
    lowered = lower_graph(convolutions((1, 1), (3, 3)), whole_input=False)
    assert cascadable_pairs(lowered) == [(0, 1)]
    made = with_cascades(lowered, [Cascade((0, 1), tiles)])
    assert made is not None
    *before, last = made.stages
    # The pointwise layer is there three times: above, beside and below row y.
    assert len(before) == 3 and all(stage.on_demand for stage in before)
    assert not last.on_demand and len(last.tiles) == tiles
    assert tiles_cover(last, 12 * 4, 4)
    assert all(stage.output.buffer.by_tile for stage in before)
    # Pixels between two tiles are made twice, and rows three times.
    assert sum(stage.macs for stage in before) > lowered.stages[0].macs
    assert last.macs == lowered.stages[1].macs


def test_layers_whose_output_others_read_are_no_cascade() -> None:
    graph = convolutions((1, 1), (3, 3))
    assert cascadable_pairs(lower_graph(graph)) == [(0, 1)]
    first, second = (operator.outputs[0] for operator in graph.operators)
    total = replace(graph.tensors[second], index=len(graph.tensors))
    options = {"fused_activation_function": "NONE"}
    joined = replace(
        graph,
        operators=(*graph.operators, Operator(2, "ADD", (first, second), (total.index,), options)),
        tensors=(*graph.tensors, total),
        outputs=(total.index,),
    )
    assert cascadable_pairs(lower_graph(joined)) == []


def test_streaming_computes_as_rows_do(tmp_path: Path) -> None:
    compiled = check(convolutions((3, 3), (1, 3)), tmp_path, Options(schedule="time"))
    assert len(compiled.schedule.column_steps) == SHAPE[2], "a row of the input for each column"


def streamed(graph: Graph) -> LoweredGraph:
    return with_streaming_input(lower_graph(to_time_major(graph), whole_input=False))


def test_a_streamed_input_makes_what_its_columns_allow() -> None:
    """A window of three columns: with column y, what is centred on column y - 1."""
    lowered = streamed(convolutions((1, 3)))
    front_end = len(lowered.stages) - 1
    assert lowered.stages[front_end].output is lowered.input
    steps = schedule_streaming(lowered)
    interpret(lowered, steps)
    # Stage 1 transposes the output back.
    assert steps.order == (front_end, front_end, 0, *(front_end, 0) * 10, 0, 1)
    assert list(steps.column_steps) == [0, 1, *range(3, 22, 2)]
    assert steps.rolling_buffers[lowered.input.buffer].slots == 3


@pytest.mark.parametrize("kernels", [((3, 3),), ((1, 5), (3, 3)), ((3, 3), (1, 1), (5, 3))])
def test_every_column_that_a_stream_reads_is_there(kernels: tuple[tuple[int, int], ...]) -> None:
    lowered = streamed(convolutions(*kernels))
    interpret(lowered, schedule_streaming(lowered))


def test_time_major_transposes_images_and_windows() -> None:
    graph = convolutions((3, 2))
    turned = to_time_major(graph)
    assert turned.tensor(turned.inputs[0]).shape == (1, 12, 8, 3)
    (operator,) = (each for each in turned.operators if each.name == "CONV_2D")
    weights, before = turned.tensor(operator.inputs[1]).data, graph.tensor(1).data
    assert weights is not None and before is not None
    assert np.array_equal(weights, before.transpose(0, 2, 1, 3))
    sample = samples_for(graph)[2]
    alone = replace(turned, operators=(operator,))
    assert np.array_equal(
        expected(alone, sample.transpose(1, 0, 2)), expected(graph, sample).transpose(1, 0, 2)
    )


def dense() -> GraphBuilder:
    random = np.random.default_rng(1)
    builder = GraphBuilder((1, 30), 0.03, 0)
    weights = random.integers(-127, 128, (7, 30)).astype(np.int8)
    constants = [
        builder.constant(weights, [0.004]),
        builder.constant(random.integers(-99, 99, 7).astype(np.int32), [0.00012]),
    ]
    options: dict[str, Any] = {"fused_activation_function": "NONE", "keep_num_dims": False}
    builder.add("FULLY_CONNECTED", (0, *constants), (1, 7), 0.02, 7, weights_format=0, **options)
    return builder


def test_packed_dense_layers_take_less_flash_and_compute_the_same(tmp_path: Path) -> None:
    graph = dense().graph()
    lowered = lower_graph(graph)
    packed = pack_dense_layers(lowered)
    assert packed.stages[0].kernel != lowered.stages[0].kernel
    weights, packed_weights = (each.stages[0].arrays[0] for each in (lowered, packed))
    assert (len(weights.values), len(packed_weights.values)) == (8 * 32, 7 * 30), "no zeros"
    assert packed.stages[0].scratch == 0
    samples = samples_for(graph)
    plain = outputs_of(graph, samples, tmp_path / "plain")
    small = outputs_of(graph, samples, tmp_path / "packed", Options(optimize="size"))
    assert np.array_equal(plain, small)


def test_conversions_at_the_ends_are_left_out() -> None:
    graph = convolutions((1, 1))
    count = len(graph.tensors)
    float_in, float_out = (
        Tensor(count + n, f"float{n}", shape, "FLOAT32")
        for n, shape in enumerate((SHAPE, graph.tensor(graph.outputs[0]).shape))
    )
    (output,) = graph.outputs
    wrapped = replace(
        graph,
        operators=(
            Operator(0, "QUANTIZE", (count,), (0,), {}),
            *graph.operators,
            Operator(2, "DEQUANTIZE", (output,), (count + 1,), {}),
        ),
        tensors=(*graph.tensors, float_in, float_out),
        inputs=(count,),
        outputs=(count + 1,),
    )
    inner = without_conversions(wrapped)
    assert inner.operators == graph.operators
    assert (inner.inputs, inner.outputs) == (graph.inputs, graph.outputs)
    assert without_conversions(graph) is graph


def test_a_convolution_repeats_pixels_itself(tmp_path: Path) -> None:
    """Nearest resizing before a convolution: no resized row exists."""
    random = np.random.default_rng(3)
    builder = GraphBuilder((1, 5, 6, 4), 0.05, 3)
    resized = builder.add(
        "RESIZE_NEAREST_NEIGHBOR",
        (0, builder.constant(np.array([10, 12], np.int32))),
        (1, 10, 12, 4),
        0.05,
        3,
        align_corners=False,
        half_pixel_centers=False,
    )
    weights = random.integers(-127, 128, (4, 3, 3, 4)).astype(np.int8)
    bias = random.integers(-99, 99, 4).astype(np.int32)
    constants = (builder.constant(weights, [0.01] * 4), builder.constant(bias, [0.0005] * 4))
    builder.add(
        "CONV_2D",
        (resized, *constants),
        (1, 10, 12, 4),
        0.05,
        3,
        padding="SAME",
        stride_h=1,
        stride_w=1,
        dilation_h_factor=1,
        dilation_w_factor=1,
        fused_activation_function="NONE",
    )
    graph = builder.graph()
    assert len(lower_graph(graph).stages) == 1
    samples = samples_for(graph)
    scale = float(np.float32(0.05))
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        wanted = convolution(
            sample.repeat(2, axis=0).repeat(2, axis=1),
            weights,
            bias,
            scales=(scale, [float(np.float32(0.01))] * 4, scale),
            zero_points=(3, 3),
        )
        assert np.array_equal(output, wanted)
