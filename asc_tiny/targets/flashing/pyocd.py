"""Boards with a debug probe (CMSIS-DAP, ST-Link, J-Link), by pyOCD."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.flashing.image import Image
from asc_tiny.targets.flashing.job import Job, Progress
from asc_tiny.util.errors import AscError

_MISSING = "needs pyOCD; pip install 'asc-tiny[flash]'"
_FORMATS = {"elf": "elf", "hex": "hex"}
_RULE = "on Linux, is there a udev rule for the probe (pyOCD's page on udev rules has them)?"
_PIECE = 1 << 12
_WRITE_SHARE = 0.7


def job(image: Image, board: Board, *, probe: str | None) -> Job:
    """Return what writes an image through a probe, reads it back, and resets the board.

    Args:
        image: image in ELF or HEX format, which say where their bytes belong.
        board: pyOCD knows its chip as ``board.flash.target``.
        probe: the probe's unique id or its beginning, where several are connected.

    Raises:
        AscError: pyOCD is missing, the image is of another format, or there is not exactly one
            probe.
    """
    assert board.flash is not None
    if image.file_format not in _FORMATS:
        raise AscError(f"{image.path}: board {board.name} takes .elf and .hex files")
    chosen = _chosen(probes(), probe, board)
    steps = (
        f"connect to {board.flash.target} by probe {chosen.description} ({chosen.unique_id})",
        f"write {image.path} ({image.size} bytes) and read it back",
        "reset the board",
    )
    return Job(steps, lambda progress: _flash(chosen, image, board, progress))


def probes() -> list[Any]:
    """Return the probes that are connected.

    Raises:
        AscError: pyOCD is missing, or its drivers fail.
    """
    try:
        from pyocd.core import exceptions
        from pyocd.probe.aggregator import DebugProbeAggregator
    except ImportError:
        raise AscError(f"flashing {_MISSING}") from None
    try:
        return list(DebugProbeAggregator.get_all_connected_probes())
    except (exceptions.Error, OSError, ValueError) as error:
        raise AscError(f"probes cannot be listed: {_text(error)}; {_RULE}") from None


def _chosen(found: Sequence[Any], wanted: str | None, board: Board) -> Any:
    names = ", ".join(f"{probe.unique_id} ({probe.description})" for probe in found)
    if not found:
        raise AscError(f"board {board.name}: no debug probe is connected")
    if wanted is not None:
        ids = [probe.unique_id.lower() for probe in found]
        is_whole = wanted.lower() in ids
        named = [
            probe
            for probe, each in zip(found, ids, strict=True)
            if (each == wanted.lower() if is_whole else each.startswith(wanted.lower()))
        ]
        if len(named) != 1:
            what = "no probe" if not named else "several probes"
            raise AscError(f"--probe {wanted}: {what} of that id; connected: {names}")
        return named[0]
    if len(found) > 1:
        raise AscError(f"board {board.name}: several probes: {names}; choose one by --probe")
    return found[0]


def _flash(probe: Any, image: Image, board: Board, progress: Progress) -> None:
    from pyocd.core import exceptions
    from pyocd.core.session import Session

    assert board.flash is not None
    # What goes wrong is told by the exceptions, once.
    logging.getLogger("pyocd").setLevel(logging.CRITICAL)
    # A locked chip stays as it is: to unlock it would erase it.
    options = {
        "target_override": board.flash.target,
        "connect_mode": "halt",
        "auto_unlock": False,
    }
    try:
        with Session(probe, options=options) as session:
            _write(session, image, progress)
            _compare(session.target, image, progress)
            session.target.reset()
    except exceptions.TargetSupportError as error:
        raise AscError(
            f"board {board.name}: pyOCD does not know {board.flash.target} ({error}); "
            f"pyocd pack install {board.flash.target}"
        ) from None
    except exceptions.ProbeError as error:
        raise AscError(f"probe {probe.unique_id}: {_text(error)}; is it still connected?") from None
    except (exceptions.TransferError, KeyError) as error:
        # pyOCD looks up the core of a locked chip in vain, which is the KeyError.
        raise AscError(
            f"board {board.name}: the core does not answer ({_text(error)}); is it powered, and "
            "not locked against debugging?"
        ) from None
    except exceptions.Error as error:
        raise AscError(f"board {board.name}: flashing failed: {_text(error)}") from None
    except OSError as error:
        # What the driver of the USB line raises.
        raise AscError(f"probe {probe.unique_id}: {_text(error)}; {_RULE}") from None


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__


def _write(session: Any, image: Image, progress: Progress) -> None:
    from pyocd.flash.file_programmer import FileProgrammer

    most = 0.0

    def show(share: float) -> None:
        # Erasing and writing each go from 0 to 1.
        nonlocal most
        most = max(most, _WRITE_SHARE * share)
        progress(most)

    programmer = FileProgrammer(session, progress=show, chip_erase="sector", smart_flash=False)
    programmer.program(str(image.path), file_format=_FORMATS[image.file_format])


def _compare(target: Any, image: Image, progress: Progress) -> None:
    """Read the flash back, piece by piece."""
    done = 0
    for block in image.blocks:
        assert block.address is not None
        for start in range(0, len(block.data), _PIECE):
            wanted = block.data[start : start + _PIECE]
            found = bytes(target.read_memory_block8(block.address + start, len(wanted)))
            if found != wanted:
                raise AscError(
                    f"{image.path}: the board's flash differs at 0x{block.address + start:08x} "
                    "after writing"
                )
            done += len(wanted)
            progress(_WRITE_SHARE + (1.0 - _WRITE_SHARE) * done / image.size)
