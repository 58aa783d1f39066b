"""The spectrogram that a device computes, column by column as it was caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asc_tiny.evaluation.plots import band_axis
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.targets.device.messages import Column
from asc_tiny.util import figures
from asc_tiny.util.files import write_bytes

MOST_COLUMNS = 4096
"""What is kept: the latest, a minute and a half at 44.1 kHz."""


class Spectrogram:
    """Columns in the order of time; those that were not caught are gaps.

    Args:
        columns: number of columns of a window.
    """

    def __init__(self, columns: int) -> None:
        self._window = columns
        self._latest: int | None = None
        self._codes: list[NDArray[np.float64]] = []

    def add(self, column: Column) -> None:
        """Append a column unless it was the last one, too."""
        place = column.window * self._window + column.number
        if place == self._latest:
            return
        gap = 0 if self._latest is None else place - self._latest - 1
        if self._codes and len(column.codes) != len(self._codes[-1]):
            # Other firmware, whose columns belong into no picture with these.
            self._codes.clear()
        empty = np.full(len(column.codes), np.nan)
        self._codes += [empty] * min(max(gap, 0), self._window)
        self._codes.append(column.codes.astype(np.float64))
        del self._codes[:-MOST_COLUMNS]
        self._latest = place

    def codes(self) -> NDArray[np.float64]:
        """Return the codes, shape (mel bands, columns), NaN in gaps."""
        return np.stack(self._codes, axis=1) if self._codes else np.empty((0, 0))

    def write(self, path: Path, title: str, config: FrontEndConfig | None = None) -> None:
        """Draw the spectrogram to a PNG file.

        Args:
            path: file to write.
            title: text above the picture: which device and model.
            config: front end, which says what time and frequency are; None if it is not known.

        Raises:
            AscError: matplotlib is not installed, or ``path`` cannot be written.
        """
        with figures.style():
            figure, axes = figures.grid(1, 1, width=10.0, height=4.0)
            codes = self.codes()
            if codes.size:
                bands, columns = codes.shape
                step = 1.0 if config is None else config.hop / config.sample_rate
                image = axes[0, 0].imshow(
                    codes,
                    origin="lower",
                    aspect="auto",
                    vmin=-128,
                    vmax=127,
                    extent=(-columns * step, 0.0, -0.5, bands - 0.5),
                )
                figure.colorbar(image, label="log-mel (int8 code)")
            axes[0, 0].set_title(title, loc="left")
            if config is None:
                axes[0, 0].set_xlabel("column, the latest at 0")
                axes[0, 0].set_ylabel("mel band")
            else:
                axes[0, 0].set_xlabel("time (s), the latest at 0")
                band_axis(axes[0, 0], config)
            write_bytes(path, figures.saved(figure, "png"))
