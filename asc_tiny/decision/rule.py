"""The reported label from the scores of windows: bit-exact twin of ``asc_decision.c``.

The scores of the last windows are averaged. "Unknown" takes part as a class whose score is always
the threshold. Another class than the reported one is reported once it has led by some codes in
some windows in a row; the first window has nothing to hold on to.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from asc_tiny.decision.config import DecisionConfig
from asc_tiny.frontend.config import Quantization

Int8Array = NDArray[np.int8]
Int64Array = NDArray[np.int64]


class Decision:
    """The state of the decisions about one stream.

    Args:
        config: smoothing, hysteresis and threshold.
        output: quantisation of the scores.

    """

    def __init__(self, config: DecisionConfig, output: Quantization) -> None:
        self._label: int | None = None
        self._past: deque[Int64Array] = deque(maxlen=config.smoothing)
        self._threshold = config.threshold_code(output)
        self._lead, self._hold = config.lead_codes(output), config.hold
        self._candidate: int | None = None
        self._run = 0

    def add(self, scores: Int8Array) -> tuple[Int8Array, int]:
        """Take the scores of the next window, shape (classes,), int8.

        Returns:
            The smoothed scores, shape (classes,), and the label to report: the index of a class,
            or the number of classes for "unknown".
        """
        self._past.append(scores.astype(np.int64) + 128)
        total, count = np.sum(self._past, axis=0), len(self._past)
        smoothed = (2 * total + count) // (2 * count) - 128
        return np.asarray(smoothed, np.int8), self._reported(smoothed.tolist())

    def _reported(self, smoothed: list[int]) -> int:
        if self._threshold is not None:
            smoothed = [*smoothed, self._threshold]
        # The first of equal ones: a class at the threshold is known.
        best = smoothed.index(max(smoothed))
        reported = best if self._label is None else self._label
        if best != reported and smoothed[best] - smoothed[reported] >= self._lead:
            self._run = self._run + 1 if best == self._candidate else 1
            self._candidate = best
            if self._run >= self._hold:
                reported = best
        else:
            self._candidate = None
        self._label = reported
        return reported


def decide(
    scores: Int8Array, config: DecisionConfig, output: Quantization
) -> tuple[Int8Array, Int64Array]:
    """Return the smoothed scores and the reported labels of a stream's windows.

    Args:
        scores: int8 output of the network, shape (windows, classes).
        config: smoothing, hysteresis and threshold.
        output: quantisation of the scores.

    Returns:
        Smoothed scores, shape (windows, classes), and class indices, shape (windows,), the number
        of classes for "unknown".
    """
    decision = Decision(config, output)
    smoothed = np.empty_like(scores)
    labels = np.empty(len(scores), np.int64)
    for window, codes in enumerate(scores):
        smoothed[window], labels[window] = decision.add(codes)
    return smoothed, labels
