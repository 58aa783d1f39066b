"""Height and width transposed, and back where an operator has no such form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asc_tiny.compiler import verify
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.time_major import to_time_major
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.util.errors import AscError
from support.hand_convolutions import convolutions, expected
from support.hand_made import GraphBuilder, small_network
from support.hand_run import samples_for


def test_shapes_and_weights_are_transposed() -> None:
    graph = small_network()
    turned = to_time_major(graph)
    verify.check_graph(turned)
    shapes = [turned.tensor(index).shape for index in (0, 3, 4, 7, 9)]
    assert shapes == [(1, 6, 8, 2), (1, 6, 8, 3), (1, 3, 4, 3), (1, 3, 4, 5), (1, 5)]
    weights = turned.tensor(turned.operators[0].inputs[1]).data
    before = graph.tensor(1).data
    assert weights is not None and before is not None
    assert np.array_equal(weights, before.transpose(0, 2, 1, 3))
    axes = turned.tensor(turned.operators[3].inputs[1]).data
    assert axes is not None and sorted(axes.tolist()) == [1, 2]


def test_what_has_no_such_form_gets_its_own_layout_back() -> None:
    graph = small_network()
    flat = Tensor(10, "flat", (1, 144), "INT8", (0.5,), (-128,))
    reshape = Operator(4, "RESHAPE", (3,), (10,), {})
    cut = Graph(graph.source, (graph.operators[0], reshape), (*graph.tensors, flat), (0,), (10,))
    turned = to_time_major(cut)
    assert [operator.name for operator in turned.operators] == ["CONV_2D", "TRANSPOSE", "RESHAPE"]
    assert turned.tensor(turned.operators[1].outputs[0]).shape == graph.tensor(3).shape
    assert turned.operators[2].inputs == turned.operators[1].outputs
    assert turned.operators[2].outputs == reshape.outputs


def test_numbers_stay_different_where_folding_took_operators_away() -> None:
    """Operators keep their numbers in the file; what is added gets one that none of them has."""
    graph = small_network()
    first = replace(graph.operators[0], index=4)
    flat = Tensor(10, "flat", (1, 144), "INT8", (0.5,), (-128,))
    reshape = Operator(6, "RESHAPE", (3,), (10,), {})
    cut = Graph(graph.source, (first, reshape), (*graph.tensors, flat), (0,), (10,))
    assert [operator.index for operator in to_time_major(cut).operators] == [4, 8, 6]


def test_an_axis_that_is_none_stays_one_that_is_refused() -> None:
    """-128 is no axis, though it is one modulo 4."""
    builder = GraphBuilder((1, 4, 5, 2))
    axis = builder.constant(np.array([-128], np.int32))
    builder.add("CUMSUM", (0, axis), (1, 4, 5, 2), 0.5, 0, exclusive=0, reverse=0)
    graph = builder.graph()
    values = [to_time_major(graph).tensor(index).data for index in graph.operators[0].inputs]
    assert values[1] is not None and values[1].tolist() == [-128]
    for schedule in ("rows", "time"):
        with pytest.raises(AscError, match="along axis -128"):
            compile_graph(graph, Options(schedule=schedule))


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
