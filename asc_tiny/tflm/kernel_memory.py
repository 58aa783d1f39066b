"""What each operator's kernel takes of the arena: reference kernels and CMSIS-NN's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.tflite.ops import OPS, OpRules
from asc_tiny.tflm import cmsis_nn, stateful_kernels
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.kernel_scratch import scratch
from asc_tiny.tflm.micro_kernel import Kernels, MicroKernel, Needs
from asc_tiny.tflm.structs import Abi, pointer_bytes
from asc_tiny.util.errors import AscError

memory_rule: OpRules[Callable[[MicroKernel], Needs]] = OpRules()
"""What each operator's kernel needs; those without a rule are not known."""


def _keeps(name: str, data: str = "", options: str = "") -> None:
    """Register a kernel that looks at all its operands once and keeps one structure, if any."""

    @memory_rule(name)
    def needs(op: MicroKernel) -> Needs:
        return Needs(op.size(data) if data else 0, temporary=op.all, options=options)


_keeps("ABS", "OpDataAbsRsqrt")
_keeps("ADD", "OpDataAdd")
_keeps("BROADCAST_ARGS")
_keeps("BROADCAST_TO")
_keeps("CAST", options="TfLiteCastParams")
_keeps("CEIL")
_keeps("COS")
_keeps("DEQUANTIZE", "DequantizeOpData")
_keeps("DIV", "OpDataDiv")
_keeps("DYNAMIC_UPDATE_SLICE")
_keeps("ELU", "OpDataElu")
_keeps("EXP")
_keeps("EXPAND_DIMS")
_keeps("FILL")
_keeps("FLOOR_DIV")
_keeps("FLOOR_MOD")
_keeps("HARD_SWISH", "HardSwishParams")
_keeps("L2_NORMALIZATION", "L2NormalizationParams")
_keeps("LEAKY_RELU", "LeakyReluOpData")
_keeps("LOG")
_keeps("LOGICAL_NOT")
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
_keeps("ROUND")
_keeps("RSQRT", "OpDataAbsRsqrt")
_keeps("SELECT_V2", "OpDataSelect")
_keeps("SIN")
_keeps("SLICE")
_keeps("SQRT")
_keeps("SQUARE")
_keeps("SQUARED_DIFFERENCE", "OpDataSquaredDifference")
_keeps("SQUEEZE")
_keeps("STRIDED_SLICE", "StridedSliceParams")
_keeps("SUB", "OpDataSub")
_keeps("TANH", "OpDataTanh")
_keeps("ZEROS_LIKE")


@memory_rule("ARG_MAX", "ARG_MIN", "FLOOR", "LOGICAL_AND", "LOGICAL_OR")
@memory_rule("MAXIMUM", "MINIMUM", "NEG", "PACK", "TRANSPOSE", "UNPACK")
def _unprepared(_: MicroKernel) -> Needs:
    """Describe a kernel that does nothing before it runs."""
    return Needs()


@memory_rule("SHAPE")
def _shape(_: MicroKernel) -> Needs:
    return Needs(options="TfLiteShapeParams")


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


def _dimensions(tensor: Tensor) -> int:
    """Return the bytes of a tensor's dimensions, copied out of the file to be written."""
    return 4 + 4 * len(tensor.shape)


@memory_rule("DEPTH_TO_SPACE", "GATHER", "GATHER_ND")
@memory_rule("L2_POOL_2D", "SPACE_TO_DEPTH")
def _writes_dimensions(op: MicroKernel) -> Needs:
    return Needs(persistent=(_dimensions(op.output),), temporary=op.all)


@memory_rule("EMBEDDING_LOOKUP")
def _embedding_lookup(op: MicroKernel) -> Needs:
    kept = (_dimensions(op.output), op.size("OpDataEmbeddingLookup"))
    return Needs(persistent=kept, temporary=op.all)


@memory_rule("MIRROR_PAD")
def _mirror_pad(op: MicroKernel) -> Needs:
    requests = scratch(op.graph, op.operator)
    return Needs(
        op.size("OpDataMirrorPad"),
        scratch=requests,
        temporary=op.all,
        options="TfLiteMirrorPaddingParams",
    )


@memory_rule("ADD_N")
def _add_n(op: MicroKernel) -> Needs:
    op.check_result("FLOAT32", "INT8")
    kept = (op.size("OpDataAddN"),) if op.output.dtype == "INT8" else ()
    pointers = pointer_bytes(op.abi) * len(op.operator.inputs)
    return Needs(persistent=kept, scratch=(pointers,), temporary=op.all)


@memory_rule("BATCH_MATMUL")
def _batch_matmul(op: MicroKernel) -> Needs:
    """Describe a product for which operands are transposed in memory that is kept."""
    left, right = op.input(0), op.input(1)
    codes = left.dtype != "FLOAT32"
    kept: tuple[int, ...] = (op.size("QuantizationOpDataBatchMatmul"),) if codes else ()
    for tensor, transposed in ((left, op.options["adj_x"]), (right, not op.options["adj_y"])):
        if transposed:
            kept += (op.size("TfLiteEvalTensor"), _dimensions(tensor), tensor.byte_count)
    kept += (_dimensions(op.output),)
    needs = Needs(op.size("OpDataBatchMatmul"), persistent=kept, temporary=op.all)
    if op.kernels is None:
        return needs
    sums = cmsis_nn.fully_connected(op.output.shape[-1], op.kernels)
    buffers = (sums,) if sums and left.dtype == "INT8" else ()
    # The structure of CMSIS-NN has the shape of the output and the number of a buffer besides.
    return replace(needs, data=needs.data + 20, scratch=buffers)


