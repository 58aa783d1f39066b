"""The layout of every table of a .tflite file (schema version 3), to check its structure.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs. A table is the list of its fields: a letter
of ``struct`` is a number, ``s`` a text, ``[x]`` a vector, a name the table of that name,
``Options`` the table that the field before it names, and ``!`` a field that must be absent: what it
means, such as sparse tensors or weights in another file, is not supported. Options that are read
stand with their names and, if it is not 0, with their default: ``name:i=1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Layout = tuple[str, ...]


class Field(NamedTuple):
    """A field of a table of options that is read.

    Attributes:
        number: its number in the table, from 0.
        type: its type, as in a ``Layout``: a letter of ``struct``, a vector of one, or a text.
        default: its value where a file leaves it out; a vector or a text is empty then.
    """

    number: int
    type: str
    default: int


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
    Conv2D padding:b stride_w:i stride_h:i fused_activation_function:b dilation_w_factor:i=1
        dilation_h_factor:i=1 quantized_bias_type:b
    DepthwiseConv2D padding:b stride_w:i stride_h:i depth_multiplier:i fused_activation_function:b
        dilation_w_factor:i=1 dilation_h_factor:i=1
    ConcatEmbeddings i [i] [i]
    LSHProjection b
    Pool2D padding:b stride_w:i stride_h:i filter_width:i filter_height:i
        fused_activation_function:b
    SVDF rank:i fused_activation_function:b ?
    RNN b ?
    FullyConnected fused_activation_function:b weights_format:b keep_num_dims:? ?
        quantized_bias_type:b
    Softmax beta:f
    Concatenation axis:i fused_activation_function:b
    Add fused_activation_function:b ?
    L2Norm fused_activation_function:b
    LocalResponseNormalization i f f f
    LSTM b f f b ?
    ResizeBilinear i i align_corners:? half_pixel_centers:?
    Call I
    Reshape [i]
    SkipGram i i ?
    SpaceToDepth block_size:i
    EmbeddingLookupSparse b
    Mul fused_activation_function:b
    Pad
    Gather axis:i batch_dims:i
    BatchToSpaceND
    SpaceToBatchND
    Transpose
    Reducer keep_dims:?
    Sub fused_activation_function:b ?
    Div fused_activation_function:b
    Squeeze squeeze_dims:[i]
    SequenceRNN ? b ?
    StridedSlice begin_mask:i end_mask:i ellipsis_mask:i new_axis_mask:i shrink_axis_mask:i offset:?
    Exp
    TopKV2
    Split num_splits:i
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
    TransposeConv padding:b stride_w:i stride_h:i fused_activation_function:b b
    SparseToDense ?
    Tile
    ExpandDims
    Equal
    NotEqual
    Shape b
    Pow
    ArgMin b
    FakeQuant f f i ?
    Pack values_count:i axis:i
    LogicalOr
    OneHot i
    LogicalAnd
    LogicalNot
    Unpack num:i axis:i
    FloorDiv
    Square
    ZerosLike
    Fill
    BidirectionalSequenceLSTM b f f ? ? ?
    BidirectionalSequenceRNN ? b ? ?
    UnidirectionalSequenceLSTM fused_activation_function:b cell_clip:f proj_clip:f time_major:? ? ?
    FloorMod
    Range
    ResizeNearestNeighbor align_corners:? half_pixel_centers:?
    LeakyRelu alpha:f
    SquaredDifference
    MirrorPad mode:b
    Abs
    SplitV num_splits:i
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
    If then_subgraph_index:i else_subgraph_index:i
    While i i
    DepthToSpace block_size:i
    NonMaxSuppressionV4
    NonMaxSuppressionV5
    ScatterNd
    SelectV2
    Densify
    SegmentSum
    BatchMatMul adj_x:? adj_y:? ?
    Cumsum exclusive:? reverse:?
    CallOnce init_subgraph_index:i
    BroadcastTo
    Rfft2d
    Conv3D b i i i b i i i
    Hashtable i b b
    HashtableFind
    HashtableImport
    HashtableSize
    VarHandle container:s shared_name:s
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


def _tables(text: str) -> dict[str, list[str]]:
    """Return the fields of tables as they are written, by the names of the tables."""
    # A line with more indentation continues the one before.
    lines = (line.split() for line in text.replace("\n        ", " ").strip().splitlines())
    return {name: fields for name, *fields in lines}


def _layout(fields: list[str]) -> Layout:
    return tuple(field.rpartition(":")[2].partition("=")[0] for field in fields)


def _named(fields: list[str]) -> dict[str, Field]:
    found = {}
    for number, (field, kind) in enumerate(zip(fields, _layout(fields), strict=True)):
        name, is_named, rest = field.partition(":")
        if is_named:
            found[name] = Field(number, kind, int(rest.partition("=")[2] or 0))
    return found


TABLES: Mapping[str, Layout] = {
    name: _layout(fields) for name, fields in _tables(_TABLES_TEXT).items()
}
"""The tables but for those of options."""

OPTIONS: Mapping[str, Layout] = {
    name: _layout(fields) for name, fields in _tables(_OPTIONS_TEXT).items()
}
"""The tables of options in the order of the union ``BuiltinOptions``, which starts with none."""

FIELDS: Mapping[str, Mapping[str, Field]] = {
    name: _named(fields) for name, fields in _tables(_OPTIONS_TEXT).items()
}
"""The options that are read of each of these tables, by their names."""

OPTION_NAMES = ("NONE", *OPTIONS)
"""Names of the tables of options by number."""

FORBIDDEN, UNION = "!", "Options"
