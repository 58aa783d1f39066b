"""Conversions from and to other types at the ends of a network."""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.tflite.graph import Operator, Tensor
from asc_tiny.tflite.io_conversions import without_conversions
from support.hand_convolutions import SHAPE, convolutions


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
