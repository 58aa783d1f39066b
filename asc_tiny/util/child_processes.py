"""Starting programs that end with this process, however it ends.

Signals and handlers do not suffice: nothing runs in a process that is killed, and a program such
as a build tool starts others. So a program gets a process group of its own, in which a shell
waits for the end of a pipe that this process alone holds open. It then kills the group.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from asc_tiny.util.console_text import printable
from asc_tiny.util.interrupts import held

PROGRAMS = "asc_tiny.programs"
"""Name of the logger of the command lines that are run."""

_WATCH = ("/bin/sh", "-c", "read _; kill -s KILL 0")
_GRACE_S = 5.0


@contextmanager
def running(
    arguments: Sequence[str | Path],
    *,
    folder: Path | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = subprocess.PIPE,
    stderr: int | None = subprocess.PIPE,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program; at the end of the block it and its children end.

    It is out of the terminal's reach: an interrupt from there comes to this process alone.

    Args:
        arguments: the program and its arguments.
        folder: folder that the program runs in.
        stdin: as ``subprocess.Popen`` takes it; the program has none unless this says so.
        stdout: as ``subprocess.Popen`` takes it.
        stderr: as ``subprocess.Popen`` takes it.
        environment: variables to set besides this process' own.

    Raises:
        OSError: it cannot be started.
    """
    logging.getLogger(PROGRAMS).info("%s", printable(shlex.join(map(str, arguments))))
    with _group() as options:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **environment} if environment else None,
            **options,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    # What a program that has gone did not read is lost.
                    with suppress(BrokenPipeError):
                        stream.close()


def run(
    arguments: Sequence[str | Path],
    *,
    folder: Path | None = None,
    timeout_s: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as ``running`` does, and capture its text output.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took longer than ``timeout_s`` and was killed.
    """
    with running(arguments, folder=folder, environment=environment) as process:
        out, err = process.communicate(timeout=timeout_s)
        text = (data.decode("utf-8", errors="replace") for data in (out, err))
        return subprocess.CompletedProcess(arguments, process.returncode, *text)


def call(arguments: Sequence[str | Path], *, folder: Path) -> int:
    """Run a program to its end, whose output goes where that of this process does.

    If this process is interrupted, the program is asked to end and given some time to leave a
    board that it writes to in order.

    Returns:
        Its exit code.

    Raises:
        OSError: it cannot be started.
    """
    process = None
    with ExitStack() as stack:
        try:
            # A signal between the program's start and this function's knowing of it would kill it.
            with held():
                started = running(arguments, folder=folder, stdout=None, stderr=None)
                process = stack.enter_context(started)
            return process.wait()
        except KeyboardInterrupt:
            if process is not None:
                with suppress(subprocess.TimeoutExpired, ProcessLookupError):
                    _ask_to_end(process)
                    process.wait(_GRACE_S)
            raise


def _ask_to_end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program and its children to end; where there are no groups, the program alone."""
    if sys.platform == "win32":
        process.terminate()
    else:
        os.killpg(os.getpgid(process.pid), signal.SIGTERM)


@contextmanager
def _group() -> Iterator[dict[str, Any]]:
    """Yield the options of ``Popen`` for a program that is to end with the block."""
    if sys.platform == "win32":
        yield {}
        return
    watch = subprocess.Popen(_WATCH, stdin=subprocess.PIPE, **_joining(0))
    assert watch.stdin is not None
    try:
        yield _joining(watch.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(watch.pid, signal.SIGKILL)
        watch.stdin.close()
        watch.wait()


def _joining(group: int) -> dict[str, Any]:
    """Return the option of ``Popen`` for a process group, 0 for a new one.

    A program is in the group before it starts: if the group has gone, it does not start.
    """
    if sys.version_info >= (3, 11):
        return {"process_group": group}
    return {"preexec_fn": lambda: os.setpgid(0, group)}
