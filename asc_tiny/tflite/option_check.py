"""Checking that an operator's options say what its tensors' shapes say.

Kernels take some numbers from options that follow from shapes as well. Where the two contradict
each other, an interpreter that believes the one computes something else than a compiler that
believes the other.
"""

from __future__ import annotations

from collections.abc import Callable

from asc_tiny.tflite.graph import ABSENT, Graph
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import OpRules

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

option_rule: OpRules[Callable[[OperatorView], None]] = OpRules()
"""What checks an operator's options against the shapes of its tensors, and raises an AscError."""


def check_fields(graph: Graph) -> None:
    """Check the options of a graph's operators, whose shapes are checked already.

    Raises:
        AscError: an option that contradicts a shape, or a size beyond what is computed with.
    """
    for operator in graph.operators:
        op = OperatorView(graph, operator)
        _check_window(op)
        rule = option_rule.get(op.name)
        if rule is not None:
            rule(op)


def _check_window(op: OperatorView) -> None:
    options = op.options
    for name in _WINDOW:
        if not 1 <= options.get(name, 1) <= MOST_STEPS:
            raise op.error(f"has {name} {options[name]}, allowed: 1 to {MOST_STEPS}")


def _agrees(op: OperatorView, option: str, expected: int, reason: str) -> None:
    stated = op.options[option]
    if stated != expected:
        raise op.error(f"has {option} {stated}, but {reason}")


@option_rule("DEPTHWISE_CONV_2D")
def _depthwise(op: OperatorView) -> None:
    channels, filters = op.input(0).shape[3], op.input(1).shape[3]
    reason = f"{filters} filters for {channels} channels"
    _agrees(op, "depth_multiplier", filters // channels, reason)


@option_rule("PACK")
def _pack(op: OperatorView) -> None:
    count = sum(index != ABSENT for index in op.operator.inputs)
    _agrees(op, "values_count", count, f"{count} inputs")


@option_rule("SPLIT", "SPLIT_V")
def _split(op: OperatorView) -> None:
    _outputs(op, "num_splits")


@option_rule("UNPACK")
def _unpack(op: OperatorView) -> None:
    _outputs(op, "num")


def _outputs(op: OperatorView, option: str) -> None:
    count = len(op.operator.outputs)
    _agrees(op, option, count, f"{count} outputs")
