"""The layout of every table of a .tflite file (schema version 3), to check its structure.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs. A table is the list of its fields: a letter
of ``struct`` is a number, ``s`` a text, ``[x]`` a vector, a name the table of that name,
``Options`` the table that the field before it names, and ``!`` a field that must be absent: what it
means, such as sparse tensors or weights in another file, is not supported.
"""

from __future__ import annotations

from collections.abc import Mapping

Layout = tuple[str, ...]

_TABLES_TEXT = """
    Model I [OperatorCode] [SubGraph] s [Buffer] [i] [Metadata] [SignatureDef] ! !
    OperatorCode b s i i
    SubGraph [Tensor] [i] [i] [Operator] s i
    Tensor [i] b I s Quantization ? ! [i] ? ! !
    Quantization [f] [f] [f] [q] b ! i
    Operator I [i] [i] b Options [B] b [?] [i] Q Q b ! i
    Buffer [B] Q Q
    Metadata s I
    SignatureDef [TensorMap] [TensorMap] s s I
    TensorMap s I
"""

_OPTIONS_TEXT = """
    Conv2D b i i b i i b
    DepthwiseConv2D b i i i b i i
    ConcatEmbeddings i [i] [i]
    LSHProjection b
    Pool2D b i i i i b
    SVDF i b ?
    RNN b ?
    FullyConnected b b ? ? b
    Softmax f
    Concatenation i b
    Add b ?
    L2Norm b
    LocalResponseNormalization i f f f
    LSTM b f f b ?
    ResizeBilinear i i ? ?
    Call I
    Reshape [i]
    SkipGram i i ?
    SpaceToDepth i
    EmbeddingLookupSparse b
    Mul b
    Pad
    Gather i i
    BatchToSpaceND
    SpaceToBatchND
    Transpose
    Reducer ?
    Sub b ?
    Div b
    Squeeze [i]
    SequenceRNN ? b ?
    StridedSlice i i i i i ?
    Exp
    TopKV2
    Split i
    LogSoftmax
    Cast b b
    Dequantize
    MaximumMinimum
    ArgMax b
    Less
    Neg
    PadV2
    Greater
    GreaterEqual
    LessEqual
    Select
    Slice
    TransposeConv b i i b b
    SparseToDense ?
    Tile
    ExpandDims
    Equal
    NotEqual
    Shape b
    Pow
    ArgMin b
    FakeQuant f f i ?
    Pack i i
    LogicalOr
    OneHot i
    LogicalAnd
    LogicalNot
    Unpack i i
    FloorDiv
    Square
    ZerosLike
    Fill
    BidirectionalSequenceLSTM b f f ? ? ?
    BidirectionalSequenceRNN ? b ? ?
    UnidirectionalSequenceLSTM b f f ? ? ?
    FloorMod
    Range
    ResizeNearestNeighbor ? ?
    LeakyRelu f
    SquaredDifference
    MirrorPad b
    Abs
    SplitV i
    Unique b
    ReverseV2
    AddN
    GatherNd
    Cos
    Where
    Rank
    ReverseSequence i i
    MatrixDiag
    Quantize
    MatrixSetDiag
    HardSwish
    If i i
    While i i
    DepthToSpace i
    NonMaxSuppressionV4
    NonMaxSuppressionV5
    ScatterNd
    SelectV2
    Densify
    SegmentSum
    BatchMatMul ? ? ?
    Cumsum ? ?
    CallOnce i
    BroadcastTo
    Rfft2d
    Conv3D b i i i b i i i
    Hashtable i b b
    HashtableFind
    HashtableImport
    HashtableSize
    VarHandle s s
    ReadVariable
    AssignVariable
    Random q q
    Bucketize [f]
    Gelu ?
    DynamicUpdateSlice
    UnsortedSegmentProd
    UnsortedSegmentMax
    UnsortedSegmentMin
    UnsortedSegmentSum
    ATan2
    Sign
    Bitcast
    BitwiseXor
    RightShift
"""


def _layouts(text: str) -> dict[str, Layout]:
    lines = (line.split() for line in text.strip().splitlines())
    return {name: tuple(fields) for name, *fields in lines}


TABLES: Mapping[str, Layout] = _layouts(_TABLES_TEXT)
"""The tables but for those of options."""

OPTIONS: Mapping[str, Layout] = _layouts(_OPTIONS_TEXT)
"""The tables of options in the order of the union ``BuiltinOptions``, which starts with none."""

OPTION_NAMES = ("NONE", *OPTIONS)
"""Names of the tables of options by number."""

FORBIDDEN, UNION = "!", "Options"
