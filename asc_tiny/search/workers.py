"""Trainings side by side: in processes of this computer, or on a Ray cluster.

Both take a ``Training`` and give a future of its accuracy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from asc_tiny.audio.dataset import Dataset
from asc_tiny.nets import require_tensorflow
from asc_tiny.train import recipe as recipes
from asc_tiny.util import locks, process_pool, ray_cluster


@dataclass(frozen=True, kw_only=True)
class Training:
    """A candidate and how far to train it; paths are the same on all computers.

    Attributes:
        recipe: text of the recipe.
        recipe_folder: folder in which the recipe finds the files that it names.
        data: folder of the dataset.
        fold: number of the dataset's fold, 1 or more.
        resample: whether clips of another sample rate are converted.
        out: folder of the run; a run there goes on.
        epochs: epochs after which training stops, 1 or more.
    """

    recipe: str
    recipe_folder: str
    data: str
    fold: int
    resample: bool
    out: str
    epochs: int


class Workers(Protocol):
    """What trains candidates."""

    def submit(self, training: Training) -> Future[float]:
        """Return the future accuracy of a candidate on the split ``evaluate``, 0 to 1.

        The future raises ``AscError`` if the candidate cannot be trained.
        """
        ...


def perform(training: Training) -> float:
    """Train a candidate in this process and return its accuracy, 0 to 1.

    Raises:
        AscError: it cannot be trained.
    """
    require_tensorflow()
    from asc_tiny.train import loop

    # A cluster starts a training again elsewhere, a search that was killed goes on, and the process
    # that had it before may still be about to end.
    locks.wait_until_free(Path(training.out))
    recipe = recipes.parse(training.recipe.encode("utf-8"), folder=Path(training.recipe_folder))
    dataset = Dataset.load(Path(training.data), training.fold, resample=training.resample)
    run = loop.train(recipe, dataset, Path(training.out), epochs=training.epochs, resume=True)
    accuracy = run.info().evaluate_accuracy
    assert accuracy is not None
    return accuracy


@contextmanager
def local(jobs: int) -> Iterator[Workers]:
    """Yield workers that train up to ``jobs`` candidates at a time, each in a process of its own.

    The processes share the cores of this computer, and end with this one.
    """
    with process_pool.pool(jobs) as pool:
        yield _Local(pool, max(process_pool.processors() // jobs, 1))


@dataclass(frozen=True)
class _Local:
    pool: Executor
    threads: int

    def submit(self, training: Training) -> Future[float]:
        with process_pool.interrupts_blocked():
            return self.pool.submit(_in_process, training, self.threads)


def _in_process(training: Training, threads: int) -> float:
    # Bars of several processes would overwrite each other. TensorFlow reads these when it starts.
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    return perform(training)


@contextmanager
def ray(address: str) -> Iterator[Workers]:
    """Yield workers on the computers of a Ray cluster, a core for each candidate.

    Dataset, recipe and the folder of the search have the same paths on all of them.

    Args:
        address: address of the cluster, such as ``127.0.0.1:6379``; ``auto`` for the one of this
            computer.

    Raises:
        AscError: Ray is not installed, or the cluster does not answer.
    """
    with ray_cluster.connected(address) as cluster:
        yield _Ray(cluster)


@dataclass(frozen=True)
class _Ray:
    cluster: Executor

    def submit(self, training: Training) -> Future[float]:
        return self.cluster.submit(perform, training)
