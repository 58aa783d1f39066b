"""The application in an image: whether it takes this tool's commands, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import NetworkProject, Project
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

CLASSIFIER_COMMANDS = b"run FILE | verify FILE OUT | bench FILE"
NETWORK_COMMANDS = b"run FILE OUT | golden | bench"
"""Part of the usage that the generated ``src/main.c`` prints: who takes these commands has it."""


def check(project: NetworkProject) -> None:
    """Make sure that a project's image can be asked for what its network computes, and its costs.

    Raises:
        AscError: it is not built, or runs an application of the user's own.
    """
    projects.check_built(project)
    commands = CLASSIFIER_COMMANDS if isinstance(project, Project) else NETWORK_COMMANDS
    if commands not in read_bytes(project.image):
        raise AscError(
            f"{project.image}: runs an application of your own, which does not take the commands "
            "of run, verify, bench and simulate; the src/main.c that asc-tiny generate writes does"
        )


def execute(
    project: NetworkProject,
    arguments: Sequence[str],
    files: Mapping[str, bytes],
    outputs: Sequence[str],
) -> tuple[str, dict[str, bytes]]:
    """Run a project's image as ``project.execute`` does, if it takes this tool's commands.

    Raises:
        AscError: it does not, or as ``project.execute``.
    """
    check(project)
    return projects.execute(project, arguments, files, outputs)


def printed(project: NetworkProject, arguments: Sequence[str], *, allowed: Sequence[int]) -> str:
    """Return what a project's image prints, if it ends with an allowed code.

    Raises:
        AscError: it ends with another, or as ``execute``.
    """
    check(project)
    return projects.printed(project, arguments, allowed=allowed)


def last_line(text: str) -> str:
    """Return the last line that an image has printed, for an error."""
    lines = [line for line in text.splitlines() if line.strip()]
    return shown(lines[-1].strip()) if lines else "nothing"
