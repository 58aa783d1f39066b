"""Scores of a trained model on a split, and the challenge's metrics over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.compress.tflm import Interpreter
from asc_tiny.errors import AscError
from asc_tiny.frontend import fixed
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend.reference import quantise
from asc_tiny.train import cache
from asc_tiny.train.cache import FeatureSet

Float64Array = NDArray[np.float64]
Int8Array = NDArray[np.int8]
Int64Array = NDArray[np.int64]

FLOAT_FLOOR = 1e-15
"""Smallest probability that the log loss counts with; the challenge's baseline takes the same."""


@dataclass(frozen=True)
class Figures:
    """Metrics over some clips.

    Attributes:
        clips: how many.
        accuracy: share of clips whose highest score is the right one.
        log_loss: mean of -ln(probability of the right class), in nats.
    """

    clips: int
    accuracy: float
    log_loss: float


@dataclass(frozen=True)
class Metrics:
    """Metrics over a split (DCASE 2023 task 1).

    Attributes:
        overall: over all clips.
        macro_accuracy, macro_log_loss: means over the classes that have clips.
        classes: per scene, in output order; scenes without clips are left out.
        devices: per recording device, in alphabetic order.
    """

    overall: Figures
    macro_accuracy: float
    macro_log_loss: float
    classes: dict[str, Figures]
    devices: dict[str, Figures]

    def to_json(self) -> dict[str, Any]:
        """Return the metrics as plain values."""
        values = asdict(self)
        overall: dict[str, Any] = values.pop("overall")
        return {**overall, **values}


def metrics(
    scores: Float64Array,
    clips: Sequence[Clip],
    labels: Sequence[str],
    *,
    floor: float = FLOAT_FLOOR,
) -> Metrics:
    """Compare scores with the truth.

    Args:
        scores: probabilities, shape (clips, labels). The first of equal highest scores counts.
        clips: the clips, with scene and device.
        labels: scenes in output order.
        floor: smaller probabilities count as this one in the log loss, after which each clip's
            are scaled to the sum of 1.

    Raises:
        AscError: a clip's scene is not among the labels, or there is no clip.
    """
    truth = _truth(clips, labels)
    floored = np.maximum(scores, floor)
    floored /= floored.sum(axis=1, keepdims=True)
    losses = -np.log(floored[np.arange(len(truth)), truth])
    hits = scores.argmax(axis=1) == truth

    def figures(chosen: NDArray[np.bool_]) -> Figures:
        return Figures(int(chosen.sum()), float(hits[chosen].mean()), float(losses[chosen].mean()))

    classes = {
        label: figures(truth == index) for index, label in enumerate(labels) if index in truth
    }
    devices = np.array([clip.device for clip in clips])
    return Metrics(
        overall=figures(np.ones(len(truth), bool)),
        macro_accuracy=float(np.mean([f.accuracy for f in classes.values()])),
        macro_log_loss=float(np.mean([f.log_loss for f in classes.values()])),
        classes=classes,
        devices={name: figures(devices == name) for name in sorted(set(devices.tolist()))},
    )


def evaluate_float(
    model: Any, config: FrontEndConfig, labels: Sequence[str], clips: Sequence[Clip]
) -> Metrics:
    """Evaluate a Keras model on float features.

    Args:
        model: ``keras.Model`` from features to probabilities.
        config: its front end.
        labels: in output order.
        clips: what to evaluate.
    """
    from asc_tiny.train.loop import predict

    _truth(clips, labels)
    scores = predict(model, cache.load(clips, config))
    return metrics(scores.astype(np.float64), clips, labels)


def evaluate_int8(
    model: bytes,
    source: str | Path,
    config: FrontEndConfig,
    labels: Sequence[str],
    clips: Sequence[Clip],
    *,
    integer_front_end: bool,
) -> Metrics:
    """Evaluate a quantised model with TensorFlow Lite Micro's kernels.

    An output code of 0 above the zero point stands for anything below half a step, so the log
    loss counts it as half a step.

    Args:
        model: the file's bytes.
        source: the file's name for messages.
        config: its front end, with quantisation.
        labels: in output order.
        clips: what to evaluate.
        integer_front_end: compute the codes with the firmware's integer arithmetic instead of
            rounding the float features.

    Raises:
        AscError: front end or labels do not fit the model.
    """
    _truth(clips, labels)
    interpreter = Interpreter(model, source)
    if interpreter.input_shape != config.shape or config.quantisation is None:
        raise AscError(
            f"{source}: input {interpreter.input_shape}, the front end gives {config.shape} "
            f"with quantisation {config.quantisation}"
        )
    codes = _integer_codes(clips, config) if integer_front_end else _float_codes(clips, config)
    output = interpreter.output_quantisation
    bar = tqdm(range(len(clips)), desc="int8 scores", unit="clip", disable=None, leave=False)
    outputs = np.stack([interpreter.run(codes(index)) for index in bar])
    if outputs.shape[1] != len(labels):
        raise AscError(f"{source}: {outputs.shape[1]} outputs for {len(labels)} labels")
    scores = (outputs.astype(np.float64) - output.zero_point) * output.scale
    return metrics(scores, clips, labels, floor=output.scale / 2)


def split(dataset: Dataset, name: str, labels: Sequence[str]) -> tuple[Clip, ...]:
    """Return the clips of a split that a model with these labels can be evaluated on.

    Raises:
        AscError: the split is unknown or empty, or has a scene that the model does not know.
    """
    clips = dataset.split(name)
    if not clips:
        raise AscError(f"{dataset.root}: split {name} has no clips")
    _truth(clips, labels)
    return clips


def _truth(clips: Sequence[Clip], labels: Sequence[str]) -> Int64Array:
    order = {label: index for index, label in enumerate(labels)}
    for clip in clips:
        if clip.scene not in order:
            raise AscError(
                f"{clip.path}: scene {clip.scene!r}, the model knows {', '.join(labels)}"
            )
    if not clips:
        raise AscError("no clips to evaluate")
    return np.array([order[clip.scene] for clip in clips])


def _float_codes(clips: Sequence[Clip], config: FrontEndConfig) -> Callable[[int], Int8Array]:
    quantisation = config.quantisation
    assert quantisation is not None
    features: FeatureSet = cache.load(clips, config)

    def codes(index: int) -> Int8Array:
        return quantise(features.take(np.array([index]))[0].astype(np.float64), quantisation)

    return codes


def _integer_codes(clips: Sequence[Clip], config: FrontEndConfig) -> Callable[[int], Int8Array]:
    return lambda index: fixed.features(cache.clip_pcm(clips[index], config), config)
