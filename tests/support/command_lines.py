"""Command lines as pages and help show them, parsed without being run."""

from __future__ import annotations

import shlex

import click

from asc_tiny.cli.main import cli


def parsed(line: str) -> click.Context:
    """Parse a command line as a call does.

    Raises:
        click.UsageError: a command or an option in it does not exist, or one is missing.
    """
    arguments = shlex.split(line, comments=True)
    assert arguments.pop(0) == "asc-tiny"
    group: click.Command = cli
    context = click.Context(cli)
    while isinstance(group, click.Group):
        name, found, arguments = group.resolve_command(context, arguments)
        assert name is not None and found is not None
        group, context = found, click.Context(found, parent=context, info_name=name)
    return group.make_context("", arguments)
