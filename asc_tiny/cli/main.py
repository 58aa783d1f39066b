"""The ``asc-tiny`` command: finds subcommands lazily, turns errors into exit codes."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from asc_tiny import __version__
from asc_tiny.cli import endings, streams, verbosity
from asc_tiny.cli.endings import SCHEMA
from asc_tiny.cli.help_text import Group, examples
from asc_tiny.util import interrupts

SECTIONS = {
    "Begin": ("init", "models", "recipes", "doctor"),
    "Train": ("data", "train", "search", "prune", "quantize", "ensemble", "evaluate"),
    "Check a model": ("budget", "report", "boards", "features", "attach", "verify"),
    "Put it on a board": (
        "generate",
        "build",
        "flash",
        "run",
        "monitor",
        "simulate",
        "bench",
        "inspect",
    ),
}
COMMANDS = tuple(sorted(name for names in SECTIONS.values() for name in names))


class LazyGroup(Group):
    """A group that imports ``asc_tiny.cli.<name>`` only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands in alphabetic order."""
        return list(COMMANDS)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was chosen."""
        with endings.named():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections, in the order in which they are used."""
        width = max(map(len, COMMANDS))
        for title, names in SECTIONS.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            rows = [
                (name.ljust(width), command.get_short_help_str(limit=80))
                for name, command in commands
                if command is not None
            ]
            with formatter.section(title):
                formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return its ``command`` object."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"asc_tiny.cli.{cmd_name}")
        return verbosity.with_options(module.command)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "budget model.tflite", "generate model.tflite --out firmware", "COMMAND --help"
    ),
)
@click.version_option(__version__, prog_name="asc-tiny")
def cli() -> None:
    """Put acoustic scene classifiers on microcontrollers."""


cli.params += verbosity.options()


def print_json(document: dict[str, object]) -> None:
    """Print ``document`` to stdout as JSON with the schema number first."""
    click.echo(json.dumps({"schema": SCHEMA, **document}, indent=2, allow_nan=False))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    The code is 0, 1 for a gate, 2 for bad input or a system that refuses something, 3 for a
    mismatch, or 128 and the number of the signal that ended it (130 for Ctrl-C).

    Args:
        arguments: arguments of a call within Python, where a fault of this program stays an
            exception; None for those of the process, whose streams and signals are then this
            program's.
    """
    if arguments is None:
        interrupts.install()
        streams.install()
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments), arguments is None))


def _run(argv: Sequence[str], is_program: bool) -> int:
    verbosity.reset()
    try:
        # Without standalone mode click returns the code of ctx.exit() and raises its errors.
        code = cli.main(args=argv, prog_name="asc-tiny", standalone_mode=False)
        streams.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return endings.BAD_INPUT
    except BaseException as error:
        ending = endings.of(error)
        if ending is None:
            if not is_program or not isinstance(error, Exception):
                raise
            ending = endings.of_fault(error)
        if verbosity.chosen.debug:
            endings.print_place(error)
        endings.report(ending, argv)
        return ending.code


if __name__ == "__main__":
    main()
