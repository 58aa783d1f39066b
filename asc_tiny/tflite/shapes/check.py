"""Checking that the shapes of operators follow from each other.

Work and memory are counted from the shapes that a file states. A file whose convolution states a
smaller output than its input and stride give would pass a gate that it must not pass.
"""

from __future__ import annotations

from asc_tiny.tflite.graph import Graph
from asc_tiny.tflite.operands import OperatorView

# Imported for their rules, which they register
from asc_tiny.tflite.shapes import division, movement, selection, weighted  # noqa: F401
from asc_tiny.tflite.shapes.rule import shape_rule


def check_shapes(graph: Graph) -> None:
    """Check the operators of a graph that have a rule about shapes.

    Raises:
        AscError: shapes that the operator cannot have.
    """
    for operator in graph.operators:
        rule = shape_rule.get(operator.name)
        if rule is not None:
            rule(OperatorView(graph, operator))
