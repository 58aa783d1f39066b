"""Plots of evaluations and features: the same figures give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from asc_tiny.evaluation.metrics import Figures
from asc_tiny.frontend.arrays import Float64Array, Int8Array
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.figures import DARK, grid, saved, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE = "#3b6ea5"
_SPECTRA = {"log": "log-mel", "pcen": "PCEN"}
"""Name of the first channel, by the compression of the bands."""


def accuracy_bars(groups: Mapping[str, Figures], title: str, format: str = "svg") -> bytes:
    """Draw a bar with its interval for each group of clips.

    Args:
        groups: figures by name, from top to bottom.
        title: text above the picture: what is shown, and of which model.
        format: ``svg`` or ``png``.
    """
    with style():
        figure, axes = _axes(width=6.4, height=1.1 + 0.27 * len(groups))
        axes.set_title(title, loc="left")
        places = range(len(groups))
        accuracies = [figures.accuracy for figures in groups.values()]
        axes.barh(places, accuracies, height=0.68, color=BLUE, label="accuracy")
        for place, figures in enumerate(groups.values()):
            name = None if place else "interval of 95 %"
            axes.plot(
                figures.accuracy_interval,
                (place, place),
                "|-",
                color=DARK,
                linewidth=1.2,
                markersize=6,
                label=name,
            )
            axes.text(1.02, place, f"{figures.accuracy:.3f}", va="center")
        axes.set_yticks(places, list(groups))
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.set_xlim(0.0, 1.0)
        axes.set_xlabel("accuracy (share of clips)")
        figure.legend(loc="outside lower right", ncols=2, frameon=False)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        return saved(figure, format)


def confusion_matrix(
    counts: Sequence[Sequence[int]], labels: Sequence[str], title: str, format: str = "svg"
) -> bytes:
    """Draw clips by true scene (row) and decided scene (column), shaded by share of the row.

    Args:
        counts: number of clips by true and decided scene, shape (labels, labels).
        labels: class names in the order of the outputs.
        title: text above the picture: what is shown, and of which model.
        format: ``svg`` or ``png``.
    """
    with style():
        side = 1.6 + 0.36 * len(labels)
        figure, axes = _axes(width=max(side + 0.9, 6.4), height=side + 0.7)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        shares = [[count / (sum(row) or 1) for count in row] for row in counts]
        ticks = range(len(labels))
        cells = axes.pcolormesh(
            ticks, ticks, shares, cmap="Blues", vmin=0.0, vmax=1.0, shading="nearest"
        )
        figure.colorbar(cells, ax=axes, label="share of the true class", shrink=0.7)
        axes.invert_yaxis()
        axes.set_aspect("equal")
        for row, values in enumerate(counts):
            for column, count in enumerate(values):
                color = "white" if shares[row][column] > 0.6 else DARK
                if count:
                    axes.text(column, row, str(count), ha="center", va="center", color=color)
        axes.set_xticks(ticks, labels, rotation=90)
        axes.set_yticks(ticks, labels)
        axes.set_xlabel("decided class")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        return saved(figure, format)


def feature_panels(
    values: Float64Array,
    codes: Int8Array,
    config: FrontEndConfig,
    title: str,
    format: str = "png",
) -> bytes:
    """Draw features, their int8 codes and the codes' error, a column of panels per channel.

    The error is the code less the value in units of a code, which rounding alone keeps within
    half a code either way. A value beyond the range of codes counts as the outermost code.

    Args:
        values: float64 features, shape (n_mels, columns, channels).
        codes: int8 codes of the integer front end, in the shape of ``values``.
        config: the front end, with the scale and zero point of the codes.
        title: text above the picture: the recording and the model.
        format: ``svg`` or ``png``.
    """
    quantization = config.quantization
    assert quantization is not None
    names = (_SPECTRA[config.compression], "delta", "second delta")
    exact = np.clip(values / quantization.scale + quantization.zero_point, -128.0, 127.0)
    level = "PCEN" if config.pcen is not None else f"log-mel ({config.log} of the energy)"
    rows: Sequence[tuple[str, str, Any, dict[str, Any]]] = (
        ("float64", level, values, {}),
        ("int8 codes", "code", codes, {}),
        ("error in codes", "codes", codes - exact, {"cmap": "RdBu_r", "vmin": -1.0, "vmax": 1.0}),
    )
    channels = values.shape[-1]
    seconds = values.shape[1] * config.hop / config.sample_rate
    with style():
        figure, panes = grid(len(rows), channels, width=1.4 + 3.6 * channels, height=7.9)
        figure.suptitle(title, x=0.01, ha="left")
        for (name, unit, panels, options), axes_of_row in zip(rows, panes, strict=True):
            for channel, axes in enumerate(axes_of_row):
                is_change = channel > 0 and panels is values
                image = axes.imshow(
                    panels[:, :, channel],
                    aspect="auto",
                    origin="lower",
                    interpolation="nearest",
                    extent=(0.0, seconds, -0.5, config.n_mels - 0.5),
                    **options,
                )
                figure.colorbar(image, ax=axes, label="change per column" if is_change else unit)
                axes.set_title(f"{names[channel]}, {name}")
                band_axis(axes, config)
        for axes in panes[-1]:
            axes.set_xlabel("time (s)")
        return saved(figure, format)


def band_axis(axes: Axes, config: FrontEndConfig) -> None:
    """Label an axis of mel bands with the frequencies that they are centred on."""
    edges = config.mel_edges
    bands = np.linspace(0, config.n_mels - 1, 6).round().astype(int)
    axes.set_yticks(bands, [f"{edges[band + 1]:,.0f}" for band in bands])
    axes.set_ylabel("centre of the mel band (Hz)")


def _axes(*, width: float, height: float) -> tuple[Figure, Axes]:
    figure, ((axes,),) = grid(1, 1, width=width, height=height)
    return figure, axes
