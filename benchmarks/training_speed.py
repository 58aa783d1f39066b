"""Time of a training epoch beside the time that its network needs alone, as a Markdown table.

``python benchmarks/training_speed.py --data DATASET RECIPE...``. The network's own time is that of
the same steps, and of the same evaluation, on one batch that is there all along. The features are
computed before, if the cache lacks them. Rows take turns and the best of the rounds counts: of
processor time, since other programs slow down the clock on the wall.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asc_tiny.audio.dataset import Dataset
from asc_tiny.nets import require_tensorflow
from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.statistics.normalize import with_band_statistics

HEADER = (
    "| recipe | clips | network alone, s | epoch, s | ratio | on the wall | data, ms a clip |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Seconds:
    """Processor time and time on the wall of one run, in seconds."""

    processor: float
    wall: float


def timed(work: Callable[[], object]) -> Seconds:
    """Run something once and return how long it took, all threads together."""
    processor, wall = time.process_time(), time.perf_counter()
    work()
    return Seconds(time.process_time() - processor, time.perf_counter() - wall)


def best(runs: Sequence[Seconds]) -> Seconds:
    """Return the least processor time and the least time on the wall."""
    return Seconds(min(r.processor for r in runs), min(r.wall for r in runs))


def row(recipe: Recipe, dataset: Dataset, rounds: int) -> str:
    """Time a recipe's epochs and return a row of the table."""
    require_tensorflow()
    from asc_tiny.train.loop import Trainer
    from asc_tiny.train.training_data import TrainingData

    recipe = with_band_statistics(recipe, dataset.split("train"), None)
    data = TrainingData.load(dataset, recipe, None)
    trainer = Trainer(recipe, len(dataset.labels))
    constant = [(x.copy(), y.copy()) for x, y in trainer.batches(0, data)]
    # Steps have one of two sizes: the batch that stands for all others has its own.
    by_size = {len(x): (x, y) for x, y in constant}
    constant = [by_size[len(x)] for x, _ in constant]
    held_out = data.evaluate_features.take(np.arange(min(128, len(data.evaluate_features))))

    def network() -> None:
        trainer.learn(0, constant, len(constant))
        for start in range(0, len(data.evaluate_features), len(held_out)):
            count = min(len(held_out), len(data.evaluate_features) - start)
            np.asarray(trainer.model(held_out[:count], training=False))

    works: list[Callable[[], object]] = [
        network,
        lambda: trainer.epoch(0, data),
        lambda: sum(len(x) for x, _ in trainer.batches(0, data)),
    ]
    for work in works:  # traces and compiles
        work()
    runs: list[list[Seconds]] = [[] for _ in works]
    for _ in range(rounds):
        for found, work in zip(runs, works, strict=True):
            found.append(timed(work))
    alone, epoch, feeding = (best(found) for found in runs)
    clips = len(data.targets)
    return (
        f"| `{recipe.name}` | {clips} | {alone.processor:.1f} | {epoch.processor:.1f} "
        f"| {epoch.processor / alone.processor:.2f} | {epoch.wall / alone.wall:.2f} "
        f"| {1e3 * feeding.processor / clips:.2f} |"
    )


def main() -> None:
    """Time recipes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE")
    parser.add_argument("--data", type=Path, required=True, help="folder of a data set")
    parser.add_argument("--rounds", type=int, default=3, help="the best one counts (default 3)")
    arguments = parser.parse_args()
    dataset = Dataset.load(arguments.data)
    print(HEADER, flush=True)
    for path in arguments.recipes:
        print(row(recipes.load(path), dataset, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
