"""Quantising the network of a training run, calibrated on its training clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asc_tiny import nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.compress.quantize import quantise, with_metadata
from asc_tiny.errors import AscError
from asc_tiny.train import cache
from asc_tiny.train.cache import FeatureSet
from asc_tiny.train.run import Run

CALIBRATION_CLIPS = 1000
"""Clips that set the ranges of activations; more take time and hardly widen them."""

_BATCH = 128


def quantise_run(run: Run, dataset: Dataset) -> bytes:
    """Return the int8 .tflite file of a trained run, metadata included.

    Args:
        run: with a trained network.
        dataset: the one it was trained on; its split ``train`` sets the ranges.

    Raises:
        AscError: the run is not complete, the data set is another one, or the network has an
            operator that TensorFlow Lite Micro does not run.
    """
    recipe, info, model = run.recipe(), run.info(), nets.load(run.model_path)
    fingerprint = dataset.fingerprint()
    if fingerprint != info.dataset_fingerprint:
        raise AscError(
            f"{run.root}: was trained on a data set with fingerprint "
            f"{info.dataset_fingerprint[:12]}, {dataset.root} has {fingerprint[:12]}"
        )
    features = cache.load(dataset.split("train"), info.frontend)
    return with_metadata(
        quantise(model, features.take(calibration_clips(features, CALIBRATION_CLIPS))),
        config=info.frontend,
        labels=info.labels,
        network=info.network,
        provenance={
            "recipe": recipe.content,
            "recipe_sha256": recipe.sha256,
            "dataset_fingerprint": fingerprint,
            "parent_sha256": run.model_sha256(),
        },
    )


def calibration_clips(features: FeatureSet, count: int) -> NDArray[np.integer]:
    """Return indices of ``count`` clips evenly over the set, and of those with its extremes.

    The extremes make the input's range the one that training took its int8 codes from.
    """
    lows, highs = [], []
    for some in features.batches(_BATCH):
        lows.append(some.min(axis=(1, 2, 3)))
        highs.append(some.max(axis=(1, 2, 3)))
    even = np.linspace(0, len(features) - 1, min(count, len(features))).astype(np.int64)
    extremes = [int(np.argmin(np.concatenate(lows))), int(np.argmax(np.concatenate(highs)))]
    return np.unique([*even.tolist(), *extremes])
