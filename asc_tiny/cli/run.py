"""``asc-tiny run``: a project's board on an audio file, or on a network's inputs."""

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
    json_option,
    load_classifier,
    project_argument,
    read_windows,
    resample_option,
)
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asc_tiny.tflite.graph import Tensor

_MOST_PRINTED = 16
"""Elements of an output that are printed; JSON and --out have all."""


@click.command(
    short_help="Run a built project on an audio file or on inputs.",
    epilog=examples(
        "run firmware --wav clip.wav", "run firmware --input inputs.npy --out outputs.npy"
    ),
)
@project_argument
@click.option("--wav", type=PATH, help="Mono audio at the model's sample rate.")
@click.option(
    "--input",
    "inputs",
    type=PATH,
    help="For a network alone: its inputs, .npy, or .npz for several.",
)
@click.option("--out", type=PATH, help="With --input: .npz file for the outputs, .npy for one.")
@resample_option
@json_option
def command(
    folder: Path,
    wav: Path | None,
    inputs: Path | None,
    out: Path | None,
    resample: bool,
    as_json: bool,
) -> None:
    """Run the built project in DIR on its board: on audio, or a network alone on inputs.

    Of audio it tells a scene with scores per window. Windows are clips, unless the project was
    generated with a --decision that lets them slide. The board gets samples; front end, network and
    decision run on it.

    An array of --input has the shape of the network's input, or one dimension more in front, along
    which inferences follow each other. Integers are codes as they are; numbers with a fraction are
    real values, and are quantised where the input takes codes.
    """
    if (wav is None) == (inputs is None):
        raise AscError("give either --wav, or --input for a network alone")
    if inputs is not None:
        _infer(folder, inputs, out, as_json)
    elif wav is not None:
        if out is not None:
            raise AscError("--out: is for the outputs of --input")
        _classify(folder, wav, resample, as_json)


def _classify(folder: Path, wav: Path, resample: bool, as_json: bool) -> None:
    target = load_classifier(folder)
    decisions = api.run(target, read_windows(wav, target.windows, resample=resample))
    if as_json:
        results = [
            {"start": d.start, "label": d.label, "scores": d.scores, "smoothed": d.smoothed}
            for d in decisions
        ]
        print_json({"board": target.board.name, "wav": str(wav), "results": results})
        return
    for decision in decisions:
        ranked = sorted(decision.smoothed.items(), key=lambda item: -item[1])[:3]
        scores = ", ".join(f"{label} {score:.3f}" for label, score in ranked)
        say(f"{decision.start:7.2f} s  {decision.label:<20} {scores}")


def _infer(folder: Path, inputs: Path, out: Path | None, as_json: bool) -> None:
    target = api.load_project(folder)
    given = api.read_inputs(target, inputs)
    ends = target.network.outputs
    if out is not None:
        _check_out(out, len(ends))
    with StepLine() as steps:
        steps.show(f"running {len(given)} inferences on {target.board.name}")
        results = api.infer(target, given)
    if out is not None:
        _write(out, results)
    if as_json:
        rows = [
            {"outputs": [_row(*each) for each in zip(ends, result, strict=True)]}
            for result in results
        ]
        print_json({"board": target.board.name, "input": str(inputs), "results": rows})
        return
    for number, result in enumerate(results):
        for output, (end, values) in enumerate(zip(ends, result, strict=True)):
            say(f"{number:>5}  output {output}  {_text(_real(end, values))}")


def _check_out(out: Path, outputs: int) -> None:
    if out.suffix not in (".npy", ".npz") or (out.suffix == ".npy" and outputs > 1):
        allowed = ".npz" if outputs > 1 else ".npy or .npz"
        raise AscError(f"--out {out}: {outputs} outputs go to a file that ends in {allowed}")


def _write(out: Path, results: Sequence[Sequence[NDArray[Any]]]) -> None:
    """Write outputs, those of all inferences along the first dimension."""
    import io

    import numpy as np

    from asc_tiny.util.files import write_bytes

    arrays = [_stacked(values) for values in zip(*results, strict=True)]
    stream = io.BytesIO()
    if out.suffix == ".npy":
        np.save(stream, arrays[0])
    else:
        named: dict[str, Any] = {f"output{number}": each for number, each in enumerate(arrays)}
        np.savez(stream, **named)
    write_bytes(out, stream.getvalue())


def _stacked(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    import numpy as np

    joined = np.stack(values)
    # The batch of 1 gives its place to the inferences.
    return joined.reshape(len(joined), *joined.shape[2:]) if joined.shape[1:2] == (1,) else joined


def _row(end: Tensor, values: NDArray[Any]) -> dict[str, object]:
    real = _real(end, values)
    row: dict[str, object] = {"type": values.dtype.name, "shape": list(values.shape)}
    return {**row, "codes": values.tolist(), "values": real.tolist()}


def _real(end: Tensor, values: NDArray[Any]) -> NDArray[Any]:
    """Return the real values of codes."""
    if len(end.scales) != 1 or len(end.zero_points) != 1:
        return values
    return end.scales[0] * (values.astype(float) - end.zero_points[0])


def _text(values: NDArray[Any]) -> str:
    flat = values.reshape(-1)
    more = f" ... {flat.size} values" if flat.size > _MOST_PRINTED else ""
    return " ".join(f"{value:.6g}" for value in flat[:_MOST_PRINTED].tolist()) + more
