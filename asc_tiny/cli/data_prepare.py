"""``asc-tiny data prepare``: a checked data set from recordings as people have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, jobs_option, warn
from asc_tiny.cli.streams import note, say

LAYOUTS = ("folders", "csv", "audacity", "esc50", "esc10", "speech_commands", "dcase")


def _shares(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise click.BadParameter(f"{text!r}, must be numbers with commas between them") from None


def _columns(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, column in pairs:
        if not name or not equals or not column:
            raise click.BadParameter(f"{name!r}, must be WHAT=COLUMN")
    return {name: column for name, _, column in pairs}


def _names(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


@click.command(
    "prepare",
    short_help="Make a data set of recordings.",
    epilog=examples(
        "data prepare recordings --out DATA",
        "data prepare recordings --out DATA --seconds 2 --sample-rate 16000 --folds 5",
    ),
)
@click.argument("source", type=PATH)
@click.option("--out", required=True, type=PATH, help="Folder of the data set, new or empty.")
@click.option("--layout", type=click.Choice(LAYOUTS), help="Of SOURCE [default: found by itself].")
@click.option("--sample-rate", type=int, default=44100, show_default=True, help="Hz of the clips.")
@click.option("--seconds", type=float, default=1.0, show_default=True, help="Length of a clip.")
@click.option("--hop", type=float, help="Seconds from clip to clip [default: --seconds].")
@click.option("--short", type=click.Choice(["pad", "drop"]), default="pad", show_default=True,
              help="What becomes of recordings and regions shorter than a clip.")  # fmt: skip
@click.option("--silence", type=float, metavar="DBFS", help="Leave out clips below this level.")
@click.option("--quieter", type=float, metavar="DB",
              help="Leave out clips this far below the recording's loudest.")  # fmt: skip
@click.option("--channel", type=int, default=0, show_default=True,
              help="Channel from 1 on; 0 is the mean of all.")  # fmt: skip
@click.option("--peak", type=float, metavar="DBFS", help="Bring each recording to this peak.")
@click.option("--bits", type=click.Choice(["16", "24"]), default="16", show_default=True,
              help="Bits of a sample.")  # fmt: skip
@click.option("--format", "audio_format", type=click.Choice(["wav", "flac"]), default="wav",
              show_default=True, help="Format of the clips.")  # fmt: skip
@click.option("--split", callback=_shares, metavar="A,B[,C]",
              help="Shares of train, evaluate, test [default: its own or 70,15,15].")  # fmt: skip
@click.option("--folds", type=int, default=0, help="Number of folds instead of --split.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides between equals.")
@click.option("--cap", type=int, help="Most clips of a class to train on.")
@click.option("--classes", callback=_names, metavar="A,B,...", help="Classes to keep.")
@click.option("--others", default="", metavar="CLASS", help="Class of all other classes.")
@click.option("--group", default="", metavar="file|folder|REGEX",
              help="What must stay on one side of the split.")  # fmt: skip
@click.option("--device", default="", metavar="NAME|REGEX", help="Recording device.")
@click.option("--column", "columns", multiple=True, callback=_columns, metavar="WHAT=COLUMN",
              help="Column of a table that holds path, label, group, device, ...")  # fmt: skip
@click.option("--subset", default="", metavar="PERCENT", help="Training clips of DCASE 2024, 2025.")
@click.option("--background", default="", metavar="CLASS",
              help="Class of Speech Commands' noise [default: silence].")  # fmt: skip
@click.option("--licence", default="", help="Licence of recordings whose source gives none.")
@click.option("--skip-unreadable", is_flag=True, help="Leave out files that cannot be read.")
@jobs_option("the recordings")
def command(source: Path, out: Path, **options: Any) -> None:
    """Make a data set of the recordings in SOURCE, a folder or a table.

    Layouts: a folder for each class, a CSV table, Audacity's label tracks, ESC-50, Speech Commands,
    DCASE 2022 to 2025. Recordings (wav, flac, ogg, mp3) are cut, converted and split so that no
    recording, place or speaker is on both sides. A run that was killed is gone on with by the next
    one. The data set is checked; train reads it.
    """
    options["layout"] = options["layout"] or ""
    options["pad"] = options.pop("short") == "pad"
    options["bits"] = int(options["bits"])
    made = api.prepare_dataset(source, out, warn=warn, **options)
    left_out = {
        "silent clips": made.silent,
        "recordings or regions shorter than a clip": made.short,
        "recordings that cannot be read": made.unreadable,
    }
    for what, count in left_out.items():
        if count:
            note(f"left out: {count} {what}")
    for split, scenes in made.report.balance.items():
        counts = {name: sum(devices.values()) for name, devices in scenes.items()}
        text = ", ".join(f"{name} {count}" for name, count in counts.items())
        say(f"{split}: {sum(counts.values())} clips ({text})")
    folds = f", {made.folds} folds" if made.folds > 1 else ""
    figures = f"{made.recordings} recordings, {made.report.clips} clips{folds}"
    say(f"{out}: layout {made.layout}, {figures}")
