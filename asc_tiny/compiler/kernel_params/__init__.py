"""The parameters of kernels: a frozen dataclass for each structure of the kernels' headers in C.

Members have the names, order and types of those in C, which a test compares. Lowering makes the
parameters, passes make others with ``dataclasses.replace``, and C text is made of them once, at the
end. A member that is None is left out, as its kernel does not read it. A family of kernels has a
module, whose ``KERNELS`` says which structure each C function takes. Its ``HEADER`` is the header
that declares them, where that is not ``asc_kernels.h``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from asc_tiny.compiler.kernel_params import (
    binary,
    cast,
    compare,
    convert,
    dense,
    elementwise,
    gather,
    integers,
    l2_norm,
    matmul,
    movement,
    recurrent,
    reduce_min,
    reduction,
    resize,
    s16,
    select,
    softmax,
    sums,
    take,
    windows,
)
from asc_tiny.compiler.kernel_params.base import (
    CHANNEL,
    CHANNEL_S16,
    ELEMENTS,
    MOSTLY_NARROW,
    NARROW,
    ONCE,
    ONCE_CHANNEL,
    ONCE_TYPE,
    ORDERS,
    PACKED_CHANNEL,
    POINTER_BYTES,
    Array,
    ChannelArray,
    Float,
    Four,
    Int8Array,
    Int16,
    Int16Array,
    Int32Array,
    KernelParams,
    OutputRange,
    PackedChannelArray,
    Pair,
    Struct,
    four,
    two,
)
from asc_tiny.compiler.kernel_params.cast import (
    CastParams,
)
from asc_tiny.compiler.kernel_params.compare import CompareParams
from asc_tiny.compiler.kernel_params.convert import (
    ChangeSignParams,
    DequantizeParams,
    QuantizeParams,
)
from asc_tiny.compiler.kernel_params.dense import DensePackedParams, DenseParams
from asc_tiny.compiler.kernel_params.elementwise import (
    AddParams,
    BinaryParams,
    LookupParams,
    Operand,
    RequantizeParams,
    SoftmaxParams,
)
from asc_tiny.compiler.kernel_params.gather import (
    GatherNdParams,
    GatherParams,
)
from asc_tiny.compiler.kernel_params.integers import IntegersParams
from asc_tiny.compiler.kernel_params.l2_norm import (
    L2NormParams,
)
from asc_tiny.compiler.kernel_params.matmul import (
    MatmulParams,
)
from asc_tiny.compiler.kernel_params.movement import (
    BlocksParams,
    CopyParams,
    PadParams,
    SliceParams,
)
from asc_tiny.compiler.kernel_params.recurrent import (
    LstmGate,
    LstmParams,
    Svdf,
    SvdfS8Params,
    SvdfS16Params,
)
from asc_tiny.compiler.kernel_params.reduction import (
    ArgMaxParams,
    MeanParams,
    ReduceMaxParams,
    ReduceParams,
    SumParams,
)
from asc_tiny.compiler.kernel_params.resize import Axis, BilinearParams, ResizeParams
from asc_tiny.compiler.kernel_params.s16 import (
    AbsS16Params,
    ConvertCodesParams,
    ConvS16Params,
    DenseS16Params,
    DepthwiseConvS16Params,
    LeakyReluS16Params,
    OutputRangeS16,
    RsqrtS16Params,
    SigmoidS16Params,
    SoftmaxS16Params,
    TransposeConvS16Params,
)
from asc_tiny.compiler.kernel_params.select import SelectParams
from asc_tiny.compiler.kernel_params.softmax import (
    LogSoftmaxParams,
    SoftmaxWideParams,
)
from asc_tiny.compiler.kernel_params.sums import (
    AddNParams,
    CumsumParams,
    ScaledSum,
)
from asc_tiny.compiler.kernel_params.take import TakeParams
from asc_tiny.compiler.kernel_params.windows import (
    TWICE_KERNELS,
    ConvParams,
    ConvSumsParams,
    DepthwiseConvParams,
    PoolParams,
    TransposeConvParams,
    UpsampledConvParams,
    UpsampledSumParams,
    Window,
    WindowParams,
)

_FAMILIES = (
    windows,
    dense,
    elementwise,
    reduction,
    reduce_min,
    resize,
    movement,
    take,
    recurrent,
    s16,
    binary,
    l2_norm,
    matmul,
    softmax,
    sums,
    convert,
    cast,
    compare,
    integers,
    select,
    gather,
)

KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {name: params for family in _FAMILIES for name, params in family.KERNELS.items()}
)
"""The structure of each kernel, by the name of its C function."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        name: str(getattr(family, "HEADER", "asc_kernels.h"))
        for family in _FAMILIES
        for name in family.KERNELS
    }
)
"""The header that declares each kernel, by the name of its C function."""

__all__ = [
    "CHANNEL",
    "CHANNEL_S16",
    "ELEMENTS",
    "HEADERS",
    "KERNELS",
    "MOSTLY_NARROW",
    "NARROW",
    "ONCE",
    "ONCE_CHANNEL",
    "ONCE_TYPE",
    "ORDERS",
    "PACKED_CHANNEL",
    "POINTER_BYTES",
    "TWICE_KERNELS",
    "AbsS16Params",
    "AddNParams",
    "AddParams",
    "ArgMaxParams",
    "Array",
    "Axis",
    "BilinearParams",
    "BinaryParams",
    "BlocksParams",
    "CastParams",
    "ChangeSignParams",
    "ChannelArray",
    "CompareParams",
    "ConvParams",
    "ConvS16Params",
    "ConvSumsParams",
    "ConvertCodesParams",
    "CopyParams",
    "CumsumParams",
    "DensePackedParams",
    "DenseParams",
    "DenseS16Params",
    "DepthwiseConvParams",
    "DepthwiseConvS16Params",
    "DequantizeParams",
    "Float",
    "Four",
    "GatherNdParams",
    "GatherParams",
    "Int8Array",
    "Int16",
    "Int16Array",
    "Int32Array",
    "IntegersParams",
    "KernelParams",
    "L2NormParams",
    "LeakyReluS16Params",
    "LogSoftmaxParams",
    "LookupParams",
    "LstmGate",
    "LstmParams",
    "MatmulParams",
    "MeanParams",
    "Operand",
    "OutputRange",
    "OutputRangeS16",
    "PackedChannelArray",
    "PadParams",
    "Pair",
    "PoolParams",
    "QuantizeParams",
    "ReduceMaxParams",
    "ReduceParams",
    "RequantizeParams",
    "ResizeParams",
    "RsqrtS16Params",
    "ScaledSum",
    "SelectParams",
    "SigmoidS16Params",
    "SliceParams",
    "SoftmaxParams",
    "SoftmaxS16Params",
    "SoftmaxWideParams",
    "Struct",
    "SumParams",
    "Svdf",
    "SvdfS8Params",
    "SvdfS16Params",
    "TakeParams",
    "TransposeConvParams",
    "TransposeConvS16Params",
    "UpsampledConvParams",
    "UpsampledSumParams",
    "Window",
    "WindowParams",
    "four",
    "two",
]
