"""Projects of other tools, which bring their own way to flash."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.targets.flashing.job import Job
from asc_tiny.util import child_processes
from asc_tiny.util.errors import AscError

_HINTS = {
    "arduino-cli": "see https://arduino.github.io/arduino-cli",
    "pio": "pip install platformio",
    "west": "pip install west",
}


def west(folder: Path, *, probe: str | None) -> Job:
    """Return what flashes a Zephyr application that ``west build`` has built."""
    runner = ["--", "--dev-id", probe] if probe else []
    return _job(["west", "flash", *runner], folder)


def platformio(folder: Path, *, port: str | None) -> Job:
    """Return what flashes a PlatformIO project."""
    upload = ["--upload-port", port] if port else []
    return _job(["pio", "run", "--target", "upload", *upload], folder)


def arduino(project: Manifest, *, port: str | None) -> Job:
    """Return what compiles and flashes the example of a library for Arduino.

    Raises:
        AscError: no port is given, or the board is not Arduino's.
    """
    board = project.board
    if board.flash is None or board.flash.tool != "arduino-cli":
        raise AscError(f"board {board.name}: is not flashed by arduino-cli")
    if not port:
        raise AscError(
            f"{project.folder}: arduino-cli needs the board's --port; see arduino-cli board list"
        )
    # The sketch finds the library by --library, wherever the folder lies.
    command = ["arduino-cli", "compile", "--fqbn", board.flash.target, "--library", "."]
    command += ["--upload", "--port", port, "--verify", f"examples/{project.prefix}_scenes"]
    return _job(command, project.folder)


def _job(command: Sequence[str], folder: Path) -> Job:
    return Job((f"in {folder}: {' '.join(command)}",), lambda progress: _run(command, folder))


def _run(command: Sequence[str], folder: Path) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise AscError(f"{command[0]} is not installed; {_HINTS[command[0]]}")
    code = child_processes.call([program, *command[1:]], folder=folder)
    if code != 0:
        raise AscError(f"{command[0]} failed with code {code}; it says why above")
