"""What is kept of a long stream: few points, and none of its extremes lost."""

from __future__ import annotations

import numpy as np

from asc_tiny.targets.emulator.thinned import MOST_POINTS, Scores, Waveform


def test_a_long_waveform_keeps_its_extremes() -> None:
    waveform = Waveform(800, 1 << 15)
    pcm = np.random.default_rng(0).integers(-9000, 9000, 800 * 100).astype(np.int16)
    pcm[12_345], pcm[54_321] = 32_767, -32_768
    blocks = [pcm[begin : begin + 777] for begin in range(0, len(pcm), 777)]
    assert np.array_equal(np.concatenate(list(waveform.heard(blocks))), pcm)
    assert MOST_POINTS / 2 < len(waveform.pieces) <= MOST_POINTS
    ends = [end for end, _, _ in waveform.pieces]
    assert ends == sorted(ends) and ends[-1] == 100.0
    lows, highs = [low for _, low, _ in waveform.pieces], [high for *_, high in waveform.pieces]
    assert min(lows) == -1.0 and max(highs) == 32_767 / 32_768
    [(end, _, _)] = [each for each in waveform.pieces if each[1] == -1.0]
    assert 0 <= end - 54_321 / 800 < 0.2


def test_long_scores_are_thinned_evenly() -> None:
    scores = Scores()
    for number in range(3 * MOST_POINTS):
        scores.add(float(number), (number / 10, 0.0))
    times = [time for time, _ in scores.points]
    assert times == [float(each) for each in range(0, 3 * MOST_POINTS, 4)]
