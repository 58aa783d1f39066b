"""What a stranger finds first: pages, templates and workflows, held to what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import asc_tiny
from asc_tiny.util.files import read_toml
from support.paths import ROOT

PAGES = sorted(
    path for pages in ("*.md", "docs/**/*.md", "models/*.md") for path in ROOT.glob(pages)
)
FORMS = [
    *(("github-workflows", path) for path in (ROOT / ".github" / "workflows").glob("*.yml")),
    ("github-issue-config", ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"),
    *(
        ("github-issue-forms", path)
        for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("b*.yml")
    ),
]
EXAMPLES = re.compile(r"^my_kinds/|NAME")
"""Names in the guides of what a user writes."""

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = [match[1] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    inner = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert not [link for link in inner if not (page.parent / link).exists()]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and the documentation site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    plain = [
        re.sub(r"[^\w\s-]", "", title.lower()) for title in re.findall(r"^#+ (.+)$", text, re.M)
    ]
    return {title.strip().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_of_links_are_headings(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    named = [(page.parent / path if path else page, anchor) for path, anchor in links]
    assert not [
        each for each in named if each[0].suffix == ".md" and each[1] not in anchors(each[0])
    ]


def test_pages_below_docs_have_names_in_lower_case() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert not [name for name in names if name != name.lower()]


def test_addresses_elsewhere_are_well_formed() -> None:
    """Whether they are there, ``tools/docs linkcheck`` asks."""
    for page in PAGES:
        for address in re.findall(r"\]\((\w+:[^)]*)\)", page.read_text(encoding="utf-8")):
            assert re.fullmatch(r"https://[a-z0-9.-]+\.[a-z]+(/[\w./~#%?=&+-]*)?", address), page


def test_lines_of_pages_fit_a_window() -> None:
    lines = [(page, line) for page in PAGES for line in page.read_text("utf-8").splitlines()]
    assert not [(page.name, line) for page, line in lines if len(line) > 120 and line[0] != "|"]


@pytest.mark.parametrize(("schema", "path"), FORMS, ids=lambda value: getattr(value, "name", value))
def test_forms_follow_their_schema(schema: str, path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_workflows_call_what_is_there() -> None:
    called = set()
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
        called |= {word for step in steps for word in step.split() if word.startswith("tools/")}
    assert called == {"tools/docs", "tools/setup.sh", "tools/test", "tools/try_wheel"}
    assert all((ROOT / name).is_file() for name in called)


def test_the_floor_plan_is_the_package() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "floor_plan"], capture_output=True, text=True, check=True
    ).stdout
    page = ROOT / "docs" / "developer" / "architecture.md"
    assert f"\n{made}\n" in page.read_text(encoding="utf-8")


def test_files_that_the_pages_for_developers_name_exist() -> None:
    for page in (ROOT / "docs" / "developer").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"`((?:[\w.]+/)+[\w.]+)`", text):
            places = (ROOT / name, ROOT / "asc_tiny" / name)
            found = any(place.exists() for place in places)
            assert found or EXAMPLES.search(name), f"{page.name}: {name}"


def test_files_of_the_repository_that_pages_name_exist() -> None:
    folders = "asc_tiny|benchmarks|firmware_templates|tests|tools"
    named = re.compile(rf"(?<![\w/.-])(?:{folders})/[\w./-]*\w(?![\w/*-]|\.\w)")
    for page in PAGES:
        for name in named.findall(page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists() or EXAMPLES.search(name), f"{page.name}: {name}"


def test_one_version() -> None:
    project = read_toml(ROOT / "pyproject.toml")["project"]
    assert project["version"] == asc_tiny.__version__
    assert f"({asc_tiny.__version__})" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
