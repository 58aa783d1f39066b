"""What each operator's kernel takes of the arena: reference kernels and CMSIS-NN's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from asc_tiny.tflite.graph import ABSENT, Graph, Operator
from asc_tiny.tflm import cmsis_nn
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.structs import TYPES, UNNAMED, Abi
from asc_tiny.util.errors import AscError

Kernels = Core | None
"""CMSIS-NN for a core, or None for TensorFlow Lite Micro's reference kernels."""


@dataclass(frozen=True)
class Needs:
    """What one operator takes while TensorFlow Lite Micro prepares a model.

    Attributes:
        options: type of its options, empty for none.
        data: bytes of what its kernel keeps, 0 for none.
        persistent: bytes of further memory that it keeps, in the order of the calls.
        scratch: bytes of working memory at run time, in the order of the calls.
        temporary: tensors of which a description exists during preparation.
    """

    options: str = ""
    data: int = 0
    persistent: tuple[int, ...] = ()
    scratch: tuple[int, ...] = ()
    temporary: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Request:
    graph: Graph
    operator: Operator
    kernels: Kernels
    abi: Abi

    def size(self, name: str) -> int:
        return (TYPES.get(name) or UNNAMED[name]).size(self.abi)

    def operands(self, *inputs: int) -> tuple[int, ...]:
        """Return these inputs where they are present, then the output."""
        present = (self.operator.inputs[i] for i in inputs if i < len(self.operator.inputs))
        return (*(i for i in present if i != ABSENT), self.operator.outputs[0])

    def check_int8(self) -> None:
        """Check that the result is int8 codes.

        Raises:
            AscError: it holds others, for which the kernel works in other memory.
        """
        dtype = self.graph.tensor(self.operator.outputs[0]).dtype
        if dtype != "INT8":
            raise AscError(
                f"{self.graph.source}: operator {self.operator.index} ({self.operator.name}) gives "
                f"{dtype}; its memory in TensorFlow Lite Micro is known for INT8 alone"
            )

    def check_weights(self) -> None:
        """Check that the weights are not of four bits, which kernels widen in working memory.

        Raises:
            AscError: they are.
        """
        dtype = self.graph.tensor(self.operator.inputs[1]).dtype
        if dtype == "INT4":
            raise AscError(
                f"{self.graph.source}: operator {self.operator.index} ({self.operator.name}) has "
                f"weights of {dtype}, for which its memory in TensorFlow Lite Micro is not known"
            )

    @property
    def all(self) -> tuple[int, ...]:
        return self.operands(*range(len(self.operator.inputs)))


def _simple(options: str = "", data: str = "") -> Callable[[_Request], Needs]:
    """Describe a kernel that looks at all its operands once and keeps one structure."""

    def needs(request: _Request) -> Needs:
        size = request.size(data) if data else 0
        return Needs(options, size, temporary=request.all)

    return needs


def _unprepared(options: str = "") -> Callable[[_Request], Needs]:
    """Describe a kernel that does nothing before it runs."""
    return lambda request: Needs(options)


def _concatenation(request: _Request) -> Needs:
    temporary = request.operands(0) + request.all[:-1]
    return Needs(
        "TfLiteConcatenationParams", request.size("ConcatenationParams"), temporary=temporary
    )


def _channels(request: _Request, axis: int) -> tuple[int, int]:
    """Return the bytes of multipliers and of shifts, one each per output channel."""
    channels = request.graph.tensor(request.operator.inputs[1]).shape[axis]
    return (4 * channels, 4 * channels)


def _conv_2d(request: _Request) -> Needs:
    request.check_weights()
    needs = Needs(
        "TfLiteConvParams",
        request.size("OpDataConv"),
        persistent=_channels(request, 0),
        temporary=request.operands(0, 1) + request.all,
    )
    if request.kernels is None:
        return needs
    scratch = cmsis_nn.conv_2d(request.graph, request.operator, request.kernels)
    return _with_buffer(needs, scratch)


def _depthwise_conv_2d(request: _Request) -> Needs:
    needs = replace(
        _conv_2d(replace(request, kernels=None)),
        options="TfLiteDepthwiseConvParams",
        persistent=_channels(request, 3),
    )
    if request.kernels is None:
        return needs
    scratch = cmsis_nn.depthwise_conv_2d(request.graph, request.operator, request.kernels)
    return _with_buffer(needs, scratch)


def _transpose_conv(request: _Request) -> Needs:
    request.check_int8()
    needs = Needs(
        "TfLiteTransposeConvParams",
        request.size("OpDataTransposeConv"),
        persistent=_channels(request, 0),
        temporary=request.operands(1, 2) + request.operands(1, 2, 3),
    )
    if request.kernels is None:
        # A 32-bit sum for each output element.
        sums = 4 * request.graph.tensor(request.operator.outputs[0]).size
        return replace(needs, scratch=(sums,))
    scratch = cmsis_nn.transpose_conv(request.graph, request.operator, request.kernels)
    return replace(needs, data=needs.data + 4, scratch=scratch)


def _with_buffer(needs: Needs, scratch: int) -> Needs:
    """Add the number of a buffer, which CMSIS-NN's kernels keep, and the buffer if it is one."""
    return replace(needs, data=needs.data + 4, scratch=(scratch,) if scratch > 0 else ())


def _fully_connected(request: _Request) -> Needs:
    request.check_weights()
    scales = len(request.graph.tensor(request.operator.inputs[1]).scales)
    per_channel = (4 * scales, 4 * scales) if scales > 1 else ()
    needs = Needs(
        "TfLiteFullyConnectedParams",
        request.size("OpDataFullyConnected"),
        persistent=per_channel,
        temporary=request.all,
    )
    if request.kernels is None:
        return needs
    return _fully_connected_of_cmsis_nn(request, needs, request.kernels)


