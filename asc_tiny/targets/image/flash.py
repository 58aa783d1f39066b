"""What the network takes of an image's flash, from the linker's map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.runtime import runtime_sources

_BEGIN = "Linker script and memory map"
_SECTION = re.compile(
    r"^ \.(?:text|rodata|data)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", re.MULTILINE
)
_MEMBER = re.compile(r"\((?:lib_a-)?([^()]+?)(?:\.c)?\.(?:obj|o)\)$")
_C_LIBRARY = ("memcpy", "memset")


def network_flash(map_file: Path, prefix: str) -> int:
    """Return the bytes of code and constants of a network that was compiled ahead of time.

    Those of its kernels and of ``memcpy`` and ``memset`` are counted, as far as they are linked.
    """
    kernels = {
        rename_prefix(name, prefix).removesuffix(".c")
        for name in runtime_sources("nn")
        if name.endswith(".c")
    }
    network = re.compile(rf"{re.escape(prefix)}_net\d*")
    return sum(
        size
        for member, size in _linked(map_file)
        if member in kernels or member in _C_LIBRARY or network.fullmatch(member)
    )


def _linked(map_file: Path) -> Iterator[tuple[str, int]]:
    """Yield the library member and the bytes of each section that is linked."""
    text = map_file.read_text(encoding="utf-8").partition(_BEGIN)[2]
    # Long names have the rest of their line below them.
    joined = re.sub(r"^( \.\S+)\n\s+", r"\1 ", text, flags=re.MULTILINE)
    for size, place in _SECTION.findall(joined):
        member = _MEMBER.search(place)
        if member:
            yield member[1], int(size, 16)
