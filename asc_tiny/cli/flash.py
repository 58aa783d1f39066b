"""``asc-tiny flash``: a built project onto its board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, resample_option
from asc_tiny.cli.streams import note, say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.frontend.arrays import Samples
    from asc_tiny.targets.build.project import NetworkProject, Project
    from asc_tiny.targets.flashing.job import Job

_BLOCK_S = 0.05
_OF_BOARDS = ("image", "probe", "port")
_OF_EMULATED = ("tcp", "wavs", "resample")
"""Parameters of the command that are for boards to write to, and for emulated classifiers."""


@click.command(
    short_help="Write a built project to its board.",
    epilog=examples("flash firmware", "flash firmware --dry-run"),
)
@click.argument("folder", metavar="[DIR]", type=PATH, required=False)
@click.option(
    "--board", help="Without DIR: the board, or a .toml file, that --image is written to."
)
@click.option("--image", type=PATH, help="Another image than the project's tool has built.")
@click.option("--probe", help="Id of the debug probe, or path of the board's volume.")
@click.option("--port", help="Serial port, where the board is flashed through it.")
@click.option("--dry-run", is_flag=True, help="Print what would be done.")
@click.option("--tcp", type=click.IntRange(1, 65535), help="Port of an emulated board's line.")
@click.option(
    "--wav",
    "wavs",
    type=PATH,
    multiple=True,
    help="What an emulated board's microphone hears, again and again; may be given several times.",
)
@resample_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    folder: Path | None,
    board: str | None,
    image: Path | None,
    probe: str | None,
    port: str | None,
    dry_run: bool,
    tcp: int | None,
    wavs: Sequence[Path],
    resample: bool,
) -> None:
    """Write the built project in DIR to its board, by the tool that its kind or board wants.

    Without DIR the --image of any program is written to a --board.

    An emulated board is switched on instead and stays on until it is interrupted. It prints where
    its serial line is, for monitor, verify and bench. With a network alone it runs the golden
    inputs, as other boards do, and ends.
    """
    if folder is None:
        _refuse(ctx, _OF_EMULATED, "is for an emulated board's project, give its DIR")
        _report(_image_job(board, image, probe, port), str(board), dry_run)
        return
    _refuse(ctx, ("board",), f"the project in {folder} names its board")
    from asc_tiny.projects import manifest_reader

    found = manifest_reader.read(folder)
    if found.kind == "cmake" and found.board.machine:
        _refuse(ctx, _OF_BOARDS, f"board {found.board.name} is emulated, nothing is written to it")
        project = api.load_project(folder)
        if isinstance(project, api.Project):
            _switch_on(project, tcp, wavs, resample, dry_run)
        else:
            _refuse(
                ctx, _OF_EMULATED, f"{folder} holds a network alone, which runs its golden inputs"
            )
            _run_golden(project, dry_run)
        return
    _refuse(ctx, _OF_EMULATED, f"is for emulated boards, {found.board.name} is written to")
    from asc_tiny.targets.flashing import choose

    job = choose.of_project(found, image=image, probe=probe, port=port)
    _report(job, found.board.name, dry_run)


def _image_job(board: str | None, image: Path | None, probe: str | None, port: str | None) -> Job:
    """Return what writes an image of no project.

    Raises:
        AscError: board or image is not given, or as ``choose.of_image``.
    """
    if board is None or image is None:
        raise AscError("give the DIR of a project, or --board and --image")
    from asc_tiny.targets.flashing import choose

    return choose.of_file(image, api.load_board(board), probe=probe, port=port)


def _report(job: Job, board: str, dry_run: bool) -> None:
    """Tell what is done, and do it unless it is a dry run."""
    for step in job.steps:
        say(step)
    if not dry_run:
        _run(job)
        say(f"flashed {board}")


def _refuse(ctx: click.Context, names: Sequence[str], reason: str) -> None:
    """Refuse options that would change nothing."""
    for option in ctx.command.params:
        if option.name in names and ctx.params[option.name]:
            raise AscError(f"{option.opts[0]}: {reason}")


def _run(job: Job) -> None:
    from asc_tiny.util import progress

    with progress.bar(100, "flash", "%", stays=True) as bar:
        job.run(lambda share: bar.update(round(100 * share) - bar.n))


def _switch_on(
    target: Project, tcp: int | None, wavs: Sequence[Path], resample: bool, dry_run: bool
) -> None:
    from asc_tiny.targets.device import emulator

    if dry_run:
        say(f"switch on {target.board.name} with {target.image}")
        return
    microphone = _samples(target, wavs, resample) if wavs else None

    def started(line: str) -> None:
        say(f"{target.board.name} is on; its serial line is {line}")
        note("interrupt to switch it off")

    emulator.stay_on(target, started, port=tcp, microphone=microphone)


def _run_golden(target: NetworkProject, dry_run: bool) -> None:
    from asc_tiny.targets.image import network_image

    if dry_run:
        say(f"switch on {target.board.name} with {target.image}")
        return
    results = network_image.golden(target)
    for each in results:
        say(f"{each.result:<10} golden input {each.name}: {each.instructions:,} instructions")
    if any(each.result == "FAILED" for each in results):
        raise AscError(f"{target.board.name}: a golden input has other outputs than it must have")


def _samples(target: Project, wavs: Sequence[Path], resample: bool) -> Iterator[Samples]:
    from asc_tiny.audio.clips import clip_info, stream_pcm

    config = target.frontend
    # What is wrong with a file is told before the board is switched on.
    for wav in wavs:
        info = clip_info(wav)
        if info.rate != config.sample_rate and not resample:
            raise AscError(
                f"{wav}: {info.rate} Hz, the model needs {config.sample_rate} Hz; use --resample"
            )

    def blocks(wav: Path) -> Iterator[Samples]:
        block = int(_BLOCK_S * config.sample_rate)
        bits = config.sample_bits
        return stream_pcm(wav, config.sample_rate, block=block, bits=bits, resample=resample)

    return (samples for wav in cycle(wavs) for samples in blocks(wav))
