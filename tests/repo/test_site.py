"""The site: Sphinx builds it from the pages without a warning, and nothing is missing on it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")

from pypi_readme import absolute

from asc_tiny import api
from asc_tiny.cli.main import COMMANDS
from site_pages import c_interface, commands, site_text
from site_pages.links import urls
from support.paths import ROOT


def test_sphinx_has_nothing_to_say(tmp_path: Path) -> None:
    """All but the writing of HTML, which is half of the time and finds no more."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "dummy"]
    done = subprocess.run([*command, ROOT / "docs", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_command_with_each_option_is_on_its_page() -> None:
    text = commands.markdown()
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert {heading.split()[0] for heading in headings} == set(COMMANDS)
    assert "data prepare" in headings
    generate = text.split("### generate\n")[1].split("### ")[0]
    assert "* `--out PATH`: Folder to write to.  \\[required\\]\n" in generate
    assert "```sh\nasc-tiny generate model.tflite --out firmware\n" in generate


def test_each_name_of_the_face_is_on_its_page() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", page.split("| task |")[1])) == set(api.__all__)
    made = site_text("reference/api", page)
    directives = re.findall(r"^\.\. auto(?:class|function):: [\w.]+\.(\w+)$", made, re.MULTILINE)
    assert directives == api.__all__


HEADER = """/* SPDX-License-Identifier: Apache-2.0
 *
 * What it is.
 */
#ifndef ASC_X_H
#define ASC_X_H
#if ASC_LOUD
/* Makes it loud; never `quiet`.
 *
 * it: the_thing, at most 2 * 3.
 * much: 0 or more. */
ASC_WARN_UNUSED int asc_x_loud(asc_x_t *it,
                               int much);
#endif
typedef struct {
    int level; /* 0 to 9 */
} asc_x_t;
#endif
"""


def test_a_header_becomes_a_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_interface, "TEMPLATES", tmp_path)
    monkeypatch.setattr(c_interface, "HEADERS", {"Title": "asc_x.h"})
    (tmp_path / "asc_x.h").write_text(HEADER)
    text = c_interface.markdown()
    assert text.startswith('## Title\n\n`#include "asc_x.h"`\n\nWhat it is.\n')
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == ["asc_x_loud", "asc_x_t"]
    assert "Only where `ASC_LOUD`.\n\nMakes it loud; never `quiet`.\n" in text
    assert "* `it`: `the_thing`, at most 2 \\* 3.\n* `much`: 0 or more.\n" in text
    assert "asc_x_t *it,\n                               int much);\n```" in text


def test_every_function_of_the_headers_is_found() -> None:
    for header in c_interface.HEADERS.values():
        text = c_interface.text_of(header)
        code = re.sub(r"/\*.*?\*/|#.*?(?<!\\)\n|\{.*?\n\}|\bstatic .*?\n\}", "", text, flags=re.S)
        names = set(re.findall(r"^[\w *]*?\b(asc_\w+)\([^;]*;", code, re.MULTILINE))
        found = {each.name for each in c_interface.declared(header)}
        assert names <= found, header


def test_links_that_leave_the_pages_lead_to_the_repository() -> None:
    text = "[a](../../models/x.md) [b](../how_to/gate.md#c) [tests](../../tests)"
    base = urls()["Repository"]
    assert site_text("reference/page", text) == (
        f"[a]({base}/blob/main/models/x.md) [b](../how_to/gate.md#c) "
        f"[tests]({base}/tree/main/tests)"
    )


def test_the_readme_of_a_distribution_has_whole_addresses() -> None:
    text = '[a](docs/a.md#b) ![p](docs/p.svg) [c](https://d.org/e) [f](#g)\n<img src="docs/p.svg">'
    assert absolute(text, "https://h.org/i") == (
        "[a](https://h.org/i/blob/main/docs/a.md#b) ![p](https://h.org/i/raw/main/docs/p.svg) "
        '[c](https://d.org/e) [f](#g)\n<img src="https://h.org/i/raw/main/docs/p.svg">'
    )
    readme = absolute((ROOT / "README.md").read_text(encoding="utf-8"), urls()["Repository"])
    assert not re.findall(r"\]\((?!https?://|#)[^)]*\)", readme)


def test_one_place_says_where_the_repository_is() -> None:
    base = urls()["Repository"].removeprefix("https://github.com/")
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {
        found
        for page in pages
        for found in re.findall(
            r"(?:uses: |github\.com/)([\w-]+/asc-tiny)\b", page.read_text("utf-8")
        )
    }
    assert named <= {base}


def test_pages_are_short() -> None:
    """Tables are no text: most of them are made by a program."""
    found = {}
    for page in (ROOT / "docs").rglob("*.md"):
        lines = page.read_text(encoding="utf-8").splitlines()
        found[page.relative_to(ROOT / "docs").as_posix()] = sum(line[:1] != "|" for line in lines)
    long = {page for page, count in found.items() if count > 150}
    assert not long, "split them"
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
