"""Arrays of numbers for inputs of networks, from .npy and .npz files, which are not believed."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

MOST_BYTES = 1 << 31
"""Bytes of all arrays of a file together."""

_KINDS = "bfiu"
_MAGIC = b"\x93NUMPY"


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file: of a .npz by their names, the one of a .npy as ``""``.

    Raises:
        AscError: it cannot be read, is neither, or holds something else than numbers.
    """
    data = read_bytes(path)
    if not data.startswith(b"PK"):
        return {"": _array(data, str(path))}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_BYTES:
                raise AscError(
                    f"{path}: more than {MOST_BYTES} bytes of arrays, allowed: up to that"
                )
            found = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                found[name] = _array(archive.read(member), f"{path}: {shown(name)}")
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
        KeyError,
    ) as error:
        raise AscError(f"{path}: not a .npz file: {error}") from error
    if not found:
        raise AscError(f"{path}: holds no arrays")
    return found


def in_order(path: Path, arrays: Mapping[str, NDArray[Any]], names: Sequence[str]) -> list[Any]:
    """Return the arrays of a file in the order of the names of a network's inputs.

    Args:
        path: the file, for messages.
        arrays: what ``read_arrays`` returned.
        names: names of the inputs; ``input0``, ``input1`` and so on, and NumPy's own ``arr_0``,
            stand for them, too, and a single array has any name.

    Raises:
        AscError: they are not those of the inputs.
    """
    if len(arrays) != len(names):
        found, needed = _count(len(arrays), "array"), _count(len(names), "input")
        several = "; a .npz file holds several" if len(names) > 1 else ""
        raise AscError(f"{path}: {found}, the network has {needed}{several}")
    if len(names) == 1:
        return list(arrays.values())
    for pattern in ("input{}", "arr_{}"):
        numbered = [pattern.format(number) for number in range(len(names))]
        for wanted in (names, numbered):
            if set(wanted) == set(arrays):
                return [arrays[name] for name in wanted]
    given, allowed = ", ".join(map(shown, arrays)), ", ".join(map(shown, names))
    raise AscError(f"{path}: arrays {given}, must be {allowed} or input0, input1, ...")


def inferences(source: str, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array with inferences along a new first dimension.

    Args:
        source: what the array is, for messages.
        values: an array of the shape of an input, with or without its batch of 1, or with one more
            dimension in front of that.
        shape: shape of the input.

    Raises:
        AscError: it has another shape.
    """
    short = shape[1:] if shape[:1] == (1,) else shape
    if values.shape in (shape, short):
        return values.reshape(1, *shape)
    if values.shape[1:] in (shape, short):
        return values.reshape(len(values), *shape)
    more = ", ".join(["N", *map(str, short)])
    raise AscError(f"{source}: shape {values.shape}, must be {shape} or ({more})")


def as_many(path: Path, groups: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return what each inference takes, from what each input gets.

    Raises:
        AscError: there are none, or not as many for each input.
    """
    counts = [len(group) for group in groups]
    if len(set(counts)) > 1:
        raise AscError(
            f"{path}: inputs for {', '.join(map(str, counts))} inferences, must be as many of each"
        )
    if not counts or not counts[0]:
        raise AscError(f"{path}: holds no inputs")
    return [list(each) for each in zip(*groups, strict=True)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _array(data: bytes, source: str) -> NDArray[Any]:
    if not data.startswith(_MAGIC):
        raise AscError(f"{source}: not a .npy file; numpy.save writes one")
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version[0]}.{version[1]}")
        first = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, by_column, dtype = read(stream)
    # A damaged header raises whatever Python's own parser does.
    except Exception as error:
        raise AscError(f"{source}: not a .npy file: {_line(error)}") from error
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise AscError(f"{source}: elements are {dtype}, must be numbers")
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or size != len(data) - stream.tell():
        raise AscError(f"{source}: {len(data) - stream.tell()} bytes of elements, must be {size}")
    values = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if by_column else "C")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
