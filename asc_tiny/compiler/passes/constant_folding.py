"""Constant folding: what follows from constants and known shapes is computed once, here.

Converters leave operators that compute shapes from shapes, such as SHAPE, STRIDED_SLICE and PACK
before a RESHAPE, and constants that are converted at run time. Their results are constants. Values
are computed by the formulas of TensorFlow Lite's reference kernels; what these refuse, or leave
undefined, is not folded. The gate counts the file as it is: an interpreter runs all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflite.graph import NUMPY_TYPES, Graph, Operator, Tensor
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import Family, OpRules, row
from asc_tiny.tflite.schema import CODES

Values = NDArray[Any]

_Result = TypeVar("_Result")

MOST_ELEMENTS = 2**20
"""Elements of all results of an operator at most: the flash of a large microcontroller."""

MOST_IN_ALL = 2**24
"""Elements of all results that are folded of a graph at most."""

_KEPT = (Family.CONTROL, Family.STATE, Family.RANDOM)
"""Families of operators that do something besides their results."""


@dataclass(frozen=True)
class Folded:
    """A graph whose constants are computed.

    Attributes:
        graph: the graph without the operators that were folded and those that only they read.
        titles: number and name of each of these operators, in their order.
    """

    graph: Graph
    titles: tuple[str, ...] = ()


class FoldingContext(OperatorView):
    """An operator whose operands may be constants.

    Attributes:
        tensors: the tensors of the graph, with the values of those that were folded so far.
    """

    def __init__(self, graph: Graph, operator: Operator, tensors: Sequence[Tensor]) -> None:
        super().__init__(graph, operator)
        self.tensors = tensors

    def optional_input(self, position: int) -> Tensor | None:
        """Return an input, None where it is absent."""
        tensor = super().optional_input(position)
        return None if tensor is None else self.tensors[tensor.index]

    def values(self, position: int) -> Values:
        """Return a constant operand.

        Raises:
            NotConstantError: it is computed, absent, or of a type that NumPy has not.
        """
        tensor = self.optional_input(position)
        if tensor is None or tensor.content is None or tensor.dtype not in NUMPY_TYPES:
            raise NotConstantError
        assert tensor.data is not None
        return tensor.data

    def integers(self, position: int) -> tuple[int, ...]:
        """Return a constant operand of integers as a list of them."""
        values = self.values(position)
        if values.dtype.kind != "i":
            raise NotConstantError
        return tuple(int(value) for value in values.ravel())

    def is_plain(self, *tensors: Tensor) -> bool:
        """Whether the values of tensors are themselves, not codes of a quantisation."""
        return not any(tensor.scales for tensor in tensors)


class NotConstantError(Exception):
    """An operator cannot be folded."""


Fold = Callable[[FoldingContext], Values]

folding_rule: OpRules[Fold] = OpRules()
"""The operators that are folded: a function of each returns the values of its only output."""

# What NumPy and this module raise for operands that an operator cannot have
_UNUSABLE = (NotConstantError, ArithmeticError, IndexError, KeyError, TypeError, ValueError)


def fold_constants(graph: Graph) -> Folded:
    """Return a graph without operators whose results are known.

    Raises:
        AscError: an operator states another shape for its result than it computes.
    """
    tensors = list(graph.tensors)
    left: list[Operator] = []
    folded: list[Operator] = []
    elements = 0
    for operator in graph.operators:
        op = FoldingContext(graph, operator, tensors)
        values = _folded(op) if elements < MOST_IN_ALL else None
        if values is None:
            left.append(_without_shape(op))
            continue
        (index,) = operator.outputs
        tensors[index] = replace(tensors[index], content=values.tobytes())
        elements += max(1, values.size)
        folded.append(operator)
    left, unread = without_unread(graph, left)
    gone = sorted((*folded, *unread), key=lambda operator: operator.index)
    if not gone and tuple(left) == graph.operators:
        return Folded(graph)
    made = replace(graph, operators=tuple(left), tensors=tuple(tensors))
    return Folded(made, tuple(operator.title for operator in gone))


def attempt(function: Callable[[FoldingContext], _Result], op: FoldingContext) -> _Result | None:
    """Return what a function makes of an operator, None for operands that it cannot have."""
    try:
        with np.errstate(all="ignore"):
            return function(op)
    except _UNUSABLE:
        return None


def _folded(op: FoldingContext) -> Values | None:
    """Return what an operator computes from constants, None if it does not."""
    rule = folding_rule.get(op.name)
    if rule is None or len(op.operator.outputs) != 1:
        return None
    output = op.output
    if output.size > MOST_ELEMENTS or output.dtype not in NUMPY_TYPES or output.is_variable:
        return None
    values = attempt(rule, op)
    if values is None:
        return None
    if values.shape != output.shape:
        raise op.error(
            f"states the output {list(output.shape)}, its inputs give {list(values.shape)}"
        )
    dtype = np.dtype(NUMPY_TYPES[output.dtype])
    return values if values.dtype == dtype else None


def _without_shape(op: FoldingContext) -> Operator:
    """Return a RESHAPE without a computed shape: that of its output says the same."""
    shape = op.optional_input(1) if op.name == "RESHAPE" else None
    if shape is None or shape.is_constant:
        return op.operator
    return replace(op.operator, inputs=op.operator.inputs[:1])


def without_unread(
    graph: Graph, operators: Sequence[Operator]
) -> tuple[list[Operator], list[Operator]]:
    """Return operators without those whose readers are gone, and these.

    What nobody read in the file stays: it is the user's.
    """
    left: list[Operator] = []
    unread: list[Operator] = []
    needed = set(graph.outputs)
    for operator in reversed(operators):
        had_readers = any(index in graph.readers for index in operator.outputs)
        if (
            had_readers
            and not needed & set(operator.outputs)
            and row(operator.name).family not in _KEPT
        ):
            unread.append(operator)
            continue
        left.append(operator)
        needed |= set(operator.inputs)
    return left[::-1], unread


@folding_rule("SHAPE")
def _shape(op: FoldingContext) -> Values:
    return np.array(op.input(0).shape, NUMPY_TYPES[op.output.dtype])


@folding_rule("RANK")
def _rank(op: FoldingContext) -> Values:
    return np.array(len(op.input(0).shape), np.int32)


@folding_rule("ZEROS_LIKE")
def _zeros(op: FoldingContext) -> Values:
    if not op.is_plain(op.output):
        raise NotConstantError
    return np.zeros(op.input(0).shape, NUMPY_TYPES[op.output.dtype])


@folding_rule("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
def _same_values(op: FoldingContext) -> Values:
    return op.values(0).reshape(op.output.shape)


@folding_rule("TRANSPOSE")
def _transposed(op: FoldingContext) -> Values:
    return op.values(0).transpose(op.integers(1))


@folding_rule("PACK")
def _packed(op: FoldingContext) -> Values:
    return np.stack(_all_values(op), axis=int(op.options["axis"]))


@folding_rule("CONCATENATION")
def _concatenated(op: FoldingContext) -> Values:
    _check_no_activation(op)
    return np.concatenate(_all_values(op), axis=int(op.options["axis"]))


def _all_values(op: FoldingContext) -> list[Values]:
    """Return all operands, if results have the codes of all of them."""
    quantizations = {(tensor.scales, tensor.zero_points) for tensor in (*op.inputs, op.output)}
    if len(quantizations) > 1 and not op.is_plain(*op.inputs, op.output):
        raise NotConstantError
    return [op.values(position) for position in range(len(op.operator.inputs))]


@folding_rule("SLICE")
def _slice(op: FoldingContext) -> Values:
    values, begins, sizes = op.values(0), op.integers(1), op.integers(2)
    if not len(begins) == len(sizes) == values.ndim or min(begins, default=0) < 0:
        raise NotConstantError
    ends = [None if size == -1 else begin + size for begin, size in zip(begins, sizes, strict=True)]
    return values[tuple(slice(begin, end) for begin, end in zip(begins, ends, strict=True))]


@folding_rule("STRIDED_SLICE")
def _strided_slice(op: FoldingContext) -> Values:
    options = op.options
    if options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]:
        raise NotConstantError
    values, begins, ends, strides = op.values(0), *(op.integers(n) for n in (1, 2, 3))
    places: list[slice | int] = []
    for axis, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        bit = 1 << axis
        if options["shrink_axis_mask"] & bit:
            places.append(begin)
        else:
            first = None if options["begin_mask"] & bit else begin
            last = None if options["end_mask"] & bit else end
            places.append(slice(first, last, stride))
    return np.asarray(values[tuple(places)])


@folding_rule("GATHER")
def _gathered(op: FoldingContext) -> Values:
    values, places = op.values(0), op.values(1)
    axis = int(op.options["axis"])
    if op.options.get("batch_dims", 0) or places.dtype.kind != "i" or places.min(initial=0) < 0:
        raise NotConstantError
    return np.take(values, places, axis=axis)


@folding_rule("FILL")
def _filled(op: FoldingContext) -> Values:
    return np.broadcast_to(op.values(1).reshape(()), op.integers(0))


@folding_rule("BROADCAST_TO")
def _broadcast_to(op: FoldingContext) -> Values:
    return np.broadcast_to(op.values(0), op.integers(1))


@folding_rule("BROADCAST_ARGS")
def _broadcast_args(op: FoldingContext) -> Values:
    shape = np.broadcast_shapes(op.integers(0), op.integers(1))
    return np.array(shape, NUMPY_TYPES[op.output.dtype])


@folding_rule("RANGE")
def _range(op: FoldingContext) -> Values:
    start, limit, step = (op.integers(n)[0] for n in range(3))
    if len(range(start, limit, step)) != op.output.size:
        raise NotConstantError
    return np.arange(start, limit, step, dtype=np.dtype(NUMPY_TYPES[op.output.dtype]))


@folding_rule("CAST")
def _cast(op: FoldingContext) -> Values:
    values, dtype = op.values(0), np.dtype(NUMPY_TYPES[op.output.dtype])
    if dtype.kind in "iu" and values.dtype.kind == "f":
        span = np.iinfo(dtype)
        if not ((values >= float(span.min)) & (values < float(span.max))).all():
            # What it becomes is undefined in C.
            raise NotConstantError
    return values.astype(dtype)


_Function = Callable[[Any, Any], Any]


def _fold_binary(name: str, function: _Function) -> None:
    """Register an operator of two tensors that are numbers themselves, not codes."""

    @folding_rule(name)
    def _fold(op: FoldingContext) -> Values:
        _check_no_activation(op)
        one, other = op.values(0), op.values(1)
        if not op.is_plain(*op.inputs, op.output) or one.dtype != other.dtype:
            raise NotConstantError
        return np.asarray(function(one, other))


def _divided(function: _Function) -> _Function:
    """Return a function that divides, which C leaves undefined for 0."""

    def divide(one: Values, other: Values) -> Any:
        if not other.all():
            raise NotConstantError
        return function(one, other)

    return divide


def _quotient(one: Values, other: Values) -> Any:
    """Return the quotient, to zero for integers as in C."""
    if one.dtype.kind == "f":
        return one / other
    return (np.sign(one) * np.sign(other)) * (np.abs(one) // np.abs(other))


_fold_binary("ADD", np.add)
_fold_binary("DIV", _divided(_quotient))
_fold_binary("EQUAL", np.equal)
_fold_binary("FLOOR_DIV", _divided(np.floor_divide))
_fold_binary("FLOOR_MOD", _divided(np.mod))
_fold_binary("GREATER", np.greater)
_fold_binary("GREATER_EQUAL", np.greater_equal)
_fold_binary("LESS", np.less)
_fold_binary("LESS_EQUAL", np.less_equal)
_fold_binary("LOGICAL_AND", np.logical_and)
_fold_binary("LOGICAL_OR", np.logical_or)
_fold_binary("MAXIMUM", np.maximum)
_fold_binary("MINIMUM", np.minimum)
_fold_binary("MUL", np.multiply)
_fold_binary("NOT_EQUAL", np.not_equal)
_fold_binary("SUB", np.subtract)


@folding_rule("NEG")
def _negative(op: FoldingContext) -> Values:
    if not op.is_plain(op.input(0), op.output):
        raise NotConstantError
    return np.asarray(np.negative(op.values(0)))


def _fold_reduction(name: str, function: Any) -> None:
    """Register a reduction of integers: sums of floating-point numbers depend on their order."""

    @folding_rule(name)
    def _fold(op: FoldingContext) -> Values:
        values, axes = op.values(0), op.integers(1)
        if values.dtype.kind == "f" or not op.is_plain(op.input(0), op.output):
            raise NotConstantError
        keeps = len(op.output.shape) == values.ndim
        return np.asarray(function(values, axis=axes, keepdims=keeps)).astype(values.dtype)


_fold_reduction("REDUCE_ALL", np.all)
_fold_reduction("REDUCE_ANY", np.any)
_fold_reduction("REDUCE_MAX", np.max)
_fold_reduction("REDUCE_MIN", np.min)
_fold_reduction("REDUCE_PROD", np.prod)
_fold_reduction("SUM", np.sum)


@folding_rule("SELECT", "SELECT_V2")
def _selected(op: FoldingContext) -> Values:
    condition, one, other = (op.values(n) for n in range(3))
    if not op.is_plain(*op.inputs, op.output) or condition.shape != one.shape:
        raise NotConstantError
    return np.where(condition, one, other)


@folding_rule("DEQUANTIZE")
def _dequantized(op: FoldingContext) -> Values:
    """Follow Dequantize in TensorFlow Lite's reference/dequantize.h: a product in float64."""
    values = op.values(0)
    if values.dtype == np.float16:
        return values.astype(np.float32)
    scale, zero_point = _quantization(op.input(0))
    return (scale * (values.astype(np.int32) - zero_point)).astype(np.float32)


@folding_rule("QUANTIZE")
def _quantized(op: FoldingContext) -> Values:
    """Follow AffineQuantize in TensorFlow Lite's reference/quantize.h: a quotient in float32."""
    values = op.values(0)
    low, high = CODES[op.output.dtype]
    scale, zero_point = _quantization(op.output)
    if values.dtype != np.float32 or scale == 0.0:
        raise NotConstantError
    quotients = values / np.float32(scale)
    if not np.isfinite(quotients).all() or np.abs(quotients).max(initial=0.0) >= 2**30:
        # What it becomes is undefined in C.
        raise NotConstantError
    rounded = np.trunc(quotients.astype(np.float64) + np.copysign(0.5, quotients))
    codes: Values = np.clip(rounded + zero_point, low, high)
    return codes.astype(NUMPY_TYPES[op.output.dtype])


def _quantization(tensor: Tensor) -> tuple[float, int]:
    """Return scale and zero point of a tensor that has one of each."""
    if not len(tensor.scales) == len(tensor.zero_points) == 1:
        raise NotConstantError
    return tensor.scales[0], tensor.zero_points[0]


def _check_no_activation(op: FoldingContext) -> None:
    if op.options.get("fused_activation_function", "NONE") != "NONE":
        raise NotConstantError
