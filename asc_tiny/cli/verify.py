"""``asc-tiny verify``: the board against the references, bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    PATH,
    baud_option,
    device_on,
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
    from asc_tiny.firmware.golden import read_golden
    from asc_tiny.targets.build import project
    from asc_tiny.targets.device.checks import check_identity, computation
    from asc_tiny.targets.image.reference import network as scores_of
    from asc_tiny.targets.image.verify import verify

    target = project.load(folder)
    clips, golden = read_golden(target.folder, target.frontend, target.feature_shape)
    for wav in wavs:
        for i, clip in enumerate(read_clips(wav, target.frontend, resample=resample)):
            clips[f"{wav}:{i}"] = clip
    reference, network = scores_of(target, clips)
    selftest = None
    if port is None:
        results = verify(target, clips, network, golden)
    else:
        with device_on(port, baud) as device:
            check_identity(device, target)
            selftest = device.selftest()
            results = verify(target, clips, network, golden, computation(device))
    passed = all(result.passed for result in results) and selftest in (None, "passed")
    if as_json:
        rows = [{**vars(result), "passed": result.passed} for result in results]
        print_json(
            {
                "board": target.board.name,
                "reference": reference,
                "passed": passed,
                "selftest": selftest,
                "clips": rows,
            }
        )
    else:
        for result in results:
            say(
                f"{'same' if result.passed else 'DIFFERENT':<10} {result.name}: "
                f"{result.feature_mismatches} features and {result.score_mismatches} scores differ"
            )
        if selftest is not None:
            say(f"the firmware's test of itself: {selftest}")
        where = target.board.name if port is None else port
        say(f"{len(results)} clips on {where} against {reference}")
    ctx.exit(0 if passed else 3)
