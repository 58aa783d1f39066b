"""Projects of other tools, which bring their own way to flash."""

from __future__ import annotations

import shutil
from pathlib import Path

from asc_tiny.projects.generator import ToolCommand
from asc_tiny.targets.flashing.job import Job
from asc_tiny.util import child_processes
from asc_tiny.util.errors import AscError


def job(command: ToolCommand, folder: Path) -> Job:
    """Return what runs a tool in the folder of a project."""
    step = f"in {folder}: {' '.join(command.arguments)}"
    return Job((step,), lambda progress: _run(command, folder))


def _run(command: ToolCommand, folder: Path) -> None:
    name, *arguments = command.arguments
    program = shutil.which(name)
    if program is None:
        raise AscError(f"{name} is not installed; {command.hint}")
    code = child_processes.call([program, *arguments], folder=folder)
    if code != 0:
        raise AscError(f"{name} failed with code {code}; it says why above")
