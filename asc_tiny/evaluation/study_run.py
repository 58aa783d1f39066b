"""Training the members of a study, several at a time, and summing them up."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.audio.dataset import Dataset
from asc_tiny.evaluation import study
from asc_tiny.evaluation.study import Member
from asc_tiny.train import recipe as recipes
from asc_tiny.util import process_pool, progress
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """How the members of a study are trained.

    Attributes:
        recipe: the recipe's file; its seed is the first member's, each further one's is one more.
        data, resample: the data set, and whether its clips are converted.
        features: takes the place of the recipe's; None leaves it.
        epochs: epochs of each member; None for all.
        resume: go on with what is not complete.
    """

    recipe: Path
    data: Path
    resample: bool = False
    features: str | None = None
    epochs: int | None = None
    resume: bool = False


def run(
    options: StudyOptions,
    out: Path,
    *,
    seeds: int,
    folds: Sequence[int],
    jobs: int,
    other: Path | None = None,
) -> dict[str, Any]:
    """Train a study's members and return its document, which is ``out/study.json`` as well.

    Each member is what ``train`` would make of its fold with its seed in the recipe, to the byte,
    however many are trained at a time. One that is complete is not trained again.

    Args:
        options: how the members are trained.
        out: folder of the study.
        seeds: members of each fold, 1 or more.
        folds: numbers of the folds.
        jobs: members trained at the same time.
        other: folder of another study of the same folds to compare with; None for none.

    Raises:
        AscError: a member cannot be trained, or a folder has something else.
    """
    recipe = recipes.load(options.recipe, features=options.features)
    members = study.members(out, folds, range(recipe.seed, recipe.seed + seeds))
    # Before hours of training: can the other study be read?
    before = _all_folds(other, options.data) if other else None
    with study.claimed(out, recipe.sha256, options.resume):
        missing = [each for each in members if not each.scores_path.exists()]
        _train_all(options, missing, jobs, members)
    found = study.results(out, members, options.data)
    comparison = study.compare(before, study.over_folds(found)) if before else None
    document = {**study.to_json(found, comparison), "recipe_sha256": recipe.sha256}
    write_text(out / "study.json", json.dumps(document, indent=2) + "\n")
    return document


def _all_folds(root: Path, data: Path) -> study.FoldResult:
    return study.over_folds(study.results(root, study.found(root), data))


def _train_all(
    options: StudyOptions, missing: Sequence[Member], jobs: int, members: Sequence[Member]
) -> None:
    done = len(members) - len(missing)
    bar = progress.bar(len(members), "study", "run", done=done, stays=True)
    if not missing:
        bar.close()
        return
    try:
        with bar, process_pool.pool(min(jobs, len(missing))) as pool:
            with process_pool.interrupts_blocked():
                futures = [pool.submit(train_member, options, member) for member in missing]
            for future in as_completed(futures):
                future.result()
                bar.update()
    except BrokenProcessPool as error:
        raise AscError("study: a process training was killed, is there enough memory?") from error


def train_member(options: StudyOptions, member: Member) -> None:
    """Train one member of a study in this process, and write its scores.

    Raises:
        AscError: it cannot be trained.
    """
    # Bars of several processes would overwrite each other; the study has one of its own.
    os.environ["TQDM_DISABLE"] = "1"
    from asc_tiny.nets import load, require_tensorflow

    require_tensorflow()
    from asc_tiny.train import loop, training_data

    recipe = recipes.load(options.recipe, features=options.features)
    recipe = recipes.with_seed(recipe, member.seed)
    dataset = Dataset.load(options.data, member.fold, resample=options.resample)
    root = member.run.root
    finished = loop.train(recipe, dataset, root, epochs=options.epochs, resume=options.resume)
    scores = training_data.split_scores(load(finished.model_path), finished, dataset)
    study.write_scores(
        member.scores_path, dataset.split("evaluate"), dataset.labels, scores.astype(np.float64)
    )
