"""``asc-tiny search``: find recipes that are accurate within the budget of a chip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, data_option, fold_option, resample_option
from asc_tiny.cli.streams import say
from asc_tiny.complexity.gate.limits import FIGURES, parse_bytes, parse_count

if TYPE_CHECKING:
    from collections.abc import Callable

    from asc_tiny.search.driver import Trained

_COUNT = click.IntRange(min=1)
_PARAMS, _MACS = FIGURES[0], FIGURES[1]


@click.command(
    short_help="Search recipes that are accurate within limits.",
    epilog=examples(
        "search space.toml --data DATA --out search --max-macs 10M --board nucleo_l496zg"
    ),
)
@click.argument("space", type=PATH)
@data_option
@fold_option
@resample_option
@click.option("--out", required=True, type=PATH, help="Folder of the search.")
@click.option("--trials", type=_COUNT, default=30, show_default=True, help="Candidates to train.")
@click.option(
    "--seeds",
    type=_COUNT,
    default=1,
    show_default=True,
    help="Trainings of each candidate on the Pareto front, with a seed each.",
)
@click.option("--jobs", type=_COUNT, default=1, show_default=True, help="Trainings at a time.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--max-params", default="128K", show_default=True, help="Parameters, or none.")
@click.option("--max-macs", default="30M", show_default=True, help="MACs, or none.")
@click.option("--max-ram", help="Bytes of the network's arena at most, such as 64K.")
@click.option("--max-instructions", help="Estimated instructions of an inference at most.")
@click.option(
    "--max-cycles", help="Estimated cycles of an inference on an emulated Cortex-M4 at most."
)
@click.option("--board", help="Board that the classifier has to fit: a name or a .toml file.")
@click.option(
    "--cpu", default="cortex-m4", show_default=True, help="Core that --max-instructions is about."
)
@click.option("--ray", metavar="ADDRESS", help="Train on the computers of this Ray cluster.")
@click.option("--resume", is_flag=True, help="Go on with the search in --out.")
def command(
    space: Path,
    data: Path,
    fold: int,
    resample: bool,
    out: Path,
    trials: int,
    seeds: int,
    jobs: int,
    seed: int,
    max_params: str,
    max_macs: str,
    max_ram: str | None,
    max_instructions: str | None,
    max_cycles: str | None,
    board: str | None,
    cpu: str,
    ray: str | None,
    resume: bool,
) -> None:
    """Search the values of SPACE for recipes that are accurate within limits.

    The compiler tells what each candidate costs before it is trained; what is over a limit never
    is. The others are trained in rungs, and only the better ones further. The folder --out has
    candidates.csv, pareto.png, report.html and a run for each candidate in the end.
    """
    best = api.search(
        space,
        api.load_dataset(data, fold=fold, resample=resample),
        out,
        trials=trials,
        seeds=seeds,
        jobs=jobs,
        seed=seed,
        max_params=_PARAMS.parse_limit(max_params, option="--max-params"),
        max_macs=_MACS.parse_limit(max_macs, option="--max-macs"),
        max_ram=_parsed(parse_bytes, max_ram, "--max-ram"),
        max_instructions=_parsed(parse_count, max_instructions, "--max-instructions"),
        max_cycles=_parsed(parse_count, max_cycles, "--max-cycles"),
        board=board,
        cpu=cpu,
        ray=ray,
        resample=resample,
        resume=resume,
    )
    for each in best:
        accuracy = sum(each.seeds) / len(each.seeds)
        say(f"{out / 'trials' / f'{each.number:04d}'}: accuracy {accuracy:.4f}, {_cost(each)}")
    say(f"wrote {out / 'report.html'}")


def _parsed(parse: Callable[..., int], text: str | None, option: str) -> int | None:
    return None if text is None else parse(text, option=option)


def _cost(each: Trained) -> str:
    figures = each.figures
    counted = figures.cycles or figures.instructions or 0
    name = "cycles" if figures.cycles else "instructions"
    return f"{counted:,} {name}, arena {figures.arena_bytes:,} bytes"