@memory_rule("SPACE_TO_BATCH_ND")
def _space_to_batch(op: MicroKernel) -> Needs:
    return Needs(op.size("SpaceToBatchParams"), temporary=op.operands(0))


@memory_rule("BATCH_TO_SPACE_ND")
def _batch_to_space(op: MicroKernel) -> Needs:
    return Needs(temporary=op.operands(0))


memory_rule("CALL_ONCE")(stateful_kernels.call_once)
memory_rule("VAR_HANDLE")(stateful_kernels.var_handle)
memory_rule("READ_VARIABLE")(stateful_kernels.read_variable)
memory_rule("ASSIGN_VARIABLE")(stateful_kernels.assign_variable)
memory_rule("SVDF")(stateful_kernels.svdf)
memory_rule("UNIDIRECTIONAL_SEQUENCE_LSTM")(stateful_kernels.sequence_lstm)


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
    needs = _convolution(op, 0)
    if op.kernels is None or op.dtype == "FLOAT32":
        return needs
    if op.dtype == "INT8":
        return _with_buffer(needs, cmsis_nn.conv_2d(op, op.kernels))
    bias = op.optional_input(2)
    if bias is not None and bias.dtype == "INT32":
        return needs
    return _with_buffer(needs, cmsis_nn.conv_2d_s16(op, op.kernels))


@memory_rule("DEPTHWISE_CONV_2D")
def _depthwise_conv_2d(op: MicroKernel) -> Needs:
    needs = _convolution(op, 3)
    if op.kernels is None or op.dtype != "INT8":
        return needs
    return _with_buffer(needs, cmsis_nn.depthwise_conv_2d(op, op.kernels))


def _convolution(op: MicroKernel, axis: int) -> Needs:
    """Return what a convolution takes with a multiplier per channel, which lie along ``axis``."""
    op.check_weights()
    needs = Needs(
        op.size("OpDataConv"),
        persistent=_channels(op, axis),
        temporary=op.operands(0, 1) + op.all,
    )
    if op.kernels is None:
        return needs
    # CMSIS-NN's structure has the number of a buffer besides.
    kept = () if op.dtype == "FLOAT32" else needs.persistent
    return replace(needs, data=needs.data + 4, persistent=kept)


@memory_rule("TRANSPOSE_CONV")
def _transpose_conv(op: MicroKernel) -> Needs:
    op.check_result("FLOAT32", "INT8", "INT16")
    needs = Needs(
        op.size("OpDataTransposeConv"),
        persistent=_channels(op, 0),
        scratch=scratch(op.graph, op.operator),
        temporary=op.operands(1, 2) + op.operands(1, 2, 3),
    )
    if op.kernels is None:
        return needs
    needs = replace(needs, data=needs.data + 4)
    if op.output.dtype == "INT8":
        return replace(needs, scratch=cmsis_nn.transpose_conv(op, op.kernels))
    return replace(needs, scratch=needs.scratch[:1])


def _with_buffer(needs: Needs, scratch: int) -> Needs:
    """Add a buffer at run time if it is one."""
    return replace(needs, scratch=(scratch,) if scratch > 0 else ())


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
    if op.dtype != "INT8":
        return needs
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
    needs = replace(needs, data=needs.data + 4)
    if op.name == "MAX_POOL_2D":
        return needs
    channels = op.input(0).shape[-1]
    needs = replace(needs, temporary=needs.temporary * 2)
    if op.dtype == "FLOAT32":
        return needs
    return _with_buffer(needs, cmsis_nn.average_pool_2d(channels, op.kernels))


@memory_rule("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM")
def _reduction(op: MicroKernel) -> Needs:
    again = op.all if op.dtype == "INT8" else op.all[:-1]
    requests = scratch(op.graph, op.operator)
    return Needs(op.size("OpDataReduce"), scratch=requests, temporary=op.all + again)


_TABLE_BYTES = 2 * 513
"""Bytes of a table of a function of 16-bit codes, which preparation makes."""


@memory_rule("SOFTMAX")
def _softmax(op: MicroKernel) -> Needs:
    size = op.size("SoftmaxParams") + (0 if op.kernels is None else 8)
    tables = (_TABLE_BYTES, _TABLE_BYTES) if op.dtype == "INT16" else ()
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
            f"{graph.source}: it is not known how much memory TensorFlow Lite Micro needs for "
            f"operator {operator.index} ({operator.name})"
        )
    op = MicroKernel(graph, operator, kernels, abi)
    try:
        found = rule(op)
        return replace(found, options=found.options or _options_type(operator.name))
    except _INCONSISTENT as error:
        raise op.error(f"has operands that do not fit ({error})") from error


def _options_type(name: str) -> str:
    """Return the type of an operator's options: most have names as in the schema."""
    table = OPS[name].table
    return f"TfLite{table.removesuffix('2D')}Params" if table else ""
