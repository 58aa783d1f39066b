"""The checksum by which firmware tells that values are the expected ones."""

from __future__ import annotations

_BASIS, _PRIME = 0x811C9DC5, 0x01000193


def fnv1a(data: bytes) -> int:
    """Return the 32-bit FNV-1a hash of bytes (Fowler, Noll, Vo: RFC 9923)."""
    value = _BASIS
    for byte in data:
        value = (value ^ byte) * _PRIME % 2**32
    return value
