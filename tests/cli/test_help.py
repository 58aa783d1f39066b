"""Help: every command has a line, a section and examples that its own options accept."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from asc_tiny.cli.main import COMMANDS, cli
from support.command_lines import parsed
from support.commands import asc_tiny
from support.paths import ROOT


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if not command.hidden:
            yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


ALL = dict(commands(cli))


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_a_line_and_examples(name: str) -> None:
    command = ALL[name]
    line = command.get_short_help_str(limit=80)
    assert line.endswith(".") and not line.endswith("...") and len(line) <= 60
    lines = (command.epilog or "").splitlines()
    assert lines[:2] == ["\b", "Examples:"] and len(lines) > 2
    for example in lines[2:]:
        assert example.startswith(f"  asc-tiny {name} ") or example == f"  asc-tiny {name}"
        parsed(example)


def test_the_commands_stand_in_sections(capsys: pytest.CaptureFixture[str]) -> None:
    assert asc_tiny("--help") == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert shown.count(f"\n  {name} ") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gnerate"], "No such command 'gnerate'. Did you mean 'generate'?"),
        (["quantise"], "No such command 'quantise'. Did you mean 'quantize'?"),
        (["x"], "No such command 'x'. asc-tiny --help lists all."),
        (["budget", "--max-mac", "1"], "Did you mean"),
        (["data", "chek"], "No such command 'chek'. Did you mean 'check'?"),
    ],
)
def test_near_names_are_offered(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asc_tiny(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_shells_complete_commands_as_the_page_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "reference" / "command_line.md").read_text()
    for shell in ("bash", "zsh", "fish"):
        assert f"_ASC_TINY_COMPLETE={shell}_source asc-tiny" in page
        monkeypatch.setenv("_ASC_TINY_COMPLETE", f"{shell}_source")
        with pytest.raises(SystemExit):
            cli.main(["asc-tiny"], prog_name="asc-tiny")
        assert f"_ASC_TINY_COMPLETE={shell}_complete" in capsys.readouterr().out
    monkeypatch.setenv("_ASC_TINY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "asc-tiny budget --max-p")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        cli.main([], prog_name="asc-tiny")
    assert capsys.readouterr().out.split() == ["plain,--max-params"]
