"""PCEN in integers: tables, and the bit-exact Python model of the firmware's ``asc_pcen.h``.

The range of a band's smoothed energy, 2^-120 to 2^25, is that of floating point: a number is here
mantissa 2^(exponent - 31), with a mantissa of 32 bits whose highest is 1; nothing is 0 and
``NOTHING``. Powers are powers of two of products of logarithms, both within some 10^-6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from asc_tiny.frontend.integers import Int64Array, UInt64Array, floor_log2
from asc_tiny.frontend.pcen import Parameters

Numbers = tuple[UInt64Array, Int64Array]
"""Mantissas and exponents."""

NOTHING = -128
"""Exponent of 0."""

LEAST_EXPONENT = -120
"""What decays below is 0: nothing beside the least eps."""

LOG2_FRACTION_BITS = 20
_ENERGY_FRACTION_BITS = 32
"""Fraction bits of bias and normalised energy."""

_LARGEST_VALUE_BITS = 29
_MOST_FRACTION_BITS = 30
_BEND_BITS = 4
"""More fraction bits of a bend than a logarithm has."""


@dataclass(frozen=True)
class Tables:
    """Constants of PCEN in integers.

    Attributes:
        smoothing: weight of a frame's energy in Q32.
        gain, power: exponents in Q30.
        eps: mantissa and exponent of the summand of the smoothed energy.
        bias: summand before the root in Q32.
        fraction_bits: number of fraction bits of a value.
        offset: what the bias alone gives, which is subtracted from values.
        power_of_two: 2^(i / 64) for i = 0 to 63 in Q31, shape (64,), uint64.
        bend: four times the largest distance of log2 from its chord in each of 64 segments, with
            24 fraction bits, shape (64,), int64.
        log2_base, log2_slope: chords of log2, as ``asc_tiny.frontend.tables`` has them.
    """

    smoothing: int
    gain: int
    power: int
    eps: tuple[int, int]
    bias: int
    fraction_bits: int
    offset: int
    power_of_two: UInt64Array
    bend: Int64Array
    log2_base: Int64Array
    log2_slope: Int64Array


def build(to: Parameters, energy: float, log2_base: Int64Array, log2_slope: Int64Array) -> Tables:
    """Compute the tables of PCEN.

    Args:
        to: what it is computed with.
        energy: most that a band can have, for samples scaled to +-1.
        log2_base, log2_slope: chords of log2(1 + i / 64), shape (64,) each.
    """
    root = to.largest(energy) ** to.power
    bits = min(_MOST_FRACTION_BITS, _LARGEST_VALUE_BITS - math.ceil(math.log2(root)))
    mantissa, exponent = math.frexp(to.eps)
    bias = round(to.bias * 2.0**_ENERGY_FRACTION_BITS)
    unset = Tables(
        smoothing=round(to.smoothing * 2.0**32),
        gain=round(to.gain * 2.0**30),
        power=round(to.power * 2.0**30),
        eps=(min(round(mantissa * 2.0**32), 2**32 - 1), exponent - 1),
        bias=bias,
        fraction_bits=bits,
        offset=0,
        power_of_two=np.rint(2.0 ** (np.arange(64) / 64.0 + 31.0)).astype(np.uint64),
        bend=_bends(),
        log2_base=log2_base,
        log2_slope=log2_slope,
    )
    # Of the bias alone nothing is left, whatever is rounded.
    offset = int(_root(np.array([bias], np.uint64), unset)[0])
    return Tables(**{**vars(unset), "offset": offset})


def _bends() -> Int64Array:
    knots = 1.0 + np.arange(65) / 64.0
    slope = np.diff(np.log2(knots))
    furthest = 1.0 / (math.log(2.0) * slope * 64.0)
    bend = np.log2(furthest) - (np.log2(knots[:-1]) + slope * (furthest - knots[:-1]) * 64.0)
    return np.rint(4.0 * bend * 2.0 ** (LOG2_FRACTION_BITS + _BEND_BITS)).astype(np.int64)


class Smoother:
    """The smoothed energy of mel bands, from the start of a clip or of a stream on."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._smoothed: Numbers | None = None

    def values(self, bands: UInt64Array, scale_log2: Int64Array) -> Int64Array:
        """Return PCEN of the next frames, with the ``fraction_bits`` of the tables.

        Args:
            bands: energies as integers, shape (frames, n_mels).
            scale_log2: log2 of the factor from physical bands to these, shape (frames,).

        Returns:
            Shape (frames, n_mels).
        """
        rows = [np.zeros((0, bands.shape[1]), np.int64)]
        for band, scale in zip(bands, scale_log2, strict=True):
            energy = _number(band, -scale)
            self._smoothed = self._next(energy)
            rows.append(_value(energy, self._smoothed, self._tables)[None])
        return np.concatenate(rows)

    def _next(self, energy: Numbers) -> Numbers:
        if self._smoothed is None:
            return energy
        weight = self._tables.smoothing
        mantissa, exponent = self._smoothed
        kept = mantissa * np.uint64(2**32 - weight), exponent
        added = energy[0] * np.uint64(weight), energy[1]
        total, exponent = _sum(kept, added)
        return _number(total, exponent - 63)


