"""How much a command tells besides its results: ``-q`` less, ``-v`` more, ``--debug`` all."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass

import click

from asc_tiny.util.child_processes import PROGRAMS


@dataclass
class Verbosity:
    """What is told on standard error.

    Attributes:
        quiet: whether warnings and errors alone are told, and no progress is drawn.
        verbose: whether the programs, too, are told that the command starts.
        debug: whether the place in this package where an error came up is told with it.
    """

    quiet: bool = False
    verbose: bool = False
    debug: bool = False


chosen = Verbosity()
"""What the command line of this process asks for."""

_HELP = {
    "quiet": (("-q", "--quiet"), "Print results, warnings and errors alone."),
    "verbose": (("-v", "--verbose"), "Print the programs that are started."),
    "debug": (("--debug",), "Print where in asc-tiny an error comes up."),
}


def reset() -> None:
    """Forget what an earlier command line asked for."""
    chosen.quiet = chosen.verbose = chosen.debug = False
    logging.getLogger(PROGRAMS).handlers.clear()


def options(*, hidden: bool = False) -> list[click.Parameter]:
    """Return the options, which every command takes.

    Args:
        hidden: leave them out of the help: that of the whole program has them.
    """
    return [
        click.Option(
            names,
            is_flag=True,
            expose_value=False,
            hidden=hidden,
            help=text,
            callback=_set,
        )
        for names, text in _HELP.values()
    ]


def with_options(command: click.Command) -> click.Command:
    """Have a command, and those within it, take the options, too."""
    taken = {name for parameter in command.params for name in parameter.opts}
    if "--debug" not in taken:
        command.params += options(hidden=True)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_options(each)
    return command


def _set(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or parameter.name is None:
        return
    setattr(chosen, parameter.name, True)
    logger = logging.getLogger(PROGRAMS)
    if chosen.verbose and not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("+ %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
