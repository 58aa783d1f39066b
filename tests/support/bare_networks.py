"""Small networks of other makers, without front end and labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from support.tflite_builder import Builder, Value

SCALES = {"INT8": 0.1, "UINT8": 0.1, "FLOAT32": 0.0}


def convolution(ends: str = "INT8") -> bytes:
    """A 3x3 convolution of 6x5x2 to 4x3x4; ends of another type get conversions."""
    builder = Builder()
    x, y = builder.activation((1, 6, 5, 2), 0.1, 3), builder.activation((1, 4, 3, 4), 0.4, -4)
    weights = np.random.default_rng(1).integers(-127, 128, (4, 3, 3, 2), np.int8)
    kernel = builder.constant(weights, [0.01, 0.02, 0.03, 0.01])
    bias = builder.constant(np.array([900, -900, 0, 5], np.int32), [0.001, 0.002, 0.003, 0.001])
    source, result = _ends(builder, x, y, ends)
    if ends != "INT8":
        builder.operator("QUANTIZE", [source], [x])
    builder.operator("CONV_2D", [x, kernel, bias], [y], padding="VALID", strideW=1, strideH=1)
    if ends != "INT8":
        builder.operator("DEQUANTIZE" if ends == "FLOAT32" else "QUANTIZE", [y], [result])
    return builder.finish([source], [result])


def _ends(builder: Builder, x: Value, y: Value, ends: str) -> tuple[Value, Value]:
    if ends == "INT8":
        return x, y
    zeros = (131, 124) if ends == "UINT8" else (0, 0)
    found = [
        builder.activation(inner.shape, inner.scale, zero, ends)
        for inner, zero in zip((x, y), zeros, strict=True)
    ]
    if ends == "FLOAT32":
        for value in found:
            builder.graph.tensors[value.index].quantization = None
    return found[0], found[1]


def several() -> bytes:
    """Sum and product of two inputs, and the greatest of each row of the first."""
    builder = Builder()
    a, b = builder.activation((1, 4, 6), 0.1, 3), builder.activation((1, 4, 6), 0.2, -7)
    total, product = builder.activation((1, 4, 6), 0.3, 1), builder.activation((1, 4, 6), 2.0, 0)
    builder.operator("ADD", [a, b], [total])
    builder.operator("MUL", [a, b], [product])
    return builder.finish([a, b], [total, product])


def with_state() -> bytes:
    """Return an SVDF of one unit that remembers two inputs: its output is the sum of both."""
    b = Builder()
    x, y = b.activation((1, 1), 1.0, 0), b.activation((1, 1), 1.0, 0)
    weights = b.constant(np.array([[1]], np.int8), [1.0])
    times = b.constant(np.array([[1, 1]], np.int16), [1.0])
    bias = b.constant(np.zeros(1, np.int32), [1.0])
    state = b.activation((1, 2), 1.0, 0, "INT16")
    b.graph.tensors[state.index].isVariable = True
    b.operator("SVDF", [x, weights, times, bias, state], [y], rank=1)
    return b.finish([x], [y])


NETWORKS = {"one": convolution, "several": several}


def write(folder: Path, name: str) -> Path:
    """Write one of ``NETWORKS``, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tflite"
    path.write_bytes(NETWORKS[name]())
    return path
