"""What each operator's kernel takes of the arena: reference kernels and CMSIS-NN's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from asc_tiny.tflite.graph import ABSENT, Graph, Operator
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflite.ops import OPS, OpRules
from asc_tiny.tflite.variables import variable_names
from asc_tiny.tflm import cmsis_nn
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.kernel_scratch import scratch
from asc_tiny.tflm.structs import TYPES, UNNAMED, Abi
from asc_tiny.util.errors import AscError

Kernels = Core | None
"""CMSIS-NN for a core, or None for TensorFlow Lite Micro's reference kernels."""


@dataclass(frozen=True)
class Needs:
    """What one operator takes while TensorFlow Lite Micro prepares a model.

    Attributes:
        data: bytes of what its kernel keeps, 0 for none.
        persistent: bytes of further memory that it keeps, in the order of the calls.
        scratch: bytes of scratch memory at run time, in the order of the calls.
        temporary: tensors of which a description exists during preparation.
        options: type of its options, empty for none; ``needs`` fills it in.
        variable: the variable whose memory ``persistent`` is, which the first operator that
            assigns it takes; None for all other operators.
    """

    data: int = 0
    persistent: tuple[int, ...] = ()
    scratch: tuple[int, ...] = ()
    temporary: tuple[int, ...] = ()
    options: str = ""
    variable: tuple[str, str] | None = None


class MicroKernel(OperatorView):
    """An operator that TensorFlow Lite Micro prepares.

    Attributes:
        kernels: the kernels that it is built with.
        abi: how the target lays out types.
    """

    def __init__(self, graph: Graph, operator: Operator, kernels: Kernels, abi: Abi) -> None:
        super().__init__(graph, operator)
        self.kernels = kernels
        self.abi = abi

    def size(self, name: str) -> int:
        """Return the bytes of a type in C++."""
        return (TYPES.get(name) or UNNAMED[name]).size(self.abi)

    def operands(self, *inputs: int) -> tuple[int, ...]:
        """Return the tensors of these inputs where they are present, then of the output."""
        present = (self.operator.inputs[i] for i in inputs if i < len(self.operator.inputs))
        return (*(i for i in present if i != ABSENT), self.operator.outputs[0])

    @property
    def all(self) -> tuple[int, ...]:
        """The tensors of all inputs that are present, then of the output."""
        return self.operands(*range(len(self.operator.inputs)))

    def check_codes(self) -> None:
        """Check that the result is codes of a type for which the kernel's memory is known.

        Raises:
            AscError: it is neither int8 nor, with reference kernels, int16.
        """
        known = ("INT8", "INT16") if self.kernels is None else ("INT8",)
        if self.output.dtype not in known:
            raise self.error(
                f"gives {self.output.dtype}; its memory in TensorFlow Lite Micro is known for "
                f"{' and '.join(known)} alone"
            )

    def check_weights(self) -> None:
        """Check that the weights are not of four bits, which kernels widen in scratch memory.

        Raises:
            AscError: they are.
        """
        if self.input(1).dtype == "INT4":
            raise self.error(
                "has weights of INT4, for which its memory in TensorFlow Lite Micro is not known"
            )


memory_rule: OpRules[Callable[[MicroKernel], Needs]] = OpRules()
"""What each operator's kernel needs; those without a rule are not known."""


def _keeps(name: str, data: str = "") -> None:
    """Register a kernel that looks at all its operands once and keeps one structure, if any."""

    @memory_rule(name)
    def needs(op: MicroKernel) -> Needs:
        return Needs(op.size(data) if data else 0, temporary=op.all)


_keeps("ADD", "OpDataAdd")
_keeps("BROADCAST_TO")
_keeps("DEQUANTIZE", "DequantizeOpData")
_keeps("DIV", "OpDataDiv")
_keeps("EXPAND_DIMS")
_keeps("FILL")
_keeps("HARD_SWISH", "HardSwishParams")
_keeps("L2_NORMALIZATION", "L2NormalizationParams")
_keeps("LEAKY_RELU", "LeakyReluOpData")
_keeps("LOGISTIC", "OpDataLogistic")
_keeps("MUL", "OpDataMul")
_keeps("PAD", "OpData")
_keeps("PADV2", "OpData")
_keeps("PRELU", "PreluParams")
_keeps("QUANTIZE", "OpDataQuantizeReference")
_keeps("RELU", "ReluOpData")
_keeps("RELU6", "Relu6OpData")
_keeps("RESHAPE")
_keeps("RESIZE_BILINEAR")
_keeps("RESIZE_NEAREST_NEIGHBOR")
_keeps("REVERSE_V2")
_keeps("SLICE")
_keeps("SQUEEZE")
_keeps("STRIDED_SLICE", "StridedSliceParams")
_keeps("SUB", "OpDataSub")
_keeps("TANH", "OpDataTanh")
_keeps("ZEROS_LIKE")


