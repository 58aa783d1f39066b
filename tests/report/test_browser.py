"""The page in Chromium: charts drawn, no complaint, the keyboard, narrow windows, dark mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asc_tiny import api
from asc_tiny.util.files import sha256
from support import chromium
from support.hostile_models import MODEL
from support.model_reports import bench, errors, evaluation

pytest.importorskip("vl_convert")
# What test_page.py holds without a browser, in one.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="needs chromium"),
]

_PAPER = "getComputedStyle(document.body).backgroundColor"
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_FOCUS = "document.activeElement.id || document.activeElement.textContent.trim().slice(0, 40)"
_RECTANGLE = """(() => {
  const piece = [...document.querySelectorAll(".live path[aria-roledescription='rect']")]
    .find(each => each.getAttribute("aria-label").includes("number of")) ||
    document.querySelector(".live path[aria-roledescription='bar']");
  piece.scrollIntoView({ block: "center" });
  const box = piece.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    labels = ["first", "second", "third"]
    files: dict[str, list[Path]] = {}
    documents = {
        "evaluations": evaluation(sha256(MODEL.read_bytes()), labels),
        "errors": errors("layer"),
        "benches": bench("board"),
    }
    for name, document in documents.items():
        files[name] = [folder / f"{name}.json"]
        files[name][0].write_text(json.dumps(document))
    board = api.load_board("nrf52840dk")
    frontend = MODEL.with_name("frontend.toml")
    names = folder / "labels.txt"
    names.write_text("\n".join(labels))
    path = folder / "report.html"
    path.write_text(api.report(MODEL, boards=[board], frontend=frontend, labels=names, **files))
    return path


def test_the_page_in_a_browser(page: Path, tmp_path: Path) -> None:
    with chromium.page(tmp_path / "profile") as browser:
        browser.resize(1280)
        browser.open(page)
        count = browser.value("document.querySelectorAll('figure.chart').length")
        assert count >= 10
        assert browser.value("document.querySelectorAll('.live svg').length") == count
        assert browser.value("document.querySelectorAll('.still:not([hidden])').length") == 0
        assert browser.value(_OVERFLOW) == 0
        assert browser.value(_PAPER) == "rgb(255, 255, 255)"

        browser.point(*browser.value(_RECTANGLE))
        shown = "document.querySelector('#vg-tooltip-element.visible') !== null"
        assert browser.value(f"new Promise(done => setTimeout(() => done({shown}), 500))")

        browser.value("scrollTo(0, 0)")
        browser.press("Tab", 9)
        assert browser.value(_FOCUS) == "Skip to the content"
        reached = []
        for _ in range(60):
            browser.press("Tab", 9)
            reached.append(browser.value(_FOCUS))
        assert reached[:3] == ["Summary", "Budget", "Graph"]
        folded = "document.activeElement.tagName == 'SUMMARY' && document.activeElement.parentNode"
        opened = [each for each in reached if "Configuration" in each or "bytes on each" in each]
        assert opened, reached
        browser.value("document.querySelector('summary').focus()")
        browser.press("Enter", 13)
        assert browser.value(f"({folded}).open")

        browser.prefer("dark")
        assert browser.value(_PAPER) == "rgb(23, 25, 28)"
        label = "getComputedStyle(document.querySelector('.live text')).fill"
        assert browser.value(label) == "rgb(232, 232, 232)"
        browser.prefer("light")

        browser.resize(390)
        browser.open(page)
        assert browser.value(_OVERFLOW) == 0
        assert browser.pdf().startswith(b"%PDF")
        assert browser.complaints == []
        assert set(browser.requests) == {page.as_uri()}


def test_the_page_without_scripts(page: Path, tmp_path: Path) -> None:
    with chromium.page(tmp_path / "profile") as browser:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.resize(390)
        browser.open(page)
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
        assert browser.value("document.querySelectorAll('.still svg').length") >= 10
        assert browser.value("document.querySelectorAll('.live').length") == 0
        assert browser.value(_OVERFLOW) == 0
