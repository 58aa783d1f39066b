"""``asc-tiny prune``: remove filters of a trained network step by step, retraining after each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, data_option, fold_option, resample_option
from asc_tiny.cli.streams import say
from asc_tiny.complexity.gate.limits import parse_bytes, parse_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asc_tiny.compress.prune.curve import Point

_COUNT = click.IntRange(min=1)


@click.command(
    short_help="Make a trained network smaller.",
    epilog=examples(
        "prune run --data DATA --rate 0.5 --out pruned",
        "prune run --data DATA --max-macs 10M --out pruned --resume",
    ),
)
@click.argument("run", type=PATH)
@data_option
@fold_option
@resample_option
@click.option("--out", required=True, type=PATH, help="The pruned run.")
@click.option("--rate", type=float, help="Goal: share of filters to remove, 0.7 for 70 %.")
@click.option("--max-params", help="Goal: parameters at most, such as 46K.")
@click.option("--max-macs", help="Goal: MACs of one inference at most, such as 20M.")
@click.option("--max-ram", help="Goal: bytes of activations at the peak at most, such as 64K.")
@click.option("--keep", type=PATH, help="Goal: TOML, filters per layer.")
@click.option("--steps", type=_COUNT, default=5, show_default=True, help="Steps to the goal.")
@click.option(
    "--epochs-per-step", type=_COUNT, default=20, show_default=True, help="Epochs after each step."
)
@click.option(
    "--final-epochs", type=_COUNT, default=80, show_default=True, help="Epochs after the last step."
)
@click.option(
    "--learning-rate",
    type=float,
    help="Learning rate at the start of each retraining; default: a fifth of the recipe's.",
)
@click.option("--recipe", type=PATH, help="Retrain by this recipe instead of RUN's.")
@click.option(
    "--schedule",
    default="linear",
    show_default=True,
    help="Sizes of the steps: linear, or cubic for small ones at the end.",
)
@click.option("--distil", is_flag=True, help="RUN's network teaches the pruned ones.")
@click.option(
    "--criterion", default="l1", show_default=True, help="What ranks filters: l1, l2, gamma."
)
@click.option(
    "--multiple", type=_COUNT, default=1, show_default=True, help="Layers keep a multiple of it."
)
@click.option("--resume", is_flag=True, help="Go on with the pruning in --out.")
def command(
    run: Path,
    data: Path,
    fold: int,
    resample: bool,
    out: Path,
    rate: float | None,
    max_params: str | None,
    max_macs: str | None,
    max_ram: str | None,
    keep: Path | None,
    steps: int,
    epochs_per_step: int,
    final_epochs: int,
    learning_rate: float | None,
    recipe: Path | None,
    schedule: str,
    distil: bool,
    criterion: str,
    multiple: int,
    resume: bool,
) -> None:
    """Prune the network of RUN to a smaller one: whole filters go, the layers shrink.

    The goal is --rate, or one or more of --max-params, --max-macs and --max-ram, or --keep. Each
    step removes a part of the filters and retrains; --out is a run like any other in the end,
    with curve.csv and curve.png: accuracy and parameters against the share of filters removed.

    --multiple N keeps a multiple of N filters in each layer, 4 or 16 for SIMD kernels.
    """
    points = api.prune(
        run,
        api.load_dataset(data, fold=fold, resample=resample),
        out,
        rate=rate,
        max_params=None if max_params is None else parse_count(max_params, option="--max-params"),
        max_macs=None if max_macs is None else parse_count(max_macs, option="--max-macs"),
        max_ram=None if max_ram is None else parse_bytes(max_ram, option="--max-ram"),
        keep=keep,
        steps=steps,
        epochs_per_step=epochs_per_step,
        final_epochs=final_epochs,
        learning_rate=learning_rate,
        criterion=criterion,
        multiple=multiple,
        distil=distil,
        schedule=schedule,
        recipe=recipe,
        resume=resume,
    )
    click.echo(_table(points))
    say(str(out / "model.keras"))


def _table(points: Sequence[Point]) -> str:
    lines = [f"{'step':>4}{'removed':>9}{'filters':>9}{'params':>10}{'MACs':>13}{'accuracy':>10}"]
    lines += [
        f"{p.step:4}{p.rate:9.1%}{p.filters:9}{p.params:10,}{p.macs:13,}{p.accuracy:10.4f}"
        for p in points
    ]
    return "\n".join(lines)