@memory_rule("ARG_MAX", "ARG_MIN", "LOGICAL_AND", "LOGICAL_OR")
@memory_rule("MAXIMUM", "MINIMUM", "PACK", "TRANSPOSE", "UNPACK")
def _unprepared(_: MicroKernel) -> Needs:
    """Describe a kernel that does nothing before it runs."""
    return Needs()


@memory_rule("CUMSUM", "LOG_SOFTMAX")
def _of_codes(op: MicroKernel) -> Needs:
    """Describe a kernel that keeps a structure for codes alone."""
    name = "CumsumOpData" if op.name == "CUMSUM" else "LogSoftmaxOpData"
    return Needs(op.size(name) if op.output.dtype == "INT8" else 0, temporary=op.all)


@memory_rule("EQUAL", "GREATER")
@memory_rule("GREATER_EQUAL", "LESS")
@memory_rule("LESS_EQUAL", "NOT_EQUAL")
def _comparison(op: MicroKernel) -> Needs:
    return Needs(op.size("ComparisonParams"), temporary=op.all[:-1])


@memory_rule("GATHER", "GATHER_ND")
def _gather(op: MicroKernel) -> Needs:
    # The output's dimensions are copied out of the file.
    return Needs(persistent=(4 + 4 * len(op.output.shape),), temporary=op.all)


@memory_rule("SPACE_TO_BATCH_ND")
def _space_to_batch(op: MicroKernel) -> Needs:
    return Needs(op.size("SpaceToBatchParams"), temporary=op.operands(0))


@memory_rule("BATCH_TO_SPACE_ND")
def _batch_to_space(op: MicroKernel) -> Needs:
    return Needs(temporary=op.operands(0))


@memory_rule("CALL_ONCE")
def _call_once(op: MicroKernel) -> Needs:
    return Needs(op.size("OpDataCallOnce"))


@memory_rule("VAR_HANDLE")
def _var_handle(op: MicroKernel) -> Needs:
    return Needs(op.size("OpDataVarHandle"))


@memory_rule("READ_VARIABLE")
def _read_variable(op: MicroKernel) -> Needs:
    return Needs(temporary=op.operands(0)[:1])


@memory_rule("ASSIGN_VARIABLE")
def _assign_variable(op: MicroKernel) -> Needs:
    value = op.input(1)
    return Needs(
        persistent=(value.byte_count,),
        temporary=(value.index,),
        variable=variable_names(op.graph)[op.input(0).index],
    )


@memory_rule("CONCATENATION")
def _concatenation(op: MicroKernel) -> Needs:
    temporary = op.operands(0) + op.all[:-1]
    return Needs(op.size("ConcatenationParams"), temporary=temporary)


def _channels(op: MicroKernel, axis: int) -> tuple[int, int]:
    """Return the bytes of multipliers and of shifts, one each per output channel."""
    channels = op.input(1).shape[axis]
    return (4 * channels, 4 * channels)


@memory_rule("CONV_2D")
def _conv_2d(op: MicroKernel) -> Needs:
    op.check_weights()
    needs = Needs(
        op.size("OpDataConv"),
        persistent=_channels(op, 0),
        temporary=op.operands(0, 1) + op.all,
    )
    if op.kernels is None:
        return needs
    scratch = cmsis_nn.conv_2d(op, op.kernels)
    return _with_buffer(needs, scratch)


