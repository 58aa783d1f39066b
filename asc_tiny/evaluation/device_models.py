"""A network for each recording device: fine-tuned where that is better on recordings held out.

Device-specific fine-tuning is what DCASE2025 Task 1 allows: a device is known at inference, and a
general network goes on learning on its clips alone (Schmid et al., "Low-Complexity Acoustic Scene
Classification with Device Information in the DCASE 2025 Challenge", arXiv:2505.01747). The choice
is made on recordings of the split ``train`` that neither network has learnt from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.audio.dataset import Dataset
from asc_tiny.evaluation import device_map
from asc_tiny.evaluation.device_map import DeviceMap
from asc_tiny.evaluation.metrics import true_outputs
from asc_tiny.train import loop, training_clips
from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.run import Run
from asc_tiny.train.training_data import split_scores
from asc_tiny.util import progress
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text

SCHEMA = 1
SELECTION = "selection.json"

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Choice:
    """What was chosen for a device.

    Attributes:
        device: its name.
        clips: clips of the recordings held out.
        general, fine_tuned: accuracies of both networks on them, 0 to 1.
    """

    device: str
    clips: int
    general: float
    fine_tuned: float

    @property
    def chosen(self) -> str:
        """``fine-tuned``, or ``general`` where that is as good or better."""
        return "fine-tuned" if self.fine_tuned > self.general else "general"


def fine_tune(
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    wanted: str,
    *,
    epochs: int | None = None,
    resume: bool = False,
    cache_folder: Path | None = None,
) -> tuple[Choice, ...]:
    """Fine-tune a network for each device, choose, and write ``devices.toml``.

    Args:
        recipe: recipe of the fine-tuning; ``init`` is the run of the general network, which was
            trained with the same ``validation_share``.
        dataset: the one that the general network was trained on.
        out: folder that gets a run ``device-NAME`` for each device, the map, and
            ``selection.json`` with the figures of the choices.
        wanted: ``each``, or names of devices with commas between them.
        epochs: epochs of each run at most; None for all.
        resume: go on with what is not complete in ``out``.
        cache_folder: folder that keeps the features; None for the user's cache.

    Raises:
        AscError: the general network was trained on the recordings to choose on, or the recipe,
            data or devices are not fit.
    """
    general = _general(recipe, dataset)
    held_out = training_clips.with_validation(dataset, recipe.validation_share)
    named = _devices(held_out, wanted)
    choices, models = [], {}
    with progress.bar(len(named), "devices", "device", stays=True) as bar:
        for device in named:
            run = loop.train(
                recipes.fine_tuning(recipe, device=device),
                dataset,
                out / f"device-{device}",
                epochs=epochs,
                resume=resume,
                cache_folder=cache_folder,
            )
            clips = training_clips.of_device(held_out, device)
            choice = Choice(
                device,
                len(clips.split(training_clips.VALIDATION)),
                _accuracy(general, clips),
                _accuracy(run, clips),
            )
            choices.append(choice)
            models[device] = (run if choice.chosen == "fine-tuned" else general).model_path
            bar.update()
    device_map.write(out / device_map.FILE, DeviceMap(general.model_path, models))
    write_text(out / SELECTION, json.dumps(to_json(choices), indent=2) + "\n")
    return tuple(choices)


def to_json(choices: Sequence[Choice]) -> dict[str, Any]:
    """Return the choices as plain values."""
    rows = [{**asdict(choice), "chosen": choice.chosen} for choice in choices]
    return {"schema": SCHEMA, "split": training_clips.VALIDATION, "devices": rows}


def table(choices: Sequence[Choice]) -> str:
    """Return the choices as lines of text."""
    width = max(6, *(len(choice.device) for choice in choices))
    lines = [f"{'device':{width}}{'clips':>7}{'general':>9}{'fine-tuned':>12}  chosen"]
    lines += [
        f"{c.device:{width}}{c.clips:7}{c.general:9.4f}{c.fine_tuned:12.4f}  {c.chosen}"
        for c in choices
    ]
    return "\n".join(lines)


def _general(recipe: Recipe, dataset: Dataset) -> Run:
    """Return the run that the recipe starts from, if a choice against it is an honest one."""
    if not recipe.validation_share:
        raise AscError(
            "--devices: the recipe's validation_share is 0, there are no recordings to choose on; "
            "train the general network with one such as 0.2, too"
        )
    if not recipe.init:
        raise AscError("--devices: --init or the recipe's init names the general network's run")
    path = recipe.find(recipe.init)
    run = Run(path if path.is_dir() else path.parent)
    info, before = run.info(), run.recipe()
    if not info.epochs:
        raise AscError(f"{run.root}: the run is not complete, finish it with train --resume")
    if info.dataset_fingerprint != dataset.fingerprint():
        raise AscError(f"{run.root}: was trained on another data set than {dataset.root}")
    info.check_fold(run.root, dataset)
    if before.validation_share != recipe.validation_share:
        raise AscError(
            f"{run.root}: was trained with validation_share = {before.validation_share:g}, the "
            f"recipe has {recipe.validation_share:g}: it may have learnt what is to be chosen on"
        )
    return run


def _devices(dataset: Dataset, wanted: str) -> list[str]:
    """Return the devices that have clips to train, to choose on and to evaluate."""
    of_split = [
        set(training_clips.devices(dataset.split(name)))
        for name in ("train", training_clips.VALIDATION, "evaluate")
    ]
    there = sorted(set.intersection(*of_split))
    chosen = there if wanted == "each" else list(dict.fromkeys(wanted.split(",")))
    for name in chosen:
        if name not in there:
            known = ", ".join(there)
            raise AscError(
                f"--devices: {shown(name)} has no clips in train, validation and evaluate, "
                f"{known} have"
            )
        if not _FILE_NAME.fullmatch(name):
            raise AscError(f"--devices: {shown(name)} cannot be the name of a folder")
    if not chosen:
        raise AscError("--devices: no device has clips in train, validation and evaluate")
    return chosen


def _accuracy(run: Run, dataset: Dataset) -> float:
    clips = dataset.split(training_clips.VALIDATION)
    scores = split_scores(run.model(), run, dataset, training_clips.VALIDATION)
    return float(np.mean(scores.argmax(axis=1) == true_outputs(clips, run.info().labels)))
