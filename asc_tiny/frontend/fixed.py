"""Integer-only front end: the bit-exact Python model of the firmware's C.

Every step computes with int64 or uint64 what ``asc_frontend_steps.h`` and ``asc_spectrum.c`` do
with 32- and 64-bit integers; the same names appear in both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig
from asc_tiny.frontend.fixed_pcen import Smoother
from asc_tiny.frontend.integers import Int64Array, UInt64Array, floor_log2
from asc_tiny.frontend.reference import frame
from asc_tiny.frontend.tables import Tables
from asc_tiny.util.errors import AscError

Complex = tuple[Int64Array, Int64Array]
"""Real and imaginary parts; of a turn, its cosine and sine in Q31."""


def features(pcm: Samples, config: FrontEndConfig) -> Int8Array:
    """Return a clip's int8 feature codes, exactly those of the firmware.

    Args:
        pcm: samples of the front end's type, shape (clip_samples,).
        config: a front end with quantisation.

    Returns:
        Shape (n_mels, columns, channels): log-mel or PCEN, first delta, second delta.

    Raises:
        AscError: the configuration has no quantisation.
    """
    bands = BandValues(config)
    return bands.codes(bands.next(pcm, config))


class BandValues:
    """What codes are made of: logarithms or PCEN of mel bands, of frames that follow each other.

    Args:
        config: a front end with quantisation.

    Raises:
        AscError: the configuration has no quantisation.
    """

    def __init__(self, config: FrontEndConfig) -> None:
        if config.quantization is None:
            raise AscError("front end: integer features need a quantisation (scale and zero_point)")
        self._config, self._tables = config, fixed_tables.build(config)
        self._to = _Requantizations(self._tables)
        self._smoother = None if self._tables.pcen is None else Smoother(self._tables.pcen)

    def next(self, pcm: Samples, clip: FrontEndConfig) -> Int64Array:
        """Return the values of the next frames, shape (n_mels, frames).

        Args:
            pcm: samples of these frames, shape (samples,).
            clip: the same front end, with the framing and ``clip_samples`` that tell where the
                frames lie in them.
        """
        if self._smoother is None:
            return log2_mel(pcm, clip, self._tables)
        return np.asarray(self._smoother.values(*_bands(pcm, clip, self._tables)[:2]).T)

    def codes(self, values: Int64Array) -> Int8Array:
        """Return the codes of values, shape (n_mels, frames) to (n_mels, columns, channels)."""
        return _codes(values, self._config, self._to)


def joint_features(pcm: Samples, configs: Sequence[FrontEndConfig]) -> Int8Array:
    """Return a clip's codes in several quantisations, one after the other as channels.

    Args:
        pcm: samples of the front end's type, shape (clip_samples,).
        configs: a front end in each quantisation.

    Raises:
        AscError: a configuration has no quantisation.
    """
    return np.concatenate([features(pcm, config) for config in configs], axis=-1)


def log2_mel(pcm: Samples, config: FrontEndConfig, tables: Tables) -> Int64Array:
    """Return log2 of band power and floor in Q20 for samples scaled to +-1, (n_mels, frames)."""
    bands, exponent, shift = _bands(pcm, config, tables)
    floor = np.uint64(tables.floor) >> (config.degree * (tables.max_shift - shift)).astype(
        np.uint64
    )
    bands = bands + floor[:, None] if config.floor == "add" else np.maximum(bands, floor[:, None])
    unit = 1 << fixed_tables.LOG2_FRACTION_BITS
    return np.asarray((_log2(bands, tables) - exponent[:, None] * unit).T)


def _bands(
    pcm: Samples, config: FrontEndConfig, tables: Tables
) -> tuple[UInt64Array, Int64Array, Int64Array]:
    """Return the mel bands as integers, shape (frames, n_mels), log2 of their factor, and shifts.

    The last two are of frames, shape (frames,) each: the factor is that from physical bands, the
    shift that of samples to the left.
    """
    frames = frame(pcm, config).astype(np.int64)
    shift = np.minimum(_headroom(frames, config.sample_bits), tables.max_shift)
    product = _windowed(frames << shift[:, None], config, tables)
    power = _power(*_real_spectrum(_fft(product, tables), tables))
    bands = _mel(roots(power) if config.spectrum == "magnitude" else power, tables)
    exponent = config.degree * shift + fixed_tables.scale_exponent(config, tables.scale_log2)
    return bands, exponent, shift


def _headroom(frames: Int64Array, sample_bits: int) -> Int64Array:
    """Return the left shift that fills the type of a sample, per frame."""
    magnitude = np.bitwise_or.reduce(frames ^ (frames >> 63), axis=1)
    most = 15 if sample_bits == 16 else 31
    return np.asarray(most - np.frexp(magnitude.astype(np.float64))[1], np.int64)


def _windowed(frames: Int64Array, config: FrontEndConfig, tables: Tables) -> Complex:
    """Apply the Hann window in Q30; even samples become the real part, odd ones the imaginary."""
    hann = _whole_window(tables) if tables.window is None else tables.window
    is_short = config.sample_bits == 16
    product = (frames * hann) >> 16 if is_short else _multiply_high(frames, hann)
    product = np.pad(product, ((0, 0), (0, config.n_fft - product.shape[1])))
    return product[:, 0::2], product[:, 1::2]


def _whole_window(tables: Tables) -> Int64Array:
    """Return the window as long as the transform, which the table of cosines has."""
    quarter = tables.cosine >> 2
    half = np.concatenate([2**29 - quarter, 2**29 + quarter[-2::-1]])
    return np.concatenate([half, half[-2:0:-1]])


def _multiply_high(x: Int64Array, y: Int64Array | int) -> Int64Array:
    """Return x y / 2^32, rounded."""
    return np.asarray((x * y + 2**31) >> 32)


def _half_turn(a: Complex, b: Complex, turn: Complex) -> Complex:
    """Return half of a + b (cosine - i sine)."""
    cosine, sine = turn
    return (
        (a[0] >> 1) + _multiply_high(b[0], cosine) + _multiply_high(b[1], sine),
        (a[1] >> 1) + _multiply_high(b[1], cosine) + _multiply_high(b[0], -sine),
    )


def _twiddle(index: Int64Array, tables: Tables) -> Complex:
    """Return cos and sin of 2 pi index / n_fft in Q31 for 0 <= index < n_fft / 2."""
    quarter = len(tables.cosine) - 1
    low = index <= quarter
    fold = np.where(low, index, 2 * quarter - index)
    cosine = np.where(low, tables.cosine[fold], -tables.cosine[fold])
    return cosine, tables.cosine[np.where(low, quarter - index, index - quarter)]


def _fft(z: Complex, tables: Tables) -> Complex:
    """Return the complex transform of each row, scaled by 4 / length (radix 2, in time).

    The window of the two samples that the first layer adds is 1 in all, so that the first two
    layers need no scaling; each of the others halves.
    """
    length = z[0].shape[1]
    order = _bit_reversed(length)
    re, im = _first_layers((z[0][:, order], z[1][:, order]))
    rows = re.shape[0]
    half = 4
    while half < length:
        re, im = (part.reshape(rows, -1, 2, half) for part in (re, im))
        a, b = (re[:, :, 0], im[:, :, 0]), (re[:, :, 1], im[:, :, 1])
        # The twiddle at a quarter turn and beyond is -i times an earlier one.
        halves = _half_turn(a, b, _twiddle(np.arange(half) * (length // half), tables))
        re, im = (
            np.stack([part, first - part], axis=2).reshape(rows, length)
            for part, first in zip(halves, a, strict=True)
        )
        half *= 2
    return re, im


def _first_layers(z: Complex) -> Complex:
    """Return the transforms of every four elements."""
    re, im = (part.reshape(len(part), -1, 4) for part in z)
    sums = [part[:, :, 0::2] + part[:, :, 1::2] for part in (re, im)]
    (b_re, d_re), (b_im, d_im) = (
        np.moveaxis(part[:, :, 0::2] - part[:, :, 1::2], 2, 0) for part in (re, im)
    )
    (a_re, c_re), (a_im, c_im) = (np.moveaxis(part, 2, 0) for part in sums)
    re = np.stack([a_re + c_re, b_re + d_im, a_re - c_re, b_re - d_im], axis=2)
    im = np.stack([a_im + c_im, b_im - d_re, a_im - c_im, b_im + d_re], axis=2)
    return re.reshape(len(re), -1), im.reshape(len(im), -1)


def _bit_reversed(length: int) -> Int64Array:
    order = np.zeros(1, np.int64)
    while len(order) < length:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def _real_spectrum(z: Complex, tables: Tables) -> Complex:
    """Return bins 0 to n_fft / 2 - 1 of the real samples' spectrum, scaled as ``z``.

    The Nyquist bin lies on or above the last mel edge, so its weight is always zero.
    """
    z_re, z_im = z
    length = z_re.shape[1]
    k = np.arange(1, length // 2)
    low, high = (z_re[:, k], z_im[:, k]), (z_re[:, length - k], z_im[:, length - k])
    even = (low[0] + high[0], low[1] - high[1])
    odd = (low[1] + high[1], high[0] - low[0])
    re, im = z_re.copy(), z_im.copy()
    re[:, k], im[:, k] = _half_turn(even, odd, _twiddle(k, tables))
    re[:, length - k], im[:, length - k] = even[0] - re[:, k], even[1] - im[:, k]
    re[:, 0], im[:, 0] = z_re[:, 0] + z_im[:, 0], 0
    return re, im


def _power(re: Int64Array, im: Int64Array) -> UInt64Array:
    return (re * re + im * im).astype(np.uint64)


def roots(power: UInt64Array) -> UInt64Array:
    """Return the roots of powers, with ``ROOT_FRACTION_BITS`` fraction bits.

    A power is shifted by an even number of bits until v = power / 2^64 is 1/4 or more; y, from a
    line through 1 / sqrt(v), gets three steps of Newton's method, y (3 - v y^2) / 2, each of
    which squares its error of at first 9 %; the root is v y.
    """
    even = (63 - floor_log2(power)) & ~1
    v = (power << even.astype(np.uint64)) >> np.uint64(32)
    y = np.uint64(_LINE_START) - _high_product(v, np.uint64(_LINE_SLOPE))
    for _ in range(3):
        y = _high_product(
            y, np.uint64(3 << 28) - _high_product(v, _high_product(y, y))
        ) << np.uint64(3)
    root = _high_product(v, y)
    up = 2 + fixed_tables.ROOT_FRACTION_BITS - even // 2
    left, right = (np.maximum(each, 0).astype(np.uint64) for each in (up, -up))
    return np.where(power > 0, root << left >> right, np.uint64(0))


_LINE_START, _LINE_SLOPE = (round(value * 2**30) for value in (2.14, 1.22))


def _high_product(x: UInt64Array | np.uint64, y: UInt64Array | np.uint64) -> UInt64Array:
    """Return the upper halves of products of 32-bit numbers."""
    return np.asarray((x * y) >> np.uint64(32))


def _mel(power: UInt64Array, tables: Tables) -> UInt64Array:
    """Return the band powers, shape (frames, n_mels)."""
    first = tables.segment_bin
    counts = np.diff(first)
    power = power[:, first[0] : first[-1]]
    offset = (np.arange(first[0], first[-1]) - np.repeat(first[:-1], counts)).astype(np.uint64)
    start, step = np.repeat(tables.segment_start, counts), np.repeat(tables.segment_step, counts)
    weight = start + offset * step
    first = first - first[0]
    fraction = np.uint64(tables.weight_bits)
    low = _segment_sums((power & np.uint64(2**32 - 1)) * weight, first)
    high = _segment_sums((power >> np.uint64(32)) * weight, first)
    rising = (high << (np.uint64(32) - fraction)) + (low >> fraction)
    total = _segment_sums(power, first)
    return rising[:, :-1] + (total - rising)[:, 1:]


def _segment_sums(values: UInt64Array, first: Int64Array) -> UInt64Array:
    """Return the sum of each segment; differences of running sums are right modulo 2^64."""
    zero = np.zeros((values.shape[0], 1), np.uint64)
    running = np.concatenate([zero, np.cumsum(values, axis=1, dtype=np.uint64)], axis=1)
    return np.asarray(running[:, first[1:]] - running[:, first[:-1]])


def _log2(values: UInt64Array, tables: Tables) -> Int64Array:
    """Return log2 of positive integers in Q20."""
    exponent = floor_log2(values)
    mantissa = ((values << (63 - exponent).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    index = (mantissa >> 25) & (fixed_tables.LOG2_SEGMENTS - 1)
    fraction = (mantissa >> 10) & (2**15 - 1)
    chord = tables.log2_base[index] + ((tables.log2_slope[index] * fraction) >> 16)
    return np.asarray((exponent << fixed_tables.LOG2_FRACTION_BITS) + chord)


class _Requantizations:
    """The fields of all bands' requantisations, each of shape (n_mels, 1), or (1, 1)."""

    def __init__(self, tables: Tables) -> None:
        rows = np.array([dataclasses.astuple(each) for each in tables.requantizations], np.int64)
        columns = rows.T[:, :, None]
        self.origin, self.multiplier, self.offset = columns[:3]
        self.reciprocal, self.second_reciprocal, self.center, self.zero_point = columns[3:]


