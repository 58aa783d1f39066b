"""Finding in firmware what it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.firmware.provenance import MAGIC, MAX_SIZE, Provenance, unpack
from asc_tiny.targets.image import firmware_file
from asc_tiny.targets.image.firmware_file import Block
from asc_tiny.util.errors import AscError

_ERASED = b"\xff" * 64
"""Bytes of erased flash; no text of a record has one of them."""


@dataclass(frozen=True)
class Found:
    """A record of provenance in firmware.

    Attributes:
        provenance: what it says.
        address: address in memory; None in a raw binary.
        offset: offset in the file; None where the file does not hold memory as such (HEX, UF2).
    """

    provenance: Provenance
    address: int | None
    offset: int | None


def inspect(path: Path) -> tuple[str, list[Found]]:
    """Return the format of a firmware file and the records of provenance in it, one per model.

    Raises:
        AscError: the file cannot be read, or holds no record or a damaged one.
    """
    file_format, blocks = firmware_file.read(path)
    found: list[Found] = []
    remains: list[AscError] = []
    for block in blocks:
        found += _records(path, block, remains)
    if remains and not found:
        raise remains[0]
    if not found:
        raise AscError(
            f"{path}: holds no record of provenance ({file_format} file, "
            f"{sum(len(block.data) for block in blocks)} bytes); asc-tiny puts one into firmware"
        )
    return file_format, found


def _records(path: Path, block: Block, remains: list[AscError]) -> Iterator[Found]:
    """Yield the records in a block; add what is said of those that are erased in part.

    A dump of a board with two slots has such a one where the other slot was being written.

    Raises:
        AscError: a record is damaged otherwise.
    """
    # A view: a copy of the rest for each record would take time without end.
    data = memoryview(block.data)
    start = block.data.find(MAGIC)
    while start >= 0:
        address = None if block.address is None else block.address + start
        offset = None if block.offset is None else block.offset + start
        try:
            provenance = unpack(data[start:])
        except ValueError as error:
            place = f"offset {offset}" if address is None else f"address 0x{address:08x}"
            damage = AscError(f"{path}: record of provenance at {place} is {error}")
            if _ERASED not in data[start : start + MAX_SIZE].tobytes():
                raise damage from error
            remains.append(damage)
        else:
            yield Found(provenance, address, offset)
        start = block.data.find(MAGIC, start + len(MAGIC))
