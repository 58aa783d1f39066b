"""An emulated board whose UART is a socket of this computer."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from asc_tiny.frontend.arrays import Samples
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.emulator.feeder import Feeder, make_pipe
from asc_tiny.util import child_processes, scratch_folders
from asc_tiny.util.errors import AscError, reason

START_S = 120.0
"""Seconds that an emulator that runs may take until it listens: it may be one of many."""
_PIPE = "microphone.pcm"


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def switched_on(
    project: Project, *, port: int | None = None, microphone: Iterable[Samples] | None = None
) -> Iterator[str]:
    """Run a project's image, answering on its serial line, and give that line's name.

    The board is switched off at the end. Programs may connect one after the other.

    Args:
        project: a built project for an emulated board.
        port: TCP port of this computer that its line is to be, any if None.
        microphone: samples that the board hears, in real time.

    Raises:
        AscError: the project is not built or is for the host, the emulator is missing or stops.
    """
    with _powered(project, port, microphone) as (line, _):
        yield line


def stay_on(
    project: Project,
    started: Callable[[str], None],
    *,
    port: int | None = None,
    microphone: Iterable[Samples] | None = None,
) -> None:
    """Run a project's image as ``switched_on`` does until it ends, which is an error.

    Args:
        project: a built project for an emulated board.
        started: is given the line's name when the board is on.
        port: as for ``switched_on``.
        microphone: likewise.

    Raises:
        AscError: the image ended, or as ``switched_on``.
    """
    with _powered(project, port, microphone) as (line, process):
        started(line)
        _, printed = process.communicate()
        raise projects.stopped(project, process.returncode, printed.decode(errors="replace"))


def _check_free(port: int) -> None:
    """Make sure that nobody listens on a port: it would be taken for the emulator.

    Raises:
        AscError: somebody does.
    """
    with socket.socket() as probe:
        if os.name == "posix":
            # As the emulator does: connections that have just ended do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise AscError(
                f"--tcp {port}: cannot be used ({reason(error)}); is another board on there?"
            ) from None


@contextmanager
def _powered(
    project: Project, port: int | None, microphone: Iterable[Samples] | None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Give the name of the board's line, and the emulator."""
    if not project.board.machine:
        raise AscError(f"{project.folder}: board {project.board.name} is not an emulated one")
    projects.check_built(project)
    if port is None:
        port = free_port()
    else:
        _check_free(port)
    with scratch_folders.folder() as temporary:
        pipe = temporary / _PIPE
        arguments = ["serve"]
        if microphone is not None:
            make_pipe(pipe)
            arguments.append(_PIPE)
        with _running(project, arguments, port, pipe.parent) as process:
            if microphone is not None:
                Feeder(process, pipe, microphone, rate=project.frontend.sample_rate).start()
            _wait_for(project, process, port)
            yield f"socket://127.0.0.1:{port}", process


@contextmanager
def _running(
    project: Project, arguments: Sequence[str], port: int, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    serial = f"tcp:127.0.0.1:{port},server=on,wait=off,nodelay=on"
    command = projects.run_command(project.board, project.image, arguments, serial=serial)
    with child_processes.running(command, folder=folder, stdout=subprocess.DEVNULL) as process:
        yield process


def _wait_for(project: Project, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stderr is not None
            printed = process.stderr.read().decode(errors="replace")
            raise projects.stopped(project, process.returncode, printed)
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return
        time.sleep(0.02)
    raise AscError(f"the emulator does not listen on port {port} after {START_S:g} s")
