"""Folds RELU and RELU6 into the operators whose results they clamp.

Exporters leave an activation as an operator of its own where they could not fuse it. With the same
scale and zero point on both sides it only clamps codes, as a fused activation does: the operator
before it can do that, and the codes need not be read again. One whose zero point is the first code
clamps nothing at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.compiler.lower.requantization import LIMITS, activation_range
from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.ops import Family, row

_ACTIVATION = "fused_activation_function"
_CLAMPS = ("RELU", "RELU6")
_FAMILIES = (Family.BINARY, Family.WEIGHTED)
"""Families whose operators clamp at little cost; poolings of all codes are faster without."""


def fold_activations(graph: Graph) -> Graph:
    """Return a graph without activations that others can do; the same graph if there are none."""
    same: dict[int, int] = {}
    folded: dict[int, tuple[int, str]] = {}
    left: list[Operator] = []
    for operator in graph.operators:
        if operator.name not in _CLAMPS or not _only_clamps(graph, operator):
            left.append(operator)
            continue
        (source,), (output,) = operator.inputs, operator.outputs
        if _keeps_all(graph, operator) and output not in graph.outputs:
            same[output] = same.get(source, source)
        elif _can_clamp(graph, source):
            folded[source] = output, operator.name
        else:
            left.append(operator)
    if not same and not folded:
        return graph
    operators = (_with_activation(each, folded) for each in left)
    return replace(graph, operators=tuple(_reading(each, same) for each in operators))


def _with_activation(operator: Operator, folded: Mapping[int, tuple[int, str]]) -> Operator:
    """Return an operator with the activation that clamps its result."""
    if not operator.outputs or operator.outputs[0] not in folded:
        return operator
    output, name = folded[operator.outputs[0]]
    return replace(operator, outputs=(output,), options={**operator.options, _ACTIVATION: name})


def _reading(operator: Operator, same: Mapping[int, int]) -> Operator:
    """Return an operator that reads other tensors of the same codes."""
    inputs = tuple(same.get(index, index) for index in operator.inputs)
    return operator if inputs == operator.inputs else replace(operator, inputs=inputs)


def _only_clamps(graph: Graph, operator: Operator) -> bool:
    """Whether an activation leaves codes of one scale as they are, but for those it clamps."""
    source, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    return (
        source.dtype == output.dtype == "INT8"
        and source.shape == output.shape
        and not source.is_constant
        and len(source.scales) == len(source.zero_points) == 1
        and (source.scales, source.zero_points) == (output.scales, output.zero_points)
    )


def _keeps_all(graph: Graph, operator: Operator) -> bool:
    """Whether an activation clamps no code."""
    source = graph.tensor(operator.inputs[0])
    try:
        codes = activation_range(operator.name, source.scales[0], source.zero_points[0])
    except ValueError:
        return False
    return codes == LIMITS["INT8"]


def _can_clamp(graph: Graph, index: int) -> bool:
    """Whether the operator that makes a tensor can clamp it, which nothing else reads."""
    before = graph.producers.get(index)
    is_private = len(graph.readers[index]) == 1 and index not in graph.outputs
    return (
        before is not None
        and is_private
        and row(before.name).family in _FAMILIES
        and before.options.get(_ACTIVATION) == "NONE"
        and len(before.outputs) == 1
    )
