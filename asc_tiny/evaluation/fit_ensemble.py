"""Fitting an ensemble's weights and bias to the training split.

The combined scores stay linear, ``y = sum of w_n y_n + b`` (Bing et al., DCASE2023 Task 1, section
3.2), with ``w_n >= 0``, ``b >= 0`` and ``sum of w_n + classes * b = 1``: y is a mixture of the
members' probabilities and, by b, of the uniform distribution, so it is a probability itself and
its cross entropy needs no clipping. That is minimised,

    -sum over clips of ln y[true class] - sum over members of (PRIOR * clips / N) ln w_n - ln(C b)

for N members and C classes. The last two terms (a Dirichlet prior) guard against what members
know by heart: their scores on their own training clips are overconfident, most of all those of
the largest member, and would give it all the weight. They count like training clips: as many as
there are, shared equally by the members, and one for the uniform part. So no weight falls below
half of an equal share (nearly), whatever the scores.

The problem is convex; the expectation-maximisation step for mixture weights (Dempster, Laird and
Rubin, 1977) solves it without randomness: each clip is shared out over the parts in proportion to
what they give to its true class, and the counts are the next weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Dataset
from asc_tiny.evaluation import evaluate
from asc_tiny.evaluation.metrics import true_outputs
from asc_tiny.model.ensemble import Ensemble, Member, assemble
from asc_tiny.model.score_mixer import SOFTMAX
from asc_tiny.util.errors import AscError

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

SPLIT = "train"
PRIOR = 1.0
"""Clips that the prior counts as, per training clip."""

_STEPS = 100_000
_CHANGE = 1e-12
_DIGITS = 6
_FLOOR = SOFTMAX.scale / 2.0
"""A score code of 0 stands for anything below half a step, as in ``evaluate``."""


@dataclass(frozen=True)
class Row:
    """Figures of some scores on the clips of the fit.

    Attributes:
        name: name of the member or of the combination.
        weight: weight of a member; None for a combination.
        log_loss: mean log loss in nats, of scores that are scaled to the sum of 1.
        accuracy: share of clips whose highest score is the right one.
    """

    name: str
    weight: float | None
    log_loss: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted ensemble.

    Attributes:
        ensemble: the ensemble with the fitted weights and bias.
        clips: number of clips that it was fitted on.
        rows: the members, their mean, and the ensemble in the firmware's integers.
    """

    ensemble: Ensemble
    clips: int
    rows: tuple[Row, ...]


def fit(path: Path, members: Sequence[Member], dataset: Dataset) -> Fit:
    """Fit weights and bias on the split ``train``, with the firmware's integer front end.

    Args:
        path: where the ensemble will be written, for messages.
        members: networks with softmax outputs; their weights do not matter.
        dataset: the clips.

    Raises:
        AscError: members that do not go together or whose scores are not probabilities, or a
            dataset that does not fit them.
    """
    equal = [dataclasses.replace(member, weight=1.0 / len(members)) for member in members]
    labels = assemble(path, equal, 0.0).labels
    for member in members:
        if member.output != SOFTMAX:
            raise AscError(
                f"{member.model_file.path}: scores have scale {member.output.scale:g} and zero "
                f"point {member.output.zero_point}; a fit needs a softmax (1/256 and -128)"
            )
    clips = evaluate.split(dataset, SPLIT, labels)
    truth = true_outputs(clips, labels)
    by_hash = {member.model_file.sha256: member for member in members}
    outputs = evaluate.int8_codes(by_hash, clips, integer_front_end=True)
    codes = np.stack([outputs[member.model_file.sha256] for member in members])
    scores = SOFTMAX.scale * (codes.astype(np.float64) - SOFTMAX.zero_point)
    weights, bias = mixture(scores, truth)
    fitted = [dataclasses.replace(m, weight=w) for m, w in zip(members, weights, strict=True)]
    ensemble = assemble(path, fitted, bias)
    mixer = ensemble.score_mixer
    combined = mixer.output.scale * (
        mixer.codes(codes).astype(np.float64) - mixer.output.zero_point
    )
    rows = [row(m.name, s, truth, weight=m.weight) for m, s in zip(fitted, scores, strict=True)]
    rows.append(row("equal weights", scores.mean(axis=0), truth))
    rows.append(row("ensemble", combined, truth))
    return Fit(ensemble, len(clips), tuple(rows))


def mixture(scores: Float64Array, truth: Int64Array) -> tuple[tuple[float, ...], float]:
    """Return the weights and the bias that minimise the module's objective, to 6 digits.

    Args:
        scores: probabilities, shape (members, clips, classes); for the fit they are scaled to
            the sum of 1, from which int8 codes are a little off.
        truth: index of each clip's class, shape (clips,).
    """
    members, clips, classes = scores.shape
    scaled = scores / scores.sum(axis=2, keepdims=True)
    likelihood = np.full((clips, members + 1), 1.0 / classes)
    likelihood[:, :members] = scaled[:, np.arange(clips), truth].T
    prior = np.array([PRIOR * clips / members] * members + [1.0])
    shares = np.full(members + 1, 1.0 / (members + 1))
    for _ in range(_STEPS):
        parts = likelihood * shares
        counts = (parts / parts.sum(axis=1, keepdims=True)).sum(axis=0) + prior
        before, shares = shares, counts / counts.sum()
        if np.abs(shares - before).max() < _CHANGE:
            break
    weights = tuple(round(float(share), _DIGITS) for share in shares[:members])
    return weights, round(float(shares[members]) / classes, _DIGITS)


def row(name: str, scores: Float64Array, truth: Int64Array, *, weight: float | None = None) -> Row:
    """Return the figures of scores, shape (clips, classes)."""
    floored = np.maximum(scores, _FLOOR)
    chosen = floored[np.arange(len(truth)), truth] / floored.sum(axis=1)
    accuracy = float(np.mean(scores.argmax(axis=1) == truth))
    return Row(name, weight, float(-np.log(chosen).mean()), accuracy)
