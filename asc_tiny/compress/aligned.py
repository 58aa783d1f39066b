"""A converted model packed anew, since the converter leaves constants at odd places."""

from __future__ import annotations

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_ALIGNMENT = 16
"""``force_align`` of Buffer.data in the TFLite schema; the Python packer leaves it out."""


def aligned(model: bytes) -> bytes:
    """Return the same TFLite model with all constants on 16-byte boundaries."""
    unpacked = schema.ModelT.InitFromPackedBuf(bytearray(model), 0)
    unpacked.buffers = [_AlignedBuffer(buffer) for buffer in unpacked.buffers]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(unpacked.Pack(builder), b"TFL3")
    return bytes(builder.Output())


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
