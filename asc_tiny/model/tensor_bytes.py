"""Values of tensors as bytes, one tensor behind the other as they lie in a program's memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflite.graph import NUMPY_TYPES, Tensor


def byte_count(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of all tensors."""
    return sum(tensor.byte_count for tensor in tensors)


def to_bytes(values: Sequence[NDArray[Any]], tensors: Sequence[Tensor]) -> bytes:
    """Return an array for each tensor as bytes, with elements of the tensor's type."""
    return b"".join(
        np.ascontiguousarray(each, NUMPY_TYPES[tensor.dtype]).tobytes()
        for each, tensor in zip(values, tensors, strict=True)
    )


def from_bytes(data: bytes, tensors: Sequence[Tensor], place: int = 0) -> list[NDArray[Any]]:
    """Return an array for each tensor, of its shape and type, from a place in the bytes on."""
    found = []
    for tensor in tensors:
        values = np.frombuffer(data, NUMPY_TYPES[tensor.dtype], tensor.size, place)
        found.append(values.reshape(tensor.shape))
        place += tensor.byte_count
    return found
