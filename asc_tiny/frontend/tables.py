"""Integer tables of the fixed-point front end, shared by its Python model and the C code."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend import fixed_pcen, reference
from asc_tiny.frontend.config import LOGS, FrontEndConfig
from asc_tiny.util.errors import AscError

LOG2_SEGMENTS = 64
LOG2_FRACTION_BITS = 20
TWENTIETH = round(2**32 / 20)
"""1 / 20 with 32 fraction bits."""

ROOT_FRACTION_BITS = 24
"""Fraction bits of a magnitude, the root of an integer power: 2^12 bins of them fit 62 bits."""

_LARGEST_WEIGHT_BITS = 28
_LARGEST_FLOOR_BITS = 62


@dataclass(frozen=True)
class Requantization:
    """Step from Q20 base-2 logarithms to int8 codes, by way of int16 values finer than codes.

    A code has an odd number of units. ``x = (log2 - origin) * multiplier / 2^32 + offset``,
    rounded, are the units of a log-mel, counted from the code ``center``. Half a code is not a
    whole number of units, so that rounding ``x / units`` to codes gives what the logarithm itself
    would give. Deltas are differences of ``x``.

    Attributes:
        origin: logarithm (Q20, base 2) that is subtracted first: 0 without a normalisation, which
            moves codes by less than a unit.
        multiplier, offset: factor (in 2^-32) and summand that turn logarithms into units; the
            offset is 0 with a normalisation.
        reciprocal: 1 / units in Q32.
        second_reciprocal: 1 / (10 units) in Q32, for ten times a second delta.
        center: the code of a log-mel of 0 units.
        zero_point: the code of a delta of 0.
    """

    origin: int
    multiplier: int
    offset: int
    reciprocal: int
    second_reciprocal: int
    center: int
    zero_point: int


@dataclass(frozen=True)
class Tables:
    """Constants of the integer front end.

    Attributes:
        cosine: cos(2 pi k / n_fft) for k = 0 to n_fft / 4 in Q31, int64.
        window: the window in Q30, shape (win_length,), int64; None for one as long as the
            transform, which ``cosine`` has.
        segment_bin: first spectrum bin at or above each mel edge, n_mels + 2 values.
        segment_start, segment_step: rising weight of a segment's first bin and its increase per
            bin, with ``weight_bits`` fraction bits; segment i lies between edges i and i + 1.
        weight_bits: as many as let the products of a segment with 32 bits add up in 64.
        log2_base, log2_slope: chords of log2(1 + i / 64) in Q20, the slope to i + 2.
        max_shift: largest left shift that normalises a frame; beyond it, its power would be
            nothing beside the floor.
        floor: log_floor in units of power (or magnitude) of a frame shifted by ``max_shift``.
        scale_log2: log2 of the factor from physical to integer spectrum amplitude at shift 0.
        pcen: constants of PCEN, None for a logarithm.
        requantizations: steps from logarithms to codes: one for all bands or, with a normalisation,
            one for each; empty without quantisation.
    """

    cosine: NDArray[np.int64]
    window: NDArray[np.int64] | None
    segment_bin: NDArray[np.int64]
    segment_start: NDArray[np.uint64]
    segment_step: NDArray[np.uint64]
    weight_bits: int
    log2_base: NDArray[np.int64]
    log2_slope: NDArray[np.int64]
    max_shift: int
    floor: int
    scale_log2: int
    pcen: fixed_pcen.Tables | None
    requantizations: tuple[Requantization, ...]

    def turn(self, index: int) -> tuple[int, int]:
        """Return cos and sin of 2 pi index / n_fft in Q31 for 0 <= index <= n_fft / 2."""
        quarter = len(self.cosine) - 1
        if index > quarter:
            sine, cosine = self.turn(index - quarter)
            return -cosine, sine
        return int(self.cosine[index]), int(self.cosine[quarter - index])


def build(config: FrontEndConfig) -> Tables:
    """Compute the tables of a configuration.

    Raises:
        AscError: the quantisation is too fine for 32-bit arithmetic.
    """
    base, slope = _log2_chords()
    pcen = None
    if config.pcen is not None:
        pcen = fixed_pcen.build(config.pcen, config.largest_band, base, slope)
    bins, start, step, weight_bits = _mel_segments(config)
    quarter = np.arange(config.n_fft // 4 + 1)
    cosine = np.rint(np.cos(2.0 * np.pi * quarter / config.n_fft) * 2.0**31).astype(np.int64)
    # A product with the window has 29 bits, and the transform is scaled by 8 / n_fft.
    scale_log2 = 15 + 14 - (int(math.log2(config.n_fft)) - 3)
    max_shift = _max_shift(config, scale_log2)
    return Tables(
        cosine=np.minimum(cosine, 2**31 - 1),
        window=_short_window(config),
        segment_bin=bins,
        segment_start=start,
        segment_step=step,
        weight_bits=weight_bits,
        log2_base=base,
        log2_slope=slope,
        max_shift=max_shift,
        floor=_floor(config, scale_log2 + max_shift),
        scale_log2=scale_log2,
        pcen=pcen,
        requantizations=_requantizations(config, pcen),
    )


def _short_window(config: FrontEndConfig) -> NDArray[np.int64] | None:
    if config.win_length is None:
        return None
    return np.rint(reference.window(config) * 2.0**30).astype(np.int64)


def _max_shift(config: FrontEndConfig, scale_log2: int) -> int:
    """Return the shift that fills the type of a sample with its last bit, or the floor 62 bits."""
    if config.pcen:
        return config.sample_bits - 1
    floor_bits = math.log2(config.log_floor) + scale_exponent(config, scale_log2)
    return min(config.sample_bits - 1, int((_LARGEST_FLOOR_BITS - floor_bits) // config.degree))


def _floor(config: FrontEndConfig, amplitude_log2: int) -> int:
    if config.pcen:
        return 0
    return round(config.log_floor * 2.0 ** scale_exponent(config, amplitude_log2))


def scale_exponent(config: FrontEndConfig, amplitude_log2: int) -> int:
    """Return log2 of the factor from a physical band to an integer one.

    Args:
        config: the front end.
        amplitude_log2: log2 of the factor from physical to integer amplitudes.
    """
    fraction = ROOT_FRACTION_BITS if config.spectrum == "magnitude" else 0
    return config.degree * amplitude_log2 + fraction


def _mel_segments(
    config: FrontEndConfig,
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64], int]:
    edges = config.mel_edges
    spacing = config.sample_rate / config.n_fft
    first = np.ceil(edges / spacing).astype(np.int64)
    width = np.diff(edges)
    counts = np.diff(first)
    bits = min(_LARGEST_WEIGHT_BITS, 32 - math.ceil(math.log2(max(2, counts.max()))))
    one = 2.0**bits
    # Rounded down, so that a ramp never exceeds 1.
    start = np.floor((first[:-1] * spacing - edges[:-1]) / width * one)
    step = np.where(counts > 1, np.floor(spacing / width * one), 0.0)
    start = np.where(counts > 0, np.clip(start, 0.0, one), 0.0)
    return first, start.astype(np.uint64), step.astype(np.uint64), bits


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
    return base, np.rint(2.0 * slope * unit).astype(np.int64)


@dataclass(frozen=True)
class _Values:
    """Integers of what is quantised: of a logarithm in nats, or of PCEN.

    Attributes:
        unit: what ``one`` stands for.
        one: the integer.
        lowest, highest: range of the values.
    """

    unit: float
    one: float
    lowest: float
    highest: float


def _values(config: FrontEndConfig, pcen: fixed_pcen.Tables | None) -> _Values:
    low, high = config.value_range
    if pcen is not None:
        return _Values(1.0, 2.0**pcen.fraction_bits, low, high)
    nats = LOGS[config.log]
    return _Values(math.log(2.0), 2.0**LOG2_FRACTION_BITS, low * nats, high * nats)


def _requantizations(
    config: FrontEndConfig, pcen: fixed_pcen.Tables | None
) -> tuple[Requantization, ...]:
    if config.quantization is None:
        return ()
    zero_point = config.quantization.zero_point
    values = _values(config, pcen)
    # A code in nats, whatever the logarithm.
    nats = LOGS[config.log] if pcen is None else 1.0
    scale = config.quantization.scale * nats
    if config.normalization is None:
        return (_requantization(config, values, scale, zero_point),)
    bands = zip(config.normalization.means, config.normalization.scales, strict=True)
    return tuple(
        _requantization(config, values, scale * band_scale, zero_point, mean=mean * nats)
        for mean, band_scale in bands
    )


def _requantization(
    config: FrontEndConfig, values: _Values, scale: float, zero_point: int, mean: float = 0.0
) -> Requantization:
    """Return the requantisation of a band with its scale and mean in nats, or of PCEN.

    Raises:
        AscError: the scale is too fine.
    """
    lowest, highest = ((value - mean) / scale for value in (values.lowest, values.highest))
    center = round((lowest + highest) / 2.0)
    # int16 holds a log-mel and a first delta, which is at most 0.6 times the range.
    most = max(highest - center, center - lowest, 0.6 * (highest - lowest)) + 1.0
    units = (math.floor((2**15 - 1) / most) - 1) // 2 * 2 + 1
    if units < 3:
        assert config.quantization
        band = "" if config.normalization is None else " for the scale of a band"
        smallest = config.quantization.scale * most * 3.1 / (2**15 - 1)
        raise AscError(
            f"front end: quantisation scale = {config.quantization.scale}{band}, allowed: "
            f"{smallest:.2g} or more"
        )
    per_unit = values.unit / scale
    one = values.one
    normalized = config.normalization is not None
    return Requantization(
        origin=round((center / per_unit + mean / values.unit) * one) if normalized else 0,
        multiplier=round(units * per_unit * 2.0**32 / one),
        offset=0 if normalized else -center * units,
        reciprocal=round(2.0**32 / units),
        second_reciprocal=round(2.0**32 / (10.0 * units)),
        center=center + zero_point,
        zero_point=zero_point,
    )
