"""``asc-tiny features``: the features of an audio file as the network sees them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny.cli.options import PATH, read_clips, resample_option

if TYPE_CHECKING:
    from numpy.typing import NDArray


@click.command()
@click.argument("wav", type=PATH)
@click.option("--model", type=PATH, required=True, help="Whose front end to use.")
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
    """Write the features of WAV: shape (mel bands, columns, channels), one more for many clips.

    Codes for an ensemble whose members quantise their input differently hold the channels in
    each quantisation, one after the other.
    """
    import numpy as np

    from asc_tiny.complexity.ensemble import frontends, load_model
    from asc_tiny.files import replacing
    from asc_tiny.frontend import fixed, reference

    configs = frontends(load_model(model))

    def compute(clip: NDArray[np.int16]) -> NDArray[Any]:
        if arithmetic == "float":
            return reference.features(clip, configs[0])
        return np.concatenate([fixed.features(clip, config) for config in configs], axis=-1)

    features = np.stack([compute(clip) for clip in read_clips(wav, configs[0], resample=resample)])
    with replacing(out) as temporary, temporary.open("wb") as stream:
        np.save(stream, features[0] if len(features) == 1 else features)
