"""What is read of the TFLite schema (version 3): names by number, fields by their numbers.

Operators are in ``ops``, the tables of their options in ``schema_tables``.

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
SUBGRAPH_NAME = 4
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
    "COMPLEX64": 64,
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

LARGEST_OLD_CODE = 127
"""What the field for old readers holds for newer operators."""

OPTION_NAMES: Mapping[str, tuple[str, ...]] = {
    "padding": PADDINGS,
    "fused_activation_function": ACTIVATIONS,
}
"""Options that are numbers of names."""
