"""Columns of a spectrogram as they were caught, with gaps."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.monitor.spectrogram import MOST_COLUMNS, Spectrogram
from asc_tiny.targets.device.messages import Column


def filled(window: int, *places: tuple[int, int]) -> Spectrogram:
    spectrogram = Spectrogram(window)
    for place in places:
        spectrogram.add(Column(*place, np.array([place[0] % 100, place[1]], np.int8)))
    return spectrogram


def gaps(spectrogram: Spectrogram) -> str:
    return "".join("." if each is None else "#" for each in spectrogram.since(0)[1])


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (((0, 0), (0, 1), (0, 1), (1, 0), (1, 2)), "##..#.#"),
        # Windows of 4 that share 3 columns: the next one's first new column is number 3.
        (((0, 2), (0, 3), (1, 3), (2, 3), (4, 3)), "####.#"),
        # A gap is at most a window long in the picture.
        (((0, 3), (90, 0)), "#....#"),
        # Numbers that go back are no gap.
        (((7, 3), (2, 0)), "##"),
    ],
)
def test_columns_that_were_not_caught_are_gaps(
    places: tuple[tuple[int, int], ...], expected: str
) -> None:
    spectrogram = filled(4, *places)
    assert gaps(spectrogram) == expected
    codes = spectrogram.codes()
    assert codes.shape == (2, len(expected))
    assert np.isnan(codes).all(axis=0).tolist() == [each == "." for each in expected]


def test_what_was_not_caught_is_counted_in_full() -> None:
    assert filled(4, (0, 0), (0, 3), (90, 0)).missed == 2 + 89 * 4


def test_columns_of_other_firmware_begin_anew() -> None:
    """After a restart with another number of bands, which fits into no picture with the first."""
    spectrogram = Spectrogram(4)
    for window, bands in ((7, 2), (0, 3), (1, 3)):
        spectrogram.add(Column(window, 0, np.zeros(bands, np.int8)))
    assert spectrogram.codes().shape == (3, 1 + 3 + 1)
    assert spectrogram.begun == 1
    spectrogram.connect(5, is_restart=True)
    assert spectrogram.begun == 2 and spectrogram.end == 0


def test_a_restart_is_a_gap_of_a_window() -> None:
    spectrogram = filled(4, (7, 1))
    spectrogram.connect(4, is_restart=True)
    spectrogram.add(Column(0, 2, np.zeros(2, np.int8)))
    assert gaps(spectrogram) == "#....#"
    spectrogram.connect(4, is_restart=False)
    spectrogram.add(Column(0, 3, np.zeros(2, np.int8)))
    assert gaps(spectrogram) == "#....##"


def test_the_latest_are_kept_and_numbered() -> None:
    spectrogram = filled(2, *((place // 2, place % 2) for place in range(MOST_COLUMNS + 10)))
    assert spectrogram.end == MOST_COLUMNS + 10
    first, codes = spectrogram.since(0)
    assert (first, len(codes)) == (10, MOST_COLUMNS)
    first, codes = spectrogram.since(MOST_COLUMNS + 7)
    assert (first, len(codes)) == (MOST_COLUMNS + 7, 3)
    assert spectrogram.since(10**9) == (MOST_COLUMNS + 10, [])
