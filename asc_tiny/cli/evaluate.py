"""``asc-tiny evaluate``: accuracy and log loss of systems on a split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    PATH,
    data_option,
    fold_option,
    jobs_option,
    ray_option,
    resample_option,
)
from asc_tiny.cli.streams import note

if TYPE_CHECKING:
    from asc_tiny.evaluation.evaluate import Evaluation
    from asc_tiny.evaluation.stream import StreamEvaluation


@click.command(
    short_help="Measure accuracy, float and int8, on clips or recordings.",
    epilog=examples(
        "evaluate model.tflite --data DATA --html report",
        "evaluate run/model.keras model.tflite --data DATA",
    ),
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", type=PATH)
@data_option
@fold_option
@resample_option
@click.option(
    "--split",
    type=click.Choice(["train", "evaluate", "test"]),
    default="test",
    show_default=True,
    help="Clips to evaluate.",
)
@click.option("--stream", is_flag=True, help="Decide about the split as one stream of recordings.")
@click.option("--decision", type=PATH, help="TOML of windows, smoothing and threshold.")
@click.option("--table", "as_table", is_flag=True, help="Print a Markdown table, a row a system.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", type=PATH, metavar="REPORT.html", help="Write a report with plots, too.")
@click.option(
    "--details",
    type=PATH,
    metavar="DIR",
    help="Write scores per clip, recordings, errors, calibration and a DCASE submission, too.",
)
@jobs_option("the clips or windows for .tflite files")
@ray_option
def command(
    models: tuple[Path, ...],
    data: Path,
    fold: int,
    resample: bool,
    split: str,
    stream: bool,
    decision: Path | None,
    as_table: bool,
    as_json: bool,
    html: Path | None,
    details: Path | None,
    jobs: int,
    ray: str | None,
) -> None:
    """Evaluate MODELs: .tflite files, ensembles (.toml), model.keras in the folder of its run.

    A .tflite file is evaluated twice with TensorFlow Lite Micro's kernels: on rounded float
    features, and on the codes of the integer front end that runs on the chip. It is int8, but for
    conversions at its ends, which are left out. The model.keras that it was made from, when given
    too, adds the float figures.

    With --stream, the recordings are joined to one stream, and the int8 models decide about its
    windows as on the chip; --decision says how, as for generate.

    Intervals are of 95 %, by the bootstrap over recordings. What a killed evaluation of .tflite
    files has done is gone on with by the next one of the same files.
    """
    from asc_tiny.evaluation import tables

    if as_table and as_json:
        raise click.UsageError("--table and --json exclude each other")
    if decision and not stream:
        raise click.UsageError("--decision needs --stream")
    if stream:
        if as_table or html or details:
            raise click.UsageError("--stream does not go with --table, --html and --details")
        dataset = api.load_dataset(data, fold=fold, resample=resample)
        found = api.evaluate_stream(
            models, dataset, split=split, decision=decision, jobs=jobs, ray=ray
        )
        _print_streams(found, split, as_json)
        return
    dataset = api.load_dataset(data, fold=fold, resample=resample)
    evaluations = api.evaluate(models, dataset, split=split, jobs=jobs, ray=ray)
    if details:
        _write_details(evaluations, details)
    if html:
        from asc_tiny.evaluation.report import render
        from asc_tiny.util.files import write_text

        write_text(html, render(evaluations, split))
    if as_json:
        print_json(document(evaluations, split))
    elif as_table:
        click.echo(tables.systems_table(evaluations))
    else:
        click.echo("\n\n".join(tables.system_table(each, split) for each in evaluations))


def _write_details(evaluations: Sequence[Evaluation], root: Path) -> None:
    """Write the files of each system; several have a folder each, by name."""
    from asc_tiny.evaluation import details, tables

    for number, (name, each) in enumerate(zip(tables.names(evaluations), evaluations, strict=True)):
        folder = root / f"{number + 1}-{Path(name).stem}" if len(evaluations) > 1 else root
        error = details.write(folder, each.scores, each.clips, each.system.labels)
        note(f"{folder}: scores of {len(each.clips)} clips, calibration error {error:.4f}")


def _print_streams(evaluations: Sequence[StreamEvaluation], split: str, as_json: bool) -> None:
    from asc_tiny.evaluation import tables

    if as_json:
        print_json(document(evaluations, split))
    else:
        click.echo("\n\n".join(tables.stream_table(each, split) for each in evaluations))


def document(evaluations: Sequence[Evaluation | StreamEvaluation], split: str) -> dict[str, Any]:
    """Return the JSON document: the keys of one system on top, several as ``systems``."""
    from asc_tiny.evaluation.bootstrap import DRAWS, LEVEL, SEED

    described = [evaluation.to_json() for evaluation in evaluations]
    bootstrap = {"over": "recordings", "level": LEVEL, "draws": DRAWS, "seed": SEED}
    top = described[0] if len(described) == 1 else {"systems": described}
    return {"split": split, "bootstrap": bootstrap, **top}
