"""Colors of a level: one table for every view."""

from __future__ import annotations

from functools import cache

_VIRIDIS = (
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 "
    "84d44b addc30 d8e219 fde725"
)
"""Viridis at 17 places (S. van der Walt and N. Smith, CC0): even steps for every kind of eye, and
in gray."""


@cache
def viridis() -> tuple[str, ...]:
    """Return 256 colors from the least to the highest level, each as ``#rrggbb``."""
    anchors = [bytes.fromhex(text) for text in _VIRIDIS.split()]
    step = 255 / (len(anchors) - 1)
    found = []
    for place in range(256):
        low = min(int(place / step), len(anchors) - 2)
        share = place / step - low
        pairs = zip(anchors[low], anchors[low + 1], strict=True)
        found.append("#" + bytes(round(a + share * (b - a)) for a, b in pairs).hex())
    return tuple(found)
