"""The spectrogram as a picture in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asc_tiny.monitor.scale import Scale
from asc_tiny.util import figures
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = 6


def check(path: Path) -> None:
    """Make sure that a picture can be written before hours are spent on what it shows.

    Raises:
        AscError: the name does not end in .png, its folder is missing, or matplotlib is.
    """
    if path.suffix != ".png":
        raise AscError(f"{path}: --plot writes .png files")
    if not path.parent.is_dir():
        raise AscError(f"{path}: --plot needs the folder {path.parent}, which does not exist")
    with figures.style():
        pass


def write(path: Path, codes: NDArray[np.float64], title: str, scale: Scale) -> None:
    """Draw a spectrogram to a PNG file.

    Args:
        path: file to write.
        codes: int8 codes, shape (mel bands, columns), NaN in gaps; may be empty.
        title: text above the picture: which model, and where it ran.
        scale: units, of as many bands.

    Raises:
        AscError: matplotlib is not installed, or ``path`` cannot be written.
    """
    with figures.style():
        figure, ((axes,),) = figures.grid(1, 1, width=10.0, height=4.2)
        axes.set_title(title, loc="left")
        if np.isfinite(codes).any():
            _draw(axes, codes, scale)
        else:
            axes.text(0.5, 0.5, "no column was received", ha="center", transform=axes.transAxes)
        write_bytes(path, figures.saved(figure, "png"))


def _draw(axes: Axes, codes: NDArray[np.float64], scale: Scale) -> None:
    from matplotlib.patches import Patch

    bands, columns = codes.shape
    gaps = np.isnan(codes).any(axis=0)
    whole = np.where(np.isnan(codes), 0, codes).astype(np.int64) + 128
    levels = np.where(gaps, np.nan, scale.levels[np.arange(bands)[:, None], whole])
    step = scale.step_s or 1.0
    extent = (-columns * step, 0.0, -0.5, bands - 0.5)
    image = axes.imshow(
        levels, origin="lower", aspect="auto", interpolation="nearest", extent=extent
    )
    image.set_clim(scale.low, scale.high)
    axes.figure.colorbar(image, label=f"level ({scale.unit})", pad=0.01)
    axes.set_xlabel("time before the end (s)" if scale.step_s else "columns before the end")
    _label_bands(axes, bands, scale)
    if gaps.any():
        # A background that no color of the scale looks like.
        axes.patch.set(facecolor="white", edgecolor="#999999", hatch="/////", linewidth=0.0)
        share = f"not received: {gaps.mean():.1%} of the columns"
        mark = Patch(facecolor="white", edgecolor="#999999", hatch="/////", label=share)
        axes.legend(handles=[mark], loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _label_bands(axes: Axes, bands: int, scale: Scale) -> None:
    if not scale.centers_hz:
        axes.set_ylabel("mel band")
        return
    ticks = np.unique(np.linspace(0, bands - 1, _TICKS).round().astype(int))
    axes.set_yticks(ticks, [f"{scale.centers_hz[tick]:,.0f}" for tick in ticks])
    axes.set_ylabel("center of the mel band (Hz)")