def _fully_connected_of_cmsis_nn(request: _Request, needs: Needs, core: Core) -> Needs:
    weights = request.graph.tensor(request.operator.inputs[1])
    result = request.graph.tensor(request.operator.outputs[0])
    outputs, depth = result.shape[-1], weights.shape[-1]
    needs = replace(needs, data=needs.data + 24)
    if len(result.shape) > 2 and depth % 4 == 0:
        # Runs as a 1x1 convolution, which has a multiplier per channel.
        scratch = () if len(weights.scales) > 1 else (8 * outputs,)
        buffer = cmsis_nn.one_by_one(depth, core)
        return replace(needs, scratch=(*scratch, buffer) if buffer else scratch)
    sums = cmsis_nn.fully_connected(outputs, core)
    constant = all(request.graph.tensor(i).is_constant for i in request.operands(1, 2)[:-1])
    if sums and constant:
        return replace(needs, persistent=(*needs.persistent, sums))
    return replace(needs, scratch=(sums,) if sums else ())


def _pool(request: _Request) -> Needs:
    needs = Needs("TfLitePoolParams", request.size("OpDataPooling"), temporary=request.all)
    if request.kernels is None:
        return needs
    if request.operator.name == "MAX_POOL_2D":
        return _with_buffer(needs, 0)
    channels = request.graph.tensor(request.operator.inputs[0]).shape[-1]
    needs = replace(needs, temporary=needs.temporary * 2)
    return _with_buffer(needs, cmsis_nn.average_pool_2d(channels, request.kernels))


def _mean(request: _Request) -> Needs:
    request.check_int8()
    source, axes = (request.graph.tensor(i) for i in request.operator.inputs)
    outputs = request.graph.tensor(request.operator.outputs[0]).size
    return Needs(
        "TfLiteReducerParams",
        request.size("OpDataReduce"),
        scratch=(4 * outputs, 4 * len(source.shape), 4 * axes.size),
        temporary=request.all * 2,
    )


def _reduce_extreme(request: _Request) -> Needs:
    source, axes = (request.graph.tensor(i) for i in request.operator.inputs)
    scratch = (4 * len(source.shape), 4 * axes.size)
    return replace(_mean(request), scratch=scratch)


def _softmax(request: _Request) -> Needs:
    size = request.size("SoftmaxParams") + (0 if request.kernels is None else 8)
    return Needs("TfLiteSoftmaxParams", size, temporary=request.all)


def _split(request: _Request) -> Needs:
    return Needs("TfLiteSplitParams", temporary=request.operands(0)[:1])


OPERATORS: Mapping[str, Callable[[_Request], Needs]] = {
    "ADD": _simple("TfLiteAddParams", "OpDataAdd"),
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "DEQUANTIZE": _simple("", "DequantizeOpData"),
    "EXPAND_DIMS": _simple(),
    "FULLY_CONNECTED": _fully_connected,
    "HARD_SWISH": _simple("", "HardSwishParams"),
    "LEAKY_RELU": _simple("TfLiteLeakyReluParams", "LeakyReluOpData"),
    "LOGISTIC": _simple("", "OpDataLogistic"),
    "MAXIMUM": _unprepared(),
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "MINIMUM": _unprepared(),
    "MUL": _simple("TfLiteMulParams", "OpDataMul"),
    "PACK": _unprepared("TfLitePackParams"),
    "PAD": _simple("", "OpData"),
    "PADV2": _simple("", "OpData"),
    "PRELU": _simple("", "PreluParams"),
    "QUANTIZE": _simple("", "OpDataQuantizeReference"),
    "REDUCE_MAX": _reduce_extreme,
    "RELU": _simple("", "ReluOpData"),
    "RELU6": _simple("", "Relu6OpData"),
    "RESHAPE": _simple("TfLiteReshapeParams"),
    "RESIZE_BILINEAR": _simple("TfLiteResizeBilinearParams"),
    "RESIZE_NEAREST_NEIGHBOR": _simple("TfLiteResizeNearestNeighborParams"),
    "SLICE": _simple(),
    "SOFTMAX": _softmax,
    "SPLIT": _split,
    "SPLIT_V": lambda request: Needs("TfLiteSplitVParams", temporary=request.operands(2)[:1]),
    "SQUEEZE": _simple("TfLiteSqueezeParams"),
    "STRIDED_SLICE": _simple("TfLiteStridedSliceParams", "StridedSliceParams"),
    "SUB": _simple("TfLiteSubParams", "OpDataSub"),
    "SUM": _mean,
    "TANH": _simple("", "OpDataTanh"),
    "TRANSPOSE": _unprepared(),
    "TRANSPOSE_CONV": _transpose_conv,
    "UNPACK": _unprepared("TfLiteUnpackParams"),
}
"""Operators whose kernels are known, and what they need."""

# What a damaged file can raise in a rule.
_INCONSISTENT = (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError)


def needs(graph: Graph, operator: Operator, kernels: Kernels, abi: Abi) -> Needs:
    """Return what an operator of an int8 model takes of the arena.

    Raises:
        AscError: the operator is not one of ``OPERATORS``, or its operands are not those of one.
    """
    try:
        rule = OPERATORS[operator.name]
    except KeyError:
        raise AscError(
            f"{graph.source}: operator {operator.index} is {operator.name}, whose memory in "
            f"TensorFlow Lite Micro is not known; known are {', '.join(OPERATORS)}"
        ) from None
    try:
        return rule(_Request(graph, operator, kernels, abi))
    except _INCONSISTENT as error:
        raise AscError(
            f"{graph.source}: operator {operator.index} ({operator.name}) has operands that do "
            f"not fit ({error})"
        ) from error
