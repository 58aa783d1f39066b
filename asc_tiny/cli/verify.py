"""``asc-tiny verify``: a board, or a network by itself, against the references, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    PATH,
    baud_option,
    json_option,
    load_classifier,
    port_option,
    read_clips,
    resample_option,
    signals_option,
)
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import say
from asc_tiny.complexity.gate.limits import parse_bytes
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.api.running import Verification
    from asc_tiny.conformance.verification import NetworkVerification
    from asc_tiny.targets.build.project import NetworkProject

MOST_LINES = 10
"""Differing outputs that are printed; JSON has all."""


@click.command(
    short_help="Compare generated code with its references, bit by bit.",
    epilog=examples("verify firmware --wav clip.wav", "verify model.tflite"),
)
@click.argument("target", metavar="DIR|MODEL", type=PATH)
@click.option(
    "--wav", "wavs", type=PATH, multiple=True, help="DIR: audio to use besides golden clips."
)
@resample_option
@port_option()
@baud_option
@signals_option
@click.option(
    "--input",
    "inputs",
    type=PATH,
    multiple=True,
    help="MODEL, or DIR of a network alone: inputs to use besides extreme and random ones, .npy, "
    "or .npz for several inputs.",
)
@click.option(
    "--schedule",
    type=click.Choice(["rows", "layers", "streaming"]),
    help="MODEL: order of the work, as for generate.",
)
@click.option("--max-ram", metavar="BYTES", help="MODEL: most bytes of the arena.")
@click.option("--optimize", type=click.Choice(["speed", "size"]), help="MODEL: as for generate.")
@click.option(
    "--effort", type=click.Choice(["low", "medium", "high"]), help="MODEL: as for generate."
)
@click.option("--io", type=click.Choice(["int8", "as-is"]), help="MODEL: as for generate.")
@click.option("--board", help="MODEL: an emulated board that runs the same, such as mps2-an386.")
@json_option
@click.pass_context
def command(ctx: click.Context, /, target: Path, as_json: bool, **options: Any) -> None:
    """Compare what was compiled with the references on this machine, bit by bit.

    DIR is a built project, which runs on its board. Features must equal the project's golden
    vectors, those of --wav the integer model's. Scores must equal TensorFlow Lite Micro's if the
    package tflite-micro is installed, else those of the C code (runtime aot) built for this
    computer. With --port the clips go to a board on a line, through the serial protocol. The
    outputs of a network alone must be those of the same references on its golden inputs.

    MODEL is any .tflite file. It is compiled to C, built here with all warnings and sanitizers, and
    run on extreme, random and given inputs; every output must be that of TensorFlow Lite Micro's
    kernels. If one differs, the first layer that does is named.

    Exit code 3 when anything differs.
    """
    if not target.exists():
        raise AscError(f"{target}: no such .tflite file, and no such folder of a project")
    is_model = target.is_file()
    own = ("schedule", "max_ram", "optimize", "effort", "io", "board")
    others = ("wavs", "resample", "port") if is_model else own
    for name in others:
        if options[name]:
            option = next(each.opts[0] for each in ctx.command.params if each.name == name)
            raise AscError(f"{option}: is for a {'project' if is_model else '.tflite file'}")
    passed = _model(target, options, as_json) if is_model else _project(target, options, as_json)
    ctx.exit(0 if passed else 3)


def _project(folder: Path, options: Mapping[str, Any], as_json: bool) -> bool:
    """Compare a project with its references, print how, and return whether all is the same."""
    target = api.load_project(folder)
    port: str | None = options["port"]
    frontend = load_classifier(folder).frontend if options["wavs"] else None
    clips = {
        f"{wav}:{i}": clip
        for wav in options["wavs"]
        if frontend
        for i, clip in enumerate(read_clips(wav, frontend, resample=options["resample"]))
    }
    with StepLine() as steps:
        # A board on a line has a bar of its own.
        if port is None:
            steps.show(f"running {target.board.name} and the references")
        result = api.verify(
            target,
            clips,
            inputs=options["inputs"],
            port=port,
            baud=options["baud"],
            signals=options["signals"],
        )
    if not isinstance(target, api.Project):
        _print_network(target, result, as_json)
        return result.passed
    if as_json:
        rows = [{**vars(clip), "passed": clip.passed} for clip in result.clips]
        print_json(
            {
                "board": target.board.name,
                "reference": result.reference,
                "passed": result.passed,
                "selftest": result.selftest,
                "clips": rows,
            }
        )
    else:
        for clip in result.clips:
            say(
                f"{'same' if clip.passed else 'DIFFERENT':<10} {clip.name}: "
                f"{clip.feature_mismatches} features and {clip.score_mismatches} scores differ"
            )
        if result.selftest is not None:
            say(f"the firmware's test of itself: {result.selftest}")
        where = target.board.name if port is None else port
        say(f"{len(result.clips)} clips on {where} against {result.reference}")
    return result.passed


def _print_network(target: NetworkProject, result: Verification, as_json: bool) -> None:
    """Print how the board of a network alone compares with the reference."""
    if as_json:
        rows = [{**vars(each), "passed": each.passed} for each in result.inputs]
        print_json(
            {
                "board": target.board.name,
                "reference": result.reference,
                "passed": result.passed,
                "selftest": result.selftest,
                "inputs": rows,
            }
        )
        return
    for each in result.inputs:
        different = ", ".join(map(str, each.mismatches))
        say(f"{'same' if each.passed else 'DIFFERENT':<10} {each.name}: {different} differ")
    if result.selftest is not None:
        say(f"the firmware's test of itself: {result.selftest}")
    say(f"{len(result.inputs)} inputs on {target.board.name} against {result.reference}")


def _model(model: Path, options: Mapping[str, Any], as_json: bool) -> bool:
    """Compare a network with TensorFlow Lite Micro, print how; return whether all is the same."""
    max_ram: str | None = options["max_ram"]
    with StepLine() as steps:
        found = api.verify_model(
            model,
            inputs=options["inputs"],
            schedule=options["schedule"],
            max_ram=None if max_ram is None else parse_bytes(max_ram, option="--max-ram"),
            optimize=options["optimize"] or "speed",
            effort=options["effort"] or "medium",
            io=options["io"],
            board=options["board"],
            progress=steps.show,
        )
    if as_json:
        print_json({**asdict(found), "model": str(found.model), "passed": found.passed})
    else:
        for line in _lines(found):
            say(line)
    return found.passed


def _lines(found: NetworkVerification) -> Sequence[str]:
    where = f"this computer and {found.board}" if found.board else "this computer"
    on_host = f"{found.tflm_host_arena_bytes:,} bytes on this 64-bit computer"
    tflm = _figure(found.tflm_arena_bytes, "bytes", on_host)
    lines = [
        f"{found.model}: {'same' if found.passed else 'DIFFERENT'}, {len(found.samples)} "
        f"inferences on {where} against TensorFlow Lite Micro",
        f"  arena         {found.arena_bytes:,} bytes; TensorFlow Lite Micro: {tflm}",
        f"  stages        {found.stages}",
        f"  instructions  {_figure(found.instructions, 'on a Cortex-M4, estimated', 'not known')}",
    ]
    if found.fault:
        lines.append(f"  fault         {found.fault}")
    lines += [
        f"  {each.where}: {each.sample}: {each.elements} of {each.size} elements of output "
        f"{each.output} differ"
        for each in found.differences[:MOST_LINES]
    ]
    if len(found.differences) > MOST_LINES:
        lines.append(f"  and {len(found.differences) - MOST_LINES} more outputs")
    if found.first_layer:
        lines.append(f"  first layer   {found.first_layer}")
    elif not found.passed:
        lines.append("  first layer   none: each gives what it should by itself")
    return lines


def _figure(value: int | None, unit: str, absent: str) -> str:
    return absent if value is None else f"{value:,} {unit}"
