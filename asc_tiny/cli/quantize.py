"""``asc-tiny quantize``: turn a trained run into one int8 .tflite file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, fold_option, resample_option, warn
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.evaluation.metrics import Metrics

WORTH_FINETUNING = 0.005
"""Loss of accuracy above which the command advises fine-tuning."""


def clip_count(value: str) -> int | None:
    """Return a count of clips, 1 or more; "all" is None."""
    if value == "all":
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,9}", value):
        raise AscError(f'--calibration {value}: allowed: 1 or more, or "all"')
    return int(value)


@click.command(
    short_help="Convert a trained network to int8.",
    epilog=examples(
        "quantize run --data DATA --out model.tflite",
        "quantize model.keras --calibration inputs.npy --out model.tflite",
    ),
)
@click.argument("source", metavar="RUN|MODEL.keras", type=PATH)
@click.option("--data", type=PATH, help="RUN: data set in the TAU layout.")
@fold_option
@resample_option
@click.option("--out", required=True, type=PATH, help="The .tflite file.")
@click.option(
    "--calibration",
    metavar="N|all|PATH",
    help='RUN: clips that set the ranges, or "all"  [default: 1000]. MODEL.keras: inputs that do, '
    "a .npy or .npz file, a folder of such, or with --frontend a folder of recordings.",
)
@click.option(
    "--finetune",
    type=click.IntRange(min=0),
    default=0,
    metavar="EPOCHS",
    help="RUN: quantisation-aware epochs first, where int8 loses accuracy.",
)
@click.option("--report", type=PATH, help="RUN: JSON of the error of each layer.")
@click.option(
    "--accuracy/--no-accuracy",
    default=True,
    help="RUN: compare float and int8 on the split evaluate.",
)
@click.option(
    "--io",
    type=click.Choice(["int8", "float"]),
    default="int8",
    show_default=True,
    help="MODEL.keras: inputs and outputs of codes or of real values.",
)
@click.option(
    "--activations",
    type=click.Choice(["int8", "int16"]),
    default="int8",
    show_default=True,
    help="MODEL.keras: type of the values between layers, and of codes.",
)
@click.option("--frontend", type=PATH, help="MODEL.keras: TOML of its front end, to put inside.")
@click.option("--labels", type=PATH, help="MODEL.keras: class names, to put inside.")
@click.pass_context
def command(ctx: click.Context, /, source: Path, out: Path, **options: Any) -> None:
    """Quantise a trained network to int8.

    RUN is a folder of asc-tiny train. The file carries front end, labels and provenance; clips of
    the split "train" set the ranges.

    MODEL.keras is anybody's Keras model of any inputs and outputs. Layers of your own and lambdas
    are not run: what is not in Keras is refused.
    """
    is_keras = source.suffix == ".keras"
    given = {name for name in options if _is_given(ctx, name)}
    names = (
        ("data", "fold", "resample", "finetune", "report", "accuracy") if is_keras else _OF_KERAS
    )
    for name in names:
        if name in given:
            allowed = "a run" if is_keras else "a .keras file"
            raise AscError(f"--{name}: is for {allowed}, not for {source}")
    if is_keras:
        _quantize_keras(source, out, options)
    else:
        _quantize_run(source, out, options)


_OF_KERAS = ("io", "activations", "frontend", "labels")


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def _quantize_run(run: Path, out: Path, options: Mapping[str, Any]) -> None:
    data: Path | None = options["data"]
    if data is None:
        raise AscError("--data: is needed to quantise a run")
    calibration = clip_count(options["calibration"] or "1000")
    report: Path | None = options["report"]
    dataset = api.load_dataset(data, fold=options["fold"], resample=options["resample"])
    epochs: int = options["finetune"]
    with StepLine() as steps:
        # The converter's own output is caught while it works, so that it cannot tell how far it is.
        steps.show(f"quantizing {run}")
        api.quantize(run, dataset, out, calibration=calibration, finetune=epochs, report=report)
    say(size_line(out))
    if report is not None:
        say(f"{report}: error of each layer, worst first")
    if options["accuracy"]:
        results = accuracies(run, out, dataset)
        click.echo(accuracy_lines(results))
        if lost(results) > WORTH_FINETUNING:
            points = f"{100.0 * lost(results):.1f} points"
            say(f"int8 loses {points}: try --finetune 10, or --report for why", err=True)


def _quantize_keras(model: Path, out: Path, options: Mapping[str, Any]) -> None:
    if options["calibration"] is None:
        raise AscError("--calibration: is needed: inputs that set the ranges, .npy or a folder")
    with StepLine() as steps:
        steps.show(f"quantizing {model}")
        done = api.quantize_keras(
            model,
            out,
            options["calibration"],
            warn=warn,
            **{name: options[name] for name in _OF_KERAS},
        )
    say(f"{out}: {len(done.data)} bytes, ranges set by {done.calibration} inferences")
    for number, output in enumerate(done.outputs):
        snr = "exact" if output["snr_db"] is None else f"{output['snr_db']:.1f} dB"
        shape = "x".join(map(str, output["shape"]))
        say(
            f"output {number}, {shape}: {snr} of signal to error, error at most "
            f"{output['largest']:.3g}"
        )


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
