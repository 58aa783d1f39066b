"""What training needs of a data set: features, targets, and the range of the int8 input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.features import cache
from asc_tiny.features.cache import Change, FeatureSet
from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.train import distil
from asc_tiny.train.augmentation import augment, waveform
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.run import Run
from asc_tiny.util import progress

Float32Array = NDArray[np.float32]

_EVALUATION_BATCH = 128


@dataclass(frozen=True)
class TrainingData:
    """What training needs of a data set.

    Attributes:
        features: clips of the split ``train``, at the training resolution.
        inference_features: the same clips at the network's resolution.
        targets: one-hot, shape (clips, labels).
        quantization: scale and zero point of the network's int8 input.
        evaluate_features, evaluate_targets: clips of the split ``evaluate``.
        teacher_scores: probabilities of each teacher that the recipe has a file of, shape (clips,
            labels) each.
        copies: features of changed copies of the clips, in the order of ``features``.
    """

    features: FeatureSet
    inference_features: FeatureSet
    targets: Float32Array
    quantization: Quantization
    evaluate_features: FeatureSet
    evaluate_targets: Float32Array
    teacher_scores: tuple[NDArray[np.float64], ...] = ()
    copies: tuple[FeatureSet, ...] = ()

    @classmethod
    def load(cls, dataset: Dataset, recipe: Recipe, folder: Path | None) -> TrainingData:
        """Return what a recipe takes of a data set; what is not in the cache is computed.

        Args:
            dataset: the clips.
            recipe: recipe with the statistics of its bands.
            folder: folder of the cache; None for the user's.

        Raises:
            AscError: a clip, or a file that the recipe names, cannot be used.
        """
        clips, held_out = dataset.split("train"), dataset.split("evaluate")
        floats = cache.load(clips, recipe.frontend, storage=recipe.feature_storage, folder=folder)
        quantization = input_quantization(floats)

        def features(
            some: Sequence[Clip],
            config: FrontEndConfig,
            change: Change | None = None,
            storage: str = recipe.feature_storage,
        ) -> FeatureSet:
            quantized = config.quantized(quantization.scale, quantization.zero_point)
            options: dict[str, Any] = {"storage": storage, "change": change, "folder": folder}
            return cache.load(some, quantized, arithmetic=recipe.features, **options)

        fixed = recipe.features == "fixed"
        inference = features(clips, recipe.frontend) if fixed else floats
        finer = recipe.train_frontend != recipe.frontend
        unchanged = features(clips, recipe.train_frontend) if finer else inference
        changed = waveform.changes(recipe)
        return cls(
            unchanged,
            inference,
            one_hot(clips, dataset.labels),
            quantization,
            # The very features that ``evaluate`` takes.
            features(held_out, recipe.frontend, storage="float32"),
            one_hot(held_out, dataset.labels),
            distil.scores(recipe, clips, dataset.labels),
            tuple(features(clips, recipe.train_frontend, change) for change in changed),
        )

    def take(self, indices: NDArray[np.integer], rng: np.random.Generator) -> Float32Array:
        """Return training clips, each unchanged or a copy, (clips, n_mels, columns, channels)."""
        return waveform.take([self.features, *self.copies], indices, rng)

    def read_ahead(self, indices: NDArray[np.integer]) -> None:
        """Ask the system to read the files of some training clips before these are taken."""
        for features in (self.features, *self.copies):
            features.read_ahead(indices)

    def clean(self, count: int, recipe: Recipe) -> Float32Array:
        """Return up to ``count`` training clips, evenly over the set, without augmentation."""
        features = self.inference_features
        indices = np.linspace(0, len(features) - 1, min(count, len(features)))
        x = features.take(indices.astype(np.int64))
        if recipe.augmentation.quantize_input:
            x = augment.rounded(x, self.quantization)
        return x

    def evaluate(self, model: keras.Model) -> tuple[float, float]:
        """Return log loss and accuracy of a network on the split ``evaluate``."""
        scores = predict(model, self.evaluate_features)
        loss = keras.losses.categorical_crossentropy(self.evaluate_targets, scores)
        hits = scores.argmax(axis=1) == self.evaluate_targets.argmax(axis=1)
        return float(np.mean(loss)), float(np.mean(hits))


def predict(model: keras.Model, features: FeatureSet) -> Float32Array:
    """Return a float network's probabilities for all clips, shape (clips, classes)."""
    batches = features.batches(_EVALUATION_BATCH)
    count = -(-len(features) // _EVALUATION_BATCH)
    shown = progress.over(batches, "float network", "batch", total=count)
    scores: Float32Array = np.concatenate([model(x, training=False).numpy() for x in shown])
    return scores


def split_scores(
    model: keras.Model, run: Run, dataset: Dataset, split: str = "evaluate"
) -> Float32Array:
    """Return a run's probabilities on a split, shape (clips, classes).

    Args:
        model: network of the run.
        run: run that is complete.
        dataset: the data set that it was trained on.
        split: name of the split.

    Raises:
        AscError: a clip cannot be used.
    """
    config, arithmetic = run.info().frontend, run.recipe().features
    features = cache.load(dataset.split(split), config, arithmetic=arithmetic)
    return predict(model, features)


def one_hot(clips: Sequence[Clip], labels: Sequence[str]) -> Float32Array:
    """Return the targets of clips, shape (clips, labels)."""
    truth = np.array([list(labels).index(clip.scene) for clip in clips])
    targets: Float32Array = np.eye(len(labels), dtype=np.float32)[truth]
    return targets


def input_quantization(features: FeatureSet) -> Quantization:
    """Return the int8 quantisation that covers the range of ``features`` and 0.

    scale = (max - min) / 255, zero_point = round(-128 - min / scale): what TFLite's calibration
    gives a network's input.
    """
    low, high = 0.0, 0.0
    for some in features.batches(_EVALUATION_BATCH):
        low, high = min(low, float(some.min())), max(high, float(some.max()))
    scale = (high - low) / 255.0 or 1.0
    return Quantization(scale=scale, zero_point=round(-128.0 - low / scale))
