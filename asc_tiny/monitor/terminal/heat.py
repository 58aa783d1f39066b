"""The spectrogram in letters: two levels in each, by colors, or one by shading without colors."""

from __future__ import annotations

from collections import deque
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from asc_tiny.monitor.colors import viridis
from asc_tiny.monitor.scale import Scale
from asc_tiny.monitor.spectrogram import MOST_COLUMNS
from asc_tiny.monitor.state import Columns

ZOOMS = (1, 2, 4, 8, 16)
"""Columns in a letter."""

_NOTHING, _GAP = -1, -2
_LABEL = 9
_MARGIN = 2
_SHADINGS = " ░▒▓█"
_GAP_LETTER = "╱"
_SIXTEEN = ("#000000", "#0000aa", "#aa00aa", "#ff5555", "#ffff55", "#ffffff")
"""Colors that get lighter step by step, of the 16 that every terminal has."""

_STEPS = 64
"""Colors that are told apart: more are not seen, and each pair is made once."""


class Heat(Widget):
    """A spectrogram that moves to the left, with its axes."""

    DEFAULT_CSS = "Heat { min-height: 4; }"

    def __init__(self) -> None:
        super().__init__(id="heat")
        self.zoom = ZOOMS[2]
        self._columns: deque[bytes | None] = deque(maxlen=MOST_COLUMNS)
        self._begun, self._end = -1, 0
        self._scale: Scale | None = None
        self._levels: NDArray[np.int16] = np.empty((0, 0), np.int16)

    @property
    def place(self) -> tuple[int, int]:
        """Which picture is shown, and the number of the column that is to come next."""
        return self._begun, self._end

    def take(self, columns: Columns, scale: Scale | None) -> None:
        """Append columns.

        Args:
            columns: those after ``place``.
            scale: their units.
        """
        if columns.begun != self._begun:
            self._columns.clear()
        self._begun, self._end = columns.begun, columns.end
        self._columns.extend(columns.shades)
        self._scale = scale
        self.draw()

    def change_zoom(self, step: int) -> None:
        """Show more time (1) or less (-1)."""
        place = min(max(ZOOMS.index(self.zoom) + step, 0), len(ZOOMS) - 1)
        self.zoom = ZOOMS[place]
        self.draw()

    def draw(self) -> None:
        """Draw what there is into the room that there is."""
        width, height = self.size.width - _LABEL, self.size.height - _MARGIN
        if width > 0 and height > 0:
            self._levels = _binned(self._columns, self._end, self.zoom, width, 2 * height)
        self.refresh()

    def on_resize(self) -> None:
        """Fill the new room."""
        self.draw()

    def render_line(self, y: int) -> Strip:
        """Return a line of the picture, or of an axis."""
        strip = self._line(y).adjust_cell_length(self.size.width)
        return strip.apply_style(self.rich_style)

    def _line(self, y: int) -> Strip:
        height = self.size.height - _MARGIN
        width = self.size.width - _LABEL
        if height <= 0 or width <= 0 or self._levels.shape[1:] != (2 * height,):
            return Strip([])
        if y < height:
            label = Segment(self._band(y, height).rjust(_LABEL - 1) + " ", Style(dim=True))
            return Strip([label, *self._letters(y)])
        if y == height:
            return Strip([Segment(self._times(width), Style(dim=True))])
        return Strip(self._bar(width))

    @property
    def _colors(self) -> str:
        """Which colors the terminal has."""
        if self.app.no_color:
            return "none"
        system = self.app.console.color_system
        return "sixteen" if system in ("standard", "windows") else "many"

    def _letters(self, y: int) -> list[Segment]:
        colors = self._colors
        pairs = self._levels[:, 2 * y : 2 * y + 2].tolist()
        return [_letter(upper, lower, colors) for upper, lower in pairs]

    def _band(self, y: int, height: int) -> str:
        """Return the label of a line: the band in its middle, at the ends and between them."""
        scale = self._scale
        if scale is None or y not in {0, height // 2, height - 1}:
            return ""
        bands = len(scale.levels)
        band = min(int((height - y - 0.5) / height * bands), bands - 1)
        if not scale.centers_hz:
            return f"band {band}"
        hertz = scale.centers_hz[band]
        return f"{hertz:.0f} Hz" if hertz < 1000.0 else f"{hertz / 1000.0:.1f} kHz"

    def _times(self, width: int) -> str:
        columns = width * self.zoom
        step = self._scale.step_s if self._scale else None
        first = f"-{columns * step:.1f} s" if step else f"-{columns} columns"
        return " " * _LABEL + first + "now".rjust(max(width - len(first), 0))

    def _bar(self, width: int) -> list[Segment]:
        if self._scale is None:
            return [Segment(" " * _LABEL + "no column has come yet"[:width], Style(dim=True))]
        low, high = f"{self._scale.low:.0f}", f"{self._scale.high:.0f} {self._scale.unit}"
        letters = min(max(width - len(low) - len(high) - 2, 0), 24)
        shades = np.linspace(0, 255, letters).astype(int).tolist()
        found = [Segment(" " * _LABEL + low + " ", Style(dim=True))]
        found += [_letter(shade, shade, self._colors) for shade in shades]
        gap = f"   {_GAP_LETTER} not received"
        rest = " " + high
        if width >= len(low) + len(rest) + letters + len(gap) + 1:
            rest += gap
        return [*found, Segment(rest, Style(dim=True))]


def _binned(
    columns: deque[bytes | None], end: int, zoom: int, width: int, height: int
) -> NDArray[np.int16]:
    """Return mean levels, 0 to 255, from the top; shape (width, height).

    Bins stay with their columns when others come, so that the picture moves and does not flicker.
    """
    found = np.full((width, height), _NOTHING, np.int16)
    bands = next((len(each) for each in reversed(columns) if each is not None), 0)
    latest = (end - 1) // zoom
    bins: dict[int, list[bytes | None]] = {}
    for number, column in zip(range(end - 1, -1, -1), reversed(columns), strict=False):
        if number // zoom <= latest - width:
            break
        bins.setdefault(number // zoom, []).append(column)
    for place, content in bins.items():
        caught = [np.frombuffer(each, np.uint8) for each in content if each is not None]
        row = width - 1 - (latest - place)
        found[row] = _rows(np.mean(caught, axis=0), height) if caught and bands else _GAP
    return found


def _rows(levels: NDArray[np.float64], height: int) -> NDArray[np.float64]:
    """Return the levels of bands, from low to high, in another number of rows from the top."""
    edges = np.arange(height + 1) * len(levels) // height
    sums = np.concatenate([[0.0], np.cumsum(levels)])
    counts = np.diff(edges)
    means = np.diff(sums[edges]) / np.maximum(counts, 1)
    # Fewer bands than rows: some are shown in several.
    return np.where(counts > 0, means, levels[edges[:-1]])[::-1]


@cache
def _letter(upper: int, lower: int, colors: str) -> Segment:
    """Return the letter for two levels above each other."""
    if upper < 0:
        return Segment(_GAP_LETTER if upper == _GAP else " ", Style(dim=True))
    if colors == "none":
        return Segment(_SHADINGS[min((upper + lower) * len(_SHADINGS) // 512, 4)])
    return Segment("▀", _style(upper * _STEPS // 256, lower * _STEPS // 256, colors))


@cache
def _style(upper: int, lower: int, colors: str) -> Style:
    return Style(color=_color(upper, colors), bgcolor=_color(lower, colors))


def _color(step: int, colors: str) -> str:
    if colors == "sixteen":
        return _SIXTEEN[step * len(_SIXTEEN) // _STEPS]
    return viridis()[step * 255 // (_STEPS - 1)]
