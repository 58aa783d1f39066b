"""The path from a board's microphone to a model: the rate to record at, and a resampler."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.resample.design import Resampler, design
from asc_tiny.util.errors import AscError


@dataclass(frozen=True)
class AudioPath:
    """How samples reach a model.

    Attributes:
        microphone_rate: sample rate to record at, in Hz.
        resampler: between that and the model's rate, None if they are the same.
        warnings: what the model will not hear as in training, a line each.
    """

    microphone_rate: Fraction
    resampler: Resampler | None
    warnings: tuple[str, ...]


def audio_path(model: Classifier, board: Board, *, resample: bool = False) -> AudioPath:
    """Choose the microphone's rate for a model.

    Args:
        model: the classifier with its front end.
        board: a board without a microphone gets samples at the model's rate.
        resample: use the nearest rate that the microphone can give, with a resampler.

    Raises:
        AscError: the microphone cannot give the model's rate and ``resample`` is false, or there
            is no microphone and it is true.
    """
    frontend, microphone = model.frontend, board.microphone
    if microphone is None:
        if resample:
            raise AscError(
                f"board {board.name}: has no microphone; leave --resample out, or give a --board "
                "with one (`asc-tiny boards` lists them)"
            )
        return AudioPath(Fraction(frontend.sample_rate), None, ())
    exact = microphone.rate_for(frontend.sample_rate)
    if exact is not None:
        return AudioPath(exact, None, ())
    nearest = microphone.nearest_rate(frontend.sample_rate)
    if not resample:
        raise AscError(
            f"board {board.name}: the microphone gives {microphone.rates_text}, the model needs "
            f"{frontend.sample_rate} Hz; give --resample (from {round(nearest)} Hz), or train "
            f"for a rate that it gives"
        )
    resampler = design(nearest, frontend.sample_rate)
    weak = _weak_bands(frontend, resampler)
    advice = f"unlike in training; to avoid it, train for {microphone.rates_text}"
    return AudioPath(nearest, resampler, (f"{weak}, {advice}",) if weak else ())


def _weak_bands(frontend: FrontEndConfig, resampler: Resampler) -> str:
    """Return which bands the resampler leaves weak or empty, nothing if there are none."""
    edges = frontend.mel_edges
    lower, upper = edges[:-2], edges[2:]
    limit = min(float(resampler.source_rate), resampler.target_rate) / 2
    weak = np.flatnonzero((upper > resampler.pass_edge) & (lower < limit))
    empty = np.flatnonzero(lower >= limit)
    parts = []
    if len(weak):
        parts.append(f"mel bands {weak[0]} to {weak[-1]} (from {lower[weak[0]]:.0f} Hz) are weaker")
    if len(empty):
        parts.append(
            f"mel bands {empty[0]} to {empty[-1]} (from {lower[empty[0]]:.0f} Hz) stay empty"
        )
    if not parts:
        return ""
    source = round(resampler.source_rate)
    return f"with the microphone at {source} Hz, {' and '.join(parts)}"
