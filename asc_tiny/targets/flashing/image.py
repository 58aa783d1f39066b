"""The image to be flashed, checked before anything touches the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.image import firmware_file
from asc_tiny.targets.image.firmware_file import Block
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

# Tag_CPU_arch of Arm's "Addenda to, and Errata in, the ABI for the Arm Architecture", table of
# CPU architectures: what each core runs.
_V6_M, _V6S_M, _V7, _V7E_M, _V8_M_BASE, _V8_M_MAIN, _V8_1_M_MAIN = 11, 12, 10, 13, 16, 17, 21
_RUNS = {"cortex-m0plus": {_V6_M, _V6S_M}}
_RUNS["cortex-m3"] = _RUNS["cortex-m0plus"] | {_V7}
_RUNS["cortex-m4"] = _RUNS["cortex-m7"] = _RUNS["cortex-m3"] | {_V7E_M}
_RUNS["cortex-m33"] = _RUNS["cortex-m4"] | {_V8_M_BASE, _V8_M_MAIN}
_RUNS["cortex-m55"] = _RUNS["cortex-m33"] | {_V8_1_M_MAIN}


@dataclass(frozen=True)
class Image:
    """An image that fits its board.

    Attributes:
        path: the file.
        file_format: ``elf``, ``hex``, ``uf2`` or ``raw``.
        blocks: what it puts into flash.
    """

    path: Path
    file_format: str
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        """Bytes that it puts into flash."""
        return sum(len(block.data) for block in self.blocks)


def load(path: Path, board: Board) -> Image:
    """Read an image for a board.

    Raises:
        AscError: it cannot be read, is larger than the board's flash or lies beside it, or is
            built for another core.
    """
    file_format, blocks = firmware_file.read(path)
    if file_format == "elf":
        _check_core(path, board)
    if file_format == "uf2":
        blocks = list(_of_family(path, board))
    image = Image(path, file_format, tuple(block for block in blocks if block.data))
    if not image.size:
        raise AscError(f"{path}: holds nothing to be flashed")
    if image.size > board.flash_bytes:
        raise AscError(
            f"{path}: {image.size} bytes, board {board.name} has {board.flash_bytes} of flash"
        )
    _check_addresses(image, board)
    return image


def _of_family(path: Path, board: Board) -> Sequence[Block]:
    """Return what a UF2 file has for a board's chip.

    Raises:
        AscError: nothing.
    """
    families = firmware_file.uf2_families(path, read_bytes(path))
    wanted = board.flash.family if board.flash else 0
    if not wanted or not families:
        return [block for blocks in families.values() for block in blocks]
    # A file that names no family is for any chip.
    found = families.get(wanted, families.get(0))
    if found is None:
        names = ", ".join(f"0x{family:08x}" for family in families)
        raise AscError(f"{path}: built for family {names}, board {board.name} is 0x{wanted:08x}")
    return found


def _check_addresses(image: Image, board: Board) -> None:
    """Check that a flash tool can write all of an image, each byte once.

    Raises:
        AscError: it cannot.
    """
    if board.definition and not board.flash_region.origin:
        # The user need not say where the flash begins.
        return
    placed = [block for block in image.blocks if block.address is not None]
    end = 0
    for block in sorted(placed, key=lambda block: block.address or 0):
        address = block.address or 0
        if address < end:
            raise AscError(f"{image.path}: two of its parts have bytes for 0x{address:08x}")
        end = address + len(block.data)
        if not any(
            region.origin <= address and end <= region.origin + region.bytes
            for region in board.writable
        ):
            raise AscError(
                f"{image.path}: has bytes for 0x{address:08x} to 0x{end - 1:08x}, board "
                f"{board.name} has {_ranges(board)}"
            )


def _ranges(board: Board) -> str:
    """Return where a board's flash lies, for messages."""
    return " and ".join(
        f"flash at 0x{region.origin:08x} to 0x{region.origin + region.bytes - 1:08x}"
        for region in board.writable
    )


def _check_core(path: Path, board: Board) -> None:
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        machine = elf["e_machine"]
        architecture = _architecture(elf)
    is_riscv = any(flag.startswith("-march=rv") for flag in board.core_flags)
    if is_riscv and machine != "EM_RISCV":
        raise AscError(f"{path}: built for {machine[3:]}, board {board.name} has {board.core}")
    if board.cpu not in _RUNS:
        return
    if machine != "EM_ARM":
        raise AscError(f"{path}: built for {machine[3:]}, board {board.name} has {board.core}")
    if architecture is not None and architecture not in _RUNS[board.cpu]:
        names = {_V7E_M: "Cortex-M4 or M7", _V8_M_MAIN: "Cortex-M33", _V8_1_M_MAIN: "Cortex-M55"}
        built = names.get(architecture, f"Arm architecture {architecture}")
        raise AscError(f"{path}: built for {built}, board {board.name} has {board.core}")


def _architecture(elf: Any) -> int | None:
    section = elf.get_section_by_name(".ARM.attributes")
    if section is None:
        return None
    for attribute in section.iter_subsections():
        for part in attribute.iter_subsubsections():
            for tag in part.iter_attributes("TAG_CPU_ARCH"):
                return int(tag.value)
    return None
