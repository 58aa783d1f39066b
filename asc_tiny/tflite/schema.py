"""What is read of the TFLite schema (version 3): names by number, fields by their numbers.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs. A test compares this with the package
``tflite``, whose import takes longer than reading a model.
"""

from __future__ import annotations

from collections.abc import Mapping

VERSION = 3
"""What the field version of a model holds."""

# Numbers of the fields of each table
MODEL_VERSION = 0
MODEL_OPERATOR_CODES, MODEL_SUBGRAPHS, MODEL_BUFFERS, MODEL_METADATA = 1, 2, 4, 6
CODE_DEPRECATED, CODE_CUSTOM, CODE_BUILTIN = 0, 1, 3
SUBGRAPH_TENSORS, SUBGRAPH_INPUTS, SUBGRAPH_OUTPUTS, SUBGRAPH_OPERATORS = 0, 1, 2, 3
TENSOR_SHAPE, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_QUANTIZATION = 0, 1, 2, 3, 4
TENSOR_VARIABLE, TENSOR_SIGNATURE = 5, 7
QUANTIZATION_SCALE, QUANTIZATION_ZERO_POINT, QUANTIZATION_DIMENSION = 2, 3, 6
OPERATOR_CODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS = 0, 1, 2
OPERATOR_OPTIONS_KIND, OPERATOR_OPTIONS = 3, 4
OPERATOR_CUSTOM, OPERATOR_INTERMEDIATES = 5, 8
BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE = 0, 1, 2
METADATA_NAME, METADATA_BUFFER = 0, 1

_TENSOR_TYPES_TEXT = """
    FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128
    UINT64 RESOURCE VARIANT UINT32 UINT16 INT4 BFLOAT16
"""
TENSOR_TYPES = tuple(_TENSOR_TYPES_TEXT.split())
"""Names of element types by number."""

TYPE_BITS: Mapping[str, int] = {
    "FLOAT32": 32,
    "FLOAT16": 16,
    "FLOAT64": 64,
    "BFLOAT16": 16,
    "INT4": 4,
    "INT8": 8,
    "INT16": 16,
    "INT32": 32,
    "INT64": 64,
    "UINT8": 8,
    "UINT16": 16,
    "UINT32": 32,
    "UINT64": 64,
    "BOOL": 8,
    # TensorFlow Lite Micro's handles of variables
    "RESOURCE": 32,
}
"""Bits of an element of each type that is read."""

CODES: Mapping[str, tuple[int, int]] = {
    "INT4": (-(2**3), 2**3 - 1),
    "INT8": (-(2**7), 2**7 - 1),
    "UINT8": (0, 2**8 - 1),
    "INT16": (-(2**15), 2**15 - 1),
    "UINT16": (0, 2**16 - 1),
}
"""The smallest and the largest code of each type whose elements are quantised values."""

PADDINGS = ("SAME", "VALID")
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")

_OPERATORS_TEXT = """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
    EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D
    LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU
    RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH
    CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
    UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB
    DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP
    TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX
    MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV
    SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN
    FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK
    REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE
    RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL
    REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE
    MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5
    SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES
    CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE
    HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
    READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE
    RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD
    UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST
    BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE
    STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP
    STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE
    STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE
    STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE
    STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT
    STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT
    STABLEHLO_DYNAMIC_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA
    STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT STABLEHLO_WHILE
    STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW
    STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT
"""
OPERATORS = tuple(_OPERATORS_TEXT.split())
"""Names of operators by number."""

LARGEST_OLD_CODE = 127
"""What the field for old readers holds for newer operators."""

_POOL = {
    "padding": (0, "b", 0),
    "stride_w": (1, "i", 0),
    "stride_h": (2, "i", 0),
    "filter_width": (3, "i", 0),
    "filter_height": (4, "i", 0),
    "fused_activation_function": (5, "b", 0),
}
_FUSED = {"fused_activation_function": (0, "b", 0)}
_REDUCE = {"keep_dims": (0, "?", 0)}

