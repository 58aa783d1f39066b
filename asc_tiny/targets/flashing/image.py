"""The image to be flashed, checked before anything touches the board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.image import firmware_file
from asc_tiny.targets.image.firmware_file import Block
from asc_tiny.util.errors import AscError

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
        AscError: it cannot be read, is larger than the board's flash, or built for another core.
    """
    file_format, blocks = firmware_file.read(path)
    image = Image(path, file_format, tuple(blocks))
    if not image.size:
        raise AscError(f"{path}: holds nothing to be flashed")
    if image.size > board.flash_bytes:
        raise AscError(
            f"{path}: {image.size} bytes, board {board.name} has {board.flash_bytes} of flash"
        )
    if file_format == "elf":
        _check_core(path, board)
    return image


def _check_core(path: Path, board: Board) -> None:
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        machine = elf["e_machine"]
        architecture = _architecture(elf)
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
