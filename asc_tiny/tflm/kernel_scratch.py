"""Scratch memory that TensorFlow Lite Micro's reference kernels ask for in the head of its arena.

What each kernel's preparation requests, by the types that it takes; the other kernels that
operators are counted for request nothing (``tests/tflm/test_kernel_scratch.py`` asks the recorder).
"""

from __future__ import annotations

from collections.abc import Callable

from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import Family, OpRules
from asc_tiny.util.errors import AscError

_WORD = 4
_POINTER = 8
"""As on a computer, where its recorder runs; microcontrollers' are shorter."""

_INTEGERS = ("INT8", "INT16")


ScratchRule = Callable[[OperatorView], tuple[int, ...]]


def scratch(graph: Graph, operator: Operator) -> tuple[int, ...]:
    """Return the bytes that an operator's reference kernel requests, in the order of the calls.

    Raises:
        AscError: its kernel is not known, or not with operands of these types.
    """
    op = OperatorView(graph, operator)
    rule = scratch_rule.get(op.name)
    if rule is None:
        raise _unknown(op)
    return rule(op)


def _unknown(op: OperatorView, which: str = "") -> AscError:
    return AscError(
        "it is not known how much scratch memory TensorFlow Lite Micro needs for operator "
        f"{op.operator.index} ({op.name}){which}"
    )


def _check_types(op: OperatorView, *allowed: str) -> str:
    """Return the type of the result, which must be one of ``allowed``.

    Raises:
        AscError: it is another.
    """
    dtype = op.output.dtype
    if dtype not in allowed:
        raise _unknown(op, f", which gives {dtype}")
    return dtype


def _none(_: OperatorView) -> tuple[int, ...]:
    return ()


def _reduce(op: OperatorView) -> tuple[int, ...]:
    return _WORD * len(op.input(0).shape), _WORD * op.input(1).size


scratch_rule: OpRules[ScratchRule] = OpRules(
    {
        **{family: _none for family in Family if family is not Family.CONTROL},
        Family.REDUCTION: _reduce,
    }
)
"""The bytes that the kernel of each operator requests, in the order of the calls."""

scratch_rule("ARG_MAX", "ARG_MIN", "CALL_ONCE", "IF")(_none)


@scratch_rule("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
def _weighted(op: OperatorView) -> tuple[int, ...]:
    """Weights of four bits are widened to bytes."""
    weights = op.input(1)
    return (weights.size,) if weights.dtype == "INT4" else ()


@scratch_rule("TRANSPOSE_CONV")
def _transpose_conv(op: OperatorView) -> tuple[int, ...]:
    dtype = _check_types(op, "FLOAT32", "INT8", "INT16")
    sums = {"INT8": (_WORD * op.output.size,), "INT16": (2 * _WORD * op.output.size,)}
    bias = op.optional_input(3)
    if dtype == "INT16" and bias is not None and bias.dtype == "INT16":
        # Asked for after the sums: 64 bits for each.
        return (*sums[dtype], 2 * _WORD * bias.size)
    return sums.get(dtype, ())


@scratch_rule("MEAN", "SUM")
def _mean(op: OperatorView) -> tuple[int, ...]:
    """A sum for each output of codes, and the two lists of every reduction."""
    sums = (_WORD * op.output.size,) if op.input(0).dtype in _INTEGERS else ()
    return (*sums, *_reduce(op))


@scratch_rule("ADD_N")
def _add_n(op: OperatorView) -> tuple[int, ...]:
    _check_types(op, "FLOAT32", "INT8")
    return (_POINTER * len(op.operator.inputs),)


@scratch_rule("MIRROR_PAD")
def _mirror_pad(op: OperatorView) -> tuple[int, ...]:
    return (_WORD * len(op.input(0).shape),) * 2


@scratch_rule("SVDF")
def _svdf(op: OperatorView) -> tuple[int, ...]:
    dtype = _check_types(op, "FLOAT32", "INT8")
    batch, filters = op.input(0).shape[0], op.input(1).shape[0]
    sums = (_WORD * batch * filters,)
    return sums if dtype == "FLOAT32" else (*sums, _WORD * op.output.size)


@scratch_rule("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _sequence_lstm(op: OperatorView) -> tuple[int, ...]:
    """Four rows of the type of the cells: three gates and what the state becomes."""
    state, cells = op.input(18), op.input(19)
    size = {"FLOAT32": 4, "INT16": 2}.get(cells.dtype)
    if size is None:
        raise _unknown(op, f", which has cells of {cells.dtype}")
    return (size * state.size,) * 4
