"""The linear combination of class scores in integers: the bit-exact model of the C code.

Real scores follow ``y = sum of w_n y_n + b`` over the members n (Bing et al., DCASE2023 Task 1,
section 3.2). With ``y_n = scale_n (code_n - zero_n)`` and the same for y, every output code is one
sum of products:

    code = (sum of multiplier_n code_n + offset) >> 16, clipped to int8

The offsets hold b, all zero points and the half that makes the shift round half up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import Quantization
from asc_tiny.util.errors import AscError

Int8Array = NDArray[np.int8]

FRACTION_BITS = 16
MAGNITUDE = 1000.0
"""Largest weight and bias; the largest weight must also be at least ``1 / MAGNITUDE``."""

SOFTMAX = Quantization(scale=1.0 / 256.0, zero_point=-128)
"""Quantisation of scores from 0 to 1, as the TFLite specification fixes it for softmax."""

_CODES = (-128, 127)


@dataclass(frozen=True)
class ScoreMixer:
    """The integers that combine scores; every sum of products fits 32 bits.

    Attributes:
        multipliers: ``w_n scale_n / scale`` in Q16, one per member.
        offsets: b, zero points and rounding in Q16 output codes, one per class.
        output: scale and zero point of the combined scores.
    """

    multipliers: tuple[int, ...]
    offsets: tuple[int, ...]
    output: Quantization

    def codes(self, members: Int8Array) -> Int8Array:
        """Combine int8 codes, shape (members, ..., classes), to codes, shape (..., classes)."""
        sums = np.tensordot(np.array(self.multipliers), members.astype(np.int64), axes=1)
        codes = (sums + np.array(self.offsets)) >> FRACTION_BITS
        return np.asarray(np.clip(codes, *_CODES), np.int8)


def score_mixer(
    weights: Sequence[float], bias: Sequence[float], members: Sequence[Quantization]
) -> ScoreMixer:
    """Return the integers for weights, one per member, and a bias, one per class.

    Scores that can only lie from 0 to 1, and can exceed 1/2, get softmax's scale 1/256 and zero
    point -128; others the smallest scale with which no score can saturate, and a zero point such
    that 0 has a code.

    Raises:
        AscError: a number is not finite or too large, or all weights are too small.
    """
    for name, values in (("weight", weights), ("bias", bias)):
        for value in values:
            if not abs(value) <= MAGNITUDE:
                raise AscError(f"{name} = {value}, allowed: -{MAGNITUDE:g} to {MAGNITUDE:g}")
    if max(map(abs, weights)) < 1.0 / MAGNITUDE:
        raise AscError(f"weights {list(weights)}: one must be at least {1.0 / MAGNITUDE:g}")
    output = _output(weights, bias, members)
    unit = float(1 << FRACTION_BITS)
    pairs = list(zip(weights, members, strict=True))
    multipliers = [round(w * q.scale / output.scale * unit) for w, q in pairs]
    zero = sum(m * q.zero_point for m, q in zip(multipliers, members, strict=True))
    fixed = (output.zero_point << FRACTION_BITS) + (1 << (FRACTION_BITS - 1)) - zero
    offsets = [round(b / output.scale * unit) + fixed for b in bias]
    return ScoreMixer(tuple(multipliers), tuple(offsets), output)


def _output(
    weights: Sequence[float], bias: Sequence[float], members: Sequence[Quantization]
) -> Quantization:
    ends = np.array(
        [
            sorted(w * q.scale * (code - q.zero_point) for code in _CODES)
            for w, q in zip(weights, members, strict=True)
        ]
    ).sum(axis=0)
    low, high = float(ends[0]) + min(bias), float(ends[1]) + max(bias)
    if low >= 0.0 and 0.5 < high <= 1.0:
        return SOFTMAX
    low, high = min(low, 0.0), max(high, 0.0)
    scale = float(np.float32((high - low) / 255.0))
    return Quantization(scale=scale, zero_point=min(-128 - round(low / scale), 127))
