"""Iterative structured pruning of a trained run, with retraining after each step."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from asc_tiny.audio.dataset import Dataset
from asc_tiny.compress.prune import curve
from asc_tiny.compress.prune.criteria import CRITERIA
from asc_tiny.compress.prune.curve import Point
from asc_tiny.compress.prune.goal import Goal, Start, to_json
from asc_tiny.compress.prune.network import RankedNetwork
from asc_tiny.train.loop import train
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.run import Run
from asc_tiny.util import claims, locks, progress
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes, write_bytes

SCHEMA = 1
SCHEDULES = ("linear", "cubic")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to get to the goal.

    Attributes:
        steps: prunings, each followed by retraining.
        epochs_per_step: epochs of retraining after each step but the last, 1 or more.
        final_epochs: epochs of retraining after the last step, 1 or more.
        rate_max: learning rate that each retraining starts with.
        criterion: one of ``criteria.CRITERIA``.
        multiple: layers keep a multiple of so many filters.
        distil: the network before pruning teaches the pruned ones, as the recipe's table
            ``distillation`` says.
        schedule: one of ``SCHEDULES``.
    """

    steps: int
    epochs_per_step: int
    final_epochs: int
    rate_max: float
    criterion: str = "l1"
    multiple: int = 1
    distil: bool = False
    schedule: str = "linear"

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise AscError(f"--criterion {self.criterion}: allowed are {', '.join(CRITERIA)}")
        if self.schedule not in SCHEDULES:
            raise AscError(f"--schedule {self.schedule}: allowed are {', '.join(SCHEDULES)}")
        if not 0.0 < self.rate_max <= 10.0:
            raise AscError(f"--learning-rate {self.rate_max:g}: allowed are above 0, up to 10")

    def epochs(self, step: int) -> int:
        """Return the epochs of retraining after a step, counted from 1."""
        return self.final_epochs if step == self.steps else self.epochs_per_step

    def share(self, step: int) -> float:
        """Return the share of the way to the goal, up to 1, after a step, counted from 1.

        ``linear`` steps are equal. ``cubic`` ones go 1 - (1 - t)^3 of the way, most where there is
        most to spare (Zhu and Gupta, "To prune, or not to prune", arXiv:1710.01878).
        """
        left = 1.0 - step / self.steps
        return 1.0 - (left**3 if self.schedule == "cubic" else left)


@dataclass(frozen=True)
class Pruning:
    """The folder of an iterative pruning: a run, with a run for each step below ``steps``."""

    root: Path

    @property
    def settings_path(self) -> Path:
        """What the pruning was started with."""
        return self.root / "prune.json"

    @property
    def csv_path(self) -> Path:
        """The curve as numbers."""
        return self.root / "curve.csv"

    @property
    def png_path(self) -> Path:
        """The curve as a picture."""
        return self.root / "curve.png"

    @property
    def run(self) -> Run:
        """The run that all steps end in."""
        return Run(self.root)

    def step(self, number: int) -> Run:
        """Return the run of a step, counted from 1."""
        return Run(self.root / "steps" / f"{number:02d}")


def prune(
    source: Run,
    dataset: Dataset,
    out: Path,
    goal: Goal,
    settings: Settings,
    *,
    retraining: Recipe | None = None,
    resume: bool = False,
    cache_folder: Path | None = None,
) -> tuple[Point, ...]:
    """Prune a trained run in steps; the run of the last step becomes ``out``.

    Each step ranks the filters of the network of the step before, removes what its part of the
    goal asks for, and retrains the smaller network from the weights that are left. ``curve.csv``
    and ``curve.png`` grow with each step, the other files of ``out`` are written at the end.

    Args:
        source: a complete run.
        dataset: the one it was trained on.
        out: the folder of the pruning.
        goal: where to stop.
        settings: steps and retraining.
        retraining: recipe to retrain by, of the same network and features; None for the source's.
        resume: go on with the pruning in ``out``; it ends as if it had never stopped.
        cache_folder: folder that keeps the features; None for the user's cache.

    Returns:
        The curve: a point for the network before pruning and one for each step.

    Raises:
        AscError: the goal cannot be met, the run or the data set are not fit, or ``out`` holds
            something else or is being written by another run.
    """
    curve.require_matplotlib()
    _check_source(source, dataset)
    if retraining is not None:
        _check_retraining(retraining, source.recipe())
    network = _ranked(source, settings)
    # Hours of training come later: can the goal be met at all?
    network.counts(goal, network.start, settings.multiple)
    description = _description(source, goal, settings, retraining)
    with locks.exclusive(out), _claimed(Pruning(out), description, resume):
        return _prune(source, dataset, out, goal, settings, network, retraining, cache_folder)


