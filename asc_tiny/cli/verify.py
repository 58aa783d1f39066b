"""``asc-tiny verify``: the board against the references, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, json_option, project_argument, read_clips, resample_option
from asc_tiny.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.frontend.reference import Samples
    from asc_tiny.targets.project import Project
    from asc_tiny.targets.verify import Network


@click.command()
@project_argument
@click.option("--wav", "wavs", type=PATH, multiple=True, help="Audio to use besides golden clips.")
@resample_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, folder: Path, wavs: Sequence[Path], resample: bool, as_json: bool
) -> None:
    """Compare the built project in DIR, on its board, with the references on this machine.

    Features must equal the project's golden vectors, those of --wav the integer model's. Scores
    must equal TensorFlow Lite Micro's if the package tflite-micro is installed, else those of the
    C code (runtime aot) built for this computer.
    Exit code 3 when anything differs.
    """
    from asc_tiny.codegen.golden import read_golden
    from asc_tiny.targets import project
    from asc_tiny.targets.verify import verify

    target = project.load(folder)
    clips, golden = read_golden(target.folder, target.frontend, target.feature_shape)
    for wav in wavs:
        for i, clip in enumerate(read_clips(wav, target.frontend, resample=resample)):
            clips[f"{wav}:{i}"] = clip
    reference, network = _reference(target, clips)
    results = verify(target, clips, network, golden)
    passed = all(result.passed for result in results)
    if as_json:
        rows = [{**vars(result), "passed": result.passed} for result in results]
        print_json(
            {
                "board": target.board.name,
                "reference": reference,
                "passed": passed,
                "clips": rows,
            }
        )
    else:
        for result in results:
            click.echo(
                f"{'same' if result.passed else 'DIFFERENT':<10} {result.name}: "
                f"{result.feature_mismatches} features and {result.score_mismatches} scores differ"
            )
        click.echo(f"{len(results)} clips on {target.board.name} against {reference}")
    ctx.exit(0 if passed else 3)


def _reference(target: Project, clips: Mapping[str, Samples]) -> tuple[str, Network]:
    """Return the name of the scores' reference on this machine, and the reference."""
    import numpy as np

    from asc_tiny.cli.reference import kernels
    from asc_tiny.codegen.classifier import Classifier
    from asc_tiny.targets.verify import host_scores

    run = kernels(target.artefact)
    if run is None:
        if not target.board.machine:
            raise AscError(
                f"{target.folder}: on board host the scores have no other reference than "
                "tflite-micro; pip install 'asc-tiny[train]'"
            )
        model = Classifier(target.artefact, target.frontend, target.labels)
        scores = host_scores(model, clips)
        return "the C code on this computer", lambda features: scores
    return "TensorFlow Lite Micro", lambda features: np.stack([run(clip) for clip in features])
