"""The challenge's official counts: the rule of NeSsi, the tool that DCASE task 1 names.

Facts about https://github.com/AlbertoAncilotto/NeSsi, its count for .tflite files: what it calls
parameters are bytes of constants, shapes and axes included, as often as operators read them; its
multiply-accumulates include pooling, means and additions, take the last dimension of a dense
layer's input for its depth, and leave out all operators but these seven.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import OpRules
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
    rule = nessi_rule.get(operator.name)
    return rule(OperatorView(graph, operator)) if rule else 0


nessi_rule: OpRules[Callable[[OperatorView], int]] = OpRules()
"""How the multiply-accumulates of an operator are counted; those without a rule count none."""


@nessi_rule("CONV_2D")
def _conv_2d(op: OperatorView) -> int:
    # The kernel's own channel counts, whatever the output's.
    filters, height, width, depth = op.input(1, dimensions=4).shape
    return _positions(op) * filters * height * width * depth


@nessi_rule("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(op: OperatorView) -> int:
    _, height, width, channels = op.input(1, dimensions=4).shape
    return _positions(op) * channels * height * width


@nessi_rule("AVERAGE_POOL_2D", "MAX_POOL_2D")
def _pool(op: OperatorView) -> int:
    options = op.options
    window = int(options["filter_height"]) * int(options["filter_width"])
    return op.output.size * window


@nessi_rule("MEAN")
def _mean(op: OperatorView) -> int:
    return op.input(0).size


@nessi_rule("FULLY_CONNECTED")
def _fully_connected(op: OperatorView) -> int:
    return op.output.size * op.input(0).shape[-1]


@nessi_rule("ADD")
def _add(op: OperatorView) -> int:
    return (len(op.operator.inputs) - 1) * op.output.size


def _positions(op: OperatorView) -> int:
    return math.prod(op.output.shape[:3])
