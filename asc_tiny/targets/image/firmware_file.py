"""Firmware as files: the bytes that an ELF, Intel HEX, UF2 or raw binary file puts into memory."""

from __future__ import annotations

import io
import string
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

_HEX_SUFFIXES = (".hex", ".ihex", ".ihx")
# Types of records.
_DATA, _END, _SEGMENT, _START_SEGMENT, _LINEAR, _START_LINEAR = range(6)

_UF2_BLOCK = struct.Struct("<8I476sI")
_UF2_MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
_UF2_NOT_FLASH, _UF2_HAS_FAMILY = 0x00000001, 0x00002000


_MOST_OVERLAP = 4


@dataclass(frozen=True)
class Block:
    """Bytes that lie side by side in memory.

    Attributes:
        data: the bytes.
        address: address in memory of the first byte; None in a raw binary.
        offset: offset of the first byte in the file; None where the file does not hold the bytes as
            such.
    """

    data: bytes
    address: int | None = None
    offset: int | None = None


def read(path: Path) -> tuple[str, list[Block]]:
    """Return a file's format, ``elf``, ``hex``, ``uf2`` or ``raw``, and what it puts into memory.

    The format is known by the content, HEX by the name too; what is none of the others is a raw
    binary.

    Raises:
        AscError: the file cannot be read, or is a damaged or cut-off one of its format.
    """
    data = read_bytes(path)
    if data.startswith(b"\x7fELF"):
        return "elf", _read_elf(path, data)
    if path.suffix.lower() in _HEX_SUFFIXES or _is_hex(data):
        return "hex", _joined(_read_hex(path, data))
    if data.startswith(struct.pack("<2I", *_UF2_MAGIC[:2])):
        return "uf2", [block for blocks in uf2_families(path, data).values() for block in blocks]
    return "raw", [Block(data, offset=0)]


def _read_elf(path: Path, data: bytes) -> list[Block]:
    blocks: list[Block] = []
    try:
        for segment in ELFFile(io.BytesIO(data)).iter_segments("PT_LOAD"):
            start, size = segment["p_offset"], segment["p_filesz"]
            if start + size > len(data):
                raise AscError(f"{path}: ELF file is cut off: {len(data)} bytes")
            # A few may overlap; thousands that do would fill the memory.
            if sum(len(block.data) for block in blocks) + size > _MOST_OVERLAP * len(data):
                raise AscError(f"{path}: damaged ELF file: its segments overlap")
            blocks.append(Block(data[start : start + size], segment["p_paddr"], start))
    except (ELFError, ValueError, OverflowError, UnicodeDecodeError) as error:
        raise AscError(f"{path}: damaged ELF file ({error})") from error
    if not blocks:
        raise AscError(f"{path}: ELF file without segments; a linked program is needed")
    return blocks


def _is_hex(data: bytes) -> bool:
    start = data.lstrip()[:9]
    digits = string.hexdigits.encode()
    return start.startswith(b":") and len(start) == 9 and all(c in digits for c in start[1:])


def _read_hex(path: Path, data: bytes) -> Iterable[Block]:
    base = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        line = line.strip()
        if not line:
            continue
        where = f"{path}: line {number}"
        kind, offset, payload = _hex_record(where, line)
        if kind == _DATA:
            yield Block(payload, base + offset)
        elif kind == _END:
            return
        elif kind in (_SEGMENT, _LINEAR):
            if len(payload) != 2:
                raise AscError(f"{where}: address record of {len(payload)} bytes, must have 2")
            base = int.from_bytes(payload, "big") << (4 if kind == _SEGMENT else 16)
        elif kind not in (_START_SEGMENT, _START_LINEAR):
            raise AscError(f"{where}: record of type {kind}, Intel HEX has 0 to 5")
    raise AscError(f"{path}: Intel HEX file is cut off: no end record")


def _hex_record(where: str, line: bytes) -> tuple[int, int, bytes]:
    """Return type, address and payload of a record ``:SSAAAATT<payload>CC``."""
    try:
        record = bytes.fromhex(line.decode("ascii").removeprefix(":"))
    except ValueError:
        record = b""
    if not line.startswith(b":") or not record:
        raise AscError(f"{where}: no Intel HEX record")
    if len(record) != record[0] + 5:
        raise AscError(
            f"{where}: record of {len(record)} bytes, its size field says {record[0] + 5}"
        )
    if sum(record) % 256 != 0:
        computed = -sum(record[:-1]) % 256
        raise AscError(f"{where}: checksum 0x{record[-1]:02x}, must be 0x{computed:02x}")
    return record[3], int.from_bytes(record[1:3], "big"), record[4:-1]


_UF2_RP2350_E10 = (0xE48BFF57, 0x10FFFF00, 0, 2)
"""Family, address, number and count of a block without its second one, which picotool puts before
programs for an RP2350, for a fault of its boot ROM (data sheet, RP2350-E10). Nothing is programmed
by it."""


def uf2_families(path: Path, data: bytes) -> dict[int, list[Block]]:
    """Return what a UF2 file puts into flash, by the number of the chips' family, 0 if it has none.

    A file can hold programs for several families, the blocks of each numbered for themselves.

    Args:
        path: the file, for messages.
        data: its bytes.

    Raises:
        AscError: a block is damaged, missing or there twice.
    """
    pieces: dict[int, list[Block]] = {}
    counted: dict[int, list[tuple[int, int]]] = {}
    for start in range(0, len(data), _UF2_BLOCK.size):
        where = f"{path}: block {start // _UF2_BLOCK.size}"
        if start + _UF2_BLOCK.size > len(data):
            raise AscError(f"{where}: cut off")
        fields = _UF2_BLOCK.unpack_from(data, start)
        first, second, flags, address, size, number, count, family, payload, last = fields
        if (first, second, last) != _UF2_MAGIC or size > len(payload):
            raise AscError(f"{where}: damaged UF2 block")
        family = family if flags & _UF2_HAS_FAMILY else 0
        if (family, address, number, count) == _UF2_RP2350_E10:
            continue
        counted.setdefault(family, []).append((number, count))
        if not flags & _UF2_NOT_FLASH:
            pieces.setdefault(family, []).append(Block(payload[:size], address))
    for each in counted.values():
        _check_numbers(path, each)
    return {family: _joined(blocks) for family, blocks in pieces.items()}


def _check_numbers(path: Path, counted: list[tuple[int, int]]) -> None:
    """Check that each block of a program in a UF2 file is there once.

    Raises:
        AscError: one is not.
    """
    numbers = {number for number, _ in counted}
    counts = {count for _, count in counted}
    if len(counts) != 1:
        raise AscError(f"{path}: UF2 blocks say that there are {min(counts)} and {max(counts)}")
    (count,) = counts
    if len(numbers) != len(counted) or len(counted) > count:
        raise AscError(f"{path}: UF2 file has {len(counted)} blocks of {count}, some twice")
    if len(counted) < count:
        missing = next(number for number in range(count) if number not in numbers)
        raise AscError(f"{path}: UF2 file lacks block {missing} of {count}")


def _joined(pieces: Iterable[Block]) -> list[Block]:
    """Return pieces in the order of their addresses, neighbours as one block."""
    runs: list[tuple[int, bytearray]] = []
    for piece in sorted(pieces, key=lambda piece: piece.address or 0):
        address = piece.address or 0
        if runs and runs[-1][0] + len(runs[-1][1]) == address:
            runs[-1][1].extend(piece.data)
        else:
            runs.append((address, bytearray(piece.data)))
    return [Block(bytes(data), address) for address, data in runs]
