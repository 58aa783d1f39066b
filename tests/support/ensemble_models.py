"""Members of ensembles, made from the released model or built in small."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from support.network_models import converted
from support.paths import MODEL

SMALL_FRONTEND = FrontEndConfig(n_mels=16)


def perturbed(path: Path) -> Path:
    """Write the released model with its largest weights reversed: same shapes, other scores."""
    graph = model_file.load(MODEL).graph
    largest = max((t for t in graph.tensors if t.is_constant), key=lambda t: t.byte_count)
    assert largest.data is not None
    weights, data = largest.data.tobytes(), MODEL.read_bytes()
    assert data.count(weights) == 1
    path.write_bytes(data.replace(weights, weights[::-1]))
    return path


def _small(shape: tuple[int, int, int], filters: int, classes: int) -> Any:
    from keras import Input, Model, layers

    inputs = Input(shape, batch_size=1)
    x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(inputs)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 1, activation="relu")(x))
    return Model(inputs, layers.Softmax()(layers.Dense(classes)(x)))


def small(
    path: Path,
    labels: Sequence[str],
    *,
    filters: int,
    width: float,
    frontend: FrontEndConfig = SMALL_FRONTEND,
) -> Path:
    """Write a small network; ``width`` is the deviation of its input, hence sets its scale."""
    from asc_tiny.model.metadata_writer import embed

    data = converted(_small, frontend.shape, filters, len(labels), width=width)
    path.write_bytes(data)
    source = model_file.load(path).graph
    tensor = source.tensor(source.inputs[0])
    config = frontend.quantized(tensor.scales[0], tensor.zero_points[0])
    path.write_bytes(embed(data, {"frontend": config.to_dict(), "labels": list(labels)}))
    return path


def write_ensemble(
    path: Path, members: Sequence[Path], weights: Sequence[float], bias: object = 0.0
) -> Path:
    """Write an ensemble file by hand, without hashes."""
    lines = ["schema = 1", f"bias = {bias}"]
    for member, weight in zip(members, weights, strict=True):
        lines += ["[[member]]", f'path = "{member}"', f"weight = {weight}"]
    path.write_text("\n".join(lines) + "\n")
    return path


def reference_codes(
    codes: np.ndarray,
    weights: Sequence[float],
    bias: Sequence[float],
    members: Sequence[tuple[float, int]],
    output: tuple[float, int],
) -> np.ndarray:
    """Return the real-valued codes of members' combined codes, shape (members, ..., classes).

    ``members`` and ``output`` are (scale, zero point).
    """
    y = np.array(bias, np.float64)
    for weight, code, (scale, zero_point) in zip(weights, codes, members, strict=True):
        y = y + weight * scale * (code.astype(np.float64) - zero_point)
    return np.asarray(y / output[0] + output[1])
