"""Int8 networks with conversions around them, as exporters leave them, by the schema's objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from support.field_mutations import packed, unpacked

ENDS = ("FLOAT32", "UINT8", "INT16")
"""Types that a network is wrapped in."""

_ZEROS = {"UINT8": 128, "INT16": 0}
"""What is added to the zero point of int8 codes, or the zero point of 16 bits."""


def wrapped(data: bytes, source: str, result: str) -> bytes:
    """Return a file of one input and output with a conversion before and one behind it.

    Args:
        data: the file, whose input and output are int8.
        source, result: types of the new input and output; ``INT8`` leaves an end as it is.
    """
    model = unpacked(data)
    graph = model.subgraphs[0]
    if source != "INT8":
        inner = int(graph.inputs[0])
        outer = _end(graph, inner, source)
        graph.operators.insert(0, _operator(model, "QUANTIZE", outer, inner))
        graph.inputs = [outer]
    if result != "INT8":
        inner = int(graph.outputs[0])
        outer = _end(graph, inner, result)
        name = "DEQUANTIZE" if result == "FLOAT32" else "QUANTIZE"
        graph.operators.append(_operator(model, name, inner, outer))
        graph.outputs = [outer]
    return packed(model)


def _end(graph: Any, inner: int, dtype: str) -> int:
    """Add a tensor as large as another, whose codes are as fine or finer; return its number."""
    tensor, old = schema.TensorT(), graph.tensors[inner]
    tensor.name, tensor.shape, tensor.buffer = f"outer{inner}", old.shape, 0
    tensor.type = getattr(schema.TensorType, dtype)
    if dtype != "FLOAT32":
        tensor.quantization = schema.QuantizationParametersT()
        zero = int(old.quantization.zeroPoint[0])
        tensor.quantization.zeroPoint = [zero + _ZEROS[dtype] if dtype == "UINT8" else 0]
        # A power of 2, with which each code of 8 bits has one of 16.
        tensor.quantization.scale = [float(old.quantization.scale[0]) / _finer(dtype)]
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _finer(dtype: str) -> int:
    return 64 if dtype == "INT16" else 1


def _operator(model: Any, name: str, source: int, result: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 1
    model.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = [source], [result]
    return operator


def outer_values(codes: np.ndarray, dtype: str, scale: float, zero_point: int) -> np.ndarray:
    """Return the values of a wrapped input that stand for int8 codes, by the definition.

    Args:
        codes: int8 codes.
        dtype: type of the wrapped input.
        scale, zero_point: quantisation of the codes.
    """
    steps = codes.astype(np.int64) - zero_point
    if dtype == "FLOAT32":
        return (scale * steps).astype(np.float32)
    if dtype == "UINT8":
        return (codes.astype(np.int64) + 128).astype(np.uint8)
    return (steps * _finer(dtype)).astype(np.int16) if dtype == "INT16" else codes


def interpreted(data: bytes, values: np.ndarray) -> np.ndarray:
    """Return what TensorFlow Lite Micro makes of an input, by the package alone."""
    interpreter = runtime.Interpreter.from_bytes(data)
    interpreter.set_input(values, 0)
    interpreter.invoke()
    return np.array(interpreter.get_output(0))
