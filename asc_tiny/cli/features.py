"""``asc-tiny features``: the features of an audio file as the network sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, read_clips, resample_option

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from asc_tiny.frontend.arrays import Samples
    from asc_tiny.frontend.config import FrontEndConfig


@click.command(
    short_help="Compute and draw the features of an audio file.",
    epilog=examples("features clip.wav --model model.tflite --plot features.png"),
)
@click.argument("wav", type=PATH)
@click.option("--model", type=PATH, required=True, help="Model whose front end is used.")
@click.option(
    "--arithmetic",
    type=click.Choice(["fixed", "float"]),
    default="fixed",
    show_default=True,
    help="Values of --out: int8 codes of the integer front end, or float64 before quantisation.",
)
@click.option("--out", type=PATH, help="The .npy file to write.")
@click.option(
    "--plot",
    type=PATH,
    help="A .png file to draw: float64 features, codes of the integer front end, their error.",
)
@resample_option
def command(
    wav: Path, model: Path, arithmetic: str, out: Path | None, plot: Path | None, resample: bool
) -> None:
    """Write the features of WAV: shape (mel bands, columns, channels), one more for many clips.

    Codes for an ensemble whose members quantise their input differently hold the channels in
    each quantisation, one after the other; the plot shows those of the first member. Many clips
    are drawn side by side.
    """
    from asc_tiny.util.files import write_bytes

    if out is None and plot is None:
        raise click.UsageError("nothing to write, give --out X.npy, --plot X.png or both")
    configs = api.frontends(api.load_model(model))
    clips = read_clips(wav, configs[0], resample=resample)
    drawn = None if plot is None else _drawing(clips, configs[0])
    if out is not None:
        _write(out, clips, configs, arithmetic)
    if plot is not None and drawn is not None:
        write_bytes(plot, drawn)


def _write(
    out: Path, clips: Sequence[Samples], configs: Sequence[FrontEndConfig], arithmetic: str
) -> None:
    import numpy as np

    from asc_tiny.util.files import replacing

    used = configs[:1] if arithmetic == "float" else configs

    def compute(clip: Samples) -> NDArray[Any]:
        each = [api.features(clip, config, arithmetic=arithmetic) for config in used]
        return np.concatenate(each, axis=-1)

    features = np.stack([compute(clip) for clip in clips])
    with replacing(out) as temporary, temporary.open("wb") as stream:
        np.save(stream, features[0] if len(features) == 1 else features)


def _drawing(clips: Sequence[Samples], config: FrontEndConfig) -> bytes:
    import numpy as np

    from asc_tiny.evaluation.plots import feature_panels

    codes = np.concatenate([api.features(clip, config) for clip in clips], axis=1)
    floats = [api.features(clip, config, arithmetic="float") for clip in clips]
    values = np.concatenate(floats, axis=1)
    return feature_panels(values, codes, config)
