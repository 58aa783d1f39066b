"""A small model whose metadata says what a test wants, without TensorFlow."""

from __future__ import annotations

from support.paths import FILES

FOLDER = FILES / "hostile"
MODEL = FOLDER / "model.tflite"
"""40 mel bands, 61 columns, 3 outputs; holds no metadata."""

FRONTEND = FOLDER / "frontend.toml"
"""Of ``MODEL``."""

_ROOM = b" " * 8192


def with_metadata(text: str | bytes) -> bytes:
    """Return ``MODEL`` with ``text`` as its metadata entry ``asc_tiny``, up to 8192 bytes."""
    entry = text.encode() if isinstance(text, str) else text
    data = (FOLDER / "metadata.tflite").read_bytes()
    assert data.count(_ROOM) == 1
    assert len(entry) <= len(_ROOM)
    return data.replace(_ROOM, entry.ljust(len(_ROOM)))
