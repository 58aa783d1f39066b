"""Blocks of code on the pages: their language, and the lines in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

LANGUAGES = {"sh": "sh", "bash": "sh", "console": "sh", "python": "python", "py": "python"} | {
    "c": "c"
}
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}\S.*\n(?:\n(?= {4}))?)+", re.MULTILINE)
COMMAND = re.compile(
    r"(?:asc-tiny|tools/[\w.]+|qemu-system-\w+|pip|python3?|pytest|cmake|west|git|arduino-cli|pio|idf\.py|make|docker"
    r"|sudo|export|cd|debootstrap|uv|pipx) "
)


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes:
        page: the page's path below the repository's top folder.
        language: "sh", "python" or "c".
        text: its lines, without their indentation.
    """

    page: str
    language: str
    text: str


def pages() -> list[Path]:
    """Return the README and all pages below docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page that are commands, Python or C, in their order."""
    text = page.read_text(encoding="utf-8")
    found = {**dict(_fenced(text)), **dict(_indented(text))}
    name = page.relative_to(ROOT).as_posix()
    return [Block(name, *found[place]) for place in sorted(found)]


def fenced(page: Path, language: str) -> list[str]:
    """Return the blocks of a page that are fenced and of a language."""
    text = page.read_text(encoding="utf-8")
    return [found[3] for found in FENCED.finditer(text) if found[2] == language]


def _fenced(text: str) -> Iterator[tuple[int, tuple[str, str]]]:
    for found in FENCED.finditer(text):
        indent, language, inside = found.groups()
        if language in LANGUAGES:
            lines = (line.removeprefix(indent) for line in inside.splitlines())
            yield found.start(), (LANGUAGES[language], "\n".join(lines))


def _indented(text: str) -> Iterator[tuple[int, tuple[str, str]]]:
    # What is fenced is hidden, at its place.
    for found in INDENTED.finditer(FENCED.sub(lambda block: "~" * len(block[0]), text)):
        lines = [line[4:] for line in found[0].splitlines()]
        first = lines[0].strip()
        if COMMAND.match(first):
            yield found.start(), ("sh", "\n".join(lines))
        elif re.match(r"(?:import|from) \w", first):
            yield found.start(), ("python", "\n".join(lines))


def commands_of(block: Block) -> Iterator[str]:
    """Yield the calls of asc-tiny in a block of commands, each as one line."""
    for line in re.sub(r"\s*\\\n\s*", " ", block.text).splitlines():
        command = re.split(r" (?:&&|\|\||[|>]|2>)(?: |$)", line.strip().removeprefix("$ "))[0]
        if command.startswith("asc-tiny "):
            yield command
