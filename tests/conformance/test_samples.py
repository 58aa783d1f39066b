"""Inputs that networks are compared on, and networks that end earlier."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.conformance.samples import samples
from asc_tiny.conformance.truncation import ending_with, layers
from asc_tiny.tflite.reader import parse_graph
from support.tflite_builder import Builder


def test_extremes_are_there_and_all_is_the_same_each_time() -> None:
    b = Builder()
    x, y = b.activation((1, 8), 0.5, -7), b.activation((1, 8), 0.5, -7)
    b.operator("RELU", [x], [y])
    graph = parse_graph(b.finish([x], [y]), source="m")
    made = {sample.name: sample.inputs[0] for sample in samples(graph)}
    assert made["all least"].tolist() == [[-128] * 8]
    assert made["all greatest"].tolist() == [[127] * 8]
    assert made["all zero"].tolist() == [[-7] * 8]
    assert made["alternating"].tolist() == [[-128, 127] * 4]
    assert len({each.tobytes() for each in made.values()}) == len(made) == 17
    again = [sample.inputs[0] for sample in samples(graph)]
    assert all(np.array_equal(*pair) for pair in zip(made.values(), again, strict=True))


def test_real_values_are_those_of_codes() -> None:
    b = Builder()
    x, y = b.activation((1, 64), 1.0, 0, "FLOAT32"), b.activation((1, 64), 0.5, 100)
    b.operator("QUANTIZE", [x], [y])
    graph = parse_graph(b.finish([x], [y]), source="m")
    made = {sample.name: sample.inputs[0] for sample in samples(graph)}
    assert made["all least"].dtype == np.float32
    assert set(made["all least"].ravel()) == {-114.0}
    assert set(made["all greatest"].ravel()) == {13.5}
    assert set(made["all zero"].ravel()) == {0.0}
    between = made["random 10"] / 0.5
    assert (between != np.round(between)).any() and between.min() < -228


def test_a_network_ends_behind_a_layer_with_what_that_needs() -> None:
    b = Builder()
    x, z = b.activation((1, 8), 0.5, 0), b.activation((1, 8), 0.5, 0)
    first, other, last = (b.activation((1, 8), 0.5, 0) for _ in range(3))
    b.operator("RELU", [x], [first])
    b.operator("RELU6", [z], [other])
    b.operator("ADD", [first, other], [last])
    graph = parse_graph(b.finish([x, z], [last]), source="m")
    known = layers(graph)
    assert [operator.name for operator in known] == ["RELU", "RELU6", "ADD"]
    cut = ending_with(graph, [known[1]])
    assert [operator.name for operator in cut.operators] == ["RELU6"]
    assert (cut.inputs, cut.outputs) == ((z.index,), (other.index,))
    whole = ending_with(graph, known)
    assert whole.outputs == (first.index, other.index, last.index)
    assert whole.operators == graph.operators
