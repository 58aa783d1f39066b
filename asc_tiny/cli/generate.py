"""``asc-tiny generate``: firmware source from a model."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny import api
from asc_tiny.cli import explain
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, frontend_option, labels_option, warn
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import note
from asc_tiny.complexity.gate.limits import parse_bytes
from asc_tiny.projects import registry


@click.command(
    short_help="Write firmware source of a model.",
    epilog=examples(
        "generate model.tflite --out firmware",
        "generate model.tflite --out firmware --board nucleo_l496zg --project platformio",
    ),
)
@click.argument("model", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder to write to.")
@click.option("--runtime", type=click.Choice(["aot", "tflm"]), default="aot", show_default=True)
@click.option(
    "--project",
    type=click.Choice(registry.names()),
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
    type=click.Choice(["rows", "layers", "streaming", "time"]),
    help="Order of the work: rows of all layers in turn; layer by layer; or streaming, with each "
    "column of features as it comes (time is its old name). Default: what takes least memory of "
    "rows and layers.",
)
@click.option(
    "--max-ram",
    metavar="BYTES",
    help="The cheapest plan of the network whose arena is within it (K is 1000, Ki 1024); "
    "default: the smallest arena, and up to a 16th more where that saves instructions.",
)
@click.option(
    "--optimize",
    type=click.Choice(["speed", "size"]),
    help="Fewest instructions (the default), or smallest flash.",
)
@click.option(
    "--effort",
    type=click.Choice(["low", "medium", "high"]),
    help="How long plans of memory and instructions are searched for; default: medium.",
)
@click.option(
    "--io",
    type=click.Choice(["int8", "as-is"]),
    help="What the network takes and gives: int8 codes, without the conversions of the file's "
    "inputs and outputs, or what the file does, such as floating-point numbers. Default: int8 for "
    "a classifier, whose front end gives codes, else as-is.",
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
@click.option(
    "--tflm-arena",
    metavar="BYTES",
    help="With --runtime tflm: bytes of the arena (K is 1000, Ki 1024); default: computed, or "
    "measured on this computer.",
)
@click.option(
    "--tflm-op",
    "tflm_operators",
    multiple=True,
    metavar="NAME=HEADER:FUNCTION",
    help="With --runtime tflm: the kernel of custom operator NAME; FUNCTION, which HEADER "
    "declares, returns its TFLMRegistration. Default: Register_NAME.",
)
@click.option("--prefix", default="asc", show_default=True, help="Prefix of all C names.")
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
    effort: str | None,
    io: str | None,
    plan: str | None,
    dump: str | None,
    tflm_arena: str | None,
    tflm_operators: tuple[str, ...],
    prefix: str,
    frontend: Path | None,
    labels: Path | None,
    decision: Path | None,
) -> None:
    """Write the firmware source of MODEL, a .tflite file or an ensemble (.toml).

    With --runtime aot the network becomes C code; with tflm TensorFlow Lite Micro runs it, behind
    the same interface. Without front end and labels, in MODEL or by options, the network stands
    alone, with golden inputs and an application that runs them.
    """
    explain.check_outputs(runtime, plan=plan, dump=dump)
    steps = StepLine()

    def told(line: str) -> None:
        steps.clear()
        warn(line)

    with steps:
        steps.show("compiling the network and computing what it must give")
        done = api.generate(
            model,
            out,
            project=project,
            board=board,
            runtime=runtime,
            resample=resample,
            schedule=schedule,
            max_ram=None if max_ram is None else parse_bytes(max_ram, option="--max-ram"),
            optimize=optimize,
            effort=effort,
            io=io,
            tflm_arena=None
            if tflm_arena is None
            else parse_bytes(tflm_arena, option="--tflm-arena"),
            tflm_operators=tflm_operators,
            prefix=prefix,
            frontend=frontend,
            labels=labels,
            decision=decision,
            warn=told,
        )
    explain.write(done.networks, plan=plan, dump=dump)
    if done.resampler:
        note(f"resampler: {done.resampler}")
    alone = "" if done.is_classifier else ", the network alone: no front end and labels were given"
    note(f"wrote {out}{alone}")
