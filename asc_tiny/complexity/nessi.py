"""The challenge's official counts: the rule of NeSsi, the tool that DCASE task 1 names.

Facts about https://github.com/AlbertoAncilotto/NeSsi, its count for .tflite files: what it calls
parameters are bytes of constants, shapes and axes included, as often as operators read them; its
multiply-accumulates include pooling, means and additions, take the last dimension of a dense
layer's input for its depth, and leave out all operators but these seven.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.operands import Call
from asc_tiny.util.errors import AscError


def check(graph: Graph) -> None:
    """Check that the rule measures all of a model: it looks at the first subgraph alone.

    Raises:
        AscError: there are others.
    """
    if graph.others:
        raise AscError(
            f"{graph.source}: cannot be measured by --convention nessi: it has "
            f"{1 + len(graph.others)} subgraphs, of which NeSsi counts one"
        )


def constant_bytes(graph: Graph, operator: Operator) -> int:
    """Return the bytes of all constants that an operator reads, an int32 bias 4 each."""
    inside = {*graph.inputs, *graph.producers}
    return sum(
        graph.tensor(index).byte_count
        for index in operator.inputs
        if index >= 0 and index not in inside
    )


def macs(graph: Graph, operator: Operator) -> int:
    """Return what NeSsi counts as the multiply-accumulates of an operator.

    Raises:
        AscError: operands that the operator cannot have.
    """
    rule = _RULES.get(operator.name)
    return rule(Call(graph, operator)) if rule else 0


def _conv_2d(call: Call) -> int:
    # The kernel's own channel counts, whatever the output's.
    filters, height, width, depth = call.input(1, dimensions=4).shape
    return _positions(call) * filters * height * width * depth


def _depthwise_conv_2d(call: Call) -> int:
    _, height, width, channels = call.input(1, dimensions=4).shape
    return _positions(call) * channels * height * width


def _pool(call: Call) -> int:
    options = call.operator.options
    window = int(options["filter_height"]) * int(options["filter_width"])
    return call.output.size * window


def _mean(call: Call) -> int:
    return call.input(0).size


def _fully_connected(call: Call) -> int:
    return call.output.size * call.input(0).shape[-1]


def _add(call: Call) -> int:
    return (len(call.operator.inputs) - 1) * call.output.size


def _positions(call: Call) -> int:
    return math.prod(call.output.shape[:3])


_RULES: Mapping[str, Callable[[Call], int]] = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
}
