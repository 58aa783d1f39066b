"""Front ends with every option that a configuration has, and the error of their integers."""

from __future__ import annotations

import dataclasses

import numpy as np

from asc_tiny.frontend import fixed, reference
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import LOGS, FrontEndConfig

DEFAULT = FrontEndConfig().quantized(0.11, 40)


def normalized(config: FrontEndConfig, scale: float, zero_point: int) -> FrontEndConfig:
    """Return a front end with means as of loud and quiet bands, and scales from 0.5 nats on."""
    bands = np.arange(config.n_mels)
    unit = LOGS[config.log]
    means = (-9.0 + 7.0 * np.cos(bands / 9.0)) / unit
    scales = (1.7 + 1.2 * np.sin(bands / 5.0)) / unit
    return config.normalized(means.round(3), scales.round(4)).quantized(scale, zero_point)


SPEECH = FrontEndConfig(
    sample_rate=16000, clip_samples=16000, n_fft=512, hop=160, n_mels=40, f_min=50, f_max=8000
).quantized(0.11, 40)

MAGNITUDE = dataclasses.replace(
    SPEECH, n_mels=64, spectrum="magnitude", log_floor=1e-3, deltas=False, framing="causal"
)
"""As YAMNet's."""

PCEN = dataclasses.replace(SPEECH, compression="pcen").quantized(0.02, -100)

CONFIGS = {
    "default": DEFAULT,
    "slaney": dataclasses.replace(DEFAULT, mel_scale="slaney"),
    "speech": SPEECH,
    "no deltas, hop of a window": dataclasses.replace(DEFAULT, deltas=False, n_mels=40, hop=2048),
    "largest": dataclasses.replace(DEFAULT, n_fft=4096, hop=1000, n_mels=128),
    "log10, floor as maximum": dataclasses.replace(DEFAULT, log="log10", floor="max").quantized(
        0.05, 30
    ),
    "log2, causal": dataclasses.replace(
        DEFAULT, log="log2", framing="causal", n_fft=1024, hop=441, n_mels=64
    ).quantized(0.16, 20),
    "coarse codes": DEFAULT.quantized(100.0, 5),
    "normalised": normalized(DEFAULT, 0.05, -3),
    "normalised, log10, no deltas": normalized(
        dataclasses.replace(DEFAULT, log="log10", deltas=False, n_mels=50), 0.04, 12
    ),
    "24 bits": dataclasses.replace(DEFAULT, sample_bits=24),
    "24 bits, normalised speech": normalized(
        dataclasses.replace(SPEECH, sample_bits=24, n_mels=41, floor="max"), 0.05, 7
    ),
    "short window": dataclasses.replace(SPEECH, win_length=399),
    "smallest": dataclasses.replace(DEFAULT, n_fft=256, hop=200, n_mels=16),
}


def error_db(pcm: np.ndarray, config: FrontEndConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return |integer - float64| in dB and the band level in dBFS.

    0 dBFS is a full-scale sine at the centre of a bin: an amplitude of frame_length / 4.
    """
    tables = fixed_tables.build(config)
    integer = fixed.log2_mel(pcm, config, tables) * np.log(2.0) / 2.0**20
    error = np.abs(integer - reference.log_mel(pcm, config)) * 10.0 / np.log(10.0)
    level = 10.0 * np.log10(reference.band_power(pcm, config) + 1e-30)
    return error, level - 20.0 * np.log10(config.frame_length / 4)
