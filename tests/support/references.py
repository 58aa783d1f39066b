"""What the networks compute by TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.model.model_file import ModelFile, load
from support.network_models import TflmNetwork, inputs
from support.paths import MODEL


def model_file(data: bytes, folder: Path) -> ModelFile:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.tflite"
    path.write_bytes(data)
    return load(path)


def expected(model: ModelFile, samples: list[np.ndarray]) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples])


def samples_of(model: ModelFile, count: int) -> list[np.ndarray]:
    return inputs(model.graph.tensor(model.graph.inputs[0]).shape, count)


def tflm_scores(features: np.ndarray) -> np.ndarray:
    pytest.importorskip("tflite_micro")
    from asc_tiny.tflm.interpreter import Interpreter

    interpreter = Interpreter(MODEL.read_bytes(), MODEL)
    return np.stack([interpreter.run(clip) for clip in features])
