"""``asc-tiny features``: the features of an audio file as the network sees them."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.options import PATH, read_clips, resample_option
from asc_tiny.errors import AscError


@click.command()
@click.argument("wav", type=PATH)
@click.option("--model", type=PATH, required=True, help="The .tflite whose front end to use.")
@click.option(
    "--arithmetic",
    type=click.Choice(["fixed", "float"]),
    default="fixed",
    show_default=True,
    help="int8 codes of the integer front end, or float64 values before quantisation.",
)
@click.option("--out", type=PATH, required=True, help="The .npy file to write.")
@resample_option
def command(wav: Path, model: Path, arithmetic: str, out: Path, resample: bool) -> None:
    """Write the features of WAV: shape (mel bands, columns, channels), one more for many clips."""
    import numpy as np

    from asc_tiny.complexity import artefact
    from asc_tiny.files import replacing
    from asc_tiny.frontend import fixed, reference

    config = artefact.load(model).frontend
    if config is None:
        raise AscError(f"{model}: holds no front end (metadata entry asc_tiny)")
    compute = fixed.features if arithmetic == "fixed" else reference.features
    features = np.stack([compute(c, config) for c in read_clips(wav, config, resample=resample)])
    with replacing(out) as temporary, temporary.open("wb") as stream:
        np.save(stream, features[0] if len(features) == 1 else features)
