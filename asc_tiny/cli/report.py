"""``asc-tiny report``: one page about a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.limit_options import config_option, given_limits, limit_options, read_settings
from asc_tiny.cli.options import PATH, frontend_option, labels_option
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import note
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text


@click.command(
    short_help="Write a page about a model: costs, fit, accuracy.",
    epilog=examples(
        "report model.tflite --out report.html",
        "report model.tflite --compare other.tflite --board nrf52840dk --out report.html",
        "report model.tflite --evaluation evaluation.json --out report.html",
    ),
)
@click.argument("model", type=PATH)
@click.option("--out", required=True, type=PATH, metavar="FILE.html", help="The page.")
@click.option("--compare", type=PATH, metavar="OTHER", help="Show another model beside it.")
@click.option(
    "--board",
    "boards",
    multiple=True,
    help="Board, or file (.toml) of yours; can be repeated.  [default: all]",
)
@click.option(
    "--cpu",
    default="cortex-m4",
    show_default=True,
    help="Core that instructions and code are estimated for.",
)
@click.option(
    "--evaluation",
    "evaluations",
    multiple=True,
    type=PATH,
    help="JSON that evaluate --json printed; can be repeated.",
)
@click.option(
    "--errors",
    multiple=True,
    type=PATH,
    help="JSON that quantize --report wrote; with --compare a second one is OTHER's.",
)
@click.option(
    "--bench",
    "benches",
    multiple=True,
    type=PATH,
    help="JSON that bench --json printed; with --compare a second one is OTHER's.",
)
@limit_options
@config_option
@frontend_option
@labels_option
def command(
    model: Path,
    out: Path,
    compare: Path | None,
    boards: Sequence[str],
    cpu: str,
    evaluations: Sequence[Path],
    errors: Sequence[Path],
    benches: Sequence[Path],
    config: str | None,
    frontend: Path | None,
    labels: Path | None,
    **limits: str | None,
) -> None:
    """Write one HTML page about MODEL, a .tflite file or an ensemble (.toml).

    The page has the graph, costs of each layer, memory over time, boards, budget, front end and
    provenance; accuracy, quantisation error and measured costs where their files are given. It
    needs no network and no other file, prints, and can be read without JavaScript. Limits are
    those of asc-tiny budget, and hold for each model by itself.
    """
    if out.suffix not in (".html", ".htm"):
        raise AscError(f"--out {out}: must end in .html")
    _check_count("--errors", errors, compare)
    _check_count("--bench", benches, compare)
    chosen = read_settings(config)
    held: dict[str, Any] = {**chosen.limits, **given_limits(limits)}
    with StepLine() as steps:
        page = api.report(
            model,
            compare=compare,
            boards=[api.load_board(name) for name in boards] or None,
            cpu=cpu.lower(),
            frontend=frontend,
            labels=labels,
            evaluations=evaluations,
            errors=errors,
            benches=benches,
            model_limits=chosen.model_limits,
            tell=steps.show,
            **held,
        )
    write_text(out, page)
    note(f"{out}: {len(page.encode()):,} bytes")


def _check_count(option: str, files: Sequence[Path], compare: Path | None) -> None:
    most = 1 if compare is None else 2
    if len(files) > most:
        needed = "" if compare else "; --compare takes a second model"
        raise AscError(f"{option}: {len(files)} files, at most {most}{needed}")
