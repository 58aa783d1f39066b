"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.decision.windows import Windows
    from asc_tiny.frontend.arrays import Samples
    from asc_tiny.frontend.config import FrontEndConfig
    from asc_tiny.targets.build.project import Project

_Command = TypeVar("_Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

project_argument = click.argument("folder", metavar="DIR", type=PATH)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
resample_option = click.option(
    "--resample", is_flag=True, help="Convert audio of another sample rate."
)

frontend_option = click.option(
    "--frontend", type=PATH, help="TOML of the front end, for a file without metadata."
)
labels_option = click.option(
    "--labels", type=PATH, help="Class names, a line each, for a file without metadata."
)
data_option = click.option("--data", required=True, type=PATH, help="Data set in the TAU layout.")
fold_option = click.option(
    "--fold", type=click.IntRange(1), default=1, show_default=True, help="Fold of the data set."
)

ray_option = click.option(
    "--ray", metavar="ADDRESS", help="Share them on the computers of a Ray cluster."
)


def jobs_option(what: str) -> Callable[[_Command], _Command]:
    """Return the option for the number of processes; ``what`` says what these share."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help=f"Processes that share {what}.",
    )


def warn(line: str) -> None:
    """Print what is doubtful about an input."""
    say(f"warning: {line}", err=True)


baud_option = click.option(
    "--baud", type=click.IntRange(1), default=115200, show_default=True, help="Speed of the port."
)
signals_option = click.option(
    "--signals",
    type=click.Choice(["both", "dtr", "rts", "none"]),
    default="both",
    show_default=True,
    help="Modem signals that are on while a serial port is open; some boards start with none.",
)


def port_option(*, required: bool = False) -> Callable[[_Command], _Command]:
    """Return the option that names a board's line."""
    return click.option(
        "--port",
        required=required,
        help="Serial port of the board, or socket://HOST:PORT of an emulated one.",
    )


def load_classifier(folder: Path) -> Project:
    """Read a project of a classifier.

    Raises:
        AscError: the folder holds none; one of a network alone is told.
    """
    from asc_tiny import api

    project = api.load_project(folder)
    if not isinstance(project, api.Project):
        raise AscError(
            f"{folder}: holds a network alone, which hears nothing; asc-tiny attach puts front end "
            "and labels into a model, run and verify take --input FILE.npy"
        )
    return project


def read_clips(path: Path, config: FrontEndConfig, *, resample: bool) -> Sequence[Samples]:
    """Read an audio file and cut it into whole clips; what is left at the end is dropped.

    Raises:
        AscError: the file cannot be used, or is shorter than a clip.
    """
    from asc_tiny.audio.clips import read_pcm

    rate, bits = config.sample_rate, config.sample_bits
    pcm = read_pcm(path, rate, bits=bits, resample=resample, warn=warn)
    count = len(pcm) // config.clip_samples
    if count == 0:
        raise _too_short(path, pcm, config.clip_samples, config)
    _report_left(path, len(pcm) - count * config.clip_samples, "clip")
    return list(pcm[: count * config.clip_samples].reshape(count, config.clip_samples))


def read_windows(path: Path, windows: Windows, *, resample: bool) -> Samples:
    """Read an audio file up to the end of its last window; what is left is dropped.

    Returns:
        Samples, shape (samples,).

    Raises:
        AscError: the file cannot be used, or is shorter than a window.
    """
    from asc_tiny.audio.clips import read_pcm

    config = windows.frontend
    rate, bits = config.sample_rate, config.sample_bits
    pcm = read_pcm(path, rate, bits=bits, resample=resample, warn=warn)
    count = windows.count(len(pcm))
    if count == 0:
        raise _too_short(path, pcm, windows.end(0), windows.frontend)
    used = windows.end(count - 1)
    _report_left(path, len(pcm) - used, "window")
    return pcm[:used]


def _too_short(path: Path, pcm: Samples, needed: int, config: FrontEndConfig) -> AscError:
    return AscError(
        f"{path}: {len(pcm)} samples, at least {needed} are needed "
        f"({needed / config.sample_rate:g} s)"
    )


def _report_left(path: Path, samples: int, what: str) -> None:
    if samples:
        say(f"{path}: the last {samples} samples fill no {what} and are left out", err=True)
