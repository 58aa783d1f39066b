"""Integer-only front end: the bit-exact Python model of ``asc_frontend.c``.

Every step computes with int64 or uint64 what the C code computes with 32- and 64-bit integers;
the same names appear in both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny.errors import AscError
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig
from asc_tiny.frontend.reference import Int8Array, Int16Array, frame
from asc_tiny.frontend.tables import Requantisation, Tables

Int64Array = NDArray[np.int64]
UInt64Array = NDArray[np.uint64]
Complex = tuple[Int64Array, Int64Array]
"""Real and imaginary parts; of a turn, its cosine and sine in Q31."""


def features(pcm: Int16Array, config: FrontEndConfig) -> Int8Array:
    """Return a clip's int8 feature codes, exactly those of the firmware.

    Args:
        pcm: int16 samples, shape (clip_samples,).
        config: a front end with quantisation.

    Returns:
        Shape (n_mels, columns, channels): log-mel, first delta, second delta.

    Raises:
        AscError: the configuration has no quantisation.
    """
    if config.quantisation is None:
        raise AscError("front end: integer features need a quantisation (scale and zero_point)")
    tables = fixed_tables.build(config)
    log = log2_mel(pcm, config, tables)
    channels = [log]
    if config.deltas:
        columns = config.columns
        taps = [log[:, t : t + columns] for t in range(2 * DELTA_REACH + 1)]
        centre = DELTA_REACH
        delta = taps[centre + 1] - taps[centre - 1] + 2 * (taps[centre + 2] - taps[centre - 2])
        weights = fixed_tables.SECOND_DELTA_TAPS
        second = sum((w * tap for w, tap in zip(weights, taps, strict=True)), np.int64(0))
        channels = [taps[centre], delta, np.asarray(second)]
    codes = [_requantise(v, r) for v, r in zip(channels, tables.requantisation, strict=True)]
    return np.stack(codes, axis=-1)


def log2_mel(pcm: Int16Array, config: FrontEndConfig, tables: Tables) -> Int64Array:
    """Return log2(band power + log_floor) in Q16 for samples scaled to +-1, (n_mels, frames)."""
    frames = frame(pcm, config).astype(np.int64)
    shift = _headroom(frames)
    spectrum = _real_spectrum(_fft(_windowed(frames << shift[:, None], tables), tables), tables)
    bands = _mel(_power(*spectrum), tables)
    floor = np.uint64(tables.floor) >> (2 * (fixed_tables.MAX_SHIFT - shift)).astype(np.uint64)
    exponent = 2 * (tables.scale_log2 + shift)
    unit = 1 << fixed_tables.LOG2_FRACTION_BITS
    return (_log2(bands + floor[:, None], tables) - exponent[:, None] * unit).T


def _headroom(frames: Int64Array) -> Int64Array:
    """Return the left shift that fills int16, per frame; 15 for a frame of 0 and -1 only."""
    magnitude = np.bitwise_or.reduce(frames ^ (frames >> 63), axis=1)
    return np.asarray(15 - np.frexp(magnitude.astype(np.float64))[1], np.int64)


def _windowed(frames: Int64Array, tables: Tables) -> Complex:
    """Apply the Hann window; even samples become the real part, odd ones the imaginary part."""
    quarter = tables.cosine >> 1
    half = np.concatenate([2**30 - quarter, 2**30 + quarter[-2::-1]])
    hann = np.concatenate([half, half[-2:0:-1]])
    product = (frames * hann + 2**15) >> 16
    return product[:, 0::2], product[:, 1::2]


def _half_sum(a: Int64Array, b: Int64Array) -> Int64Array:
    """Return (a + b / 2^31) / 2, rounded once."""
    return ((a << 31) + b + 2**31) >> 32


def _half_turn(a: Complex, b: Complex, turn: Complex) -> Complex:
    """Return half of a + b (cosine - i sine)."""
    cosine, sine = turn
    return (
        _half_sum(a[0], b[0] * cosine + b[1] * sine),
        _half_sum(a[1], b[1] * cosine - b[0] * sine),
    )


def _twiddle(index: Int64Array, tables: Tables) -> Complex:
    """Return cos and sin of 2 pi index / n_fft in Q31 for 0 <= index < n_fft / 2."""
    quarter = len(tables.cosine) - 1
    low = index <= quarter
    fold = np.where(low, index, 2 * quarter - index)
    cosine = np.where(low, tables.cosine[fold], -tables.cosine[fold])
    return cosine, tables.cosine[np.where(low, quarter - index, index - quarter)]


def _fft(z: Complex, tables: Tables) -> Complex:
    """Return the complex transform of each row, scaled by 1 / length (radix 2, in time)."""
    length = z[0].shape[1]
    order = _bit_reversed(length)
    re, im = z[0][:, order], z[1][:, order]
    rows = re.shape[0]
    half = 1
    while half < length:
        re, im = (part.reshape(rows, -1, 2, half) for part in (re, im))
        a, b = (re[:, :, 0], im[:, :, 0]), (re[:, :, 1], im[:, :, 1])
        turn = _twiddle(np.arange(half) * (length // half), tables)
        halves = _half_turn(a, b, turn)
        for part, first, second in zip(halves, a, b, strict=True):
            # A turn by zero is exact.
            part[:, :, 0] = (first[:, :, 0] + second[:, :, 0] + 1) >> 1
        re, im = (
            np.stack([part, first - part], axis=2).reshape(rows, length)
            for part, first in zip(halves, a, strict=True)
        )
        half *= 2
    return re, im


def _bit_reversed(length: int) -> Int64Array:
    order = np.zeros(1, np.int64)
    while len(order) < length:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def _real_spectrum(z: Complex, tables: Tables) -> Complex:
    """Return bins 0 to n_fft / 2 - 1 of the real samples' spectrum, scaled by 2 / n_fft.

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


