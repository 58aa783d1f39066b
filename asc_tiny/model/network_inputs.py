"""Inputs of a network from files of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflite.graph import NUMPY_TYPES, Tensor
from asc_tiny.util.array_files import as_many, in_order, inferences, read_arrays
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]


def read_inputs(path: Path, tensors: Sequence[Tensor]) -> list[list[AnyArray]]:
    """Return the inputs of a network, inference by inference.

    A .npy file holds what a network of one input takes, a .npz file an array for each input, named
    as the inputs are, or ``input0``, ``input1`` and so on. An array has the shape of its input,
    with or without the batch of 1, or one more dimension before that, along which inferences follow
    each other. Numbers with a fraction are real values: those for an input of codes are quantised.

    Args:
        path: the file.
        tensors: the network's inputs.

    Returns:
        For each inference an array for each input, of its shape and type.

    Raises:
        AscError: no such file, or one that does not fit the inputs.
    """
    arrays = in_order(path, read_arrays(path), [tensor.name for tensor in tensors])
    groups = []
    for number, (values, tensor) in enumerate(zip(arrays, tensors, strict=True)):
        source = f"{path}: input {number} ({shown(tensor.name)})"
        groups.append(list(converted(source, inferences(source, values, tensor.shape), tensor)))
    return as_many(path, groups)


def converted(source: str, values: AnyArray, tensor: Tensor) -> AnyArray:
    """Return values as elements of an input: integers are codes, other numbers real values.

    Raises:
        AscError: integers out of the type's range, or real values that are not finite or that
            nothing says how to quantise.
    """
    dtype = np.dtype(NUMPY_TYPES[tensor.dtype])
    if dtype.kind == "f":
        return values.astype(dtype)
    if values.dtype.kind == "f":
        values = _codes(source, values, tensor)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if values.size and (int(values.min()) < low or int(values.max()) > high):
        found = f"{int(values.min())} to {int(values.max())}"
        raise AscError(f"{source}: values {found}, must be {low} to {high}")
    return values.astype(dtype)


def _codes(source: str, values: AnyArray, tensor: Tensor) -> AnyArray:
    if len(tensor.scales) != 1 or len(tensor.zero_points) != 1 or not tensor.scales[0] > 0.0:
        raise AscError(f"{source}: numbers with a fraction for {tensor.dtype.lower()} of no scale")
    if not np.isfinite(values).all():
        raise AscError(f"{source}: values that are not finite")
    limits = np.iinfo(NUMPY_TYPES[tensor.dtype])
    codes = np.round(values.astype(np.float64) / tensor.scales[0]) + tensor.zero_points[0]
    return np.clip(codes, limits.min, limits.max).astype(np.int64)
