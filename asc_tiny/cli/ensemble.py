"""``asc-tiny ensemble``: combine models linearly, with weights fitted on the training split."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import __version__
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, data_option, json_option, resample_option
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.evaluation.fit_ensemble import Fit


@click.command()
@click.argument("members", nargs=-1, required=True, type=PATH, metavar="MEMBER.tflite...")
@data_option
@resample_option
@click.option("--out", required=True, type=PATH, help="The ensemble's .toml file.")
@json_option
def command(
    members: tuple[Path, ...], data: Path, resample: bool, out: Path, as_json: bool
) -> None:
    """Write the ensemble of quantised models that share front end and labels.

    Its scores are the weighted sum of the members' plus a bias; both are fitted on the split
    "train". Other commands take the file as MODEL, the members staying where they are.
    """
    from asc_tiny.audio.dataset import Dataset
    from asc_tiny.evaluation import fit_ensemble
    from asc_tiny.model import model_file
    from asc_tiny.model.ensemble import SUFFIX, member_of, to_toml
    from asc_tiny.util.files import write_text

    if len(members) < 2:
        raise AscError(f"{members[0]}: an ensemble needs 2 members or more")
    if out.suffix != SUFFIX:
        raise AscError(f"--out {out}: must end in {SUFFIX}")
    for path in members:
        if not str(path).isprintable():
            raise AscError(f"{path}: an ensemble's file cannot hold this name; rename the member")
    loaded = [member_of(model_file.load(path), weight=1.0, name=path.stem) for path in members]
    dataset = Dataset.load(data, resample=resample)
    fit = fit_ensemble.fit(out, loaded, dataset)
    ensemble = fit.ensemble
    paths = [Path(os.path.relpath(path.resolve(), out.parent.resolve())) for path in members]
    source: dict[str, str | int | float] = {
        "tool_version": __version__,
        "dataset_fingerprint": dataset.fingerprint(),
        "split": fit_ensemble.SPLIT,
        "clips": fit.clips,
        "log_loss": round(fit.rows[-1].log_loss, 6),
    }
    relative = [path.as_posix() for path in paths]
    write_text(out, to_toml(ensemble.members, ensemble.bias, relative, fit=source))
    if as_json:
        rows = [vars(row) for row in fit.rows]
        print_json({"path": str(out), "bias": ensemble.bias[0], "fit": source, "scores": rows})
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
