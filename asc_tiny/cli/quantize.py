"""``asc-tiny quantize``: turn a trained run into one int8 .tflite file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.options import PATH, data_option, resample_option
from asc_tiny.cli.streams import say

if TYPE_CHECKING:
    from asc_tiny.evaluation.metrics import Metrics

WORTH_FINETUNING = 0.005
"""Loss of accuracy above which the command advises fine-tuning."""


def clip_count(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """Return a count of clips, 1 or more; "all" is None."""
    if value == "all":
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,9}", value):
        raise click.BadParameter(f'{value!r}, allowed: 1 or more, or "all"', ctx, param)
    return int(value)


@click.command()
@click.argument("run", type=PATH)
@data_option
@resample_option
@click.option("--out", required=True, type=PATH, help="The .tflite file.")
@click.option(
    "--calibration",
    callback=clip_count,
    metavar="N|all",
    default="1000",
    show_default=True,
    help='Clips that set the ranges, or "all".',
)
@click.option(
    "--finetune",
    type=click.IntRange(min=0),
    default=0,
    metavar="EPOCHS",
    help="Quantisation-aware epochs first, where int8 loses accuracy.",
)
@click.option("--report", type=PATH, help="JSON: the error of each layer.")
@click.option(
    "--accuracy/--no-accuracy",
    default=True,
    help="Compare float and int8 on the split evaluate.",
)
def command(
    run: Path,
    data: Path,
    resample: bool,
    out: Path,
    calibration: int | None,
    finetune: int,
    report: Path | None,
    accuracy: bool,
) -> None:
    """Quantise the model of RUN to int8, with front end, labels and provenance inside.

    Clips of the split "train" set the ranges.
    """
    dataset = api.load_dataset(data, resample=resample)
    api.quantize(run, dataset, out, calibration=calibration, finetune=finetune, report=report)
    say(size_line(out))
    if report is not None:
        say(f"{report}: error of each layer, worst first")
    if accuracy:
        results = accuracies(run, out, dataset)
        click.echo(accuracy_lines(results))
        if lost(results) > WORTH_FINETUNING:
            points = f"{100.0 * lost(results):.1f} points"
            say(f"int8 loses {points}: try --finetune 10, or --report for why", err=True)


def size_line(path: Path) -> str:
    """Return a line with the size of a quantised model, its input scale and its arena."""
    from asc_tiny.tflm.interpreter import Interpreter
    from asc_tiny.util.files import read_bytes

    data = read_bytes(path)
    interpreter = Interpreter(data, path)
    quantization = interpreter.input_quantization
    return (
        f"{path}: {len(data)} bytes, input scale {quantization.scale:.6g} zero point "
        f"{quantization.zero_point}, TFLM arena on this host {interpreter.arena_bytes} bytes"
    )


def accuracies(run: Path, quantized: Path, dataset: api.Dataset) -> dict[str, Metrics]:
    """Evaluate a run and its quantised model on the split evaluate, in every arithmetic."""
    [found] = api.evaluate([run / "model.keras", quantized], dataset, split="evaluate")
    return found.results


def lost(results: Mapping[str, Metrics]) -> float:
    """Return the accuracy that int8 loses against float, a share of 1."""
    return results["float"].overall.accuracy - results["int8"].overall.accuracy


def accuracy_lines(results: Mapping[str, Metrics]) -> str:
    """Return accuracy and log loss as lines of text."""
    lines = [f"{'split evaluate':24}{'accuracy':>10}{'log loss':>10}"]
    for name, result in results.items():
        lines.append(f"{name:24}{result.overall.accuracy:10.4f}{result.overall.log_loss:10.4f}")
    return "\n".join(lines)
