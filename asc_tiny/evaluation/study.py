"""Several trainings of one recipe, over seeds and folds: what they say together.

One training is one draw: another seed gives another network. A study has a run for each fold and
seed in a folder, with the scores of the split ``evaluate`` that belongs to its fold, and
``study.json`` with their mean, spread and range.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.evaluation.bootstrap import interval, paired_difference
from asc_tiny.evaluation.metrics import FLOAT_FLOOR, true_outputs
from asc_tiny.train import teacher_scores
from asc_tiny.train.run import Run
from asc_tiny.util import claims
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes, write_text

Float64Array = NDArray[np.float64]

SCHEMA = 1
SCORES = "scores.csv"
_RUN = re.compile(r"fold(\d+)-seed(\d+)")


@dataclass(frozen=True)
class Member:
    """One training of a study.

    Attributes:
        fold, seed: number of the fold, seed of the recipe.
        run: its folder.
    """

    fold: int
    seed: int
    run: Run

    @property
    def scores_path(self) -> Path:
        """Probabilities of the clips of the split ``evaluate``; written when all is done."""
        return self.run.root / SCORES


@dataclass(frozen=True)
class Summary:
    """A figure over the trainings of a study.

    Attributes:
        mean: mean over the trainings.
        deviation: standard deviation over them (of a sample); 0 for one.
        low, high: least and largest of them.
    """

    mean: float
    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Summary:
        """Return the summary of some values, at least one."""
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), deviation, min(values), max(values))


@dataclass(frozen=True, eq=False)
class FoldResult:
    """Hits and losses of a fold's trainings.

    Attributes:
        fold: its number.
        seeds: seeds of the trainings.
        clips: clips of its split ``evaluate``.
        hits, losses: shape (seeds, clips): 1 for the right class, else 0; -ln(its score).
    """

    fold: int
    seeds: tuple[int, ...]
    clips: tuple[Clip, ...]
    hits: Float64Array
    losses: Float64Array


def members(root: Path, folds: Sequence[int], seeds: Sequence[int]) -> list[Member]:
    """Return the trainings of a study in ``root``, seed by seed in each fold."""
    return [
        Member(fold, seed, Run(root / f"fold{fold}-seed{seed}")) for fold in folds for seed in seeds
    ]


def found(root: Path) -> list[Member]:
    """Return the trainings that a study's folder has.

    Raises:
        AscError: there is none.
    """
    names = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    matches = [match for match in map(_RUN.fullmatch, names) if match]
    if not matches:
        raise AscError(f"{root}: no study, it has no folder such as fold1-seed1")
    pairs = sorted((int(match[1]), int(match[2])) for match in matches)
    return [members(root, [fold], [seed])[0] for fold, seed in pairs]


def folds_of(root: Path, wanted: str) -> list[int]:
    """Return the numbers of folds that ``--folds`` asks for.

    Args:
        root: folder of the data set.
        wanted: ``all``, or numbers with commas between them.

    Raises:
        AscError: it is neither, or the data set does not have such a fold.
    """
    files = (root / "evaluation_setup").glob("fold*_train.csv")
    there = sorted(int(m[1]) for f in files if (m := re.fullmatch(r"fold(\d+)_train", f.stem)))
    if wanted == "all":
        if not there:
            raise AscError(f"{root}: has no folds")
        return there
    numbers = wanted.split(",")
    for number in numbers:
        if not number.isdecimal() or int(number) not in there:
            known = ", ".join(map(str, there))
            raise AscError(f"--folds {wanted}: {root} has no fold {number!r}, but {known}")
    return sorted({int(number) for number in numbers})


def write_scores(
    path: Path, clips: Sequence[Clip], labels: Sequence[str], scores: Float64Array
) -> None:
    """Write scores per clip, as ``teacher_scores`` reads them: the header, a row for each clip.

    Args:
        path: the CSV file.
        clips: the clips.
        labels: scenes in the order of the columns.
        scores: probabilities, shape (clips, labels); nine digits of each are kept.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["filename", *labels])
    for clip, row in zip(clips, scores, strict=True):
        writer.writerow([clip.filename, *(f"{value:.9g}" for value in row)])
    write_text(path, text.getvalue())


def results(root: Path, chosen: Sequence[Member], data: Path) -> list[FoldResult]:
    """Read what the trainings of a study scored, fold by fold.

    Args:
        root: folder of the study, for messages.
        chosen: its trainings.
        data: folder of the data set.

    Raises:
        AscError: a training is not complete, or the data set is another one.
    """
    by_fold: dict[int, list[Member]] = {}
    for member in chosen:
        if not member.scores_path.exists():
            name = member.run.root.name
            raise AscError(f"{root}: {name} is not complete, finish it with train --resume")
        by_fold.setdefault(member.fold, []).append(member)
    return [_fold_result(fold, some, data) for fold, some in by_fold.items()]


def _fold_result(fold: int, some: Sequence[Member], data: Path) -> FoldResult:
    dataset = Dataset.load(data, fold)
    clips = dataset.split("evaluate")
    truth = true_outputs(clips, dataset.labels)
    read = [teacher_scores.read(each.scores_path, clips, dataset.labels) for each in some]
    hits = [(scores.argmax(axis=1) == truth).astype(np.float64) for scores in read]
    floored = [np.maximum(scores, FLOAT_FLOOR)[np.arange(len(truth)), truth] for scores in read]
    seeds = tuple(each.seed for each in some)
    return FoldResult(fold, seeds, clips, np.stack(hits), -np.log(np.stack(floored)))


