"""``asc-tiny attach``: front end and labels into anybody's model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, json_option, warn
from asc_tiny.cli.streams import note, say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.model.model_file import ModelFile


@click.command(
    short_help="Put front end and labels into a .tflite file.",
    epilog=examples(
        "attach model.tflite --frontend frontend.toml --labels labels.txt --out classifier.tflite",
        "attach classifier.tflite --show",
    ),
)
@click.argument("model", type=PATH)
@click.option("--frontend", type=PATH, help="TOML of the front end; default: what MODEL holds.")
@click.option(
    "--labels", type=PATH, help="Class names in output order, a line each; default: MODEL's."
)
@click.option("--out", type=PATH, help="The .tflite file to write.")
@click.option("--show", is_flag=True, help="Print what MODEL holds and write nothing.")
@json_option
def command(
    model: Path,
    frontend: Path | None,
    labels: Path | None,
    out: Path | None,
    show: bool,
    as_json: bool,
) -> None:
    """Put front end and labels into MODEL, a .tflite file, after which no command needs them.

    Operators and constants keep their bytes: the network computes what it did.
    """
    if show:
        _check_nothing_else(frontend=frontend, labels=labels, out=out)
        found = api.load_model(model)
        if isinstance(found, api.Ensemble):
            raise AscError(f"{model}: an ensemble; --show is for the .tflite files of its members")
        _print(found, as_json)
        return
    if out is None:
        raise AscError("--out: is needed, the .tflite file to write; or --show to print")
    _print(api.attach(model, out, frontend=frontend, labels=labels, warn=warn), as_json)
    note(f"wrote {out}")


def _check_nothing_else(**options: Path | None) -> None:
    for name, value in options.items():
        if value is not None:
            raise AscError(f"--{name}: is not for --show, which writes nothing")


def _print(model: ModelFile, as_json: bool) -> None:
    document: dict[str, object] = {
        "model": str(model.path),
        "sha256": model.sha256,
        "frontend": model.frontend.to_dict() if model.frontend else None,
        "labels": list(model.labels) if model.labels else None,
        "network": model.network,
        "provenance": dict(model.provenance),
    }
    if as_json:
        print_json(document)
        return
    for name, value in document.items():
        for number, line in enumerate(_lines(value)):
            say(f"{'' if number else name:<12}{line}")


def _lines(value: object) -> list[str]:
    """Return a value for people: of a table a line for each of its keys."""
    if isinstance(value, Mapping) and value:
        return [f"{key} = {each}" for key, each in value.items()]
    if isinstance(value, list):
        return [", ".join(map(str, value))]
    return [str(value or "none")]
