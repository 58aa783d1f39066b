"""Small classifiers whose inputs and outputs are of any type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.model import metadata_writer
from support.tflite_builder import Builder
from support.wrapped_ends import ENDS, interpreted, outer_values, wrapped

CONFIG = FrontEndConfig(n_mels=16)
SOURCE = Quantization(scale=float(np.float32(0.6)), zero_point=-20)
SOFTMAX = Quantization(scale=1 / 256, zero_point=-128)
MIXED = ("INT8", *ENDS)
"""Types of the ends of four networks."""


def network(seed: int, classes: int) -> bytes:
    """A dense layer and a softmax, whose scores differ from clip to clip."""
    builder = Builder()
    x = builder.activation((1, *CONFIG.shape), SOURCE.scale, SOURCE.zero_point)
    y = builder.activation((1, classes), 0.1, 0)
    z = builder.activation((1, classes), SOFTMAX.scale, SOFTMAX.zero_point)
    size = int(np.prod(CONFIG.shape))
    weights = np.random.default_rng(seed).integers(-127, 128, (classes, size), np.int8)
    kernel = builder.constant(weights, [1 / 8000])
    bias = builder.constant(np.zeros(classes, np.int32), [x.scale / 8000])
    builder.operator("FULLY_CONNECTED", [x, kernel, bias], [y])
    builder.operator("SOFTMAX", [y], [z], beta=1.0)
    return builder.finish([x], [z])


def write_classifier(path: Path, seed: int, ends: str, labels: Sequence[str]) -> Path:
    """Write the file of ``network`` with these ends, its front end and its labels."""
    document = {"frontend": CONFIG.to_dict(), "labels": list(labels)}
    data = wrapped(network(seed, len(labels)), ends, ends)
    path.write_bytes(metadata_writer.embed(data, document))
    return path


def score_codes(path: Path, ends: str, features: np.ndarray) -> np.ndarray:
    """Return codes of the scores, by running the file of these ends on the values that it takes.

    Args:
        path: the file.
        ends: type of its ends.
        features: codes of the network inside, of the shape of ``CONFIG``.
    """
    values = outer_values(features[None], ends, SOURCE.scale, SOURCE.zero_point)
    scores = interpreted(path.read_bytes(), values).reshape(-1)
    if ends == "FLOAT32":
        return np.round(scores.astype(np.float64) * 256).astype(np.int64) - 128
    if ends == "INT16":
        return scores.astype(np.int64) // 64 - 128
    return scores.astype(np.int64) - (128 if ends == "UINT8" else 0)
