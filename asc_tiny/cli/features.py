"""``asc-tiny features``: the features of an audio file as the network sees them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, jobs_option, ray_option, read_clips, resample_option
from asc_tiny.util.console_text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
@jobs_option("the clips")
@ray_option
def command(
    wav: Path,
    model: Path,
    arithmetic: str,
    out: Path | None,
    plot: Path | None,
    resample: bool,
    jobs: int,
    ray: str | None,
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
    first = configs[:1]
    compute = partial(api.recording_features, clips, jobs=jobs, ray=ray)
    drawn = None
    if plot is not None:
        codes, floats = compute(first), compute(first, arithmetic="float")
        title = f"{printable(wav.name)}, front end of {printable(model.name)}"
        drawn = _drawing(codes, floats, first[0], title)
    if out is not None:
        used = first if arithmetic == "float" else configs
        _write(out, compute(used, arithmetic=arithmetic))
    if plot is not None and drawn is not None:
        write_bytes(plot, drawn)


def _write(out: Path, features: NDArray[Any]) -> None:
    import numpy as np

    from asc_tiny.util.files import replacing

    with replacing(out) as temporary, temporary.open("wb") as stream:
        np.save(stream, features[0] if len(features) == 1 else features)


def _drawing(
    codes: NDArray[Any], floats: NDArray[Any], config: FrontEndConfig, title: str
) -> bytes:
    """Draw the features of clips side by side."""
    import numpy as np

    from asc_tiny.evaluation.plots import feature_panels

    values = np.concatenate(floats, axis=1)
    return feature_panels(values, np.concatenate(codes, axis=1), config, title)
