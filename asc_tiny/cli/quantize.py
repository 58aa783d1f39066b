"""``asc-tiny quantize``: turn a trained run into one int8 .tflite file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from asc_tiny.audio.dataset import Dataset
    from asc_tiny.train.run import Run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="TAU layout.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The .tflite file.")
@click.option("--report/--no-report", default=True, help="Accuracy on the split evaluate.")
def command(run: Path, data: Path, out: Path, report: bool) -> None:
    """Quantise the model of RUN to int8, with front end, labels and provenance inside.

    Clips of the split "train" set the ranges. The report compares float and int8 on the split
    "evaluate".
    """
    from asc_tiny.audio.dataset import Dataset
    from asc_tiny.files import write_bytes
    from asc_tiny.nets import require_tensorflow

    require_tensorflow()
    from asc_tiny.compress.from_run import quantise_run
    from asc_tiny.train.run import Run

    source, dataset = Run(run), Dataset.load(data)
    write_bytes(out, quantise_run(source, dataset))
    click.echo(size_line(out))
    if report:
        click.echo(accuracy_lines(source, out, dataset))


def size_line(path: Path) -> str:
    """Return a line with the size of a quantised model, its input scale and its arena."""
    from asc_tiny.compress.tflm import Interpreter
    from asc_tiny.files import read_bytes

    data = read_bytes(path)
    interpreter = Interpreter(data, path)
    quantisation = interpreter.input_quantisation
    return (
        f"{path}: {len(data)} bytes, input scale {quantisation.scale:.6g} zero point "
        f"{quantisation.zero_point}, TFLM arena on this host {interpreter.arena_bytes} bytes"
    )


def accuracy_lines(run: Run, quantised: Path, dataset: Dataset) -> str:
    """Return accuracy and log loss of a run and its quantised model on the split evaluate."""
    from asc_tiny.cli.evaluate import evaluate_file

    results = evaluate_file(run.model_path, dataset, "evaluate")
    results.update(evaluate_file(quantised, dataset, "evaluate"))
    lines = [f"{'split evaluate':24}{'accuracy':>10}{'log loss':>10}"]
    for name, result in results.items():
        lines.append(f"{name:24}{result.overall.accuracy:10.4f}{result.overall.log_loss:10.4f}")
    return "\n".join(lines)
