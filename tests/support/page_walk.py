"""Walks of pages: their commands run in their order, in a folder with what the reader has."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from asc_tiny.util.files import read_toml
from support.commands import asc_tiny
from support.page_blocks import Block, blocks_of, fenced
from support.paths import ROOT, TESTS

FILE = TESTS / "files" / "page_walks.toml"
"""What each page needs, and which of its commands are not run, and why."""


@dataclass(frozen=True)
class Walk:
    """How a page is walked.

    Attributes:
        page: the page's path below the repository's top folder.
        given: what the reader has, names of ``support.page_givens``.
        files: fenced blocks of the page that are files: name -> (language, number).
        put: words on the page that stand for a choice of the reader -> the choice.
        left: beginnings of command lines that are not run -> the reason, or the test that runs
            what they call.
        programs: the same, for all pages.
        exits: beginnings of command lines -> their exit code, where it is not 0.
        shows: commands -> the numbers of the page's blocks of text whose lines they print.
        python: whether the page's blocks of Python are run, too.
        long: whether the walk takes more than some seconds.
        needs: modules without which the page cannot be walked.
    """

    page: str
    given: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    put: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    exits: Mapping[str, int] = field(default_factory=dict)
    shows: Mapping[str, int] = field(default_factory=dict)
    python: bool = False
    long: bool = False
    needs: tuple[str, ...] = ()

    def reason(self, command: str) -> str | None:
        """Return why a command is not run, None if it is."""
        for start, reason in {**self.programs, **self.left}.items():
            if begins(command, start):
                return reason
        return None

    def chosen(self, text: str) -> str:
        """Put the reader's choices in the place of the words that stand for them."""
        for word, choice in self.put.items():
            text = text.replace(word, choice)
        return text

    def exit_code(self, command: str) -> int:
        """Return the exit code that a command must have."""
        return next((code for start, code in self.exits.items() if begins(command, start)), 0)

    def commands(self) -> Iterator[str]:
        """Yield the commands of the page, one by one."""
        for block in self.blocks():
            if block.language == "sh":
                for line in lines_of(block):
                    yield from line.split(" && ")

    @property
    def path(self) -> Path:
        """The page's file."""
        return ROOT / self.page

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks to run."""
        for block in blocks_of(self.path):
            if block.language == "sh" or (block.language == "python" and self.python):
                yield block


def walks() -> list[Walk]:
    """Return the walks of the register; what all pages leave out is left out on each."""
    tables: dict[str, dict[str, Any]] = read_toml(FILE)
    programs = tables.pop("programs of others")
    made = []
    for page, keys in tables.items():
        made.append(Walk(page, programs=programs, **keys))
    return made


def lines_of(block: Block) -> Iterator[str]:
    """Yield the lines of a block of commands, those that go on joined, without comments."""
    for line in block.text.replace("\\\n", " ").splitlines():
        line = " ".join(line.removeprefix("$ ").split(" #")[0].split())
        if line and line[0] != "#":
            yield line


class Shell:
    """Runs lines of commands: ``&&``, ``>``, ``cd``, globs, and asc-tiny in this process.

    Args:
        walk: what is left out, put in the place of words, and which exit codes are right.
        patch: sets the working folder and variables.
        figures: whether the networks are those whose figures the page shows.
    """

    def __init__(self, walk: Walk, patch: pytest.MonkeyPatch, *, figures: bool) -> None:
        self._walk, self._patch, self._figures = walk, patch, figures

    def run(self, line: str) -> None:
        """Run a line.

        Raises:
            AssertionError: a command has another exit code than it must have.
        """
        for command in line.split(" && "):
            if self._walk.reason(command) is None:
                self._command(command)

    def _command(self, command: str) -> None:
        command = self._walk.chosen(command)
        lexer = shlex.shlex(command, posix=True, punctuation_chars=">|")
        lexer.whitespace_split = True
        words = [name for word in lexer for name in _expanded(word)]
        output = words.pop() if ">" in words else None
        words = [word for word in words if word != ">"]
        assert "|" not in words, command
        code, printed, told = self._execute(words)
        print(printed, end="")
        print(told, end="", file=sys.stderr)
        assert code == self._walk.exit_code(command), command
        if output is not None:
            Path(output).write_text(printed, encoding="utf-8")
        if self._figures and command in self._walk.shows:
            shown = fenced(self._walk.path, "text")[self._walk.shows[command]]
            said = (printed + told).splitlines()
            assert not [line for line in shown.splitlines() if line not in said], command

    def _execute(self, words: list[str]) -> tuple[int, str, str]:
        """Return the exit code and what went to standard output and error."""
        if words[0] == "cd":
            self._patch.chdir(words[1])
        elif words[0] == "export":
            self._patch.setenv(*words[1].split("=", 1))
        elif words[0] == "asc-tiny":
            with (
                contextlib.redirect_stdout(io.StringIO()) as printed,
                contextlib.redirect_stderr(io.StringIO()) as told,
            ):
                code = asc_tiny(*words[1:])
            return code, printed.getvalue(), told.getvalue()
        else:
            done = subprocess.run(words, check=False, capture_output=True, text=True)
            return done.returncode, done.stdout, done.stderr
        return 0, "", ""


def write_files(walk: Walk, folder: Path) -> None:
    """Write the files that a page shows."""
    for name, (language, number) in walk.files.items():
        (folder / name).write_text(fenced(walk.path, language)[number], encoding="utf-8")


def walked(walk: Walk, folder: Path, patch: pytest.MonkeyPatch, *, figures: bool) -> None:
    """Run the blocks of a page in a folder.

    Args:
        walk: of the page.
        folder: has what the reader has.
        patch: sets the working folder and variables.
        figures: whether the networks are those whose figures the page shows.
    """
    write_files(walk, folder)
    patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    shell = Shell(walk, patch, figures=figures)
    for block in walk.blocks():
        patch.chdir(folder)
        if block.language == "python":
            exec(compile(walk.chosen(block.text), block.page, "exec"), {})
        else:
            for line in lines_of(block):
                shell.run(line)


def begins(command: str, start: str) -> bool:
    """Return whether a command begins with these words, or is these if they end in ``$``."""
    if start.endswith(" $"):
        return command == start.removesuffix(" $")
    return f"{command} ".startswith(f"{start} ")


def _expanded(word: str) -> list[str]:
    return sorted(map(str, Path().glob(word))) if "*" in word and word[0] != "/" else [word]
