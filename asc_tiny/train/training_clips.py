"""The clips of a data set that a recipe trains on: some recordings held out, one device alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.audio.split import Shares, assign
from asc_tiny.train.recipe import Recipe
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

VALIDATION = "validation"
"""Name of the split of the recordings that are held out."""


def of_recipe(dataset: Dataset, recipe: Recipe) -> Dataset:
    """Return a data set with the clips that a recipe trains on, and is evaluated on while training.

    Args:
        dataset: the data set.
        recipe: its ``validation_share`` and ``device``.

    Raises:
        AscError: too few recordings to hold some out, or no clips of the device.
    """
    return of_device(with_validation(dataset, recipe.validation_share), recipe.device)


def with_validation(dataset: Dataset, share: float) -> Dataset:
    """Move a share of the recordings of the split ``train`` to a split ``validation``.

    Which ones depends on their names and scenes alone, not on a seed, so that trainings with the
    same share hold out the same. Each scene has some in both splits.

    Args:
        dataset: the data set.
        share: 0 for none, below 1.

    Raises:
        AscError: a scene has too few recordings.
    """
    if not share:
        return dataset
    clips = dataset.split("train")
    groups: dict[str, Counter[str]] = {}
    for clip in clips:
        groups.setdefault(clip.identifier, Counter())[clip.scene] += 1
    try:
        parts = assign(groups, Shares({"train": 1.0 - share, VALIDATION: share}))
    except AscError as error:
        reason = str(error).split(";")[0]
        raise AscError(f"{dataset.root}: validation_share = {share:g}: {reason}") from error
    of_part = {
        part: tuple(clip for clip in clips if parts[clip.identifier] == part)
        for part in ("train", VALIDATION)
    }
    return replace(dataset, splits={**dataset.splits, **of_part})


def of_device(dataset: Dataset, device: str) -> Dataset:
    """Return a data set whose splits but ``test`` have the clips of a device alone.

    Args:
        dataset: the data set.
        device: name of the device; "" for all.

    Raises:
        AscError: the split ``train`` or ``evaluate`` has no clips of it.
    """
    if not device:
        return dataset
    splits = {
        name: clips if name == "test" else tuple(c for c in clips if c.device == device)
        for name, clips in dataset.splits.items()
    }
    for name in ("train", "evaluate"):
        if not splits[name]:
            known = ", ".join(devices(dataset.split(name)))
            lacking = f"split {name} has no clip of device {shown(device)}"
            raise AscError(f"{dataset.root}: {lacking}, it has {known}")
    return replace(dataset, splits=splits)


def devices(clips: Sequence[Clip]) -> list[str]:
    """Return the devices that clips were recorded with, in alphabetic order."""
    return sorted({clip.device for clip in clips})
