"""``asc-tiny flash``: a built project onto its board."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.options import PATH, project_argument, resample_option
from asc_tiny.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.frontend.reference import Samples
    from asc_tiny.targets.project import Project

_BLOCK_S = 0.05


@click.command()
@project_argument
@click.option("--tcp", type=click.IntRange(1, 65535), help="Port of the emulated board's line.")
@click.option("--wav", type=PATH, help="What the emulated board's microphone hears.")
@resample_option
def command(folder: Path, tcp: int | None, wav: Path | None, resample: bool) -> None:
    """Load the built project in DIR onto its board.

    An emulated board is switched on and stays on until it is interrupted. It prints where its
    serial line is, for monitor, verify and bench.
    """
    from asc_tiny.targets import project
    from asc_tiny.targets.device import emulator

    target = project.load(folder)
    if not target.board.machine:
        raise AscError(f"{folder}: board {target.board.name} runs on this computer; use run")
    microphone = _samples(target, wav, resample) if wav else None
    with emulator.switched_on(target, port=tcp, microphone=microphone) as line:
        click.echo(f"{target.board.name} is on; its serial line is {line}")
        click.echo("interrupt to switch it off", err=True)
        while True:
            time.sleep(1.0)


def _samples(target: Project, wav: Path, resample: bool) -> Iterator[Samples]:
    from asc_tiny.audio.clips import clip_info, stream_pcm

    # What is wrong with the file is told before the board is switched on.
    clip_info(wav)
    config = target.frontend
    return stream_pcm(
        wav,
        config.sample_rate,
        block=int(_BLOCK_S * config.sample_rate),
        bits=config.sample_bits,
        resample=resample,
    )