def _number(value: UInt64Array, exponent: Int64Array) -> Numbers:
    """Return value 2^exponent as a number."""
    zeros = 63 - floor_log2(value)
    mantissa = (value << zeros.astype(np.uint64)) >> np.uint64(32)
    exponent = exponent + 63 - zeros
    there = (value > 0) & (exponent >= LEAST_EXPONENT)
    return np.where(there, mantissa, np.uint64(0)), np.where(there, exponent, NOTHING)


def _sum(a: Numbers, b: Numbers) -> Numbers:
    """Return the sum of numbers with mantissas of 64 bits, and the larger exponent."""
    exponent = np.maximum(a[1], b[1])
    return _right(a[0], exponent - a[1]) + _right(b[0], exponent - b[1]), exponent


def _right(value: UInt64Array, shift: Int64Array) -> UInt64Array:
    """Return a number shifted right by 0 bits or more, of which 64 leave nothing."""
    return np.where(shift < 64, value >> np.minimum(shift, 63).astype(np.uint64), np.uint64(0))


def _value(energy: Numbers, smoothed: Numbers, tables: Tables) -> Int64Array:
    eps, eps_exponent = tables.eps
    total, exponent = _sum(
        (smoothed[0] << np.uint64(31), smoothed[1]),
        (np.uint64(eps << 31) + np.zeros_like(smoothed[0]), np.asarray(eps_exponent)),
    )
    log = _log2(total, tables) + ((exponent - 62) << LOG2_FRACTION_BITS)
    factor, factor_exponent = _power_of_two(-_product(log, tables.gain), tables)
    normalized = _right(energy[0] * factor, 30 - energy[1] - factor_exponent)
    return _root(normalized + np.uint64(tables.bias), tables) - tables.offset


def _root(energy: UInt64Array, tables: Tables) -> Int64Array:
    """Return a power of numbers in Q32, with the fraction bits of values."""
    log = _log2(energy, tables) - (_ENERGY_FRACTION_BITS << LOG2_FRACTION_BITS)
    mantissa, exponent = _power_of_two(_product(log, tables.power), tables)
    return _right(mantissa, 31 - exponent - tables.fraction_bits).astype(np.int64)


def _product(log: Int64Array, factor: int) -> Int64Array:
    """Return a logarithm in Q20 times a factor in Q30, rounded."""
    return np.asarray((4 * log * factor + 2**31) >> 32)


def _log2(values: UInt64Array, tables: Tables) -> Int64Array:
    """Return log2 of positive integers in Q20: a chord, and a parabola on it."""
    exponent = floor_log2(values)
    mantissa = ((values << (63 - exponent).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    index = (mantissa >> 25) & 63
    fraction = (mantissa >> 10) & (2**15 - 1)
    chord = tables.log2_base[index] + ((tables.log2_slope[index] * fraction) >> 16)
    # The chord is raised by half of what log2 is above it in the middle.
    above = ((fraction * (2**15 - fraction)) >> 14) - 2**13
    chord += (tables.bend[index] * above) >> LOG2_FRACTION_BITS
    return np.asarray((exponent << LOG2_FRACTION_BITS) + chord)


def _power_of_two(log: Int64Array, tables: Tables) -> Numbers:
    """Return 2 to the power of numbers in Q20."""
    fraction = log & (2**LOG2_FRACTION_BITS - 1)
    rest = fraction & (2**14 - 1)
    # 2^rest is 1 + x + x^2 / 2, x in Q32.
    x = ((rest * LN2_Q17) >> 5).astype(np.uint64)
    square = (x >> np.uint64(10)) * (x >> np.uint64(10)) >> np.uint64(13)
    table = tables.power_of_two[fraction >> 14]
    mantissa = table + ((table * (x + square)) >> np.uint64(32))
    return mantissa, np.asarray(log >> LOG2_FRACTION_BITS)


LN2_Q17 = round(math.log(2.0) * 2**17)
"""ln(2) with 17 fraction bits."""
