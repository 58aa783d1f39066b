"""The ``asc-tiny`` command: finds subcommands lazily, turns errors into exit codes."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence

import click

from asc_tiny import __version__
from asc_tiny.errors import AscError

SCHEMA = 1

COMMANDS = (
    "bench",
    "boards",
    "budget",
    "build",
    "data",
    "doctor",
    "ensemble",
    "evaluate",
    "features",
    "flash",
    "generate",
    "inspect",
    "monitor",
    "prune",
    "quantize",
    "run",
    "simulate",
    "train",
    "verify",
)


class LazyGroup(click.Group):
    """A group that imports ``asc_tiny.cli.<name>`` only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands in alphabetic order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return its ``command`` object."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"asc_tiny.cli.{cmd_name}")
        command: click.Command = module.command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="asc-tiny")
def cli() -> None:
    """Put acoustic scene classifiers on microcontrollers."""


def print_json(document: dict[str, object]) -> None:
    """Print ``document`` to stdout as JSON with the schema number first."""
    click.echo(json.dumps({"schema": SCHEMA, **document}, indent=2, allow_nan=False))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit codes: 0, 1 gate, 2 bad input, 3 mismatch, 130 interrupted."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Without standalone mode click returns the code of ctx.exit() and raises its errors.
        code = cli.main(args=argv, prog_name="asc-tiny", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        _fail(" ".join(error.format_message().split()), error.exit_code, argv)
    except AscError as error:
        _fail(str(error), error.exit_code, argv)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", 130, argv)
    except BrokenPipeError:
        # The reader of our output has gone: keep Python from reporting it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _fail(message: str, code: int, argv: Sequence[str]) -> None:
    if "--json" in argv:
        print_json({"error": message})
    click.echo(f"asc-tiny: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
