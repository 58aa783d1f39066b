"""The reference of the command line, from what the commands tell click."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from asc_tiny.cli.main import SECTIONS, cli


def markdown() -> str:
    """Return a section for each group of commands, and in it one for each command."""
    top = click.Context(cli, info_name="asc-tiny")
    lines: list[str] = []
    for title, names in SECTIONS.items():
        lines += [f"## {title}", ""]
        for name in names:
            command = cli.get_command(top, name)
            assert command is not None
            lines += _command(command, click.Context(command, info_name=name, parent=top))
    return "\n".join(lines)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield the lines of a command, or of each command of a group."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _command(inner, click.Context(inner, info_name=name, parent=context))
        return
    yield from (f"### {context.command_path.removeprefix('asc-tiny ')}", "")
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield from ("```text", re.sub(r"\s+", " ", usage), "```", "", _text(command.help or ""), "")
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            yield f"* `{record[0]}`: {_text(record[1])}" if record[1] else f"* `{record[0]}`"
    yield ""
    examples = (command.epilog or "").removeprefix("\b\nExamples:\n")
    if examples:
        yield from ("Examples:", "", "```sh", inspect.cleandoc(f"\n{examples}"), "```", "")


def _text(text: str) -> str:
    """Return help as Markdown: options, files and placeholders as code."""
    text = inspect.cleandoc(text).replace("\b\n", "")
    escaped = re.sub(r"([*_<>\[\]|`])", r"\\\1", text)
    return re.sub(r"(?<![\w-])(--[\w-]+)", r"`\1`", escaped)
