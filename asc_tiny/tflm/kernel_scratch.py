"""Working memory that TensorFlow Lite Micro's reference kernels ask for in the head of its arena.

What each kernel's preparation requests, by the types that it takes; the other kernels that
operators are counted for request nothing (``tests/tflm/test_kernel_memory.py`` asks the recorder).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.util.errors import AscError

_WORD = 4
_POINTER = 8
"""As on a computer, where its recorder runs; microcontrollers' are shorter."""

_INTEGERS = ("INT8", "INT16")


@dataclass(frozen=True)
class _Kernel:
    """An operator with checked access to its operands."""

    graph: Graph
    operator: Operator

    def input(self, position: int) -> Tensor:
        index = self.optional(position)
        if index is None:
            raise self.unknown(f"without input {position}")
        return index

    def optional(self, position: int) -> Tensor | None:
        inputs = self.operator.inputs
        present = position < len(inputs) and inputs[position] != ABSENT
        return self.graph.tensor(inputs[position]) if present else None

    @property
    def output(self) -> Tensor:
        return self.graph.tensor(self.operator.outputs[0])

    def unknown(self, what: str) -> AscError:
        operator = self.operator
        return AscError(
            f"operator {operator.index} ({operator.name}) {what}, whose working memory in "
            f"TensorFlow Lite Micro is not known"
        )

    def check_types(self, *allowed: str) -> str:
        """Return the type of the first activation, which must be one of ``allowed``."""
        dtype = self.output.dtype
        if dtype not in allowed:
            raise self.unknown(f"gives {dtype}")
        return dtype


def scratch(graph: Graph, operator: Operator) -> tuple[int, ...]:
    """Return the bytes that an operator's reference kernel requests, in the order of the calls.

    Raises:
        AscError: its kernel is not known, or not with operands of these types.
    """
    kernel = _Kernel(graph, operator)
    rule = _RULES.get(operator.name)
    if rule is not None:
        return rule(kernel)
    if operator.name not in WITHOUT:
        raise kernel.unknown("is an operator")
    return ()


def _weighted(kernel: _Kernel) -> tuple[int, ...]:
    """Weights of four bits are widened to bytes."""
    weights = kernel.input(1)
    return (weights.size,) if weights.dtype == "INT4" else ()


def _transpose_conv(kernel: _Kernel) -> tuple[int, ...]:
    dtype = kernel.check_types("FLOAT32", "INT8", "INT16")
    sums = {"INT8": (_WORD * kernel.output.size,), "INT16": (2 * _WORD * kernel.output.size,)}
    bias = kernel.optional(3)
    if dtype == "INT16" and bias is not None and bias.dtype == "INT16":
        # Asked for after the sums: 64 bits for each.
        return (*sums[dtype], 2 * _WORD * bias.size)
    return sums.get(dtype, ())


def _mean(kernel: _Kernel) -> tuple[int, ...]:
    """A sum for each output of codes, and the two lists of every reduction."""
    sums = (_WORD * kernel.output.size,) if kernel.input(0).dtype in _INTEGERS else ()
    return (*sums, *_reduce(kernel))


def _reduce(kernel: _Kernel) -> tuple[int, ...]:
    return _WORD * len(kernel.input(0).shape), _WORD * kernel.input(1).size


def _add_n(kernel: _Kernel) -> tuple[int, ...]:
    kernel.check_types("FLOAT32", "INT8")
    return (_POINTER * len(kernel.operator.inputs),)


def _mirror_pad(kernel: _Kernel) -> tuple[int, ...]:
    return (_WORD * len(kernel.input(0).shape),) * 2


def _svdf(kernel: _Kernel) -> tuple[int, ...]:
    dtype = kernel.check_types("FLOAT32", "INT8")
    batch, filters = kernel.input(0).shape[0], kernel.input(1).shape[0]
    sums = (_WORD * batch * filters,)
    return sums if dtype == "FLOAT32" else (*sums, _WORD * kernel.output.size)


def _sequence_lstm(kernel: _Kernel) -> tuple[int, ...]:
    """Four rows of the type of the cells: three gates and what the state becomes."""
    state, cells = kernel.input(18), kernel.input(19)
    size = {"FLOAT32": 4, "INT16": 2}.get(cells.dtype)
    if size is None:
        raise kernel.unknown(f"has cells of {cells.dtype}")
    return (size * state.size,) * 4


_RULES: Mapping[str, Callable[[_Kernel], tuple[int, ...]]] = {
    "ADD_N": _add_n,
    "CONV_2D": _weighted,
    "DEPTHWISE_CONV_2D": _weighted,
    "FULLY_CONNECTED": _weighted,
    "MEAN": _mean,
    "MIRROR_PAD": _mirror_pad,
    "REDUCE_ALL": _reduce,
    "REDUCE_MAX": _reduce,
    "REDUCE_MIN": _reduce,
    "SUM": _mean,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _sequence_lstm,
}

_WITHOUT_TEXT = """
    ABS ADD ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION COS CUMSUM DEPTH_TO_SPACE
    DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR
    FLOOR_DIV FLOOR_MOD GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION
    L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MINIMUM MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
    READ_VARIABLE RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND
    RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT
    SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB TANH TRANSPOSE UNPACK VAR_HANDLE
    ZEROS_LIKE
"""
WITHOUT = frozenset(_WITHOUT_TEXT.split())
"""Operators whose kernels request nothing, whatever the types."""
