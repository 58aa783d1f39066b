"""Writing the metadata entry that makes a ``.tflite`` file carry all that later commands need.

The file's bytes stay as they are, and stand behind a front of a new root table with new lists of
buffers and metadata: flatbuffers refer forward, so that the front refers to what stands behind it.
Whatever the file holds, known to this tool or not, keeps its meaning, and can be taken out again.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from asc_tiny.tflite import schema
from asc_tiny.tflite.flatbuffer import DamagedError, Table
from asc_tiny.tflite.front import ALIGNMENT, IDENTIFIER, Front
from asc_tiny.tflite.verifier import check_structure

NAME = "asc_tiny"
SCHEMA = 1

_MARK = b"asc-tiny front\0\0"
"""What stands at ``_MARK_AT`` of a file that has a front, with the number of its bytes behind."""

_MARK_AT = 8
_KEPT = (1, 2, 3, 5, 7)
"""Fields of a model that are references and are kept: operator codes, subgraphs, description,
places of metadata in old files, signatures."""


def embed(model: bytes, document: Mapping[str, Any]) -> bytes:
    """Return a TFLite model with ``document`` as its metadata entry ``asc_tiny``.

    The entry is compact JSON with sorted keys, so that equal documents give equal bytes. An
    entry of that name that is already there is replaced.

    Args:
        model: a TFLite flatbuffer whose structure has been checked.
        document: plain values; ``schema`` is added.
    """
    text = json.dumps({**document, "schema": SCHEMA}, sort_keys=True, separators=(",", ":"))
    return _with_entry(original(model), text.encode("utf-8"))


def _with_entry(model: bytes, content: bytes) -> bytes:
    """Return a model with ``content`` as its entry."""
    root = Table.root(model)
    buffers = root.tables(schema.MODEL_BUFFERS)
    others = [
        entry
        for entry in root.tables(schema.MODEL_METADATA)
        if entry.text(schema.METADATA_NAME) != NAME
    ]
    front = _MetadataFront()
    front.mark()
    places = front.root(root, kept=_KEPT, own=(schema.MODEL_BUFFERS, schema.MODEL_METADATA))
    *old, added = front.vector(places[schema.MODEL_BUFFERS], len(buffers) + 1)
    *kept, own = front.vector(places[schema.MODEL_METADATA], len(others) + 1)
    for place, buffer in zip(old, buffers, strict=True):
        front.buffer(place, buffer)
    for place, entry in zip(kept, others, strict=True):
        front.link_behind(place, entry.position)
    front.entry(own, number=len(buffers))
    front.content(added, content)
    return front.before(model)


def original(model: bytes) -> bytes:
    """Return the file that ``embed`` made a TFLite model from, or ``model`` if it made none."""
    end = _MARK_AT + len(_MARK)
    if model[_MARK_AT:end] != _MARK or len(model) < end + 4:
        return model
    (size,) = struct.unpack_from("<I", model, end)
    inner = model[size:]
    if size < end + 4 or inner[4:8] != IDENTIFIER:
        return model
    # The mark is what a file says: the front must be the one that embedding would write.
    try:
        content = Table.root(model).tables(schema.MODEL_BUFFERS)[-1].octets(schema.BUFFER_DATA)
        check_structure(inner)
        return inner if _with_entry(inner, content) == model else model
    except (DamagedError, IndexError, struct.error):
        return model


class _MetadataFront(Front):
    """A front that says of itself how long it is, and that adds a metadata entry."""

    def mark(self) -> None:
        """Append the mark and room for the number of bytes of the front."""
        self.data += _MARK + bytes(4)

    def entry(self, place: int, *, number: int) -> None:
        """Append the metadata entry of a buffer, to which the reference at ``place`` leads."""
        table, (name, buffer) = self.table(["o", "I"])
        self.link(place, table)
        self.put(buffer, number)
        self.align(4)
        self.link(name, len(self.data))
        self.data += struct.pack("<I", len(NAME)) + NAME.encode() + b"\0"

    def content(self, place: int, content: bytes) -> None:
        """Append a buffer with its content, to which the reference at ``place`` leads."""
        table, (data,) = self.table(["o"])
        self.link(place, table)
        self.align(ALIGNMENT, behind=4)
        self.link(data, len(self.data))
        self.data += struct.pack("<I", len(content)) + content

    def before(self, model: bytes) -> bytes:
        """Return the front with the model behind it."""
        self.align(ALIGNMENT)
        self.put(_MARK_AT + len(_MARK), len(self.data))
        return super().before(model)
