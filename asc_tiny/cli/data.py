"""``asc-tiny data``: make, validate and synthesize data sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from asc_tiny import api
from asc_tiny.cli import data_prepare
from asc_tiny.cli.help_text import Group, examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, fold_option, resample_option
from asc_tiny.cli.streams import note, say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.audio.check import Report

_EXAMPLES = 3

RATE_HELP = "Samples per second; clips last one second."


@click.group(
    cls=Group,
    short_help="Make and check data sets.",
    epilog=examples("data prepare recordings --out DATA", "data check DATA"),
)
def command() -> None:
    """Datasets in the layout of TAU Urban Acoustic Scenes 2022 Mobile."""


@command.command(
    "check", short_help="Check a data set.", epilog=examples("data check DATA --recipe recipe.toml")
)
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--recipe", type=PATH, help="Check what train needs for this recipe.")
@click.option("--sample-rate", type=click.IntRange(1), help=RATE_HELP)
@fold_option
@resample_option
@click.option("--all", "show_all", is_flag=True, help="Show every finding, not three of a kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check_command(
    ctx: click.Context,
    folder: Path,
    recipe: Path | None,
    sample_rate: int | None,
    fold: int,
    resample: bool,
    show_all: bool,
    as_json: bool,
) -> None:
    """Validate files, format, fold and labels; print the class balance.

    Sample rate and length of the clips are those of --recipe, a second at --sample-rate, or those
    that data prepare has written down; else a second at 44100 Hz.
    Findings are shown by kind.

    Exit code 1 when something is wrong, 2 when DIR is not a dataset.
    """
    if recipe is not None and sample_rate is not None:
        raise click.UsageError("--recipe has the sample rate, leave --sample-rate out")
    report = api.check_dataset(
        folder, recipe=recipe, sample_rate=sample_rate, fold=fold, resample=resample
    )
    if as_json:
        _print_report_json(folder, report)
    else:
        _print_report(report, None if show_all else _EXAMPLES)
    ctx.exit(0 if report.passed else 1)


@command.command(
    "synth",
    short_help="Make a small data set of tones and noise.",
    epilog=examples("data synth DATA"),
)
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds, equal bytes.")
@click.option("--classes", type=int, default=3, show_default=True, help="Scenes, 2 to 12.")
@click.option("--clips", type=int, default=16, show_default=True, help="Clips of each scene.")
@click.option("--sample-rate", type=int, default=44100, show_default=True, help=RATE_HELP)
@click.option("--factory", is_flag=True, help="Long recordings of machines, for data prepare.")
@click.pass_context
def synth_command(
    ctx: click.Context,
    folder: Path,
    seed: int,
    classes: int,
    clips: int,
    sample_rate: int,
    factory: bool,
) -> None:
    """Write a small synthetic dataset to DIR, which must be new or empty.

    With --factory these are recordings of four machines (fan, pump, valve, idle) in six halls, a
    folder for each, of which data prepare makes a data set.
    """
    from asc_tiny.audio.factory import write_factory
    from asc_tiny.audio.synth import write_synthetic
    from asc_tiny.util.files import replacing_folder

    _check_empty(folder)
    if factory:
        for name in ("classes", "clips"):
            if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
                raise click.UsageError(f"--{name} means nothing with --factory, leave it out")
        with replacing_folder(folder) as temporary:
            count = write_factory(temporary, seed=seed, sample_rate=sample_rate)
        note(f"{folder}: {count} recordings")
        return
    with replacing_folder(folder) as temporary:
        write_synthetic(
            temporary, seed=seed, classes=classes, clips_per_class=clips, sample_rate=sample_rate
        )
    note(f"{folder}: {classes} scenes, {classes * clips} clips")


@command.command(
    "responses",
    short_help="Write impulse responses of devices and rooms.",
    epilog=examples("data responses --out responses"),
)
@click.option("--out", required=True, type=PATH, help="Folder to write, new or empty.")
def responses_command(out: Path) -> None:
    """Write impulse responses of small microphones and of rooms, made by this package.

    A recipe takes those of microphones by responses = "builtin" without a folder, too.
    """
    from asc_tiny.audio import responses
    from asc_tiny.util.files import replacing_folder

    _check_empty(out)
    with replacing_folder(out) as temporary:
        count = responses.write(temporary)
    say(f"{out}: {count} impulse responses at {responses.RATE} Hz")


command.add_command(data_prepare.command)


def _check_empty(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise AscError(f"{folder}: is not empty, a new or empty folder is needed")


def _print_report(report: Report, examples: int | None) -> None:
    """Print findings, ``examples`` of a kind or all, and the class balance."""
    from asc_tiny.audio.check import grouped

    for group in grouped(report.findings):
        say(f"{group.kind}: {len(group.findings)}")
        for finding in group.findings[:examples]:
            say(f"  {finding}")
        more = len(group.findings[examples:]) if examples else 0
        if more:
            say(f"  and {more} more; --all shows them")
    say(f"{report.clips} clips, {len(report.findings)} findings")
    click.echo()
    _print_table("scene", {split: report.scenes(split) for split in report.balance})
    click.echo()
    _print_table("device", {split: report.devices(split) for split in report.balance})


def _print_table(title: str, columns: Mapping[str, Mapping[str, int]]) -> None:
    names = sorted({name for counts in columns.values() for name in counts})
    width = max(len(name) for name in (title, "total", *names))

    def line(name: str, values: Iterable[object]) -> None:
        say(f"{name:<{width}}" + "".join(f"{value:>10}" for value in values))

    line(title, columns)
    for name in names:
        line(name, [counts.get(name, 0) for counts in columns.values()])
    line("total", [sum(counts.values()) for counts in columns.values()])


def _print_report_json(folder: Path, report: Report) -> None:
    findings = [
        {
            "file": finding.file,
            "line": finding.line,
            "message": finding.message,
            "kind": finding.kind,
        }
        for finding in report.findings
    ]
    splits = {
        split: {"scenes": report.scenes(split), "devices": report.devices(split)}
        for split in report.balance
    }
    print_json(
        {
            "path": str(folder),
            "passed": report.passed,
            "clips": report.clips,
            "findings": findings,
            "splits": splits,
            "balance": report.balance,
        }
    )
