"""``asc-tiny budget``: measure models and compare them with limits and a baseline."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asc_tiny import api
from asc_tiny.cli.budget_costs import CostOptions, compare_models, cost_options
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.limit_options import config_option, given_limits, limit_options, read_settings
from asc_tiny.cli.streams import say
from asc_tiny.complexity.gate.formats import FORMATS, render
from asc_tiny.complexity.gate.gate import Verdict
from asc_tiny.complexity.gate.limits import parse_growth
from asc_tiny.complexity.report import CONVENTIONS
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import append_text, write_text

if TYPE_CHECKING:
    from fractions import Fraction

_HELP = """Measure MODELs (.tflite, .keras, ensemble .toml) and fail if they are over a limit.

Prints parameters, multiply-accumulates (MACs), bytes of weights and bytes of activations at the
peak, per layer, per model and in total. The limits hold for the total over all MODELs; the
defaults are those of DCASE task 1, low-complexity acoustic scene classification. Limits of single
models, and most options here, can be set in asc-budget.toml or pyproject.toml.

Numbers take K, M and G (1000, 1000^2, 1000^3), Ki, Mi and Gi (1024, ...); "none" lifts a limit.

Exit code: 0 within the limits, 1 over a limit, 2 bad input, or a limited figure that cannot be
measured.
"""
_PATH = click.Path(path_type=Path)


@click.command(
    help=_HELP,
    short_help="Fail if a model is over its limits.",
    epilog=examples(
        "budget model.tflite", "budget model.tflite --max-macs 10M --baseline budget.json"
    ),
)
@click.argument("models", nargs=-1, metavar="[MODEL...]")
@limit_options
@config_option
@click.option("--baseline", "baseline_path", type=_PATH, help="Figures to compare with.")
@click.option(
    "--max-growth", help="Most growth beyond the baseline's figures, such as 2%.  [default: 0%]"
)
@click.option("--write-baseline", type=_PATH, help="Write what was measured for --baseline.")
@click.option(
    "--convention",
    type=click.Choice(CONVENTIONS),
    help="How parameters and MACs are counted; nessi gives the challenge's official numbers.  "
    "[default: exact]",
)
@click.option("--format", "style", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Write a report to a file, too; can be repeated.",
)
@cost_options
@click.pass_context
def command(
    context: click.Context,
    /,
    models: tuple[str, ...],
    style: str,
    as_json: bool,
    reports: tuple[str, ...],
    costs: CostOptions,
    **options: Any,
) -> None:
    """Run the command."""
    stated = context.get_parameter_source("style") == click.core.ParameterSource.COMMANDLINE
    if as_json and stated and style != "json":
        raise click.UsageError(f"--json and --format={style}, allowed: one of them")
    style = "json" if as_json else style
    try:
        costs.check(style=style)
        if costs.compare:
            measured = [each for model in models for each in api.measure(model)]
            context.exit(0 if compare_models(measured, as_json=style == "json") else 3)
        files = [_report(text) for text in reports]
        verdict = _verdict(models, costs=costs, **options)
        for name, path in files:
            write_text(path, render(name, verdict) + "\n")
        costs.draw_plan(verdict.models)
        _add_summary(style, verdict)
    except AscError as error:
        if style == "github":
            from asc_tiny.complexity.gate.formats import github

            click.echo(github.error(str(error)))
        raise
    _print(style, verdict)
    costs.print_plan(verdict.models)
    for check in verdict.failed:
        what = "not measured" if check.value is None else "over budget"
        say(f"asc-tiny: {what}: {check.message}", err=True)
    if not verdict.passed:
        context.exit(2 if verdict.unmeasured else 1)


def _verdict(
    models: Sequence[str],
    *,
    costs: CostOptions,
    config: str | None,
    baseline_path: Path | None,
    max_growth: str | None,
    write_baseline: Path | None,
    convention: str | None,
    **limits: str | None,
) -> Verdict:
    """Measure and compare; the command line goes before the settings, those before defaults."""
    chosen = read_settings(config)
    paths = [Path(model) for model in models] or [_shown(path) for path in chosen.models]
    if not paths:
        raise AscError("no MODEL given, on the command line or as models in the settings")
    total_limits: dict[str, Any] = {**chosen.limits, **given_limits(limits)}
    convention = convention or chosen.convention or CONVENTIONS[0]
    growth = _growth(max_growth, chosen.max_growth)
    if write_baseline and baseline_path:
        raise AscError("--baseline and --write-baseline: allowed is one of them")
    known = None if write_baseline else baseline_path or chosen.baseline
    if known is None and not write_baseline and (max_growth or chosen.max_growth is not None):
        raise AscError("--max-growth: needs a --baseline")
    verdict = api.check_budget(
        paths,
        **total_limits,
        model_limits=chosen.model_limits,
        convention=convention,
        baseline=known,
        max_growth=growth,
        **costs.estimates(),
    )
    if write_baseline:
        api.write_baseline(write_baseline, verdict)
    return verdict


def _growth(text: str | None, chosen: Fraction | None) -> Fraction | int:
    if text is not None:
        return parse_growth(text, option="--max-growth")
    return chosen or 0


def _shown(path: Path) -> Path:
    """Return the path from the current folder if it lies below."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _report(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    if name not in FORMATS or not file:
        raise AscError(f"--report {text}: allowed are FORMAT=FILE with {', '.join(FORMATS)}")
    return name, Path(file)


def _print(style: str, verdict: Verdict) -> None:
    if style == "table":
        from asc_tiny.complexity.gate.formats import table

        click.echo(table.render(verdict, _terminal()))
        return
    click.echo(render(style, verdict))


def _add_summary(style: str, verdict: Verdict) -> None:
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if style == "github" and summary:
        append_text(Path(summary), render("markdown", verdict) + "\n")


def _terminal() -> Any:
    """Return what stdout can show: https://no-color.org."""
    from asc_tiny.complexity.gate.formats.table import Style

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return Style(color=sys.stdout.isatty() and not plain, blocks=encoding == "utf8")
