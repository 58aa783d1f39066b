"""Code on the pages: each block is run by a test, or the register says why not."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from asc_tiny.util.files import read_toml
from support.command_lines import parsed
from support.page_blocks import Block, blocks_of, commands_of, pages
from support.paths import ROOT, TESTS

REGISTER = TESTS / "files" / "page_blocks.toml"
BLOCKS = [block for page in pages() for block in blocks_of(page)]
IN_PARTS = "docs/developer/add_an_operator"
"""The guides whose blocks are pieces of files; a test finds them there."""

PLACEHOLDERS = {"--project KIND": "--project cmake", "--project make": "--project cmake"} | {
    " N": " 3"
}
"""What stands on pages for a choice of the reader or a kind of project that a guide adds."""


def test_each_block_is_in_the_register() -> None:
    found: dict[str, dict[str, int]] = {}
    for (page, language), count in Counter((b.page, b.language) for b in BLOCKS).items():
        found.setdefault(page, {})[language] = count
    known = {
        page: {language: sum(count for count, _ in entries) for language, entries in each.items()}
        for page, each in read_toml(REGISTER).items()
    }
    assert known == found


def test_tests_of_the_register_read_their_pages() -> None:
    for page, languages in read_toml(REGISTER).items():
        for _, proof in (entry for entries in languages.values() for entry in entries):
            if proof.startswith("tests/"):
                text = (ROOT / proof).read_text(encoding="utf-8")
                assert Path(page).name in text, f"{proof} does not name {page}"
            else:
                assert proof.startswith("not run: "), proof


@pytest.mark.parametrize("page", sorted({b.page for b in BLOCKS if b.language == "sh"}))
def test_each_command_can_be_called(page: str) -> None:
    """Commands and options exist, choices are allowed, and nothing is missing."""
    for block in BLOCKS:
        if (block.page, block.language) == (page, "sh"):
            for command in commands_of(block):
                for shown, meant in PLACEHOLDERS.items():
                    command = command.replace(shown, meant)
                parsed(command.replace("[", "").replace("]", "").replace("aot|tflm", "aot"))


def test_python_is_python() -> None:
    for block in BLOCKS:
        if block.language == "python" and not block.page.startswith(IN_PARTS):
            ast.parse(block.text, block.page)


def test_blocks_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "x.md"
    text = (
        "Do\n\n    asc-tiny budget \\\n        m.tflite > out\n    asc-tiny doctor && echo\n\n"
        "It says\n\n    passed\n\n```python\nimport x\n```\n\n```text\nno\n```\n* and\n  ```c\n"
        "  int x;\n  ```\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    found = blocks_of(page)
    assert found[1:] == [
        Block("docs/x.md", "python", "import x"),
        Block("docs/x.md", "c", "int x;"),
    ]
    assert list(commands_of(found[0])) == ["asc-tiny budget m.tflite", "asc-tiny doctor"]
