"""Single numbers that belong to a formula, such as the 1/6 of a hard sigmoid: no learnt values."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from asc_tiny.tflite.graph import Graph, Operator, Tensor

_BOUNDED_TEXT = """
    EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL MAXIMUM MINIMUM NOT_EQUAL SELECT SELECT_V2
"""
_BOUNDED = frozenset(_BOUNDED_TEXT.split())
"""Operators that hold values to a bound, or choose between them and another."""

_FILLED = ("FILL", "PADV2")
"""Operators that repeat one number."""

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
    if operator.name in _FILLED:
        return tensor.size == 1
    if tensor.shape:
        return False
    return operator.name in _BOUNDED or _is_of_hard_sigmoid(graph, operator, _value(tensor))


def _is_of_hard_sigmoid(graph: Graph, operator: Operator, value: float | None) -> bool:
    if value is None:
        return False
    if operator.name == "ADD":
        return _near(value, 3.0) and _is_clipped(graph, operator)
    expected = {"MUL": 1 / 6, "DIV": 6.0}.get(operator.name)
    sources = (graph.producers.get(index) for index in operator.inputs)
    clipped = any(source is not None and _clips(source) for source in sources)
    return expected is not None and _near(value, expected) and clipped


def _is_clipped(graph: Graph, operator: Operator) -> bool:
    """Tell whether the result is held to 0 to 6 at once."""
    if _clips(operator):
        return True
    readers = graph.readers.get(operator.outputs[0], ())
    return bool(readers) and all(each.name == "RELU6" for each in readers)


def _clips(operator: Operator) -> bool:
    return "RELU6" in (operator.name, operator.options.get("fused_activation_function"))


def _near(value: float, expected: float) -> bool:
    return abs(value - expected) <= _CLOSE * expected


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
