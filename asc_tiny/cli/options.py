"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.frontend.config import FrontEndConfig
    from asc_tiny.frontend.reference import Samples

PATH = click.Path(path_type=Path)

project_argument = click.argument("folder", metavar="DIR", type=PATH)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
resample_option = click.option(
    "--resample", is_flag=True, help="Convert audio of another sample rate."
)


def read_clips(path: Path, config: FrontEndConfig, *, resample: bool) -> Sequence[Samples]:
    """Read an audio file and cut it into whole clips; what is left at the end is dropped.

    Raises:
        AscError: the file cannot be used, or is shorter than a clip.
    """
    from asc_tiny.audio.clips import read_pcm

    pcm = read_pcm(path, config.sample_rate, bits=config.sample_bits, resample=resample)
    count = len(pcm) // config.clip_samples
    if count == 0:
        raise AscError(
            f"{path}: {len(pcm)} samples, at least {config.clip_samples} are needed "
            f"({config.clip_samples / config.sample_rate:g} s)"
        )
    left = len(pcm) - count * config.clip_samples
    if left:
        click.echo(f"{path}: the last {left} samples fill no clip and are left out", err=True)
    return list(pcm[: count * config.clip_samples].reshape(count, config.clip_samples))
