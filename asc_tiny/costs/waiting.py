"""How long samples wait while a network runs, and how long a board can keep them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.projects.audio_buffering import Pace, busy_macs, macs

_CYCLES_PER_INSTRUCTION = 1.7
"""The most that ``bench --cycles`` tells of a released network or one of MLPerf Tiny, with five
wait states of the flash: kws on a Cortex-M4, 6.05 M cycles for 3.61 M instructions."""


@dataclass(frozen=True)
class Waiting:
    """The time for which samples wait.

    Attributes:
        kept_s: seconds of samples that the audio buffer keeps while the network runs.
        busy_s: seconds for which the network keeps them waiting, at the most; infinity where
            nothing is known of its work.
    """

    kept_s: float
    busy_s: float

    def gap(self) -> str:
        """Return what says that samples can be lost while the network runs, empty if none are."""
        if self.busy_s <= self.kept_s:
            return ""
        busy = f"up to {1000 * self.busy_s:,.0f} ms" if math.isfinite(self.busy_s) else "longer"
        return (
            f"keeps {1000 * self.kept_s:,.0f} ms of samples in a sixth of its RAM, "
            f"while the network may take {busy}: there can be gaps between clips"
        )


def waiting(
    model: Classifier,
    board: Board,
    found: Pace,
    networks: Sequence[Compiled] = (),
    inference_s: float | None = None,
) -> Waiting | None:
    """Return how long samples wait on a board, None where it has no clock.

    Args:
        model: the classifier.
        board: the board.
        found: the audio buffer that the board has for the model.
        networks: the compiled network, or those of an ensemble's members; none with ``tflm``.
        inference_s: seconds of an inference at one instruction per cycle; None where it was not
            measured, so that the bound by which the buffer is sized stands in its place.
    """
    if not board.clock_hz:
        return None
    if not inference_s:
        return Waiting(found.busy_s, found.longest_s)
    per_second = macs(model.model_file, networks) / (_CYCLES_PER_INSTRUCTION * inference_s)
    measured = busy_macs(model, networks, per_second) / per_second
    # Both are the most that it can be.
    return Waiting(found.busy_s, min(found.longest_s, measured))
