"""Quantising the network of a training run, calibrated on its training clips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Dataset
from asc_tiny.compress.finetune import finetune
from asc_tiny.compress.layer_error import layer_errors, to_json
from asc_tiny.compress.quantize import quantize, with_metadata
from asc_tiny.features import cache
from asc_tiny.features.cache import FeatureSet
from asc_tiny.train import training_clips
from asc_tiny.train.run import Run
from asc_tiny.util.errors import AscError

CALIBRATION_CLIPS = 1000
"""Clips that set the ranges of activations; more take time and hardly widen them."""

REPORT_CLIPS = 32
"""Clips that the error of each layer is measured on."""

_BATCH = 128


def quantize_run(
    run: Run,
    dataset: Dataset,
    *,
    calibration: int | None = CALIBRATION_CLIPS,
    finetune_epochs: int = 0,
) -> bytes:
    """Return the int8 .tflite file of a trained run, metadata included.

    Args:
        run: run whose network is trained to the end.
        dataset: the one it was trained on; its split ``train`` sets the ranges.
        calibration: clips that set the ranges, spread evenly over the split; None for all.
        finetune_epochs: epochs of quantisation-aware fine-tuning before the conversion, 0 for none.

    Raises:
        AscError: the run is not complete, the data set is another one, or the network has an
            operator that TensorFlow Lite Micro does not run.
    """
    recipe, info, model = run.recipe(), run.info(), run.model()
    unknown = sorted(set(dataset.labels) - set(info.labels))
    if unknown:
        raise AscError(
            f"{run.root}: the run does not know scene {unknown[0]!r} of {dataset.root}, "
            f"it knows {', '.join(info.labels)}"
        )
    fingerprint = dataset.fingerprint()
    if fingerprint != info.dataset_fingerprint:
        raise AscError(
            f"{run.root}: was trained on a data set with fingerprint "
            f"{info.dataset_fingerprint[:12]}, {dataset.root} has {fingerprint[:12]}"
        )
    info.check_fold(run.root, dataset)
    dataset = training_clips.of_recipe(dataset, recipe)
    # What the network was trained on: floats, or what the integer front end's codes stand for.
    features = cache.load(
        dataset.split("train"),
        info.frontend,
        arithmetic=recipe.features,
        storage=recipe.feature_storage,
    )
    if finetune_epochs:
        assert info.frontend.quantization is not None
        finetune(
            model,
            features,
            info.frontend.quantization,
            epochs=finetune_epochs,
            seed=recipe.seed,
        )
    chosen = calibration_clips(features, len(features) if calibration is None else calibration)
    options = {
        "recipe_files": dict(info.files),
        "calibration_clips": len(chosen) if calibration != CALIBRATION_CLIPS else 0,
        "finetune_epochs": finetune_epochs,
    }
    return with_metadata(
        quantize(model, Chosen(features, chosen)),
        config=info.frontend,
        labels=info.labels,
        network=info.network,
        provenance={
            "recipe": recipe.content,
            "recipe_sha256": recipe.sha256,
            "dataset_fingerprint": fingerprint,
            "parent_sha256": run.model_sha256(),
            **{name: value for name, value in options.items() if value},
        },
    )


class Chosen:
    """Some clips of a set, read from disk one by one.

    Attributes:
        shape: (clips, n_mels, columns, channels).
    """

    def __init__(self, features: FeatureSet, indices: NDArray[np.integer]) -> None:
        self._features, self._indices = features, indices
        self.shape = (len(indices), *features.shape[1:])

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for index in self._indices:
            yield self._features.take(np.array([index]))[0]


def error_report(run: Run, dataset: Dataset, quantized: bytes) -> str:
    """Return a JSON report of each layer's error, int8 against the run's float network.

    Args:
        run: run that ``quantized`` was made of.
        dataset: ``REPORT_CLIPS`` of its split ``evaluate`` are run.
        quantized: the int8 file.
    """
    clips = dataset.split("evaluate")
    even = np.unique(np.linspace(0, len(clips) - 1, min(REPORT_CLIPS, len(clips))).astype(int))
    chosen = [clips[index] for index in even]
    features = cache.load(chosen, run.info().frontend, arithmetic=run.recipe().features)
    x = features.take(np.arange(len(features)))
    return to_json(layer_errors(run.model(), quantized, x), len(x))


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
