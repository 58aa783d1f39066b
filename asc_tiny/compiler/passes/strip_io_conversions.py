"""Removes the conversions from and to other types that exporters leave around an int8 network.

The C code begins with the int8 codes behind a QUANTIZE of the input and ends with those before a
DEQUANTIZE (or QUANTIZE to another type) of the output: a front end gives codes, and a decision
takes them, so nothing on a board computes in floating point.
"""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.tflite.graph import Graph, Operator


def without_conversions(graph: Graph) -> Graph:
    """Return the int8 network inside a graph; the same graph if there is nothing to remove."""
    entry, leaving = _entry(graph), _leaving(graph)
    removed = [operator for operator in (entry, leaving) if operator is not None]
    if not removed:
        return graph
    return replace(
        graph,
        operators=tuple(operator for operator in graph.operators if operator not in removed),
        inputs=entry.outputs if entry else graph.inputs,
        outputs=(leaving.inputs[0],) if leaving else graph.outputs,
    )


def _entry(graph: Graph) -> Operator | None:
    """Return the operator that alone reads the input and makes int8 codes of it."""
    if len(graph.inputs) != 1 or graph.tensor(graph.inputs[0]).dtype == "INT8":
        return None
    readers = [operator for operator in graph.operators if graph.inputs[0] in operator.inputs]
    if len(readers) != 1 or readers[0].name != "QUANTIZE" or graph.inputs[0] in graph.outputs:
        return None
    return readers[0] if graph.tensor(readers[0].outputs[0]).dtype == "INT8" else None


def _leaving(graph: Graph) -> Operator | None:
    """Return the operator that makes the output of int8 codes."""
    if len(graph.outputs) != 1 or graph.tensor(graph.outputs[0]).dtype == "INT8":
        return None
    operator = graph.producers.get(graph.outputs[0])
    if operator is None or operator.name not in ("DEQUANTIZE", "QUANTIZE"):
        return None
    if any(graph.outputs[0] in other.inputs for other in graph.operators):
        return None
    return operator if graph.tensor(operator.inputs[0]).dtype == "INT8" else None
