"""Removes the conversions from and to other types that exporters leave around an int8 network.

A front end gives codes, and a decision takes them: a classifier's network begins with the codes
behind a QUANTIZE of an input and ends with those before a DEQUANTIZE (or QUANTIZE to another type)
of an output, so that nothing on a board computes in floating point.
"""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.tflite.graph import Graph, Operator


def without_conversions(graph: Graph) -> Graph:
    """Return the int8 network inside a graph; the same graph if there is nothing to remove."""
    entries = {index: entry for index in graph.inputs if (entry := _entry(graph, index))}
    leaving = {index: last for index in graph.outputs if (last := _leaving(graph, index))}
    removed = [*entries.values(), *leaving.values()]
    if not removed:
        return graph
    return replace(
        graph,
        operators=tuple(each for each in graph.operators if each not in removed),
        inputs=tuple(_result(entries.get(index), index) for index in graph.inputs),
        outputs=tuple(_operand(leaving.get(index), index) for index in graph.outputs),
    )


def _result(operator: Operator | None, index: int) -> int:
    return operator.outputs[0] if operator else index


def _operand(operator: Operator | None, index: int) -> int:
    return operator.inputs[0] if operator else index


def _entry(graph: Graph, index: int) -> Operator | None:
    """Return the operator that alone reads an input and makes int8 codes of it."""
    readers = graph.readers.get(index, ())
    if graph.tensor(index).dtype == "INT8" or len(readers) != 1 or index in graph.outputs:
        return None
    (reader,) = readers
    if reader.name != "QUANTIZE" or graph.inputs.count(index) > 1:
        return None
    # Where nothing else is computed, what converts back needs something to convert.
    if reader.outputs[0] in graph.outputs and len(graph.operators) == 1:
        return None
    return reader if graph.tensor(reader.outputs[0]).dtype == "INT8" else None


def _leaving(graph: Graph, index: int) -> Operator | None:
    """Return the operator that makes an output of int8 codes, which nothing else reads."""
    operator = graph.producers.get(index)
    if graph.tensor(index).dtype == "INT8" or operator is None or graph.readers.get(index):
        return None
    if operator.name not in ("DEQUANTIZE", "QUANTIZE"):
        return None
    return operator if graph.tensor(operator.inputs[0]).dtype == "INT8" else None