def _mel(power: UInt64Array, tables: Tables) -> UInt64Array:
    """Return the band powers, shape (frames, n_mels)."""
    first = tables.segment_bin
    counts = np.diff(first)
    power = power[:, first[0] : first[-1]]
    offset = (np.arange(first[0], first[-1]) - np.repeat(first[:-1], counts)).astype(np.uint64)
    start, step = np.repeat(tables.segment_start, counts), np.repeat(tables.segment_step, counts)
    weight = start + offset * step
    first = first - first[0]
    low, high = power & np.uint64(2**32 - 1), power >> np.uint64(32)
    rising = _segment_sums(high * weight + ((low * weight) >> np.uint64(32)), first)
    total = _segment_sums(power, first)
    return rising[:, :-1] + (total - rising)[:, 1:]


def _segment_sums(values: UInt64Array, first: Int64Array) -> UInt64Array:
    zero = np.zeros((values.shape[0], 1), np.uint64)
    running = np.concatenate([zero, np.cumsum(values, axis=1, dtype=np.uint64)], axis=1)
    return np.asarray(running[:, first[1:]] - running[:, first[:-1]])


def _log2(values: UInt64Array, tables: Tables) -> Int64Array:
    """Return log2 of positive integers in Q16."""
    exponent = _floor_log2(values)
    mantissa = ((values << (63 - exponent).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    index = (mantissa >> 25) & (fixed_tables.LOG2_SEGMENTS - 1)
    fraction = (mantissa & (2**25 - 1)) >> 9
    chord = tables.log2_base[index] + ((tables.log2_slope[index] * fraction + 2**15) >> 16)
    return np.asarray((exponent << fixed_tables.LOG2_FRACTION_BITS) + chord)


def _floor_log2(values: UInt64Array) -> Int64Array:
    exponent = np.zeros(values.shape, np.int64)
    for bits in (32, 16, 8, 4, 2, 1):
        large = (values >> np.uint64(bits)) > 0
        exponent += np.where(large, bits, 0)
        values = np.where(large, values >> np.uint64(bits), values)
    return exponent


def _requantise(values: Int64Array, requantisation: Requantisation) -> Int8Array:
    codes = (values * requantisation.multiplier + requantisation.offset) >> requantisation.shift
    return np.asarray(np.clip(codes, -128, 127), np.int8)
