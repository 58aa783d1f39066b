"""``asc-tiny evaluate``: accuracy and log loss of a model on a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.main import print_json
from asc_tiny.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.audio.dataset import Dataset
    from asc_tiny.train.evaluate import Figures, Metrics

_TITLES = {
    "float": "float features, float network",
    "int8": "float features rounded to int8, int8 network",
    "int8_integer_frontend": "integer front end, int8 network (as on the chip)",
}


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="TAU layout.")
@click.option(
    "--split",
    type=click.Choice(["train", "evaluate", "test"]),
    default="test",
    show_default=True,
    help="Clips to evaluate.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: Path, data: Path, split: str, as_json: bool) -> None:
    """Evaluate MODEL: a quantised .tflite file, or model.keras in the folder of its run.

    A .tflite file is evaluated twice with TensorFlow Lite Micro's kernels: on rounded float
    features, and on the codes of the integer front end that runs on the chip.
    """
    from asc_tiny.audio.dataset import Dataset

    dataset = Dataset.load(data)
    results = evaluate_file(model, dataset, split)
    if as_json:
        values = {name: result.to_json() for name, result in results.items()}
        print_json({"model": str(model), "split": split, "results": values})
        return
    for name, result in results.items():
        click.echo(table(_TITLES[name], result))


def evaluate_file(model: Path, dataset: Dataset, split: str) -> dict[str, Metrics]:
    """Evaluate a model in every arithmetic that its file can run in.

    Returns:
        By arithmetic: ``float`` for a .keras file, else ``int8`` and ``int8_integer_frontend``.

    Raises:
        AscError: another kind of file, one without front end and labels, or unfit data.
    """
    if model.suffix == ".keras":
        return _evaluate_keras(model, dataset, split)
    if model.suffix == ".tflite":
        return _evaluate_tflite(model, dataset, split)
    raise AscError(f"{model}: unknown kind of model, allowed: .keras, .tflite")


def table(title: str, result: Metrics) -> str:
    """Return the metrics as lines of text."""
    lines = [title, f"  {'':24}{'clips':>7}{'accuracy':>10}{'log loss':>10}"]
    lines += [_row("all clips", result.overall)]
    lines += [
        f"  {'macro average':24}{'':7}{result.macro_accuracy:10.4f}{result.macro_log_loss:10.4f}"
    ]
    lines += [_row(label, figures) for label, figures in result.classes.items()]
    lines += [_row(f"device {name}", figures) for name, figures in result.devices.items()]
    return "\n".join(lines)


def _row(name: str, figures: Figures) -> str:
    return f"  {name:24}{figures.clips:7}{figures.accuracy:10.4f}{figures.log_loss:10.4f}"


def _evaluate_keras(path: Path, dataset: Dataset, split: str) -> dict[str, Metrics]:
    from asc_tiny import nets
    from asc_tiny.train import evaluate
    from asc_tiny.train.run import Run

    model = nets.load(path)
    info = Run(path.parent).info()
    clips = evaluate.split(dataset, split, info.labels)
    return {"float": evaluate.evaluate_float(model, info.frontend, info.labels, clips)}


def _evaluate_tflite(path: Path, dataset: Dataset, split: str) -> dict[str, Metrics]:
    from asc_tiny.complexity import artefact
    from asc_tiny.train import evaluate

    model = artefact.load(path)
    if model.frontend is None or model.labels is None:
        raise AscError(f"{path}: has no metadata of asc-tiny, front end and labels are unknown")
    clips = evaluate.split(dataset, split, model.labels)
    return {
        name: evaluate.evaluate_int8(
            model.data, path, model.frontend, model.labels, clips, integer_front_end=integer
        )
        for name, integer in (("int8", False), ("int8_integer_frontend", True))
    }
