"""Streaming audio of any length through a project's image, decision by decision."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from asc_tiny import children, scratch
from asc_tiny.errors import AscError
from asc_tiny.frontend.reference import Samples
from asc_tiny.targets import project as projects
from asc_tiny.targets.feeder import Feeder, make_pipe
from asc_tiny.targets.image import Decision, decision
from asc_tiny.targets.project import Project

_PIPE = "in.pcm"


def simulate(
    project: Project, blocks: Iterable[Samples], *, real_time: bool = False
) -> Generator[Decision, None, None]:
    """Yield the decisions of a project's image about a stream, as it makes them.

    The image reads the samples through a pipe as it would a file; only what is in the pipe is
    held in memory.

    Args:
        project: a built project.
        blocks: the stream's samples in pieces of any length.
        real_time: hand the samples over no faster than they were recorded.

    Raises:
        AscError: the project is not built, the emulator is missing, the image stops early, or
            ``blocks`` raises it.
    """
    with scratch.folder() as temporary:
        pipe = temporary / _PIPE
        make_pipe(pipe)
        with _running(project, pipe.parent) as process:
            rate = project.frontend.sample_rate if real_time else 0
            feeder = Feeder(process, pipe, blocks, rate=rate)
            feeder.start()
            other = ""
            assert process.stdout is not None
            for data in process.stdout:
                line = data.decode("utf-8", errors="replace")
                if line.startswith("decision "):
                    yield decision(project, line.rstrip("\n"))
                else:
                    other = line.strip()
            code = process.wait()
            feeder.join()
        if feeder.error is not None:
            raise feeder.error
        if code != 0:
            raise AscError(
                f"{project.image}: stopped with code {code} on {project.board.name}: "
                f"{other or 'no output'}"
            )


@contextmanager
def _running(project: Project, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    projects.check_built(project)
    command = projects.run_command(project.board, project.image, ["run", _PIPE])
    # Semihosting prints on the emulator's standard error.
    with children.running(command, folder=folder, stderr=subprocess.STDOUT) as process:
        yield process
