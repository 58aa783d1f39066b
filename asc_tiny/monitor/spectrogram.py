"""The spectrogram that a device computes, column by column as it was caught."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny.targets.device.messages import Column

MOST_COLUMNS = 4096
"""What is kept: the latest, a minute and a half at 44.1 kHz."""


class Spectrogram:
    """Columns in the order of time; those that were not caught are gaps.

    Args:
        columns: number of columns of a window.

    Attributes:
        begun: number of the pictures that were begun so far: columns of other firmware belong
            into none with those before.
        missed: number of columns that were not caught.
    """

    def __init__(self, columns: int = 1) -> None:
        self.begun = 0
        self.missed = 0
        self._window = columns
        self._latest: Column | None = None
        # Columns of a window that it shares with the one before: the first are not sent again.
        self._shared = columns
        self._codes: list[NDArray[np.int8] | None] = []
        # Number of columns and gaps before those that are kept.
        self._dropped = 0

    @property
    def end(self) -> int:
        """Number of columns and gaps in this picture so far, those that are not kept included."""
        return self._dropped + len(self._codes)

    @property
    def bands(self) -> int:
        """Number of mel bands, 0 before the first column."""
        return next((len(codes) for codes in self._codes if codes is not None), 0)

    def connect(self, columns: int, *, is_restart: bool) -> None:
        """Go on after the line was opened.

        Args:
            columns: number of columns of a window.
            is_restart: whether the device counts its windows anew.
        """
        if columns != self._window:
            self._begin(columns)
        elif is_restart:
            # How long it was away is not known.
            self._append([None] * (self._window if self._codes else 0))
            self._latest = None

    def add(self, column: Column) -> int:
        """Append a column unless it was the last one, too.

        Returns:
            Number of columns before it that were not caught.
        """
        latest = self._latest
        if latest and (latest.window, latest.number) == (column.window, column.number):
            return 0
        if self.bands not in (0, len(column.codes)):
            self._begin(self._window)
        gap = self._gap(column)
        self._append([None] * min(gap, self._window))
        self._append([column.codes])
        self._latest = column
        self.missed += gap
        return gap

    def since(self, number: int) -> tuple[int, list[NDArray[np.int8] | None]]:
        """Return what came from the column of a number on, as far as it is kept.

        Args:
            number: ``end`` at an earlier time, 0 for all.

        Returns:
            Number of the first column that is returned; codes of each, None for a gap.
        """
        first = min(max(number, self._dropped), self.end)
        return first, self._codes[first - self._dropped :]

    def codes(self) -> NDArray[np.float64]:
        """Return the codes, shape (mel bands, columns), NaN in gaps."""
        empty = np.full(self.bands, np.nan)
        columns = [empty if codes is None else codes for codes in self._codes]
        return np.stack(columns, axis=1).astype(np.float64) if self.bands else np.empty((0, 0))

    def _gap(self, column: Column) -> int:
        """Return how many columns lie between the latest and this one.

        Windows may overlap, which the device does not tell: it is taken from the least column that
        was seen in any window but the first.
        """
        latest = self._latest
        if latest is None:
            return 0
        if column.window == latest.window:
            return max(column.number - latest.number - 1, 0)
        self._shared = min(self._shared, column.number)
        windows = max(column.window - latest.window - 1, 0)
        before = max(self._window - 1 - latest.number, 0)
        return before + windows * (self._window - self._shared) + column.number - self._shared

    def _begin(self, columns: int) -> None:
        """Begin another picture."""
        self._window = self._shared = columns
        self._latest = None
        self._codes.clear()
        self._dropped = 0
        self.begun += 1

    def _append(self, codes: list[NDArray[np.int8] | None]) -> None:
        self._codes += codes
        surplus = max(len(self._codes) - MOST_COLUMNS, 0)
        del self._codes[:surplus]
        self._dropped += surplus
