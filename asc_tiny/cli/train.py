"""``asc-tiny train``: train a network as a recipe says."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny import api
from asc_tiny.cli.options import PATH, data_option, fold_option, resample_option, warn
from asc_tiny.cli.streams import say


@click.command()
@click.argument("recipe", type=PATH)
@data_option
@fold_option
@resample_option
@click.option("--out", required=True, type=PATH, help="Folder of the run.")
@click.option(
    "--features",
    type=click.Choice(["float", "fixed"]),
    help="Features of the float or the integer front end; the recipe's if not given.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Stop after the first epochs.")
@click.option(
    "--strategy",
    type=click.Choice(["none", "mirrored", "multi-worker"]),
    default="none",
    show_default=True,
    help="Share steps between the devices of this machine, or the workers in TF_CONFIG.",
)
@click.option("--resume", is_flag=True, help="Go on after the last epoch done in --out.")
def command(
    recipe: Path,
    data: Path,
    fold: int,
    resample: bool,
    out: Path,
    features: str | None,
    epochs: int | None,
    strategy: str,
    resume: bool,
) -> None:
    """Train the network of RECIPE on the split "train".

    The run's folder holds model.keras, history.csv, a checkpoint, run.json and the recipe. A run
    that was killed goes on with --resume and ends with the same weights.
    """
    run = api.train(
        recipe,
        api.load_dataset(data, fold=fold, resample=resample),
        out,
        features=features,
        epochs=epochs,
        strategy=strategy,
        resume=resume,
        warn=warn,
    )
    info = run.info()
    if info.evaluate_accuracy is None:
        say(f"{run.root}: this worker is done, the first one writes the model")
        return
    say(
        f"{run.model_path}: {info.epochs} epochs, "
        f"float accuracy {info.evaluate_accuracy:.4f} on split evaluate"
    )
