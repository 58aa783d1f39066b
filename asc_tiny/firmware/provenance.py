"""The record in flash that says what firmware was made from: its bytes, and its C code.

docs/reference/provenance.md has the layout. Magic, version, size and CRC are the same in every
version of it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from asc_tiny import __version__
from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import render_files
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.model.ensemble import Model
from asc_tiny.util.errors import AscError

MAGIC = b"\x89ASCTINY"
VERSION = 1
MAX_SIZE = 0xFFFC
NO_FRONTEND = "0" * 64
"""What stands for the hash of a front end where there is none."""

_HEAD = struct.Struct("<8sHH")
_BODY = struct.Struct("<32s32sI")
_CRC = struct.Struct("<I")
_ALIGNMENT = 4
_MIN_SIZE = _HEAD.size + _CRC.size
_TEXTS = 3
"""Version of the tool, runtime and prefix, before the labels."""


@dataclass(frozen=True)
class Provenance:
    """What the record says.

    Attributes:
        model_sha256: hash of the .tflite file, or of an ensemble with its members.
        frontend_sha256: hash of the front end with its quantisations, ``NO_FRONTEND`` for a network
            alone.
        tool_version: version of the asc-tiny that generated the firmware.
        runtime: ``aot`` or ``tflm``.
        prefix: prefix of the C names.
        labels: class names in output order, none for a network alone.
    """

    model_sha256: str
    frontend_sha256: str
    tool_version: str
    runtime: str
    prefix: str
    labels: tuple[str, ...]


def provenance(
    fingerprints: Fingerprints, labels: tuple[str, ...], *, runtime: str, prefix: str
) -> Provenance:
    """Return what firmware that this tool generates now says of itself."""
    return Provenance(
        fingerprints.model, fingerprints.frontend, __version__, runtime, prefix, labels
    )


def of_network(model: Model, *, runtime: str, prefix: str) -> Provenance:
    """Return the same of a network alone, which has neither front end nor labels."""
    return Provenance(model.sha256, NO_FRONTEND, __version__, runtime, prefix, ())


def generate(record: Provenance, fingerprints: Fingerprints | None, banner: str) -> dict[str, str]:
    """Return ``asc_provenance.h`` and ``asc_provenance.c``, file name to text.

    The C file does not compile beside a model, front end or labels that it does not tell of.

    Args:
        record: what to tell.
        fingerprints: hashes of the classifier, None for a network alone.
        banner: the line that begins every file.

    Raises:
        AscError: as ``pack``.
    """
    data = pack(record)
    ends = [0, 8, 12, 44, 76, 80, len(data) - _CRC.size, len(data)]
    names = ("magic", "version, size", "model", "front end", "number of labels")
    comments = (*names, "tool version, runtime, prefix, labels", "CRC-32")
    parts = zip(comments, ends[:-1], ends[1:], strict=True)
    values = {
        "banner": banner,
        "fingerprints": fingerprints,
        "model": record.model_sha256,
        "parts": [
            (comment, value_lines(np.frombuffer(data[start:end], np.uint8)))
            for comment, start, end in parts
        ],
        "size": len(data),
    }
    return render_files(values, "provenance/asc_provenance.h", "provenance/asc_provenance.c")


def pack(record: Provenance) -> bytes:
    """Return the record's bytes.

    Raises:
        AscError: a label holds a zero character, or the labels are too long.
    """
    strings = (record.tool_version, record.runtime, record.prefix, *record.labels)
    for text in strings:
        if "\0" in text:
            raise AscError(f"label {text!r}: must not hold a zero character")
    packed = b"".join(text.encode() + b"\0" for text in strings)
    packed += bytes(-len(packed) % _ALIGNMENT)
    body = _BODY.pack(
        bytes.fromhex(record.model_sha256),
        bytes.fromhex(record.frontend_sha256),
        len(record.labels),
    )
    size = _HEAD.size + len(body) + len(packed) + _CRC.size
    if size > MAX_SIZE:
        raise AscError(
            f"labels: the record of provenance has {size} bytes, allowed are {MAX_SIZE}; "
            f"shorten the labels"
        )
    data = _HEAD.pack(MAGIC, VERSION, size) + body + packed
    return data + _CRC.pack(zlib.crc32(data))


def unpack(data: bytes | memoryview) -> Provenance:
    """Read a record from bytes that start with it.

    Raises:
        ValueError: it is cut off or damaged, or of another version; the text says which.
    """
    if len(data) < _MIN_SIZE:
        raise ValueError("cut off")
    _, version, size = _HEAD.unpack_from(data)
    if size < _MIN_SIZE:
        raise ValueError(f"damaged: its size is {size}")
    if size > len(data):
        raise ValueError(f"cut off: {size} bytes long, {len(data)} are there")
    (stored,) = _CRC.unpack_from(data, size - _CRC.size)
    computed = zlib.crc32(data[: size - _CRC.size])
    if stored != computed:
        raise ValueError(f"damaged: CRC-32 0x{stored:08x}, of its bytes 0x{computed:08x}")
    if version != VERSION:
        raise ValueError(f"of version {version}, this asc-tiny reads version {VERSION}")
    if size < _MIN_SIZE + _BODY.size:
        raise ValueError(f"damaged: its size is {size}")
    packed = bytes(data[_HEAD.size + _BODY.size : size - _CRC.size])
    texts = packed.decode("utf-8").split("\0")
    model, frontend, count = _BODY.unpack_from(data, _HEAD.size)
    # What follows the last zero is no text; so is what fills the record up to whole words.
    if len(texts) - 1 < _TEXTS + count:
        raise ValueError(f"damaged: {len(texts) - 1} texts, {_TEXTS} and {count} labels are due")
    tool_version, runtime, prefix, *labels = texts[: _TEXTS + count]
    return Provenance(model.hex(), frontend.hex(), tool_version, runtime, prefix, tuple(labels))
