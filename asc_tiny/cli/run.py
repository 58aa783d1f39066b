"""``asc-tiny run``: classify an audio file on the project's board."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny import api
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    PATH,
    json_option,
    project_argument,
    read_windows,
    resample_option,
)
from asc_tiny.cli.streams import say


@click.command()
@project_argument
@click.option("--wav", type=PATH, required=True, help="Mono audio at the model's sample rate.")
@resample_option
@json_option
def command(folder: Path, wav: Path, resample: bool, as_json: bool) -> None:
    """Run the built project in DIR on an audio file: a scene with scores per window.

    Windows are clips, unless the project was generated with a --decision that lets them slide.
    The board gets samples; front end, network and decision run on it.
    """
    target = api.load_project(folder)
    decisions = api.run(target, read_windows(wav, target.windows, resample=resample))
    if as_json:
        results = [
            {"start": d.start, "label": d.label, "scores": d.scores, "smoothed": d.smoothed}
            for d in decisions
        ]
        print_json({"board": target.board.name, "wav": str(wav), "results": results})
        return
    for decision in decisions:
        ranked = sorted(decision.smoothed.items(), key=lambda item: -item[1])[:3]
        scores = ", ".join(f"{label} {score:.3f}" for label, score in ranked)
        say(f"{decision.start:7.2f} s  {decision.label:<20} {scores}")
