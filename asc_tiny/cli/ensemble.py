"""``asc-tiny ensemble``: combine models linearly, with weights fitted on the training split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, data_option, fold_option, json_option, resample_option

if TYPE_CHECKING:
    from asc_tiny.evaluation.fit_ensemble import Fit


@click.command(
    short_help="Make one model of several quantised ones.",
    epilog=examples("ensemble a.tflite b.tflite --data DATA --out ensemble.toml"),
)
@click.argument("members", nargs=-1, required=True, type=PATH, metavar="MEMBER.tflite...")
@data_option
@fold_option
@resample_option
@click.option("--out", required=True, type=PATH, help="The ensemble's .toml file.")
@json_option
def command(
    members: tuple[Path, ...], data: Path, fold: int, resample: bool, out: Path, as_json: bool
) -> None:
    """Write the ensemble of quantised models that share front end and labels.

    Its scores are the weighted sum of the members' plus a bias; both are fitted on the split
    "train". Other commands take the file as MODEL, the members staying where they are.
    """
    done = api.fit_ensemble(members, api.load_dataset(data, fold=fold, resample=resample), out)
    fit = done.fit
    if as_json:
        rows = [vars(row) for row in fit.rows]
        bias = fit.ensemble.bias[0]
        print_json({"path": str(out), "bias": bias, "fit": dict(done.source), "scores": rows})
    else:
        click.echo(table(fit))


def table(fit: Fit) -> str:
    """Return weights, log loss and accuracy on the clips of the fit as lines of text."""
    width = max(len(row.name) for row in fit.rows) + 2
    head = f"{fit.clips} clips of the split train"
    lines = [head, f"  {'':{width}}{'weight':>10}{'log loss':>10}{'accuracy':>10}"]
    for row in fit.rows:
        weight = "" if row.weight is None else f"{row.weight:.6f}"
        lines.append(f"  {row.name:{width}}{weight:>10}{row.log_loss:10.4f}{row.accuracy:10.4f}")
    return "\n".join([*lines, f"  bias {fit.ensemble.bias[0]:.6f}"])
