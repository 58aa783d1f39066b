"""Integer tables of the fixed-point front end, shared by its Python model and the C code."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.errors import AscError
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig
from asc_tiny.frontend.reference import mel_edges

LOG2_SEGMENTS = 64
LOG2_FRACTION_BITS = 16
MAX_SHIFT = 15
"""Largest left shift that normalises an int16 frame."""

SECOND_DELTA_TAPS = (4, 4, 1, -4, -10, -4, 1, 4, 4)
"""The first delta applied twice, times 100."""


@dataclass(frozen=True)
class Requantisation:
    """``code = (value * multiplier + offset) >> shift`` maps Q16 base-2 logarithms to int8."""

    multiplier: int
    shift: int
    offset: int


@dataclass(frozen=True)
class Tables:
    """Constants of the integer front end.

    Attributes:
        cosine: cos(2 pi k / n_fft) for k = 0 to n_fft / 4 in Q31, int64.
        segment_bin: first spectrum bin at or above each mel edge, n_mels + 2 values.
        segment_start, segment_step: rising weight of a segment's first bin and its increase per
            bin in Q32; segment i lies between edges i and i + 1.
        log2_base, log2_slope: chords of log2(1 + i / 64) in Q16.
        floor: log_floor in units of power of a frame shifted by MAX_SHIFT.
        scale_log2: log2 of the factor from physical to integer spectrum amplitude at shift 0.
        requantisation: for log-mel, first delta and second delta; empty without quantisation.
    """

    cosine: NDArray[np.int64]
    segment_bin: NDArray[np.int64]
    segment_start: NDArray[np.uint64]
    segment_step: NDArray[np.uint64]
    log2_base: NDArray[np.int64]
    log2_slope: NDArray[np.int64]
    floor: int
    scale_log2: int
    requantisation: tuple[Requantisation, ...]


def build(config: FrontEndConfig) -> Tables:
    """Compute the tables of a configuration.

    Raises:
        AscError: the quantisation is too fine for 32-bit arithmetic.
    """
    base, slope = _log2_chords()
    bins, start, step = _mel_segments(config)
    quarter = np.arange(config.n_fft // 4 + 1)
    cosine = np.rint(np.cos(2.0 * np.pi * quarter / config.n_fft) * 2.0**31).astype(np.int64)
    # Q15 samples, a Q31 window shifted right by 16, and a transform scaled by 2 / n_fft.
    scale_log2 = 15 + 15 - (int(math.log2(config.n_fft)) - 1)
    return Tables(
        cosine=np.minimum(cosine, 2**31 - 1),
        segment_bin=bins,
        segment_start=start,
        segment_step=step,
        log2_base=base,
        log2_slope=slope,
        floor=round(config.log_floor * 2.0 ** (2 * (scale_log2 + MAX_SHIFT))),
        scale_log2=scale_log2,
        requantisation=_requantisations(config),
    )


def _mel_segments(
    config: FrontEndConfig,
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]:
    edges = mel_edges(config)
    spacing = config.sample_rate / config.n_fft
    first = np.ceil(edges / spacing).astype(np.int64)
    width = np.diff(edges)
    # Rounded down, so that a ramp never reaches 1.0, which Q32 cannot hold.
    start = np.floor((first[:-1] * spacing - edges[:-1]) / width * 2.0**32)
    step = np.where(np.diff(first) > 1, np.floor(spacing / width * 2.0**32), 0.0)
    occupied = np.diff(first) > 0
    return (
        first,
        np.where(occupied, np.clip(start, 0.0, 2.0**32 - 1), 0.0).astype(np.uint64),
        step.astype(np.uint64),
    )


def _log2_chords() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return chords of log2 on [1, 2), raised by half their largest error to halve it."""
    knots = 1.0 + np.arange(LOG2_SEGMENTS + 1) / LOG2_SEGMENTS
    values = np.log2(knots)
    slope = np.diff(values)
    # The curve is furthest above the chord where its derivative equals the chord's slope.
    furthest = 1.0 / (math.log(2.0) * slope * LOG2_SEGMENTS)
    bulge = np.log2(furthest) - (values[:-1] + slope * (furthest - knots[:-1]) * LOG2_SEGMENTS)
    unit = 2.0**LOG2_FRACTION_BITS
    base = np.rint((values[:-1] + bulge / 2.0) * unit).astype(np.int64)
    return base, np.rint(slope * unit).astype(np.int64)


def _requantisations(config: FrontEndConfig) -> tuple[Requantisation, ...]:
    if config.quantisation is None:
        return ()
    code = math.log(2.0) / 2.0**LOG2_FRACTION_BITS / config.quantisation.scale
    if not 2.0**-30 < code < 2.0**-8:
        raise AscError(
            f"front end: quantisation scale = {config.quantisation.scale}, allowed: 0.003 to 1000"
        )
    divisors = (1, 10, 100) if config.deltas else (1,)
    zero = config.quantisation.zero_point
    return tuple(_requantisation(code / divisor, zero) for divisor in divisors)


def _requantisation(factor: float, zero_point: int) -> Requantisation:
    shift = 30 - math.floor(math.log2(factor))
    shift = min(shift, 52)
    return Requantisation(
        multiplier=round(math.ldexp(factor, shift)),
        shift=shift,
        offset=(zero_point << shift) + (1 << (shift - 1)),
    )


assert len(SECOND_DELTA_TAPS) == 2 * DELTA_REACH + 1
