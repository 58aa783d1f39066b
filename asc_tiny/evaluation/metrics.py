"""The challenge's metrics over the scores of a split, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip
from asc_tiny.evaluation.bootstrap import Bootstrap, Interval, interval
from asc_tiny.util.errors import AscError

BoolArray = NDArray[np.bool_]
Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

FLOAT_FLOOR = 1e-15
"""Smallest probability that the log loss counts with; the challenge's baseline takes the same."""


@dataclass(frozen=True)
class Figures:
    """Metrics over some clips; intervals are of 95 %, by the bootstrap over recordings.

    Attributes:
        clips: number of clips.
        recordings: how many recordings they come from.
        accuracy, accuracy_interval: share of clips whose highest score is the right one.
        log_loss, log_loss_interval: mean of -ln(probability of the right class), in nats.
    """

    clips: int
    recordings: int
    accuracy: float
    accuracy_interval: Interval
    log_loss: float
    log_loss_interval: Interval


@dataclass(frozen=True)
class Metrics:
    """Metrics over a split (DCASE 2023 task 1).

    Attributes:
        overall: figures over all clips.
        macro_accuracy, macro_log_loss: means over the classes that have clips.
        macro_accuracy_interval, macro_log_loss_interval: intervals of these means; a draw's mean is
            over the classes that have clips in it.
        classes: figures of each scene, in output order; scenes without clips are left out.
        devices, cities: figures of each recording device and of each city, in alphabetic order.
        confusion: number of clips by true scene (row) and decided scene (column), in output order.
    """

    overall: Figures
    macro_accuracy: float
    macro_accuracy_interval: Interval
    macro_log_loss: float
    macro_log_loss_interval: Interval
    classes: dict[str, Figures]
    devices: dict[str, Figures]
    cities: dict[str, Figures]
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the metrics as plain values, those over all clips on top."""
        values: dict[str, Any] = _plain(asdict(self))
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
        clips: the clips, with scene, device and recording.
        labels: scenes in output order.
        floor: smaller probabilities count as this one in the log loss, after which each clip's
            are scaled to the sum of 1.

    Raises:
        AscError: a clip's scene is not among the labels, or there is no clip.
    """
    truth = true_outputs(clips, labels)
    decided = scores.argmax(axis=1)
    floored = np.maximum(scores, floor)
    floored /= floored.sum(axis=1, keepdims=True)
    losses = -np.log(floored[np.arange(len(truth)), truth])
    groups = _Groups(clips, (decided == truth).astype(np.float64), losses)
    of_class = {label: truth == index for index, label in enumerate(labels) if index in truth}
    classes = {label: groups.over(chosen) for label, chosen in of_class.items()}
    class_hits, class_losses = (
        np.stack([groups.means(values, chosen) for chosen in of_class.values()])
        for values in (groups.hits, groups.losses)
    )
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (truth, decided), 1)
    return Metrics(
        overall=groups.over(np.ones(len(truth), np.bool_)),
        macro_accuracy=float(np.mean([f.accuracy for f in classes.values()])),
        macro_accuracy_interval=interval(np.nanmean(class_hits, axis=0)),
        macro_log_loss=float(np.mean([f.log_loss for f in classes.values()])),
        macro_log_loss_interval=interval(np.nanmean(class_losses, axis=0)),
        classes=classes,
        devices=groups.by([clip.device for clip in clips]),
        cities=groups.by([clip.city for clip in clips]),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def true_outputs(
    clips: Sequence[Clip], labels: Sequence[str], *, source: str = "the model"
) -> Int64Array:
    """Return the index of each clip's scene among the labels, shape (clips,).

    ``source`` is the model's name in errors.

    Raises:
        AscError: a clip's scene is not among the labels, or there is no clip.
    """
    order = {label: index for index, label in enumerate(labels)}
    for clip in clips:
        if clip.scene not in order:
            raise AscError(f"{clip.path}: scene {clip.scene!r}, {source} knows {', '.join(labels)}")
    if not clips:
        raise AscError("no clips to evaluate")
    return np.array([order[clip.scene] for clip in clips])


class _Groups:
    """Hits and losses of clips, averaged over groups of them."""

    def __init__(self, clips: Sequence[Clip], hits: Float64Array, losses: Float64Array) -> None:
        self.hits, self.losses = hits, losses
        self._recordings = np.array([clip.identifier for clip in clips])
        self.means = Bootstrap(self._recordings.tolist()).means

    def over(self, chosen: BoolArray) -> Figures:
        """Return the figures of the chosen clips."""
        return Figures(
            clips=int(chosen.sum()),
            recordings=len(set(self._recordings[chosen].tolist())),
            accuracy=float(self.hits[chosen].mean()),
            accuracy_interval=interval(self.means(self.hits, chosen)),
            log_loss=float(self.losses[chosen].mean()),
            log_loss_interval=interval(self.means(self.losses, chosen)),
        )

    def by(self, names: Sequence[str]) -> dict[str, Figures]:
        """Return the figures of the clips of each name, in alphabetic order."""
        of_clip = np.array(names)
        return {name: self.over(of_clip == name) for name in sorted(set(names))}


def _plain(value: Any) -> Any:
    """Turn tuples into lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