@memory_rule("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(op: MicroKernel) -> Needs:
    needs = replace(
        _conv_2d(MicroKernel(op.graph, op.operator, None, op.abi)),
        persistent=_channels(op, 3),
    )
    if op.kernels is None:
        return needs
    scratch = cmsis_nn.depthwise_conv_2d(op, op.kernels)
    return _with_buffer(needs, scratch)


@memory_rule("TRANSPOSE_CONV")
def _transpose_conv(op: MicroKernel) -> Needs:
    op.check_codes()
    needs = Needs(
        op.size("OpDataTransposeConv"),
        persistent=_channels(op, 0),
        temporary=op.operands(1, 2) + op.operands(1, 2, 3),
    )
    if op.kernels is None:
        return replace(needs, scratch=scratch(op.graph, op.operator))
    return replace(needs, data=needs.data + 4, scratch=cmsis_nn.transpose_conv(op, op.kernels))


def _with_buffer(needs: Needs, scratch: int) -> Needs:
    """Add the number of a buffer, which CMSIS-NN's kernels keep, and the buffer if it is one."""
    return replace(needs, data=needs.data + 4, scratch=(scratch,) if scratch > 0 else ())


@memory_rule("FULLY_CONNECTED")
def _fully_connected(op: MicroKernel) -> Needs:
    op.check_weights()
    scales = len(op.input(1).scales)
    per_channel = (4 * scales, 4 * scales) if scales > 1 else ()
    needs = Needs(
        op.size("OpDataFullyConnected"),
        persistent=per_channel,
        temporary=op.all,
    )
    if op.kernels is None:
        return needs
    return _fully_connected_of_cmsis_nn(op, needs, op.kernels)


def _fully_connected_of_cmsis_nn(op: MicroKernel, needs: Needs, core: Core) -> Needs:
    weights = op.input(1)
    result = op.output
    outputs, depth = result.shape[-1], weights.shape[-1]
    needs = replace(needs, data=needs.data + 24)
    if len(result.shape) > 2 and depth % 4 == 0:
        # Runs as a 1x1 convolution, which has a multiplier per channel.
        scratch = () if len(weights.scales) > 1 else (8 * outputs,)
        buffer = cmsis_nn.one_by_one(depth, core)
        return replace(needs, scratch=(*scratch, buffer) if buffer else scratch)
    sums = cmsis_nn.fully_connected(outputs, core)
    constant = all(op.graph.tensor(i).is_constant for i in op.operands(1, 2)[:-1])
    if sums and constant:
        return replace(needs, persistent=(*needs.persistent, sums))
    return replace(needs, scratch=(sums,) if sums else ())


@memory_rule("AVERAGE_POOL_2D", "MAX_POOL_2D")
def _pool(op: MicroKernel) -> Needs:
    needs = Needs(op.size("OpDataPooling"), temporary=op.all)
    if op.kernels is None:
        return needs
    if op.name == "MAX_POOL_2D":
        return _with_buffer(needs, 0)
    channels = op.input(0).shape[-1]
    needs = replace(needs, temporary=needs.temporary * 2)
    return _with_buffer(needs, cmsis_nn.average_pool_2d(channels, op.kernels))


@memory_rule("MEAN", "SUM")
def _mean(op: MicroKernel) -> Needs:
    op.check_codes()
    requests = scratch(op.graph, op.operator)
    return Needs(op.size("OpDataReduce"), scratch=requests, temporary=op.all * 2)


@memory_rule("REDUCE_MAX", "REDUCE_MIN")
def _reduce_extreme(op: MicroKernel) -> Needs:
    return _mean(op)


_TABLE_BYTES = 2 * 513
"""Bytes of a table of a function of 16-bit codes, which preparation makes."""


@memory_rule("SOFTMAX")
def _softmax(op: MicroKernel) -> Needs:
    op.check_codes()
    size = op.size("SoftmaxParams") + (0 if op.kernels is None else 8)
    tables = (_TABLE_BYTES, _TABLE_BYTES) if op.input(0).dtype == "INT16" else ()
    return Needs(size, persistent=tables, temporary=op.all)


@memory_rule("SPLIT")
def _split(op: MicroKernel) -> Needs:
    return Needs(temporary=op.operands(0)[:1])


@memory_rule("SPLIT_V")
def _split_v(op: MicroKernel) -> Needs:
    return Needs(temporary=op.operands(2)[:1])


# What a damaged file can raise in a rule.
_INCONSISTENT = (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError)


def needs(graph: Graph, operator: Operator, kernels: Kernels, abi: Abi) -> Needs:
    """Return what an operator of an int8 model takes of the arena.

    Raises:
        AscError: the operator is not known, or its operands are not those of one.
    """
    rule = memory_rule.get(operator.name)
    if rule is None:
        raise AscError(
            f"{graph.source}: operator {operator.index} is {operator.name}, whose memory in "
            f"TensorFlow Lite Micro is not known; known are {', '.join(memory_rule.names)}"
        )
    op = MicroKernel(graph, operator, kernels, abi)
    try:
        return replace(rule(op), options=_options_type(operator.name))
    except _INCONSISTENT as error:
        raise op.error(f"has operands that do not fit ({error})") from error


def _options_type(name: str) -> str:
    """Return the type of an operator's options: they have names as in the schema."""
    table = OPS[name].table
    return f"TfLite{table.removesuffix('2D')}Params" if table else ""
