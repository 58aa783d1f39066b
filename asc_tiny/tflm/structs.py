"""Sizes of TensorFlow Lite Micro's C++ types, by the rules that compilers lay them out with.

As in its sources of July 2026 (commit 90b983c2), built with ``TF_LITE_STATIC_MEMORY``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Abi(Enum):
    """How a compiler lays out types: the width of pointers and of enumerations.

    Attributes:
        ARM: 32-bit pointers, the shortest enumerations that fit: bare-metal Arm.
        ILP32: 32-bit pointers, enumerations of 4 bytes: RISC-V, Xtensa.
        LP64: 64-bit pointers: computers.
    """

    ARM = 0
    ILP32 = 1
    LP64 = 2


@dataclass(frozen=True)
class Type:
    """Bytes and alignment of a type, by ``Abi``."""

    sizes: tuple[int, int, int]
    alignments: tuple[int, int, int]

    def size(self, abi: Abi) -> int:
        """Return its bytes."""
        return self.sizes[abi.value]

    def alignment(self, abi: Abi) -> int:
        """Return its alignment in bytes."""
        return self.alignments[abi.value]


def _type(arm: int, ilp32: int, lp64: int, alignments: tuple[int, int, int]) -> Type:
    return Type((arm, ilp32, lp64), alignments)


_POINTERS = (4, 4, 8)
_WORDS = (4, 4, 4)
_DOUBLES = (8, 8, 8)
_SHORT_ENUMS = (1, 4, 4)

TYPES: Mapping[str, Type] = {
    # The interpreter and its allocator
    "AllocationInfo": _type(24, 24, 32, _POINTERS),
    "GreedyMemoryPlanner": _type(44, 44, 72, _POINTERS),
    "MicroAllocator": _type(36, 36, 72, _POINTERS),
    "MicroInterpreter": _type(208, 212, 408, _POINTERS),
    "MicroResourceVariables::MicroResourceVariable": _type(20, 20, 40, _POINTERS),
    "MicroResourceVariables": _type(12, 12, 16, _POINTERS),
    "MicroMutableOpResolver<1>": _type(48, 48, 88, _POINTERS),
    "MicroMutableOpResolver<2>": _type(84, 84, 160, _POINTERS),
    "NodeAndRegistration": _type(32, 32, 64, _POINTERS),
    "ScratchBufferHandle": _type(4, 4, 8, _POINTERS),
    "SingleArenaBufferAllocator": _type(36, 36, 72, _POINTERS),
    "SubgraphAllocations": _type(8, 8, 16, _POINTERS),
    "TfLiteAffineQuantization": _type(12, 12, 24, _POINTERS),
    "TfLiteEvalTensor": _type(12, 12, 24, _POINTERS),
    "TfLiteTensor": _type(32, 40, 64, _POINTERS),
    "internal::ScratchBufferRequest": _type(12, 12, 16, _POINTERS),
    # Options of operators
    "TfLiteAddParams": _type(2, 8, 8, _SHORT_ENUMS),
    "TfLiteArgMaxParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLiteArgMinParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLiteBatchMatMulParams": _type(3, 3, 3, (1, 1, 1)),
    "TfLiteCallOnceParams": _type(4, 4, 4, _WORDS),
    "TfLiteCastParams": _type(2, 8, 8, _SHORT_ENUMS),
    "TfLiteConcatenationParams": _type(8, 8, 8, _WORDS),
    "TfLiteConvParams": _type(28, 28, 28, _WORDS),
    "TfLiteCumsumParams": _type(2, 2, 2, (1, 1, 1)),
    "TfLiteDepthToSpaceParams": _type(4, 4, 4, _WORDS),
    "TfLiteDivParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLiteGatherParams": _type(8, 8, 8, _WORDS),
    "TfLiteL2NormParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLiteDepthwiseConvParams": _type(28, 28, 28, _WORDS),
    "TfLiteFullyConnectedParams": _type(5, 16, 16, _SHORT_ENUMS),
    "TfLiteLeakyReluParams": _type(4, 4, 4, _WORDS),
    "TfLiteMirrorPaddingParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLitePackParams": _type(8, 8, 8, _WORDS),
    "TfLiteMulParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLitePoolParams": _type(40, 40, 40, _WORDS),
    "TfLiteReducerParams": _type(1, 1, 1, (1, 1, 1)),
    "TfLiteReshapeParams": _type(36, 36, 36, _WORDS),
    "TfLiteResizeBilinearParams": _type(2, 2, 2, (1, 1, 1)),
    "TfLiteResizeNearestNeighborParams": _type(2, 2, 2, (1, 1, 1)),
    "TfLiteSVDFParams": _type(8, 12, 12, _WORDS),
    "TfLiteShapeParams": _type(1, 4, 4, _SHORT_ENUMS),
    "TfLiteSoftmaxParams": _type(4, 4, 4, _WORDS),
    "TfLiteSpaceToDepthParams": _type(4, 4, 4, _WORDS),
    "TfLiteSplitParams": _type(4, 4, 4, _WORDS),
    "TfLiteSplitVParams": _type(4, 4, 4, _WORDS),
    "TfLiteSqueezeParams": _type(36, 36, 36, _WORDS),
    "TfLiteStridedSliceParams": _type(24, 24, 24, _WORDS),
    "TfLiteSubParams": _type(2, 8, 8, _SHORT_ENUMS),
    "TfLiteTransposeConvParams": _type(16, 20, 20, _WORDS),
    "TfLiteUnidirectionalSequenceLSTMParams": _type(16, 16, 16, _WORDS),
    "TfLiteUnpackParams": _type(8, 8, 8, _WORDS),
    "TfLiteVarHandleParams": _type(8, 8, 16, _POINTERS),
    # What kernels keep
    "ComparisonParams": _type(32, 32, 32, _WORDS),
    "L2NormalizationParams": _type(4, 4, 4, _WORDS),
    "SpaceToBatchParams": _type(4, 4, 4, _WORDS),
    "ConcatenationParams": _type(24, 24, 40, _POINTERS),
    "DequantizeOpData": _type(32, 32, 32, _DOUBLES),
    "HardSwishParams": _type(20, 20, 20, _WORDS),
    "LeakyReluOpData": _type(24, 24, 24, _WORDS),
    "OpDataAdd": _type(60, 60, 60, _WORDS),
    "OpDataBatchMatmul": _type(16, 16, 32, _POINTERS),
    "OpDataConv": _type(56, 56, 72, _POINTERS),
    "OpDataFullyConnected": _type(48, 48, 64, _POINTERS),
    "OpDataLSTM": _type(688, 688, 688, _DOUBLES),
    "OpDataLogistic": _type(16, 16, 16, _WORDS),
    "OpDataMul": _type(36, 36, 36, _WORDS),
    "OpDataPooling": _type(32, 32, 32, _WORDS),
    "OpDataQuantizeReference": _type(32, 32, 32, _DOUBLES),
    "OpDataReduce": _type(44, 44, 44, _WORDS),
    "OpDataSub": _type(52, 52, 52, _WORDS),
    "OpDataSvdf": _type(36, 36, 36, _WORDS),
    "PreluParams": _type(28, 28, 28, _WORDS),
    "QuantizationOpDataBatchMatmul": _type(28, 28, 28, _WORDS),
    "Relu6OpData": _type(8, 8, 8, _WORDS),
    "ReluOpData": _type(28, 28, 28, _WORDS),
    "SoftmaxParams": _type(56, 56, 80, _DOUBLES),
    "StridedSliceParams": _type(84, 84, 84, _WORDS),
    # The padding kernel's own, called just so
    "OpData": _type(56, 56, 56, _WORDS),
}
"""Structures by their names in the namespace ``tflite``."""

UNNAMED: Mapping[str, Type] = {
    "CumsumOpData": _type(36, 36, 36, _WORDS),
    "LogSoftmaxOpData": _type(28, 28, 40, _POINTERS),
    "OpDataAbsRsqrt": _type(28, 28, 28, _WORDS),
    "OpDataAddN": _type(40, 40, 40, _WORDS),
    "OpDataDiv": _type(28, 28, 28, _WORDS),
    "OpDataElu": _type(256, 256, 256, (1, 1, 1)),
    "OpDataEmbeddingLookup": _type(8, 8, 16, _POINTERS),
    "OpDataMirrorPad": _type(20, 20, 20, _WORDS),
    "OpDataSelect": _type(1, 1, 1, (1, 1, 1)),
    "OpDataSquaredDifference": _type(112, 112, 112, _DOUBLES),
    "OpDataCallOnce": _type(8, 8, 8, _WORDS),
    "OpDataTanh": _type(16, 16, 16, _WORDS),
    "OpDataTransposeConv": _type(72, 72, 80, _POINTERS),
    "OpDataVarHandle": _type(4, 4, 4, _WORDS),
}
"""What kernels keep whose type no header names."""

PLANNED_BUFFER_BYTES = 40
"""What the greedy planner notes of a buffer while it plans, on every machine."""


def pointer_bytes(abi: Abi) -> int:
    """Return the bytes of a pointer."""
    return _POINTERS[abi.value]


def resolver_bytes(operators: int, abi: Abi) -> int:
    """Return the bytes of a ``MicroMutableOpResolver`` for so many different operators."""
    one, two = (TYPES[f"MicroMutableOpResolver<{n}>"].size(abi) for n in (1, 2))
    return one + (operators - 1) * (two - one)