def _codes(log: Int64Array, config: FrontEndConfig, to: _Requantizations) -> Int8Array:
    """Return codes of log2 values in Q20: (n_mels, frames) to (n_mels, columns, channels)."""
    units = _multiply_high(log - to.origin, to.multiplier) + to.offset
    x = np.clip(units, -(2**15), 2**15 - 1)
    if not config.deltas:
        return _narrowed(_multiply_high(x, to.reciprocal) + to.center)[:, :, None]
    first = _tenth(_delta(x))
    second = _multiply_high(_delta(first), to.second_reciprocal)
    reach = DELTA_REACH
    columns = [
        _multiply_high(x[:, reach:-reach], to.reciprocal) + to.center,
        _multiply_high(first[:, reach // 2 : -(reach // 2)], to.reciprocal) + to.zero_point,
        second + to.zero_point,
    ]
    return np.stack([_narrowed(column) for column in columns], axis=-1)


def _tenth(x: Int64Array) -> Int64Array:
    """Return x / 10, rounded, halves up."""
    return _multiply_high(2 * x + 1, fixed_tables.TWENTIETH)


def _delta(x: Int64Array) -> Int64Array:
    """Return ten times the delta along the last axis, which loses 4 columns."""
    return np.asarray(x[:, 3:-1] - x[:, 1:-3] + 2 * (x[:, 4:] - x[:, :-4]))


def _narrowed(codes: Int64Array) -> Int8Array:
    return np.asarray(np.clip(codes, -128, 127), np.int8)
