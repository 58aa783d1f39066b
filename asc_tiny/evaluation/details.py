"""Files about every clip of an evaluation: scores, recordings, errors, calibration, submission."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip
from asc_tiny.evaluation.study import write_scores
from asc_tiny.util.files import write_text

Float64Array = NDArray[np.float64]

BINS = 15
"""Bins of the reliability table, as many as in the paper."""


@dataclass(frozen=True)
class Bin:
    """Clips whose highest score lies between two limits.

    Attributes:
        low, high: limits; the upper one is inside.
        clips: number of clips.
        confidence: mean of their highest scores.
        accuracy: share of them that is right.
    """

    low: float
    high: float
    clips: int
    confidence: float
    accuracy: float


def reliability(scores: Float64Array, truth: NDArray[np.integer], bins: int = BINS) -> list[Bin]:
    """Return the bins of equal width that have clips, from the least confident on.

    Args:
        scores: probabilities, shape (clips, labels); a row's are scaled to the sum of 1.
        truth: index of each clip's class, shape (clips,).
        bins: number of bins, 1 or more.
    """
    scaled = scores / np.maximum(scores.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    confidence = scaled.max(axis=1)
    right = scores.argmax(axis=1) == truth
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return [
        Bin(
            low=n / bins,
            high=(n + 1) / bins,
            clips=int((number == n).sum()),
            confidence=float(confidence[number == n].mean()),
            accuracy=float(right[number == n].mean()),
        )
        for n in np.unique(number).tolist()
    ]


def expected_calibration_error(table: Sequence[Bin]) -> float:
    """Return the mean of |accuracy - confidence| over clips, bin by bin, 0 to 1.

    Guo et al., "On Calibration of Modern Neural Networks", arXiv:1706.04599, equation 3.
    """
    total = sum(each.clips for each in table)
    return sum(each.clips * abs(each.accuracy - each.confidence) for each in table) / total


def write(
    folder: Path, scores: Float64Array, clips: Sequence[Clip], labels: Sequence[str]
) -> float:
    """Write all files about a system's scores, and return its expected calibration error.

    * ``scores.csv``: a row for each clip, a column for each class; a teacher may be made of it.
    * ``recordings.csv``: what the mean of a recording's scores decides.
    * ``errors.csv``: wrong clips to listen to, the most confident first.
    * ``reliability.csv``: confidence and accuracy by bins of confidence.
    * ``submission.csv``: output of DCASE task 1, with tabs.

    Args:
        folder: folder for the files; made if it is missing.
        scores: probabilities, shape (clips, labels).
        clips: the clips, all of scenes among the labels.
        labels: scenes in output order.

    Raises:
        AscError: a file cannot be written.
    """
    truth = np.array([list(labels).index(clip.scene) for clip in clips])
    decided = scores.argmax(axis=1)
    write_scores(folder / "scores.csv", clips, labels, scores)
    _write(folder / "recordings.csv", _recordings(scores, clips, labels))
    head: tuple[str, ...] = ("filename", "scene_label", "decided", "score", "score_of_scene")
    wrong = sorted(np.flatnonzero(decided != truth).tolist(), key=lambda i: -scores[i].max())
    errors = [
        (
            *(clips[i].filename, clips[i].scene, labels[decided[i]]),
            *(scores[i].max(), scores[i, truth[i]]),
        )
        for i in wrong
    ]
    _write(folder / "errors.csv", [head, *errors])
    table = reliability(scores, truth)
    head = ("above", "up_to", "clips", "confidence", "accuracy")
    rows = [(b.low, b.high, b.clips, b.confidence, b.accuracy) for b in table]
    _write(folder / "reliability.csv", [head, *rows])
    head = ("filename", "scene_label", *labels)
    lines = [
        (Path(clip.filename).name, labels[n], *row)
        for clip, n, row in zip(clips, decided.tolist(), scores.tolist(), strict=True)
    ]
    _write(folder / "submission.csv", [head, *lines], delimiter="\t")
    return expected_calibration_error(table)


def _recordings(
    scores: Float64Array, clips: Sequence[Clip], labels: Sequence[str]
) -> list[Sequence[Any]]:
    """Return a row for each recording and scene in it, in alphabetic order."""
    members: dict[tuple[str, str], list[int]] = {}
    for index, clip in enumerate(clips):
        members.setdefault((clip.identifier, clip.scene), []).append(index)
    head = ("identifier", "scene_label", "clips", "decided", "score", "right")
    rows: list[Sequence[Any]] = [head]
    for (identifier, scene), chosen in sorted(members.items()):
        mean = scores[chosen].mean(axis=0)
        label = labels[int(mean.argmax())]
        rows.append((identifier, scene, len(chosen), label, float(mean.max()), int(label == scene)))
    return rows


def _write(path: Path, rows: Iterable[Sequence[Any]], delimiter: str = ",") -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    for row in rows:
        writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row])
    write_text(path, text.getvalue())
