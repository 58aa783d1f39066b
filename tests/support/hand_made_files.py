"""Small .tflite files by hand, whose fields a test then changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support.tflite_builder import Builder, Value

ONE = {"strideH": 1, "strideW": 1, "padding": "SAME"}


def image(builder: Builder, *shape: int, zero_point: int = 0, dtype: str = "INT8") -> Value:
    return builder.activation(shape, 0.05, zero_point, dtype)


def numbers(builder: Builder, *values: int) -> Value:
    return builder.constant(np.array(values, np.int32))


def weights(builder: Builder, *shape: int) -> Value:
    codes = np.random.default_rng(0).integers(-127, 128, shape).astype(np.int8)
    return builder.constant(codes, [0.02])


def transposed(output: tuple[int, int], strides: tuple[int, int], padding: str = "VALID") -> bytes:
    """A transposed convolution of one pixel with a kernel of 4 x 3."""
    builder = Builder()
    x, y = image(builder, 1, 1, 1, 2), image(builder, 1, *output, 3)
    kernel = weights(builder, 3, 4, 3, 2)
    inputs = [numbers(builder, *y.shape), kernel, x]
    options: dict[str, Any] = {"strideH": strides[0], "strideW": strides[1], "padding": padding}
    builder.operator("TRANSPOSE_CONV", inputs, [y], **options)
    return builder.finish([x], [y])


def rectifiers(shape: tuple[int, ...], layers: int) -> bytes:
    builder = Builder()
    source = x = image(builder, *shape)
    for _ in range(layers):
        y = image(builder, *shape)
        builder.operator("RELU", [x], [y])
        x = y
    return builder.finish([source], [x])


def refused(data: bytes) -> str:
    """Return the line with which the reader refuses a file."""
    with pytest.raises(AscError) as caught:
        parse_graph(data, source="model.tflite")
    assert "\n" not in str(caught.value)
    return str(caught.value)
