"""Single numbers that belong to a formula, such as the 1/6 of a hard sigmoid: no learnt values."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.tflite.ops import Family, OpRules

_CODES: Mapping[str, str] = {
    "FLOAT16": "e",
    "FLOAT32": "f",
    "FLOAT64": "d",
    "INT8": "b",
    "INT16": "h",
    "UINT8": "B",
}
_CLOSE = 1e-3


def is_number(graph: Graph, operator: Operator, tensor: Tensor) -> bool:
    """Tell whether a constant that an operator reads is a number of its formula.

    That is a bound, a threshold or a filler without dimensions, and the 3 and 1/6 of a hard
    sigmoid ``relu6(x + 3) / 6``. Every other single number may be learnt, such as a scale.
    """
    rule = _number_rule.get(operator.name)
    return rule is not None and rule(graph, operator, tensor)


_NumberRule = Callable[[Graph, Operator, Tensor], bool]


def _bound(_: Graph, __: Operator, tensor: Tensor) -> bool:
    return not tensor.shape


_number_rule: OpRules[_NumberRule] = OpRules({Family.COMPARISON: _bound})
# They choose between values and another.
_number_rule("SELECT", "SELECT_V2")(_bound)


@_number_rule("FILL", "PADV2")
def _filler(_: Graph, __: Operator, tensor: Tensor) -> bool:
    return tensor.size == 1


@_number_rule("ADD")
def _three(graph: Graph, operator: Operator, tensor: Tensor) -> bool:
    return _is_near(tensor, 3.0) and _is_clipped(graph, operator)


@_number_rule("MUL")
def _sixth(graph: Graph, operator: Operator, tensor: Tensor) -> bool:
    return _is_near(tensor, 1 / 6) and _reads_clipped(graph, operator)


@_number_rule("DIV")
def _six(graph: Graph, operator: Operator, tensor: Tensor) -> bool:
    return _is_near(tensor, 6.0) and _reads_clipped(graph, operator)


def _reads_clipped(graph: Graph, operator: Operator) -> bool:
    sources = (graph.producers.get(index) for index in operator.inputs)
    return any(source is not None and _clips(source) for source in sources)


def _is_clipped(graph: Graph, operator: Operator) -> bool:
    """Tell whether the result is held to 0 to 6 at once."""
    if _clips(operator):
        return True
    readers = graph.readers.get(operator.outputs[0], ())
    return bool(readers) and all(each.name == "RELU6" for each in readers)


def _clips(operator: Operator) -> bool:
    return "RELU6" in (operator.name, operator.options.get("fused_activation_function"))


def _is_near(tensor: Tensor, expected: float) -> bool:
    """Tell whether a constant is one number without dimensions, this one as far as codes tell."""
    value = None if tensor.shape else _value(tensor)
    return value is not None and abs(value - expected) <= _CLOSE * expected


def _value(tensor: Tensor) -> float | None:
    """Return the number that a constant of one element stands for; None for other types."""
    code = _CODES.get(tensor.dtype)
    if code is None or tensor.content is None or tensor.size != 1:
        return None
    (stored,) = struct.unpack(f"<{code}", tensor.content)
    # Whatever scale a file gives floats, nothing looks at it.
    if not tensor.scales or tensor.dtype.startswith("FLOAT"):
        return float(stored)
    return (float(stored) - tensor.zero_points[0]) * tensor.scales[0]