OPTIONS: Mapping[str, Mapping[str, tuple[int, str, int]]] = {
    "ADD": _FUSED,
    "AVERAGE_POOL_2D": _POOL,
    "BATCH_MATMUL": {"adj_x": (0, "?", 0), "adj_y": (1, "?", 0)},
    "CALL_ONCE": {"init_subgraph_index": (0, "i", 0)},
    "CONCATENATION": {"axis": (0, "i", 0), "fused_activation_function": (1, "b", 0)},
    "CONV_2D": {
        "padding": (0, "b", 0),
        "stride_w": (1, "i", 0),
        "stride_h": (2, "i", 0),
        "fused_activation_function": (3, "b", 0),
        "dilation_w_factor": (4, "i", 1),
        "dilation_h_factor": (5, "i", 1),
    },
    "DEPTHWISE_CONV_2D": {
        "padding": (0, "b", 0),
        "stride_w": (1, "i", 0),
        "stride_h": (2, "i", 0),
        "depth_multiplier": (3, "i", 0),
        "fused_activation_function": (4, "b", 0),
        "dilation_w_factor": (5, "i", 1),
        "dilation_h_factor": (6, "i", 1),
    },
    "DEPTH_TO_SPACE": {"block_size": (0, "i", 0)},
    "FULLY_CONNECTED": {
        "fused_activation_function": (0, "b", 0),
        "weights_format": (1, "b", 0),
        "keep_num_dims": (2, "?", 0),
    },
    "GATHER": {"axis": (0, "i", 0), "batch_dims": (1, "i", 0)},
    "IF": {"then_subgraph_index": (0, "i", 0), "else_subgraph_index": (1, "i", 0)},
    "L2_POOL_2D": _POOL,
    "LEAKY_RELU": {"alpha": (0, "f", 0)},
    "MAX_POOL_2D": _POOL,
    "MEAN": _REDUCE,
    "MUL": _FUSED,
    "PACK": {"values_count": (0, "i", 0), "axis": (1, "i", 0)},
    "REDUCE_MAX": _REDUCE,
    "RESIZE_BILINEAR": {"align_corners": (2, "?", 0), "half_pixel_centers": (3, "?", 0)},
    "RESIZE_NEAREST_NEIGHBOR": {"align_corners": (0, "?", 0), "half_pixel_centers": (1, "?", 0)},
    "SOFTMAX": {"beta": (0, "f", 0)},
    "SPACE_TO_DEPTH": {"block_size": (0, "i", 0)},
    "SPLIT": {"num_splits": (0, "i", 0)},
    "SPLIT_V": {"num_splits": (0, "i", 0)},
    "SQUEEZE": {"squeeze_dims": (0, "[i]", 0)},
    "STRIDED_SLICE": {
        "begin_mask": (0, "i", 0),
        "end_mask": (1, "i", 0),
        "ellipsis_mask": (2, "i", 0),
        "new_axis_mask": (3, "i", 0),
        "shrink_axis_mask": (4, "i", 0),
        "offset": (5, "?", 0),
    },
    "SUB": _FUSED,
    "SUM": _REDUCE,
    "TRANSPOSE_CONV": {
        "padding": (0, "b", 0),
        "stride_w": (1, "i", 0),
        "stride_h": (2, "i", 0),
        "fused_activation_function": (3, "b", 0),
    },
    "UNPACK": {"num": (0, "i", 0), "axis": (1, "i", 0)},
    "UNIDIRECTIONAL_SEQUENCE_LSTM": {
        "fused_activation_function": (0, "b", 0),
        "time_major": (3, "?", 0),
    },
}
"""Options read for each operator: name to number of the field, type and default.

The type is a letter of ``struct``; in brackets it is a list of that type, empty by default.
"""

OPTION_NAMES: Mapping[str, tuple[str, ...]] = {
    "padding": PADDINGS,
    "fused_activation_function": ACTIVATIONS,
}
"""Options that are numbers of names."""

OPTIONS_OF: Mapping[str, str] = {
    "ADD": "Add",
    "AVERAGE_POOL_2D": "Pool2D",
    "BATCH_MATMUL": "BatchMatMul",
    "CALL_ONCE": "CallOnce",
    "CONCATENATION": "Concatenation",
    "CONV_2D": "Conv2D",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2D",
    "DEPTH_TO_SPACE": "DepthToSpace",
    "FULLY_CONNECTED": "FullyConnected",
    "GATHER": "Gather",
    "IF": "If",
    "L2_POOL_2D": "Pool2D",
    "LEAKY_RELU": "LeakyRelu",
    "MAX_POOL_2D": "Pool2D",
    "MEAN": "Reducer",
    "MUL": "Mul",
    "PACK": "Pack",
    "REDUCE_MAX": "Reducer",
    "RESHAPE": "Reshape",
    "RESIZE_BILINEAR": "ResizeBilinear",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor",
    "SOFTMAX": "Softmax",
    "SPACE_TO_DEPTH": "SpaceToDepth",
    "SPLIT": "Split",
    "SPLIT_V": "SplitV",
    "SQUEEZE": "Squeeze",
    "STRIDED_SLICE": "StridedSlice",
    "SUB": "Sub",
    "SUM": "Reducer",
    "SVDF": "SVDF",
    "TRANSPOSE_CONV": "TransposeConv",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
    "UNPACK": "Unpack",
}
"""The table of options of each operator whose options say what it computes."""
