"""The ``.tflite`` file of what is left of a network without conversions at its ends.

An interpreter runs files alone: the firmware's takes and gives codes if its file does.
"""

from __future__ import annotations

from asc_tiny.tflite import schema
from asc_tiny.tflite.flatbuffer import Table
from asc_tiny.tflite.front import Front
from asc_tiny.tflite.graph import Graph

_KEPT = (1, 3, 5, 6)
"""Fields of a model that are references and are kept: operator codes, description, places of
metadata in old files, metadata. Signatures name the ends that the file no longer has."""

_TENSOR_FIELDS = ("o", "I", "I")
"""Shape, element type and buffer of a tensor."""


def ends(data: bytes) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of the tensors that a file takes and gives.

    Args:
        data: a file that was read without an error.
    """
    subgraph = Table.root(data).tables(schema.MODEL_SUBGRAPHS)[0]
    inputs = subgraph.numbers(schema.SUBGRAPH_INPUTS, "i")
    return inputs, subgraph.numbers(schema.SUBGRAPH_OUTPUTS, "i")


def inner_file(data: bytes, graph: Graph) -> bytes:
    """Return the file of a graph that conversions were left out of.

    All bytes stay as they are, behind a front with another first subgraph. Tensors keep their
    numbers; those that nothing uses any more become scalars, for which an interpreter needs next to
    no memory.

    Args:
        data: the file, which was read without an error.
        graph: what ``without_conversions`` returns of the file's graph.

    Returns:
        The new file; the same one if the graph leaves nothing out.
    """
    outer = ends(data)
    if outer == (graph.inputs, graph.outputs):
        return data
    model = Table.root(data)
    subgraphs, buffers = model.tables(schema.MODEL_SUBGRAPHS), model.tables(schema.MODEL_BUFFERS)
    unused = {index for side in outer for index in side} - {*graph.inputs, *graph.outputs}
    front = Front()
    own = (schema.MODEL_SUBGRAPHS, schema.MODEL_BUFFERS)
    places = front.root(model, kept=_KEPT, own=own)
    first, *others = front.vector(places[schema.MODEL_SUBGRAPHS], len(subgraphs))
    for place, subgraph in zip(others, subgraphs[1:], strict=True):
        front.link_behind(place, subgraph.position)
    for place, buffer in zip(
        front.vector(places[schema.MODEL_BUFFERS], len(buffers)), buffers, strict=True
    ):
        front.buffer(place, buffer)
    _put_subgraph(front, first, subgraphs[0], graph, unused)
    return front.before(data)


def _put_subgraph(front: Front, place: int, old: Table, graph: Graph, unused: set[int]) -> None:
    """Append the subgraph of a graph, to which the reference at ``place`` leads."""
    table, fields = front.table(["o"] * (schema.SUBGRAPH_NAME + 1))
    front.link(place, table)
    front.keep(table, schema.SUBGRAPH_NAME, fields[schema.SUBGRAPH_NAME], old)
    tensors = old.tables(schema.SUBGRAPH_TENSORS)
    slots = front.vector(fields[schema.SUBGRAPH_TENSORS], len(tensors))
    for index, (slot, tensor) in enumerate(zip(slots, tensors, strict=True)):
        if index in unused:
            _put_scalar(front, slot, tensor)
        else:
            front.link_behind(slot, tensor.position)
    for field, indices in (
        (schema.SUBGRAPH_INPUTS, graph.inputs),
        (schema.SUBGRAPH_OUTPUTS, graph.outputs),
    ):
        for slot, index in zip(front.vector(fields[field], len(indices)), indices, strict=True):
            front.put(slot, index)
    operators = old.tables(schema.SUBGRAPH_OPERATORS)
    slots = front.vector(fields[schema.SUBGRAPH_OPERATORS], len(graph.operators))
    for slot, operator in zip(slots, graph.operators, strict=True):
        front.link_behind(slot, operators[operator.index].position)


def _put_scalar(front: Front, place: int, tensor: Table) -> None:
    """Append a tensor of one element, to which the reference at ``place`` leads."""
    table, fields = front.table(_TENSOR_FIELDS)
    front.link(place, table)
    front.leave_out(table, schema.TENSOR_TYPE)
    front.put(fields[schema.TENSOR_BUFFER], tensor.number(schema.TENSOR_BUFFER, "I"))
    front.vector(fields[schema.TENSOR_SHAPE], 0)
