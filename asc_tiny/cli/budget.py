"""``asc-tiny budget``: measure models and compare their total with limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from asc_tiny.cli.budget_costs import CostOptions, compare_models, cost_options
from asc_tiny.cli.main import print_json
from asc_tiny.complexity.limits import Limits, parse_bytes, parse_count
from asc_tiny.complexity.reader import read_graph
from asc_tiny.complexity.report import (
    CONVENTIONS,
    PARAMS_UNIT,
    ModelComplexity,
    measure,
    to_json,
    to_table,
    total,
)
from asc_tiny.errors import AscError

_HELP = """Measure MODELs (.tflite, .keras, ensemble .toml) and fail if their total is over a limit.

Prints parameters, multiply-accumulates (MACs), bytes of weights and bytes of activations at the
peak, per layer, per model and in total. The limits hold for the total over all MODELs; the
defaults are those of DCASE task 1, low-complexity acoustic scene classification.

Counts take K and M (1000, 1000^2), sizes K and M (1024, 1024^2); "none" lifts a limit.

Exit code: 0 within the limits, 1 over a limit, 2 bad input.
"""
_SUFFIXES = (".keras", ".tflite", ".toml")


@click.command(help=_HELP)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--max-params", default="128K", show_default=True, help="Parameters.")
@click.option("--max-macs", default="30M", show_default=True, help="MACs of one inference.")
@click.option("--max-ram", default="none", show_default=True, help="Peak activation bytes.")
@click.option("--max-flash", default="none", show_default=True, help="Weight bytes.")
@click.option(
    "--convention",
    type=click.Choice(CONVENTIONS),
    default="exact",
    show_default=True,
    help="How parameters and MACs are counted; nessi gives the challenge's official numbers.",
)
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@cost_options
@click.pass_context
def command(
    context: click.Context,
    models: tuple[str, ...],
    max_params: str,
    max_macs: str,
    max_ram: str,
    max_flash: str,
    convention: str,
    style: str,
    as_json: bool,
    costs: CostOptions,
) -> None:
    """Run the command."""
    style = "json" if as_json else style
    costs.check(style=style)
    limits = Limits(
        max_params=_limit(parse_count, max_params, "--max-params"),
        max_macs=_limit(parse_count, max_macs, "--max-macs"),
        max_ram=_limit(parse_bytes, max_ram, "--max-ram"),
        max_flash=_limit(parse_bytes, max_flash, "--max-flash"),
    )
    measured = [
        each for model in models for each in measure_file(Path(model), convention=convention)
    ]
    if costs.compare:
        context.exit(0 if compare_models(measured, as_json=style == "json") else 3)
    measured = costs.add(measured)
    ensembles = costs.ensembles(models)
    exceeded = limits.exceeded(total(measured))
    if style == "json":
        verdict = {"limits": limits.to_json(), "exceeded": exceeded, "passed": not exceeded}
        unit = PARAMS_UNIT[convention]
        document = {"convention": convention, "params_unit": unit, **to_json(measured), **verdict}
        print_json({**document, **({"ensembles": ensembles} if ensembles else {})})
    else:
        click.echo(to_table(measured))
        from asc_tiny.complexity.costs_text import costs_text

        if convention == "nessi":
            click.echo(f"by NeSsi's rule: parameters are {PARAMS_UNIT[convention]}")
        if costs_text(measured, ensembles):
            click.echo(costs_text(measured, ensembles))
    costs.show_plan(measured)
    for line in exceeded:
        click.echo(f"asc-tiny: over budget: {line}", err=True)
    if exceeded:
        context.exit(1)


def measure_file(path: Path, *, convention: str = "exact") -> list[ModelComplexity]:
    """Measure a .tflite or .keras file, or every member of an ensemble.

    Only a .keras file imports TensorFlow.

    Raises:
        AscError: another kind of file, or one that cannot be read; a .keras file to be counted as
            NeSsi does, whose rule is for .tflite files.
    """
    if path.suffix not in _SUFFIXES:
        raise AscError(f"{path}: unknown kind of model, allowed: {', '.join(_SUFFIXES)}")
    if path.suffix == ".keras":
        if convention != "exact":
            raise AscError(f"{path}: --convention {convention} counts .tflite files only")
        from asc_tiny.compress.keras_complexity import measure_keras

        return [measure_keras(path)]
    if path.suffix == ".toml":
        from asc_tiny.complexity import ensemble

        return [
            measure(member.artefact.graph, convention=convention)
            for member in ensemble.load(path).members
        ]
    return [measure(read_graph(path), convention=convention)]


def _limit(parse: Callable[..., int], text: str, option: str) -> int | None:
    return None if text.lower() == "none" else parse(text, option=option)
