"""Where clips begin and which are silent, by numbers."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.audio.cut import Cut, kept, level_dbfs, pieces
from asc_tiny.audio.layouts.listing import Section
from asc_tiny.util.errors import AscError


def cut_up(total, sections, *, block=7, **options):
    """Starts, lengths and first and last samples of the clips of a ramp 0, 1, 2, ..."""
    ramp = np.arange(total, dtype=np.float64)
    blocks = (ramp[first : first + block] for first in range(0, total, block))
    cut = Cut(**{"rate": 10, "samples": 10, "hop": 10, **options})
    found = list(pieces(blocks, sections, cut))
    for piece in found:
        assert len(piece.samples) == cut.samples
        expected = np.zeros(cut.samples)
        expected[: piece.length] = ramp[piece.start : piece.start + piece.length]
        np.testing.assert_array_equal(piece.samples, expected)
    return [(p.section, p.start, p.length) for p in found]


WHOLE = [Section("a")]


@pytest.mark.parametrize("block", [1, 7, 10, 1000])
def test_a_whole_recording(block):
    assert cut_up(35, WHOLE, block=block) == [(0, 0, 10), (0, 10, 10), (0, 20, 10)]
    assert cut_up(30, WHOLE, block=block, hop=5) == [(0, s, 10) for s in (0, 5, 10, 15, 20)]
    assert cut_up(33, WHOLE, block=block, hop=12) == [(0, 0, 10), (0, 12, 10)]
    assert cut_up(45, [Section("a", 1.5)], block=block) == [(0, 15, 10), (0, 25, 10), (0, 35, 10)]


def test_what_is_shorter_than_a_clip():
    assert cut_up(9, WHOLE) == [(0, 0, 9)]
    assert cut_up(9, WHOLE, pad=False) == []
    assert cut_up(40, [Section("a", 1.0, 1.5)]) == [(0, 10, 5)]
    assert cut_up(40, [Section("a", 1.0, 1.5)], pad=False) == []


def test_regions():
    sections = [Section("a", 0.0, 2.55), Section("b", 2.55, 4.0), Section("b", 3.0, 5.0)]
    # 2.55 s is between samples 25 and 26: a ends before it, b begins behind it.
    found = cut_up(60, sections, hop=5)
    assert found == [
        *((0, 0, 10), (0, 5, 10), (0, 10, 10), (0, 15, 10)),
        *((1, 26, 10), (2, 30, 10), (2, 35, 10), (2, 40, 10)),
    ]
    # Two regions of one label give a clip once, the one with more of the recording.
    same = [Section("a", 0.0, 2.0), Section("a", 1.0, 1.5), Section("a", 1.0, 2.0)]
    assert cut_up(60, same) == [(0, 0, 10), (0, 10, 10)]
    # 0.7 * 10 is 7.000000000000001 in float64 arithmetic of some, 6.99... of others.
    assert cut_up(30, [Section("a", 0.7, 1.7)]) == [(0, 7, 10)]
    assert cut_up(30, [Section("a", 0.3 - 0.1, 1.1 + 0.1)]) == [(0, 2, 10)]


def test_regions_beyond_the_end():
    for section in (Section("a", 0.0, 3.2, "x.txt:1"), Section("a", 9.0, 9.5, "x.txt:1")):
        with pytest.raises(AscError, match=r"x\.txt:1: ends at .* s, the recording at 3 s"):
            cut_up(30, [section])
    with pytest.raises(AscError, match=r"x\.csv:2: begins at 3 s, the recording ends at 3 s"):
        cut_up(30, [Section("a", 3.0, None, "x.csv:2")])
    assert cut_up(30, [Section("a", 1.0, 3.0005)]) == [(0, 10, 10), (0, 20, 10)]


def test_levels():
    times = np.arange(8000) / 8000
    assert level_dbfs(np.sin(2 * np.pi * 100 * times)) == pytest.approx(-3.0103, abs=1e-3)
    square = np.tile(np.repeat([0.1, -0.1], 40), 100)
    assert level_dbfs(square) == pytest.approx(-20.0, abs=1e-6)
    # What a microphone adds to all samples is no sound.
    assert level_dbfs(square + 0.3) == pytest.approx(-20.0, abs=1e-6)
    assert level_dbfs(np.full(100, 0.3)) == level_dbfs(np.zeros(0)) == -np.inf


def test_which_clips_are_silent():
    levels = [-20.0, -36.0, -55.0, -np.inf, -35.0]
    every = Cut(10, 10, 10)
    assert kept(levels, every) == [True] * 5
    assert kept(levels, Cut(10, 10, 10, True, -55.0)) == [True, True, True, False, True]
    assert kept(levels, Cut(10, 10, 10, True, None, 15.0)) == [True, False, False, False, True]
    assert kept([], Cut(10, 10, 10, True, None, 15.0)) == []
