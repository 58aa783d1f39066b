"""The computed arena against what the package tflite-micro records, on this 64-bit machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from asc_tiny.complexity.report import measure
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.tflite.liveness import LiveRange
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.arena import Arena, arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.greedy_planner import BufferRequest, place
from asc_tiny.tflm.kernel_memory import needs
from asc_tiny.tflm.structs import Abi
from asc_tiny.util.errors import AscError
from support.network_models import converted, quantized
from support.paths import MODELS
from support.recorded_arena import MADE, check_kept, recorded
from support.stateful_networks import (
    delay_line,
    delay_with_first_values,
    other_shapes,
    streaming,
)

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

RELEASED = ("mobilenet_esc10", "mini_segnet_esc10", "mobilenet_double_esc10")


_FILES: dict[str, bytes] = {}


def file_of(name: str) -> bytes:
    if name not in _FILES:
        path = MODELS / f"{name}.tflite"
        _FILES[name] = path.read_bytes() if path.exists() else converted(MADE[name])
    return _FILES[name]


def graph_of(name: str) -> Graph:
    return parse_graph(file_of(name), source=name)


@pytest.mark.parametrize("name", [*RELEASED, *MADE])
def test_head_is_the_recorded_one(name: str) -> None:
    (head,) = re.findall(r"Arena allocation head (\d+) bytes", recorded(file_of(name)))
    for abi in Abi:
        assert arena([graph_of(name)], abi=abi).head == int(head)
    assert measure(graph_of(name)).peak_activation_bytes == int(head)


def test_head_with_a_branch_that_calls_subgraphs() -> None:
    """Float, two branches of which one needs more: each is a subgraph of its own."""
    import tensorflow as tf

    weights = [np.ones(shape, np.float32) for shape in ((3, 3, 4, 8), (3, 3, 4, 16), (1, 1, 16, 8))]

    def convolved(x: Any, kernel: Any) -> Any:
        return tf.nn.conv2d(x, kernel, 1, "SAME")

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 4)), tf.TensorSpec((), tf.bool)])
    def function(x: Any, condition: Any) -> Any:
        x = 2.0 * tf.nn.relu(x)
        deep = lambda: convolved(tf.nn.relu(convolved(x, weights[1])), weights[2])  # noqa: E731
        return tf.cond(condition, lambda: convolved(x, weights[0]), deep) + 1.0

    concrete = function.get_concrete_function()
    data = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    graph = parse_graph(data, source="if.tflite")
    assert [len(other.operators) for other in graph.others] == [2, 1]
    (head,) = re.findall(r"Arena allocation head (\d+) bytes", recorded(data))
    assert measure(graph).peak_activation_bytes == int(head)
    with pytest.raises(AscError, match="has 3 subgraphs"):
        arena([graph])


def test_no_file_keeps_the_planner_busy() -> None:
    """Activations that all exist at the same time are too many to plan: at least what is live."""
    count = 3000
    tensors = tuple(Tensor(i, f"t{i}", (4,), "INT8") for i in range(count + 1))
    operators = [Operator(i, "RELU", (i,), (i + 1,), {}) for i in range(count)]
    outputs = tuple(range(1, count + 1))
    graph = Graph("file", tuple(operators), tensors, (0,), outputs)
    measured = measure(graph)
    assert measured.peak_activation_bytes == 4 * count
    assert "3,001 activations, at most 2,048" in measured.unmeasured["peak_activation_bytes"]


@pytest.mark.parametrize("name", [*RELEASED, *MADE])
def test_what_is_kept_is_recorded(name: str) -> None:
    """Descriptions of tensors, nodes, and what kernels keep: bytes and number of allocations."""
    check_kept(file_of(name))


STATEFUL = (delay_with_first_values, delay_line, streaming, other_shapes)


@pytest.mark.parametrize("make", STATEFUL)
def test_variables_are_recorded(make: Callable[[], ModelFile]) -> None:
    model = make()
    check_kept(model.data)
    (head,) = re.findall(r"Arena allocation head (\d+) bytes", recorded(model.data))
    for abi in Abi:
        assert arena([model.graph], abi=abi).head == int(head)


def check_plan(plan: Arena) -> None:
    for buffers in plan.buffers:
        for i, one in enumerate(buffers):
            assert one.offset % 16 == one.size % 16 == 0
            assert one.offset + one.size <= plan.head
            for other in buffers[:i]:
                apart = (
                    one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
                )
                assert apart or not one.live_range.overlaps(other.live_range)


@pytest.mark.parametrize("name", [*RELEASED, *MADE])
@pytest.mark.parametrize("kernels", [None, *Core])
def test_plan_keeps_buffers_apart(name: str, kernels: Core | None) -> None:
    plan = arena([graph_of(name)], kernels)
    check_plan(plan)
    assert plan.smallest <= plan.size
    assert plan.head + plan.tail <= plan.size
    if name != "transposed":  # the reference kernel alone keeps 32-bit sums of all outputs
        assert arena([graph_of(name)]).size <= plan.size


def test_models_share_the_head_and_add_up_their_tails() -> None:
    graphs = [graph_of(name) for name in RELEASED[:2]]
    one, other = (arena([graph]) for graph in graphs)
    both = arena(graphs)
    assert both.head == max(one.head, other.head)
    allocator = 36 + 44 + 36
    assert abs(both.tail - (one.tail + other.tail - allocator)) < 32
    check_plan(both)


def test_greedy_places_the_largest_first_and_of_equals_the_last() -> None:
    always = LiveRange(0, 1)
    requests = [BufferRequest(n, size, always) for n, size in (("a", 16), ("b", 32), ("c", 16))]
    assert place(requests) == [48, 0, 32]
    later = [*requests, BufferRequest("d", 48, LiveRange(2, 2))]
    assert place(later) == [48, 0, 32, 0]


def test_greedy_fills_gaps() -> None:
    requests = [
        BufferRequest("low", 64, LiveRange(0, 3)),
        BufferRequest("middle", 48, LiveRange(0, 0)),
        BufferRequest("high", 32, LiveRange(0, 3)),
        BufferRequest("late", 16, LiveRange(2, 3)),
    ]
    assert place(requests) == [0, 64, 112, 64]


def test_unknown_operator_is_named() -> None:
    graph = graph_of("dense")
    operator = graph.operators[0]
    other = type(operator)(0, "IF", operator.inputs, operator.outputs, {})
    with pytest.raises(AscError, match=r"how much memory .* operator 0 \(IF\)"):
        needs(graph, other, None, Abi.ARM)


def convolution(
    channels: int, kernel: tuple[int, int], size: tuple[int, int], **options: Any
) -> Any:
    from keras import Input, Model, layers

    inputs = Input((*size, channels), batch_size=1)
    return Model(inputs, layers.Conv2D(4, kernel, **options)(inputs))


@pytest.mark.parametrize(
    ("model", "bytes_by_core"),
    [
        # Columns of 3 x 3 x 5 = 45 codes, rounded up to 48: two of int16, four of int8 for MVE.
        (lambda: convolution(5, (3, 3), (8, 8)), (192, 192, 192, 192)),
        (lambda: convolution(6, (1, 1), (8, 8)), (0, 0, 24, 0)),
        (lambda: convolution(6, (1, 1), (8, 8), strides=2), (0, 0, 0, 0)),
        # One row without padding: 3 x 8 codes at a time for MVE.
        (lambda: convolution(8, (1, 3), (1, 20)), (96, 96, 96, 24)),
    ],
)
def test_working_memory_of_cmsis_nn(
    model: Callable[[], Any], bytes_by_core: tuple[int, ...]
) -> None:
    graph = parse_graph(quantized(model()), source="convolution")
    (operator,) = (op for op in graph.operators if op.name == "CONV_2D")
    for core, expected in zip(Core, bytes_by_core, strict=True):
        scratch = needs(graph, operator, core, Abi.ARM).scratch
        assert sum(scratch) == expected, core


def test_arena_of_the_released_models() -> None:
    """Regression of the figures in the documentation; the same was measured on Cortex-M4."""
    sizes = {name: arena([graph_of(name)]) for name in RELEASED}
    assert np.array_equal([s.head for s in sizes.values()], [82_944, 114_688, 82_944])
