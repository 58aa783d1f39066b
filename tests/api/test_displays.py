"""What Python and notebooks show of objects: whole, escaped, in need of nothing from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from asc_tiny import api
from asc_tiny.api.running import Benchmark, Verification
from asc_tiny.audio.dataset import Clip
from asc_tiny.conformance.verification import NetworkVerification, OutputDifference
from asc_tiny.evaluation.evaluate import Evaluation
from asc_tiny.evaluation.metrics import metrics
from asc_tiny.evaluation.systems import load as load_systems
from asc_tiny.targets.image.bench import NetworkCosts
from asc_tiny.targets.image.verify import ClipResult
from asc_tiny.util.displayed import Displayed
from asc_tiny.util.files import read_toml
from asc_tiny.util.memory_map import Block, MemoryMap
from asc_tiny.util.picture import Picture
from support.hostile_models import FRONTEND, with_metadata
from support.html_reader import read
from support.paths import MODELS, ROOT

EVIL = "</td><script>alert(1)</script>"
LABELS = ["a", EVIL, "c"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shown") / "<script>&'model.tflite"
    document = {"schema": 1, "labels": LABELS, "frontend": read_toml(FRONTEND)}
    path.write_bytes(with_metadata(json.dumps(document)))
    return path


def evaluation(model: Path) -> Evaluation:
    [system] = load_systems([model])
    clips = tuple(
        Clip(Path("x.wav"), "x.wav", scene, f"{scene}-{number}", "device")
        for number in range(2)
        for scene in LABELS
    )
    scores = np.tile(np.eye(3), (2, 1))
    return Evaluation(system, {"int8": metrics(scores, clips, LABELS)}, clips, scores)


def shown(model: Path) -> Iterator[Displayed]:
    loaded = api.load_model(model)
    assert isinstance(loaded, api.ModelFile)
    yield loaded
    yield api.load_model(MODELS / "ensemble2_esc10.toml")
    yield from api.measure(model)
    yield api.check_budget([model])
    yield api.check_budget([model], max_params=1)
    yield api.compile_network(loaded)
    fits = api.fit_boards(model, [api.load_board("nrf52840dk")])
    yield fits
    yield from fits.values()
    yield evaluation(model)
    yield Verification("reference", "failed", clips=[ClipResult(EVIL, 0, 2)])
    yield Benchmark(NetworkCosts(1, 2, 3, 4, 5), [])
    yield NetworkVerification(
        *(model, (EVIL,), None, 1, None, 3, 4, None, EVIL),
        differences=(OutputDifference("host", EVIL, 0, 1, 2),),
    )


@pytest.fixture(scope="module")
def objects(model: Path) -> list[Displayed]:
    return list(shown(model))


def html_of(value: Any) -> str:
    text = value._repr_html_()
    assert isinstance(text, str)
    return text


def test_html_is_whole_escaped_and_needs_nothing(objects: list[Displayed]) -> None:
    for each in objects:
        text = html_of(each)
        reader = read(text)
        assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in reader.elements}, each
        for _, attributes in reader.elements:
            assert not [key for key in attributes if key.startswith("on")]
            assert not {"src", "href", "xlink:href"} & set(attributes)
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)
        assert text == html_of(each)


def test_the_names_of_a_file_are_in_it_as_they_are(model: Path) -> None:
    words = read(html_of(api.load_model(model))).words
    assert model.name in words
    assert f"a, {EVIL}, c" in words


def test_python_shows_a_short_line(objects: list[Displayed]) -> None:
    for each in objects:
        line = repr(each)
        assert line.startswith(f"<{type(each).__name__} ") and len(line) < 220
        assert line.isprintable()
    model, _, measured, *_ = objects
    assert repr(model) == "<ModelFile <script>&'model.tflite: 4 operators, 10,592 bytes, 3 labels>"
    assert "parameters" in repr(measured)


def cells(value: Any) -> list[str]:
    return [word.strip() for word in read(html_of(value)).words if word.strip()]


def test_figures_are_those_of_the_objects(objects: list[Displayed], model: Path) -> None:
    [measured] = api.measure(model)
    assert f"{measured.params:,}" in cells(measured)
    passed, failed = api.check_budget([model]), api.check_budget([model], max_params=1)
    assert ["within" in cells(passed), "over" in cells(passed)] == [True, False]
    assert "over" in cells(failed) and 'class="bad"' in html_of(failed)
    [network] = [each for each in objects if type(each).__name__ == "Compiled"]
    assert f"{network.arena_bytes:,}" in cells(network)
    assert "0 features, 2 scores" in cells(objects[-3])


def test_the_picture_of_a_plan_has_the_plan() -> None:
    """Each rectangle against the bytes and steps that it stands for."""
    plan = MemoryMap(
        EVIL,
        [Block("A", 0, 60, 0, 1), Block("<B>", 60, 40, 1, 2), Block("unused", 0, 8, -1, -1)],
        ["first", "second", "third"],
    )
    text = html_of(plan)
    drawn = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    space = {"svg": "http://www.w3.org/2000/svg"}
    first, second = drawn.findall("svg:rect", space)
    a, b = (
        {key: float(each.get(key, "")) for key in ("x", "y", "width", "height")}
        for each in (first, second)
    )
    step, byte = a["width"] / 2, a["height"] / 60
    assert b["width"] / step == pytest.approx(2, abs=0.01)
    assert b["height"] / byte == pytest.approx(40, abs=0.01)
    assert (b["x"] - a["x"]) / step == pytest.approx(1, abs=0.01)
    assert a["y"] - b["y"] == pytest.approx(b["height"], abs=0.02)
    titles = [each.text for each in drawn.findall("svg:rect/svg:title", space)]
    assert titles == ["1: A, 60 bytes at 0, steps 0 to 1", "2: <B>, 40 bytes at 60, steps 1 to 2"]
    # What is neither a fill nor on one takes the color of the page.
    colors = {each.get("fill") for each in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert colors == {None} and drawn.get("fill") == "currentColor"


def test_an_empty_plan_and_a_huge_one_are_shown() -> None:
    assert "<svg" in html_of(MemoryMap("empty", [], []))
    blocks = [Block(str(number), number, 1, 0, 0) for number in range(5_000)]
    text = html_of(MemoryMap("huge", blocks, ["step"]))
    assert text.count("<rect") == 1_000
    assert "3,000 more rows are left out" in text


def test_pictures_are_shown_and_saved(tmp_path: Path) -> None:
    picture = Picture("title", b"\x89PNG")
    picture.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == picture._repr_png_() == b"\x89PNG"
    assert repr(picture) == "<Picture title: PNG, 4 bytes>"


def test_pictures_of_nothing_are_refused() -> None:
    pytest.importorskip("matplotlib")
    [frontend] = api.frontends(api.load_model(MODELS / "mobilenet_esc10.tflite"))
    with pytest.raises(api.AscError, match="clips: none are given"):
        api.plot_features([], frontend)


def test_showing_a_budget_imports_nothing_heavy() -> None:
    code = (
        "import sys, asc_tiny.api as api\n"
        f"print(repr(api.check_budget([{str(MODELS / 'mobilenet_esc10.tflite')!r}])))\n"
        "heavy = {'numpy', 'tensorflow', 'keras', 'scipy', 'jinja2', 'markupsafe', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        f"api.check_budget([{str(MODELS / 'mobilenet_esc10.tflite')!r}])._repr_html_()\n"
        "assert heavy & set(sys.modules) == {'jinja2', 'markupsafe'}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
