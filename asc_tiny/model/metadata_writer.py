"""Writing the metadata entry that makes a ``.tflite`` file carry all that later commands need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

NAME = "asc_tiny"
SCHEMA = 1

_ALIGNMENT = 16
"""``force_align`` of Buffer.data in the TFLite schema; the Python packer leaves it out."""


def embed(model: bytes, document: Mapping[str, Any]) -> bytes:
    """Return a TFLite model with ``document`` as its metadata entry ``asc_tiny``.

    The entry is compact JSON with sorted keys, so that equal documents give equal bytes. An
    entry of that name that is already there is replaced.

    Args:
        model: a TFLite flatbuffer.
        document: plain values; ``schema`` is added.
    """
    text = json.dumps({**document, "schema": SCHEMA}, sort_keys=True, separators=(",", ":"))
    unpacked = schema.ModelT.InitFromPackedBuf(bytearray(model), 0)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(text.encode("utf-8"), np.uint8)
    entry = _entry(unpacked)
    if entry.buffer is None:
        entry.buffer = len(unpacked.buffers)
        unpacked.buffers.append(buffer)
    else:
        unpacked.buffers[entry.buffer] = buffer
    return _pack(unpacked)


def _entry(model: schema.ModelT) -> schema.MetadataT:
    model.metadata = model.metadata or []
    for entry in model.metadata:
        if entry.name in (NAME, NAME.encode()):
            return entry
    entry = schema.MetadataT()
    entry.name, entry.buffer = NAME, None
    model.metadata.append(entry)
    return entry


class _AlignedBuffer:
    """Packs a BufferT with its data on a 16-byte boundary: kernels read int32 in place."""

    def __init__(self, buffer: schema.BufferT) -> None:
        self.buffer = buffer

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802
        data = None
        if self.buffer.data is not None and len(self.buffer.data):
            values = np.asarray(self.buffer.data, np.uint8).tobytes()
            builder.StartVector(1, len(values), _ALIGNMENT)
            builder.head -= len(values)
            builder.Bytes[builder.head : builder.head + len(values)] = values
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def _pack(model: schema.ModelT) -> bytes:
    model.buffers = [_AlignedBuffer(buffer) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