def _prune(
    source: Run,
    dataset: Dataset,
    out: Path,
    goal: Goal,
    settings: Settings,
    network: RankedNetwork,
    retraining: Recipe | None,
    cache_folder: Path | None,
) -> tuple[Point, ...]:
    pruning, start = Pruning(out), network.start
    teachers = [source.model()] if settings.distil else []
    last, points = source, [_point(0, source, network, start)]
    with progress.bar(settings.steps, "pruning", "step", stays=True) as bar:
        for number in range(1, settings.steps + 1):
            run = pruning.step(number)
            if not _complete(run):
                part = goal.part(settings.share(number), start)
                counts = network.counts(part, start, settings.multiple)
                filters, smaller = network.ranking.layer_filters(counts), network.shrunk(counts)
                recipe = retraining_recipe(
                    source.recipe(),
                    retraining,
                    filters,
                    epochs=settings.epochs(number),
                    rate_max=settings.rate_max,
                )
                train(
                    recipe,
                    dataset,
                    run.root,
                    resume=True,
                    initial=smaller,
                    teachers=teachers,
                    cache_folder=cache_folder,
                )
            last, network = run, _ranked(run, settings)
            points.append(_point(number, run, network, start))
            curve.write_csv(points, pruning.csv_path)
            curve.write_png(points, pruning.png_path)
            bar.set_postfix(params=points[-1].params, accuracy=points[-1].accuracy, refresh=False)
            bar.update()
    _copy(last, pruning.run)
    return tuple(points)


def retraining_recipe(
    source: Recipe,
    retraining: Recipe | None,
    filters: Mapping[str, int],
    *,
    epochs: int,
    rate_max: float,
) -> Recipe:
    """Return a recipe with other filters and a schedule of one cycle, for weights that are there.

    Args:
        source: what the network was trained with.
        retraining: what it is retrained with; None for the same.
        filters: number of filters of each convolution that is pruned, by its name.
        epochs: length of the cycle.
        rate_max: learning rate at its start; ``rate_min`` stays if it is lower.
    """
    recipe = source
    if retraining is not None:
        recipe = dataclasses.replace(retraining, network_folder=source.network_folder)
    schedule = dataclasses.replace(
        recipe.schedule,
        cycles=(epochs,),
        warmup_epochs=0,
        rate_max=rate_max,
        rate_min=min(recipe.schedule.rate_min, rate_max),
    )
    every = {**source.filters, **filters}
    content = recipe.content
    content["filters"] = every
    content.pop("init", None)
    content["schedule"] = {
        **content.get("schedule", {}),
        "cycles": [epochs],
        **({"warmup_epochs": 0} if recipe.schedule.warmup_epochs else {}),
        "rate_max": schedule.rate_max,
        "rate_min": schedule.rate_min,
    }
    text = tomli_w.dumps(content).encode("utf-8")
    return dataclasses.replace(recipe, filters=every, init="", schedule=schedule, source=text)


def _ranked(run: Run, settings: Settings) -> RankedNetwork:
    unpruned = run.recipe().find_network().unpruned
    return RankedNetwork.of(run.model(), settings.criterion, unpruned)


def _complete(run: Run) -> bool:
    return run.info_path.exists() and run.info().epochs > 0


def _check_source(source: Run, dataset: Dataset) -> None:
    if not source.info().epochs:
        raise AscError(f"{source.root}: the run is not complete, finish it with train --resume")
    if source.info().dataset_fingerprint != dataset.fingerprint():
        raise AscError(f"{source.root}: was trained on another data set than {dataset.root}")
    source.info().check_fold(source.root, dataset)


def _check_retraining(retraining: Recipe, source: Recipe) -> None:
    """Check that a recipe is of the same network and features as the run's."""
    for key in ("network", "network_options", "frontend", "normalize_bands", "features"):
        mine, other = getattr(retraining, key), getattr(source, key)
        if mine != other:
            raise AscError(f"--recipe: {key} is another one than the run's, {shown(other)}")


def _description(
    source: Run, goal: Goal, settings: Settings, retraining: Recipe | None
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "source_sha256": source.model_sha256(),
        "goal": to_json(goal),
        "recipe_sha256": retraining.sha256 if retraining else None,
        **dataclasses.asdict(settings),
    }


@contextmanager
def _claimed(pruning: Pruning, description: Mapping[str, Any], resume: bool) -> Iterator[None]:
    """Write the description, or check that the folder has the same one if resuming.

    If nothing is trained in the block, the folder is as before.
    """
    root, path = pruning.root, pruning.settings_path
    if path.exists():
        _check_same(root, path, description, resume)
    elif pruning.run.recipe_path.exists():
        raise AscError(f"{root}: holds a run already; use another folder")
    with claims.claimed(path, json.dumps(description, indent=2) + "\n"):
        yield


def _check_same(root: Path, path: Path, description: Mapping[str, Any], resume: bool) -> None:
    if not resume:
        raise AscError(f"{root}: holds a pruning already; use --resume or another folder")
    try:
        before = parse_json(read_bytes(path), source=str(path))
        differing = [name for name in description if before.get(name) != description[name]]
    except (ValueError, AttributeError) as error:
        raise AscError(f"{path}: not a pruning's description: {error}") from error
    if differing:
        name = differing[0]
        raise AscError(
            f"{path}: {name} = {before.get(name)}, cannot resume with {description[name]}"
        )


def _point(number: int, run: Run, network: RankedNetwork, start: Start) -> Point:
    now, accuracy = network.start, run.info().evaluate_accuracy
    assert accuracy is not None, "complete runs have it"
    return Point(
        step=number,
        rate=1.0 - now.total / start.total,
        filters=now.total,
        params=now.figures.params,
        macs=now.figures.macs,
        accuracy=accuracy,
    )


def _copy(last: Run, out: Run) -> None:
    """Copy what makes a run; its description comes last, when the rest is there."""
    last.recipe().find_network().copy(out.network_folder)
    for name in ("recipe_path", "history_path", "model_path", "info_path"):
        write_bytes(getattr(out, name), read_bytes(getattr(last, name)))
