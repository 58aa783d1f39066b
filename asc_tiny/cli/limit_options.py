"""Options for the limits of a model's figures, and the settings file that has them, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from asc_tiny.complexity.gate import settings
from asc_tiny.complexity.gate.limits import FIGURES, NO_LIMIT

_Command = TypeVar("_Command", bound=Callable[..., None])

_HELP: Mapping[str, str] = {
    "max_params": "Parameters.  [default: 128K]",
    "max_macs": "MACs of one inference.  [default: 30M]",
    "max_ram": "Peak activation bytes.  [default: none]",
    "max_flash": "Weight bytes.  [default: none]",
}


def limit_options(command: _Command) -> _Command:
    """Add an option for each figure that can be limited."""
    for figure in reversed(FIGURES):
        command = click.option(figure.option, help=_HELP[figure.limit])(command)
    return command


config_option = click.option(
    "--config", help="File of settings; none to read no file.  [default: see docs/how_to/gate.md]"
)


def read_settings(config: str | None) -> settings.Settings:
    """Return the settings of a file, or of the one that lies in or above the current folder.

    Args:
        config: the file, ``none`` to read none, None to look for one.

    Raises:
        AscError: the file cannot be used.
    """
    if config is not None and config.lower() == NO_LIMIT:
        return settings.Settings()
    path = settings.find(Path.cwd()) if config is None else Path(config)
    return settings.Settings() if path is None else settings.read(path)


def given_limits(options: Mapping[str, str | None]) -> dict[str, int | None]:
    """Return the limits of the options that were given, None for one that is lifted.

    Args:
        options: texts of the options by the names of their limits.

    Raises:
        AscError: a text that is no number.
    """
    given = {}
    for figure in FIGURES:
        value = options[figure.limit]
        if value is not None:
            given[figure.limit] = figure.parse_limit(value, option=figure.option)
    return given
