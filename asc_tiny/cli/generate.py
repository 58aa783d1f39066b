"""``asc-tiny generate``: firmware source from a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from asc_tiny.cli.options import PATH, frontend_option, labels_option
from asc_tiny.cli.streams import say
from asc_tiny.projects import registry


@click.command()
@click.argument("model", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder to write to.")
@click.option("--runtime", type=click.Choice(["aot", "tflm"]), default="aot", show_default=True)
@click.option(
    "--project",
    type=click.Choice(registry.NAMES),
    default=registry.DEFAULT,
    show_default=True,
    help="A whole project, or just the sources to drop into one.",
)
@click.option(
    "--board", help="One of asc-tiny boards, or a .toml file; else the kind of project decides."
)
@click.option(
    "--resample",
    is_flag=True,
    help="Add a resampler if the board's microphone cannot give the model's sample rate.",
)
@click.option(
    "--schedule",
    type=click.Choice(["rows", "layers", "time"]),
    help="Rows of all layers in turn; layer by layer; or columns as the front end delivers them, "
    "with the work spread over the clip. Default: what takes least memory of rows and layers.",
)
@click.option(
    "--max-ram",
    metavar="BYTES",
    help="The cheapest plan of the network whose arena is within it (K is 1000, Ki 1024); "
    "default: the smallest arena.",
)
@click.option(
    "--optimize",
    type=click.Choice(["speed", "size"]),
    help="Fewest instructions (the default), or smallest flash.",
)
@click.option(
    "--plan",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Print what is kept of each layer and the arena over time; or write it to a .txt, .png or "
    ".svg file.",
)
@click.option(
    "--dump",
    is_flag=False,
    flag_value="-",
    metavar="[PATH]",
    help="Print the network after each pass of the compiler; or write it to a .txt file, or to a "
    "folder, a file per pass.",
)
@click.option("--prefix", default="asc", show_default=True, help="Of all names in the C code.")
@frontend_option
@click.option("--decision", type=PATH, help="TOML of windows, smoothing and threshold.")
@labels_option
def command(
    model: Path,
    out: Path,
    runtime: str,
    project: str,
    board: str | None,
    resample: bool,
    schedule: str | None,
    max_ram: str | None,
    optimize: str | None,
    plan: str | None,
    dump: str | None,
    prefix: str,
    frontend: Path | None,
    labels: Path | None,
    decision: Path | None,
) -> None:
    """Write the firmware source of MODEL, a .tflite file or an ensemble (.toml).

    With --runtime aot the network becomes C code; with tflm TensorFlow Lite Micro runs it, behind
    the same interface.
    """
    from asc_tiny.boards import catalog
    from asc_tiny.cli import explain
    from asc_tiny.cli.reference import selftest_scores
    from asc_tiny.decision.config import read_toml as read_decision
    from asc_tiny.firmware.c.prefix import check_prefix
    from asc_tiny.firmware.classifier import classifier
    from asc_tiny.frontend.config import read_toml
    from asc_tiny.model.ensemble import load_model, output_quantization
    from asc_tiny.projects.audio_path import audio_path
    from asc_tiny.projects.generator import Request, write
    from asc_tiny.util.labels import read as read_labels

    check_prefix(prefix)
    options = explain.planner_options(
        runtime, schedule=schedule, max_ram=max_ram, optimize=optimize
    )
    explain.check_outputs(runtime, plan=plan, dump=dump)
    kind = registry.get(project)
    target = catalog.get(board or kind.default_board)
    kind.check(target, runtime)
    complete = classifier(
        load_model(model),
        runtime=runtime,
        frontend=read_toml(frontend) if frontend else None,
        labels=read_labels(labels) if labels else None,
    )
    complete = replace(complete, options=options)
    if decision:
        output = output_quantization(complete.model_file)
        rule = read_decision(decision, complete.frontend, output)
        complete = replace(complete, decision=rule)
    if frontend:
        for line in complete.frontend.warnings():
            say(f"warning: {frontend}: {line}", err=True)
    audio = audio_path(complete, target, resample=resample)
    scores, missing = selftest_scores(complete)
    request = Request(
        model=complete,
        board=target,
        runtime=runtime,
        prefix=prefix,
        resampler=audio.resampler,
        scores=scores,
    )
    write(kind, request, out)
    if missing:
        say(f"warning: the self-test checks the front end alone: {missing}", err=True)
    explain.write(complete.model_file, options, plan=plan, dump=dump)
    for line in audio.warnings:
        say(f"warning: {line}", err=True)
    if audio.resampler:
        say(f"resampler: {audio.resampler}", err=True)
    say(f"wrote {out}", err=True)