def over_folds(some: Sequence[FoldResult]) -> FoldResult:
    """Return all folds as one: a seed's training of the whole is that of each fold together.

    Raises:
        AscError: the folds do not have the same seeds.
    """
    if len({result.seeds for result in some}) > 1:
        raise AscError("the folds of the study do not have the same seeds")
    return FoldResult(
        fold=0,
        seeds=some[0].seeds,
        clips=tuple(clip for result in some for clip in result.clips),
        hits=np.concatenate([result.hits for result in some], axis=1),
        losses=np.concatenate([result.losses for result in some], axis=1),
    )


@dataclass(frozen=True)
class Comparison:
    """Two recipes on the same clips, the second less the first.

    Attributes:
        accuracy, accuracy_interval: difference of the mean accuracies, with 95 % interval of the
            paired bootstrap over recordings and trainings.
        log_loss, log_loss_interval: the same of the log losses.
        better: share of the draws in which the second has the higher accuracy.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    log_loss: float
    log_loss_interval: tuple[float, float]
    better: float


def compare(first: FoldResult, second: FoldResult) -> Comparison:
    """Compare two recipes by the paired bootstrap.

    Raises:
        AscError: they were not evaluated on the same clips.
    """
    names = [[clip.filename for clip in each.clips] for each in (first, second)]
    if names[0] != names[1]:
        raise AscError("the studies to compare do not have the same folds")
    identifiers = [clip.identifier for clip in first.clips]
    hits = paired_difference(first.hits, second.hits, identifiers)
    losses = paired_difference(first.losses, second.losses, identifiers)
    return Comparison(
        accuracy=float(second.hits.mean() - first.hits.mean()),
        accuracy_interval=interval(hits),
        log_loss=float(second.losses.mean() - first.losses.mean()),
        log_loss_interval=interval(losses),
        better=float(np.mean(hits > 0.0)),
    )


def to_json(some: Sequence[FoldResult], comparison: Comparison | None = None) -> dict[str, Any]:
    """Return the document ``study.json``: figures of each training, fold and of all folds."""
    runs = [
        {"fold": each.fold, "seed": seed, "accuracy": float(hits.mean()), "log_loss": float(loss)}
        for each in some
        for seed, hits, loss in zip(each.seeds, each.hits, each.losses.mean(axis=1), strict=True)
    ]
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "runs": runs,
        "folds": {str(each.fold): _figures(each) for each in some},
        "all": _figures(over_folds(some)),
    }
    if comparison:
        values["comparison"] = comparison.__dict__
    return values


def _figures(result: FoldResult) -> dict[str, Any]:
    return {
        "trainings": len(result.seeds),
        "clips": len(result.clips),
        "accuracy": Summary.of(result.hits.mean(axis=1).tolist()).__dict__,
        "log_loss": Summary.of(result.losses.mean(axis=1).tolist()).__dict__,
    }


def table(document: dict[str, Any]) -> str:
    """Return the document as lines of text."""
    heads = f"{'mean':>9}{'sd':>8}   {'range':^15}"
    lines = [
        f"{'':10}{'':11}{'accuracy':^35}{'log loss':^35}".rstrip(),
        f"{'fold':<10}{'trainings':>11}{heads}{heads}",
    ]
    rows = {**document["folds"], **({"all": document["all"]} if len(document["folds"]) > 1 else {})}
    for name, figures in rows.items():
        cells = (_cell(figures[key]) for key in ("accuracy", "log_loss"))
        lines.append(f"{name:<10}{figures['trainings']:>11}{''.join(cells)}")
    if "comparison" in document:
        found = document["comparison"]
        for key, title in (("accuracy", "accuracy"), ("log_loss", "log loss")):
            low, high = found[f"{key}_interval"]
            lines.append(
                f"{title} less that of the other study: {found[key]:+.4f}, "
                f"95 % interval {low:+.4f} to {high:+.4f}"
            )
    return "\n".join(line.rstrip() for line in lines)


def _cell(summary: dict[str, float]) -> str:
    span = f"{summary['low']:.4f} - {summary['high']:.4f}"
    return f"{summary['mean']:9.4f}{summary['deviation']:8.4f}   {span}"


@contextmanager
def claimed(root: Path, recipe_sha256: str, resume: bool) -> Iterator[None]:
    """Keep a folder for a study of a recipe; if nothing is trained in the block, it is as before.

    Raises:
        AscError: it has a study and ``resume`` is off, or one of another recipe.
    """
    path = root / "study.json"
    if path.exists():
        if not resume:
            raise AscError(f"{root}: holds a study already; use --resume or another folder")
        values = parse_json(read_bytes(path), source=str(path))
        if not isinstance(values, dict) or values.get("recipe_sha256") != recipe_sha256:
            raise AscError(f"{root}: is a study of another recipe, cannot resume with this one")
    text = json.dumps({"schema": SCHEMA, "recipe_sha256": recipe_sha256}) + "\n"
    with claims.claimed(path, text):
        yield
