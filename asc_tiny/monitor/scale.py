"""What the columns of a spectrogram stand for: seconds, hertz, and levels of the codes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import LOGS, FrontEndConfig

_CODES = np.arange(-128.0, 128.0)


@dataclass(frozen=True)
class Scale:
    """Units of a spectrogram of int8 codes.

    Attributes:
        step_s: seconds from a column to the next, None if not known.
        centers_hz: center of each band in Hz, empty if not known.
        levels: level of each code from -128 on, shape (bands, 256).
        unit: unit of the levels.
    """

    step_s: float | None
    centers_hz: tuple[float, ...]
    levels: NDArray[np.float64]
    unit: str

    @property
    def low(self) -> float:
        """The least level."""
        return float(self.levels.min())

    @property
    def high(self) -> float:
        """The highest level."""
        return float(self.levels.max())

    def shades(self, codes: NDArray[np.int8]) -> NDArray[np.uint8]:
        """Return where levels lie between the least and the highest, 0 to 255.

        Args:
            codes: int8 codes of a column, shape (bands,).
        """
        levels = self.levels[np.arange(len(codes)), codes.astype(np.int64) + 128]
        return np.rint(255.0 * (levels - self.low) / (self.high - self.low)).astype(np.uint8)


def scale(bands: int, config: FrontEndConfig | None) -> Scale:
    """Return the units of a device's columns.

    Of a front end with a logarithm, the level is in dB below the most that a band can have, which
    it has where all the energy of full-scale samples lies in it.

    Args:
        bands: number of bands that the device sends: all, or as many evenly spaced ones.
        config: the device's front end; None if it is not known.
    """
    if config is None or config.quantization is None or bands > config.n_mels:
        return Scale(None, (), np.tile(_CODES, (bands, 1)), "int8 code")
    # As keep_codes in asc_protocol.c chooses them.
    chosen = np.arange(bands) * config.n_mels // bands
    values = config.quantization.scale * (_CODES - config.quantization.zero_point)
    levels = np.tile(values, (bands, 1))
    if config.normalization is not None:
        scales, means = config.normalization.scales, config.normalization.means
        levels = levels * np.array(scales)[chosen, None] + np.array(means)[chosen, None]
    unit = "PCEN"
    if config.pcen is None:
        per_bel = 10.0 if config.spectrum == "power" else 20.0
        levels = (levels - config.value_range[1]) * LOGS[config.log] * per_bel / math.log(10.0)
        unit = "dB re full scale"
    centers = tuple(float(each) for each in config.mel_edges[chosen + 1])
    return Scale(config.hop / config.sample_rate, centers, levels, unit)
