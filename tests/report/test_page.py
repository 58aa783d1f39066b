"""The page about a model: what is in it, whatever the names in the files are."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from asc_tiny import api
from asc_tiny.boards.catalog import Board
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml, sha256
from support.command_lines import parsed
from support.commands import asc_tiny
from support.hostile_models import FRONTEND, with_metadata
from support.hostile_models import MODEL as HOSTILE
from support.html_reader import read
from support.model_reports import bench, errors, evaluation
from support.paths import ROOT

pytest.importorskip("vl_convert")

EVIL = '</script><img src=x onerror="alert(1)">'
LABELS = ["a", "<b>", "c"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "<i>&'model.tflite"
    provenance = {EVIL: EVIL, "nested": {"list": [1, "\u202e\n"], "deep": {"x": 1}}}
    document = {"schema": 1, "labels": LABELS, "frontend": read_toml(FRONTEND)}
    path.write_bytes(with_metadata(json.dumps({**document, "provenance": provenance})))
    return path


@pytest.fixture(scope="module")
def board() -> Board:
    return api.load_board("nrf52840dk")


@pytest.fixture(scope="module")
def files(model: Path) -> dict[str, list[Path]]:
    documents = {
        "evaluations": evaluation(sha256(model.read_bytes()), LABELS),
        "errors": errors(EVIL),
        "benches": bench(EVIL),
    }
    found = {}
    for name, document in documents.items():
        path = model.with_name(f"{name}.json")
        path.write_text(json.dumps(document))
        found[name] = [path]
    return found


@pytest.fixture(scope="module")
def page(model: Path, board: Board, files: dict[str, list[Path]]) -> str:
    return api.report(model, boards=[board], **files)


def test_the_page_is_whole_and_needs_nothing(page: str) -> None:
    reader = read(page)
    names = [each["id"] for _, each in reader.elements if each.get("id")]
    assert len(names) == len(set(names))
    for _, attributes in reader.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "src"]
        for key in ("href", "xlink:href"):
            target = attributes.get(key) or "data:,"
            assert target == "data:," or target.removeprefix("#") in names, target
    headings = [each["id"] for each in reader.of("h2")]
    assert headings == [
        *("summary", "budget", "graph", "layers", "memory", "boards", "front-end"),
        *("evaluation", "quantization", "firmware", "provenance"),
    ]
    assert all(each.get("scope") == "col" for each in reader.of("th"))


def test_every_chart_is_drawn_and_has_its_data(page: str) -> None:
    reader = read(page)
    figures = [each for each in reader.of("figure") if each.get("class") == "chart"]
    assert len(figures) >= 10
    assert len(reader.of("svg")) == len(figures) + 1
    specifications = [text for text in reader.scripts if text.startswith("{")]
    assert len(specifications) == len(figures)
    for text in specifications:
        assert json.loads(text)["config"]["axis"]["labelColor"] == "currentColor"
    assert "vegaEmbed" in reader.scripts[-1]


def test_names_of_files_stay_text(page: str) -> None:
    reader = read(page)
    text = "".join(reader.words)
    assert not reader.of("img") and not reader.of("i") and not reader.of("b")
    assert EVIL in text and "<i>&'model.tflite" in text
    assert "\u202e" not in page


def test_figures_are_those_of_the_budget(page: str, model: Path, board: Board) -> None:
    text = " ".join(read(page).words)
    [measured] = api.measure(model)
    compiled = api.compile_network(api.load_model(model))
    for value in (measured.params, measured.macs, compiled.arena_bytes):
        assert f"{value:,}" in text
    assert "0.7500" in text and "23.4" in text and "123,456" in text


def test_the_same_files_give_the_same_page(
    model: Path, board: Board, files: dict[str, list[Path]], page: str
) -> None:
    assert api.report(model, boards=[board], **files) == page


def test_two_models_stand_side_by_side(model: Path, board: Board) -> None:
    other = model.with_name("other.tflite")
    other.write_bytes(HOSTILE.read_bytes())
    compared = read(api.report(model, compare=other, boards=[board], max_params=10))
    assert len([each for each in compared.of("div") if each.get("class") == "columns two"]) >= 8
    text = " ".join(compared.words)
    assert "Nothing is known of this model." in text and "over budget" in text


def test_what_is_no_model_of_a_report_is_refused(model: Path, board: Board) -> None:
    with pytest.raises(AscError, match=r"a\.keras: a report is of a quantised model"):
        api.report("a.keras")
    other = model.with_name("stranger.json")
    other.write_text(json.dumps(evaluation("0" * 64, LABELS)))
    with pytest.raises(AscError, match="no file in it has that hash"):
        api.report(model, boards=[board], evaluations=[other])
    with pytest.raises(AscError, match="errors: 2 files for 1 model"):
        api.report(model, errors=[other, other])


def test_every_command_of_the_guide(
    model: Path,
    board: Board,
    files: dict[str, list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (ROOT / "docs" / "how_to" / "report.md").read_text(encoding="utf-8")
    lines = [line.strip() for line in page.splitlines() if line.startswith("    asc-tiny ")]
    monkeypatch.chdir(tmp_path)
    # All boards take some seconds.
    monkeypatch.setattr("asc_tiny.api.reporting.all_boards", lambda: [board])
    for name in ("model.tflite", "other.tflite"):
        Path(name).write_bytes(model.read_bytes())
    for name, (path,) in files.items():
        kind = {"evaluations": "evaluation", "benches": "bench"}.get(name, name)
        Path(f"{kind}.json").write_bytes(path.read_bytes())
    for line in lines:
        parsed(line.split(" > ")[0])
        if line.startswith("asc-tiny report "):
            assert asc_tiny(*shlex.split(line)[1:]) == 0, line
            assert read(Path("report.html").read_text()).of("h2")
            Path("report.html").unlink()


def changed(document: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """Return a document with another value at a place such as ``layers.0.snr_db``."""
    copy: Any = json.loads(json.dumps(document))
    *path, last = [int(key) if key.isdigit() else key for key in place.split(".")]
    inner = copy
    for key in path:
        inner = inner[key]
    inner[last] = value
    return dict(copy)


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("evaluations", "schema", 2),
        ("evaluations", "results", []),
        ("evaluations", "results.int8.confusion", [[1]]),
        ("evaluations", "results.int8.confusion.0", [1, -1, 0]),
        ("evaluations", "results.int8.accuracy_interval", [0.1]),
        ("evaluations", "results.int8.classes.a", 3),
        ("evaluations", "files.0.sha256", None),
        ("errors", "layers.0.snr_db", "loud"),
        ("errors", "clips", 1.5),
        ("benches", "layers.0.instructions", "many"),
        ("benches", "cycles.layers.0", {}),
        ("benches", "board", 7),
    ],
)
def test_damaged_files_are_refused_by_name(
    kind: str, place: str, value: object, model: Path, files: dict[str, list[Path]], tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    document = json.loads(files[kind][0].read_text())
    path.write_text(json.dumps(changed(document, place, value)))
    with pytest.raises(AscError, match=re.escape(str(path))):
        api.report(model, **{**files, kind: [path]})
