"""Espressif's chips, by esptool."""

from __future__ import annotations

import json
from pathlib import Path

from asc_tiny.errors import AscError
from asc_tiny.targets.boards import Board
from asc_tiny.targets.flashing.image import Image
from asc_tiny.targets.flashing.job import Job, Progress

PARTS = "flasher_args.json"
"""Where ESP-IDF's build says which file belongs where."""

_APPLICATION = 0x10000


def job(image: Image, board: Board, *, port: str | None) -> Job:
    """Return what writes an application, with what the build says belongs to it, and verifies it.

    Args:
        image: the application as a .bin file.
        board: esptool knows its chip as ``board.flash.target``.
        port: serial port of the board.

    Raises:
        AscError: no port is given, esptool is missing, or the build's list of parts is damaged.
    """
    assert board.flash is not None
    if not port:
        raise AscError(f"board {board.name}: esptool needs the board's --port")
    try:
        import esptool  # noqa: F401
    except ImportError:
        raise AscError("flashing needs esptool; pip install 'asc-tiny[flash]'") from None
    parts = _parts(image.path)
    steps = (
        f"connect to {board.flash.target} on {port}",
        *(f"write {path} to 0x{address:x} and verify it" for address, path in parts),
        "reset the board",
    )
    return Job(steps, lambda progress: _flash(parts, board, port, progress))


def _parts(application: Path) -> list[tuple[int, Path]]:
    path = application.parent / PARTS
    if not path.is_file():
        return [(_APPLICATION, application)]
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["flash_files"]
        parts = [(int(address, 0), path.parent / name) for address, name in files.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AscError(f"{path}: is not what ESP-IDF's build writes ({error!r})") from None
    for _, part in parts:
        if not part.is_file():
            raise AscError(f"{part}: is missing; {path} names it")
    return sorted(parts)


def _flash(parts: list[tuple[int, Path]], board: Board, port: str, progress: Progress) -> None:
    import serial
    from esptool import cmds
    from esptool.util import FatalError

    assert board.flash is not None
    data = [(address, path.read_bytes()) for address, path in parts]
    try:
        with cmds.detect_chip(port) as chip:
            found = chip.CHIP_NAME.lower().replace("-", "")
            if found != board.flash.target:
                raise AscError(f"{port}: the chip is {chip.CHIP_NAME}, not {board.flash.target}")
            device = cmds.run_stub(chip)
            cmds.attach_flash(device)
            for number, part in enumerate(data):
                cmds.write_flash(device, [part])
                cmds.verify_flash(device, [part])
                progress((number + 1) / len(data))
            cmds.reset_chip(device, "hard-reset")
    except FatalError as error:
        raise AscError(f"{port}: {' '.join(str(error).split())}") from None
    except (serial.SerialException, OSError) as error:
        raise AscError(f"{port}: the line is lost ({error})") from None
