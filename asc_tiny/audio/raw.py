"""Samples without a header, from a stream such as a recording program's output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from asc_tiny.util.errors import AscError


def raw_pcm(stream: BinaryIO, *, block: int, bits: int = 16) -> Iterator[NDArray[Any]]:
    """Yield mono samples of a binary stream, little-endian, as they come.

    Args:
        stream: binary stream of int16 samples, or of int32 samples whose upper 24 bits count.
        block: most samples in a piece.
        bits: 16 or 24.

    Raises:
        AscError: the stream holds nothing, or ends within a sample.
    """
    kind = np.dtype("<i2" if bits == 16 else "<i4")
    empty = True
    while data := stream.read(block * kind.itemsize):
        if len(data) % kind.itemsize:
            raise AscError(f"standard input: ends within a sample of {kind.itemsize} bytes")
        empty = False
        samples = np.frombuffer(data, kind).astype(kind.newbyteorder("="))
        yield samples if bits == 16 else samples & -256
    if empty:
        raise AscError("standard input: holds no samples")
