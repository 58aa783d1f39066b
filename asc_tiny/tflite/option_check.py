"""Checking that an operator's options say what its tensors' shapes say.

Kernels take some numbers from options that follow from shapes as well. Where the two contradict
each other, an interpreter that believes the one computes something else than a compiler that
believes the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asc_tiny.tflite.graph import ABSENT, Graph
from asc_tiny.tflite.operands import Call

MOST_STEPS = 2**16 - 1
"""The largest stride, dilation or window along an axis; those of real layers are far below."""

_WINDOW = (
    "stride_h",
    "stride_w",
    "dilation_h_factor",
    "dilation_w_factor",
    "filter_height",
    "filter_width",
)


def check_fields(graph: Graph) -> None:
    """Check the options of a graph's operators, whose shapes are checked already.

    Raises:
        AscError: an option that contradicts a shape, or a size beyond what is computed with.
    """
    for operator in graph.operators:
        call = Call(graph, operator)
        _check_window(call)
        rule = _RULES.get(operator.name)
        if rule is not None:
            rule(call)


def _check_window(call: Call) -> None:
    options = call.operator.options
    for name in _WINDOW:
        if not 1 <= options.get(name, 1) <= MOST_STEPS:
            raise call.fail(f"has {name} {options[name]}, allowed: 1 to {MOST_STEPS}")


def _agrees(call: Call, option: str, expected: int, reason: str) -> None:
    stated = call.operator.options[option]
    if stated != expected:
        raise call.fail(f"has {option} {stated}, but {reason}")


def _depthwise(call: Call) -> None:
    channels, filters = call.input(0).shape[3], call.input(1).shape[3]
    reason = f"{filters} filters for {channels} channels"
    _agrees(call, "depth_multiplier", filters // channels, reason)


def _pack(call: Call) -> None:
    count = sum(index != ABSENT for index in call.operator.inputs)
    _agrees(call, "values_count", count, f"{count} inputs")


def _outputs(call: Call, option: str) -> None:
    count = len(call.operator.outputs)
    _agrees(call, option, count, f"{count} outputs")


_RULES: Mapping[str, Callable[[Call], None]] = {
    "DEPTHWISE_CONV_2D": _depthwise,
    "PACK": _pack,
    "SPLIT": lambda call: _outputs(call, "num_splits"),
    "SPLIT_V": lambda call: _outputs(call, "num_splits"),
    "UNPACK": lambda call: _outputs(call, "num"),
}
