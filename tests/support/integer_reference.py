"""What int8 operators compute, by their definition: one number at a time, in Python's integers.

The definition is that of TensorFlow Lite's quantisation specification and of gemmlowp's
fixed-point arithmetic. It shares no code with the compiler and its kernels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

LOWEST, HIGHEST = -128, 127


def multiplier_of(real: float) -> tuple[int, int]:
    """Return (q, shift) of a positive real number as q / 2^31 * 2^shift, with 2^30 <= q < 2^31."""
    fraction, shift = math.frexp(real)
    q = math.floor(fraction * 2**31 + 0.5)
    return (q // 2, shift + 1) if q == 2**31 else (q, shift)


def rescale(value: int, real: float) -> int:
    """Return ``value * real``, rounded as gemmlowp rounds: two times, halves away from zero."""
    return _scaled(value, *multiplier_of(real))


def mean(total: int, count: int, real: float) -> int:
    """Return ``total / count * real``; the multiplier is divided, so that it loses no bits."""
    q, shift = multiplier_of(real)
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return _scaled(total, (q << bits) // count, shift - bits)


def _scaled(value: int, q: int, shift: int) -> int:
    product = (value << max(shift, 0)) * q
    high = _truncated(product + (2**30 if product >= 0 else 1 - 2**30), 2**31)
    return rounding_divide(high, max(-shift, 0))


def rounding_divide(value: int, exponent: int) -> int:
    """Return ``value / 2^exponent``, halves away from zero."""
    half = (1 << exponent) >> 1
    return (abs(value) + half >> exponent) * (1 if value >= 0 else -1)


def _truncated(value: int, divisor: int) -> int:
    return abs(value) // divisor * (1 if value >= 0 else -1)


def code(value: int, low: int = LOWEST, high: int = HIGHEST) -> int:
    """Return a value as a code within limits."""
    return min(max(value, low), high)


def limits(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """Return the smallest and largest code that a fused activation lets through."""
    real: dict[str, tuple[float, float]] = {
        "NONE": (-math.inf, math.inf),
        "RELU": (0.0, math.inf),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }
    low, high = (
        bound if math.isinf(bound) else zero_point + math.floor(bound / scale + 0.5)
        for bound in real[activation]
    )
    return int(max(low, LOWEST)), int(min(high, HIGHEST))


def windows(
    size: int, kernel: int, stride: int, dilation: int, padding: str
) -> tuple[int, list[list[int]]]:
    """Return, along an axis, the size of the output and the places that each window covers.

    Places below 0 or from ``size`` on are padding.
    """
    reach = (kernel - 1) * dilation + 1
    count = -(-size // stride) if padding == "SAME" else -(-(size - reach + 1) // stride)
    missing = max((count - 1) * stride + reach - size, 0) if padding == "SAME" else 0
    first = -(missing // 2)
    return count, [[first + n * stride + k * dilation for k in range(kernel)] for n in range(count)]


def _inside(image: np.ndarray, rows: Sequence[int], columns: Sequence[int]) -> Iterator[tuple]:
    """Yield (kernel row, kernel column, pixel) where a window covers the image."""
    height, width, _ = image.shape
    for (i, row), (j, column) in itertools.product(enumerate(rows), enumerate(columns)):
        if 0 <= row < height and 0 <= column < width:
            yield i, j, image[row, column]


def _each_window(
    image: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: str,
    channels: int,
    pixel: Callable[[list[tuple]], Sequence[int]],
) -> np.ndarray:
    height, rows = windows(image.shape[0], kernel[0], stride[0], dilation[0], padding)
    width, columns = windows(image.shape[1], kernel[1], stride[1], dilation[1], padding)
    out = np.zeros((height, width, channels), int)
    for y, x in itertools.product(range(height), range(width)):
        out[y, x] = pixel(list(_inside(image, rows[y], columns[x])))
    return out


def convolution(
    image: np.ndarray,
    weights: np.ndarray,
    bias: np.ndarray,
    *,
    scales: tuple[float, Sequence[float], float],
    zero_points: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: str = "SAME",
    activation: str = "NONE",
    is_depthwise: bool = False,
) -> np.ndarray:
    """CONV_2D or DEPTHWISE_CONV_2D of an image, shape (height, width, channels).

    Args:
        weights: (filters, height, width, channels); (height, width, outputs) if depthwise.
        scales: of the input, of each output channel's weights, of the output.
        zero_points: of the input, of the output.
    """
    outputs = len(bias)
    kernel = weights.shape[:2] if is_depthwise else weights.shape[1:3]
    low, high = limits(activation, scales[2], zero_points[1])
    image = image.astype(int) - zero_points[0]
    weights = weights.astype(int)
    multiplier = outputs // image.shape[2] if is_depthwise else 0

    def pixel(inside: list[tuple]) -> list[int]:
        made = []
        for n in range(outputs):
            total = int(bias[n])
            for i, j, values in inside:
                if is_depthwise:
                    total += int(values[n // multiplier] * weights[i, j, n])
                else:
                    total += int(values @ weights[n, i, j])
            scaled = rescale(total, scales[0] * scales[1][n] / scales[2])
            made.append(code(scaled + zero_points[1], low, high))
        return made

    return _each_window(image, kernel, stride, dilation, padding, outputs, pixel)


def pool(
    image: np.ndarray,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    *,
    average: bool,
) -> np.ndarray:
    """AVERAGE_POOL_2D or MAX_POOL_2D of an image; what is padding counts for neither."""
    channels = image.shape[2]

    def pixel(inside: list[tuple]) -> list[int]:
        values = np.stack([value for _, _, value in inside]).astype(int)
        if not average:
            return [int(each) for each in values.max(axis=0)]
        half = len(values) // 2
        sums = [int(each) for each in values.sum(axis=0)]
        return [_truncated(s + half if s > 0 else s - half, len(values)) for s in sums]

    return _each_window(image, kernel, stride, (1, 1), padding, channels, pixel)


def added(a: int, b: int, scales: Sequence[float], zero_points: Sequence[int], sign: int) -> int:
    """ADD, or SUB with a sign of -1, of two codes; scales of both and of the output."""
    largest = 2.0 * max(scales[0], scales[1])
    x = rescale((a - zero_points[0]) << 20, scales[0] / largest)
    y = rescale((b - zero_points[1]) << 20, scales[1] / largest)
    return code(rescale(x + sign * y, largest / (2**20 * scales[2])) + zero_points[2])


def multiplied(a: int, b: int, scales: Sequence[float], zero_points: Sequence[int]) -> int:
    """MUL of two codes; scales and zero points of both and of the output."""
    product = (a - zero_points[0]) * (b - zero_points[1])
    return code(rescale(product, scales[0] * scales[1] / scales[2]) + zero_points[2])
