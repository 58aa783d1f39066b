"""Streaming audio of any length through a project's image, decision by decision."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from asc_tiny.frontend.arrays import Samples
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.build.watchdog import Watch
from asc_tiny.targets.emulator.feeder import Feeder, make_pipe
from asc_tiny.targets.image import application
from asc_tiny.targets.image.image import Decision, check_complete, decision, is_decision
from asc_tiny.util import child_processes, scratch_folders
from asc_tiny.util.errors import AscError

_PIPE = "in.pcm"
_MOST_LINE = 1 << 16
_MOST_OTHERS = 1000
"""Lines between two decisions that may say something else."""


def simulate(
    project: Project, blocks: Iterable[Samples], *, real_time: bool = False
) -> Generator[Decision, None, None]:
    """Yield the decisions of a project's image about a stream, as it makes them.

    The image reads the samples through a pipe as it would a file; only what is in the pipe is
    held in memory.

    Parameters
    ----------
    project
        A built project.
    blocks
        Samples of the stream in pieces of any length, each of shape (samples,), as for ``run``.
    real_time
        Hand the samples over no faster than they were recorded.

    Yields
    ------
    Decision
        One for each window, as ``run`` returns them.

    Raises
    ------
    AscError
        The project is not built, the emulator is missing, the image stops early, or ``blocks``
        raises it.
    """
    application.check(project)
    with scratch_folders.folder() as temporary:
        pipe = temporary / _PIPE
        make_pipe(pipe)
        with _running(project, pipe.parent) as process:
            rate = project.frontend.sample_rate if real_time else 0
            feeder = Feeder(process, pipe, blocks, rate=rate)
            feeder.start()
            output = _Output(project, process)
            with Watch(process, lambda: _progress(output, feeder)) as watch:
                yield from output.decisions()
                code = process.wait()
                feeder.finish()
        if feeder.error is not None:
            raise feeder.error
        if watch.stuck:
            raise projects.stuck(project)
        if code != 0 or not feeder.complete:
            raise projects.stopped(project, code, output.other)
        check_complete(project, output.count, feeder.sent, output.other)


def _progress(output: _Output, feeder: Feeder) -> object:
    """Return what differs while the image gets on, or waits for samples that are yet to come."""
    return time.monotonic() if feeder.waits else (output.count, feeder.sent)


class _Output:
    """What a running image prints.

    Attributes:
        count: decisions so far.
        other: last line that is no decision.
    """

    def __init__(self, project: Project, process: subprocess.Popen[bytes]) -> None:
        self.count = 0
        self.other = ""
        self._project = project
        self._process = process

    def decisions(self) -> Iterator[Decision]:
        """Yield the decisions.

        Raises:
            AscError: a line is wrong, or too many are no decisions.
        """
        stream, others = self._process.stdout, 0
        assert stream is not None
        for data in iter(lambda: stream.readline(_MOST_LINE), b""):
            line = data.decode("utf-8", errors="replace")
            if is_decision(line):
                found = decision(self._project, line, self.count)
                self.count += 1
                others = 0
                yield found
            else:
                self.other, others = line, others + 1
                if others > _MOST_OTHERS:
                    raise AscError(
                        f"{self._project.image}: prints other than decisions on "
                        f"{self._project.board.name}: {application.last_line(line)}"
                    )


@contextmanager
def _running(project: Project, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = projects.run_command(project.board, project.image, ["run", _PIPE])
    # Semihosting prints on the emulator's standard error.
    with child_processes.running(command, folder=folder, stderr=subprocess.STDOUT) as process:
        yield process
