"""Espressif's chips, by esptool."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.flashing.image import Image
from asc_tiny.targets.flashing.job import Job, Progress
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes

PARTS = "flasher_args.json"
"""Where ESP-IDF's build says which file belongs where."""

_APPLICATION = 0x10000
"""Where an application is in flash if no build says otherwise."""
_TABLE, _TABLE_MAGIC = 0x8000, b"\xaa\x50"
"""Where the table of partitions is in flash, and how it begins."""

# An image's header: its first byte, and where the chip's number is.
_MAGIC = 0xE9
_CHIP_ID = slice(12, 14)

_ADVICE = ("(", "Hint:", "For troubleshooting", "Probably")
"""How lines begin that esptool adds to what went wrong."""

Part = tuple[int, Path]


def job(image: Image, board: Board, *, port: str | None) -> Job:
    """Return what writes an application, with what the build says belongs to it, and verifies it.

    Args:
        image: the application as a .bin file.
        board: esptool knows its chip as ``board.flash.target``.
        port: serial port of the board.

    Raises:
        AscError: no port is given, esptool is missing, the image is for another chip, or the
            build's list of parts is damaged.
    """
    assert board.flash is not None
    if not port:
        raise AscError(f"board {board.name}: esptool needs the board's --port")
    try:
        from esptool.targets import CHIP_DEFS
    except ImportError:
        raise AscError("flashing needs esptool; pip install 'asc-tiny[flash]'") from None
    if board.flash.target not in CHIP_DEFS:
        raise AscError(
            f"board {board.name}: esptool knows no {board.flash.target}, but {', '.join(CHIP_DEFS)}"
        )
    _check_chip(image, board.flash.target, CHIP_DEFS[board.flash.target].IMAGE_CHIP_ID)
    parts = _parts(image.path)
    _check_room(parts, board)
    steps = (
        f"connect to {board.flash.target} on {port}",
        *(f"write {path} to 0x{address:x} and verify it" for address, path in parts),
        "reset the board",
    )
    return Job(steps, lambda progress: _flash(parts, board, port, progress))


def _check_chip(image: Image, target: str, chip_id: int) -> None:
    data = image.blocks[0].data
    if image.file_format != "raw" or data[0] != _MAGIC:
        raise AscError(f"{image.path}: is no image for {target}; its build makes a .bin file")
    found = int.from_bytes(data[_CHIP_ID], "little")
    if found != chip_id:
        raise AscError(f"{image.path}: built for chip {found}, {target} is chip {chip_id}")


def _parts(image: Path) -> list[Part]:
    """Return what is to be written: an image with all that the build of it says, or it alone."""
    if _is_whole(image):
        return [(0, image)]
    path = image.parent / PARTS
    if not path.is_file():
        return [(_APPLICATION, image)]
    parts = _built(path)
    if any(part.resolve() == image.resolve() for _, part in parts):
        return parts
    return [(_application(path), image)]


def _is_whole(image: Path) -> bool:
    """Whether an image holds the table of partitions, too: it is flash from its beginning on."""
    with image.open("rb") as stream:
        stream.seek(_TABLE)
        return stream.read(len(_TABLE_MAGIC)) == _TABLE_MAGIC


def _built(path: Path) -> list[Part]:
    """Return which files a build says that it has made, sorted by their addresses.

    Raises:
        AscError: it says nothing of the kind, or a file is missing.
    """
    try:
        files = parse_json(read_bytes(path), source=str(path))["flash_files"]
        parts = [(int(address, 0), path.parent / name) for address, name in files.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AscError(f"{path}: is not what ESP-IDF's build writes ({error!r})") from None
    if not parts:
        raise AscError(f"{path}: is not what ESP-IDF's build writes (flash_files is empty)")
    for _, part in parts:
        if not part.is_file():
            raise AscError(f"{part}: is missing; {path} names it")
    return sorted(parts)


def _application(path: Path) -> int:
    """Return the address that a build has for its application."""
    content = parse_json(read_bytes(path), source=str(path))
    try:
        return int(content["app"]["offset"], 0)
    except (ValueError, KeyError, TypeError):
        return _APPLICATION


def _check_room(parts: list[Part], board: Board) -> None:
    end, before = 0, Path()
    for address, path in parts:
        if address < 0:
            raise AscError(f"{path}: its address is {address}, must be 0 or more")
        if address < end:
            raise AscError(f"{path}: begins at 0x{address:x}, {before} ends at 0x{end:x}")
        end, before = address + path.stat().st_size, path
        if end > board.flash_bytes:
            raise AscError(
                f"{path}: ends at {end} bytes, board {board.name} has {board.flash_bytes} of flash"
            )


def _flash(parts: list[Part], board: Board, port: str, progress: Progress) -> None:
    import serial
    from esptool import cmds
    from esptool.util import FatalError

    assert board.flash is not None
    data = [(address, path.read_bytes()) for address, path in parts]
    try:
        logger = _logger()
        with cmds.detect_chip(port) as chip:
            _check_found(chip, board.flash.target, port)
            device = cmds.run_stub(chip)
            cmds.attach_flash(device)
            total = sum(len(content) for _, content in data)
            done = 0
            for address, content in data:
                logger.show = partial(_show, progress, done / total, len(content) / total)
                # Reads the checksum of what is in flash back.
                cmds.write_flash(device, [(address, content)])
                done += len(content)
            cmds.reset_chip(device, "hard-reset")
    except FatalError as error:
        raise AscError(f"{port}: {_text(error)}") from None
    except (serial.SerialException, OSError) as error:
        raise AscError(f"{port}: the line is lost ({error}); is it still connected?") from None


def _show(progress: Progress, done: float, part: float, share: float) -> None:
    progress(min(1.0, done + part * share))


def _check_found(chip: Any, target: str, port: str) -> None:
    found = chip.CHIP_NAME.lower().replace("-", "")
    if found != target:
        raise AscError(f"{port}: the chip is {chip.CHIP_NAME}, not {target}")
    if chip.secure_download_mode:
        raise AscError(
            f"{port}: the chip is locked (secure download mode); nothing can be read back"
        )


@cache
def _logger() -> Any:
    """Return the logger that esptool now has: it prints nothing and hands on how far a part is."""
    from esptool.logger import TemplateLogger, log

    def nothing(self: object, *arguments: object, **options: object) -> None:
        """What goes wrong is told by the exceptions, once."""

    def progress_bar(
        self: Any, cur_iter: int, total_iters: int, *arguments: object, **options: object
    ) -> None:
        self.show(cur_iter / max(1, total_iters))

    names = ("print", "note", "warning", "error", "stage", "set_verbosity")
    methods = {**dict.fromkeys(names, nothing), "progress_bar": progress_bar, "show": nothing}
    logger = type("Logger", (TemplateLogger,), methods)()
    log.set_logger(logger)
    return logger


def _text(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if line and not line.startswith(_ADVICE))
