"""``asc-tiny verify``: the board against the references, bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    PATH,
    baud_option,
    json_option,
    port_option,
    project_argument,
    read_clips,
    resample_option,
)
from asc_tiny.cli.streams import say

if TYPE_CHECKING:
    pass


@click.command()
@project_argument
@click.option("--wav", "wavs", type=PATH, multiple=True, help="Audio to use besides golden clips.")
@resample_option
@port_option()
@baud_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path,
    wavs: Sequence[Path],
    resample: bool,
    port: str | None,
    baud: int,
    as_json: bool,
) -> None:
    """Compare the built project in DIR, on its board, with the references on this machine.

    Features must equal the project's golden vectors, those of --wav the integer model's. Scores
    must equal TensorFlow Lite Micro's if the package tflite-micro is installed, else those of the
    C code (runtime aot) built for this computer. With --port the clips go to a board on a line,
    through the serial protocol.
    Exit code 3 when anything differs.
    """
    target = api.load_project(folder)
    clips = {
        f"{wav}:{i}": clip
        for wav in wavs
        for i, clip in enumerate(read_clips(wav, target.frontend, resample=resample))
    }
    result = api.verify(target, clips, port=port, baud=baud)
    if as_json:
        rows = [{**vars(clip), "passed": clip.passed} for clip in result.clips]
        print_json(
            {
                "board": target.board.name,
                "reference": result.reference,
                "passed": result.passed,
                "selftest": result.selftest,
                "clips": rows,
            }
        )
    else:
        for clip in result.clips:
            say(
                f"{'same' if clip.passed else 'DIFFERENT':<10} {clip.name}: "
                f"{clip.feature_mismatches} features and {clip.score_mismatches} scores differ"
            )
        if result.selftest is not None:
            say(f"the firmware's test of itself: {result.selftest}")
        where = target.board.name if port is None else port
        say(f"{len(result.clips)} clips on {where} against {result.reference}")
    ctx.exit(0 if result.passed else 3)
