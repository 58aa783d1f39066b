"""``asc-tiny train``: train a network as a recipe says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, data_option, fold_option, json_option, resample_option, warn
from asc_tiny.cli.streams import say

if TYPE_CHECKING:
    from asc_tiny.audio.dataset import Dataset


@click.command(
    short_help="Train a network.",
    epilog=examples(
        "train recipe.toml --data DATA --out run",
        "train recipe.toml --data DATA --seeds 5 --jobs 2 --out study",
    ),
)
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
@click.option("--init", metavar="RUN", help="Start from the weights of a run or a file.")
@click.option("--device", metavar="NAME", help="Train on the clips of this recording device alone.")
@click.option(
    "--devices",
    metavar="LIST",
    help='Fine-tune --init for "each" device, or "a,b", and choose where that is better.',
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
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train N times, with the recipe's seed and the N - 1 after it; --out gets a run for each.",
)
@click.option("--folds", metavar="LIST", help='Train on each of these folds, "all" or "1,3".')
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trainings of --seeds and --folds at the same time.",
)
@click.option(
    "--compare",
    type=PATH,
    metavar="DIR",
    help="Compare with DIR, what --seeds or --folds made of another recipe.",
)
@json_option
def command(
    recipe: Path,
    data: Path,
    fold: int,
    resample: bool,
    out: Path,
    features: str | None,
    init: str | None,
    device: str | None,
    devices: str | None,
    epochs: int | None,
    strategy: str,
    resume: bool,
    seeds: int | None,
    folds: str | None,
    jobs: int,
    compare: Path | None,
    as_json: bool,
) -> None:
    """Train the network of RECIPE on the split "train".

    The run's folder holds model.keras, history.csv, a checkpoint, run.json and the recipe. A run
    that was killed goes on with --resume and ends with the same weights.

    With --seeds or --folds it trains several times and tells mean, standard deviation and range of
    the accuracies and log losses on the splits "evaluate", also in study.json.

    With --devices, --out gets a run for each device, and devices.toml for "evaluate": which of them
    is better than the general network on recordings that the recipe's validation_share holds out.
    """
    if devices is not None:
        _refuse(
            {
                "--device": device,
                "--seeds": seeds,
                "--folds": folds,
                "--strategy": strategy != "none",
            },
            "--devices",
        )
        loaded = api.load_dataset(data, fold=fold, resample=resample)
        _fine_tune(recipe, loaded, out, devices, as_json, init, features, epochs, resume)
        return
    if seeds is not None or folds is not None:
        given = {"--strategy": strategy != "none", "--init": init, "--device": device}
        _refuse(given, "--seeds and --folds")
        document = api.train_study(
            recipe,
            data,
            out,
            seeds=seeds or 1,
            folds=folds or str(fold),
            jobs=jobs,
            compare=compare,
            resample=resample,
            features=features,
            epochs=epochs,
            resume=resume,
            warn=warn,
        )
        _print_study(document, as_json)
        return
    if compare or as_json or jobs > 1:
        raise click.UsageError("--compare, --json and --jobs go with --seeds or --folds")
    run = api.train(
        recipe,
        api.load_dataset(data, fold=fold, resample=resample),
        out,
        features=features,
        init=init,
        device=device,
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


def _fine_tune(
    recipe: Path,
    dataset: Dataset,
    out: Path,
    devices: str,
    as_json: bool,
    init: str | None,
    features: str | None,
    epochs: int | None,
    resume: bool,
) -> None:
    """Fine-tune for devices and print what was chosen."""
    from asc_tiny.cli.main import print_json

    options: dict[str, Any] = {"features": features, "epochs": epochs, "resume": resume}
    found = api.train_devices(recipe, dataset, out, init=init, devices=devices, **options)
    from asc_tiny.evaluation import device_map, device_models

    if as_json:
        print_json(device_models.to_json(found))
    else:
        click.echo(device_models.table(found))
        say(str(out / device_map.FILE))


def _print_study(document: dict[str, Any], as_json: bool) -> None:
    from asc_tiny.cli.main import print_json
    from asc_tiny.evaluation import study

    if as_json:
        print_json(document)
    else:
        click.echo(study.table(document))


def _refuse(given: Mapping[str, object], other: str) -> None:
    """End with a usage error if an option is given that does not go with another one."""
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} does not go with {other}")
