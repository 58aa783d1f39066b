"""What holds for every command that is refused."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from asc_tiny.cli.main import COMMANDS
from support.commands import asc_tiny

FULL = "asc-tiny: standard output: cannot write: No space left on device\n"


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for below, each in command.commands.items():
            yield from leaves(f"{name} {below}", each)
    else:
        yield name, command


def all_commands() -> dict[str, click.Command]:
    groups = {name: importlib.import_module(f"asc_tiny.cli.{name}").command for name in COMMANDS}
    return dict(leaf for name, group in groups.items() for leaf in leaves(name, group))


TRAINING = {"ensemble", "evaluate", "prune", "quantize", "train"}
"""Commands that have ``test_exit_codes_training.py`` for themselves."""

RESUMED = {"data prepare", "search"}
"""Commands that leave what is done when they fail, and go on with it: ``test_data_prepare.py`` and
``test_search.py``."""


def entries(root: Path) -> dict[str, int]:
    return {str(path): os.lstat(path).st_ino for path in (root, *root.rglob("*"))}


def refused(arguments: Sequence[object], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert asc_tiny(*arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("asc-tiny: ")]
    assert len(errors) == 1 and lines[-1] == errors[0], lines
    assert "Traceback" not in "".join(lines)
    return errors[0]
