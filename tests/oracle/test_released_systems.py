"""The four released systems: files against recipes and the report, firmware against Python."""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import fixed, golden
from asc_tiny.model import model_file
from asc_tiny.model.ensemble import Model, frontends, output_quantization
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.train import recipe as recipes
from support.commands import asc_tiny
from support.paths import CLIPS, MODELS, ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

pytestmark = pytest.mark.usefixtures("shared_plans")

FILTERS = {"mini_segnet_esc10": MODELS / "mini_segnet_filters.toml"}
"""Filters that pruning kept, by network."""


@dataclass(frozen=True)
class System:
    """A row of the report's table of systems."""

    file: str
    networks: tuple[str, ...]
    parameters: int
    macs: int


SYSTEMS = {
    "mobilenet": System("mobilenet_esc10.tflite", ("mobilenet_esc10",), 7_946, 3_972_224),
    "mini_segnet": System("mini_segnet_esc10.tflite", ("mini_segnet_esc10",), 46_232, 19_466_240),
    "ensemble1": System(
        "ensemble1_esc10.toml", ("mobilenet_esc10", "mini_segnet_esc10"), 54_178, 23_438_464
    ),
    "ensemble2": System(
        "ensemble2_esc10.toml", ("mobilenet_esc10", "mobilenet_double_esc10"), 15_892, 7_944_448
    ),
}
NETWORKS = sorted({name for system in SYSTEMS.values() for name in system.networks})
ENSEMBLES = [name for name, system in SYSTEMS.items() if system.file.endswith(".toml")]


def output_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert asc_tiny(*arguments) == 0
    return capsys.readouterr().out


def network_of_recipe(name: str) -> Any:
    """Build the Keras network of a released recipe, with the filters that pruning kept."""
    from asc_tiny.train import loop

    recipe = recipes.load(MODELS / f"{name}.toml")
    if name in FILTERS:
        kept = tomllib.loads(FILTERS[name].read_text(encoding="utf-8"))
        recipe = replace(recipe, filters=kept)
    return loop.build(recipe, recipe.frontend.shape, 10)


def size(variables: list[Any]) -> int:
    return sum(math.prod(variable.shape) for variable in variables)


@pytest.mark.parametrize("name", SYSTEMS)
def test_counts_are_the_reports(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    system = SYSTEMS[name]
    models = [network_of_recipe(network) for network in system.networks]
    assert sum(size(model.trainable_variables) for model in models) == system.parameters
    # Folding leaves kernels and biases: gamma and beta of each batch-norm go into them.
    norms = [layer for model in models for layer in model.layers if hasattr(layer, "gamma")]
    folded = system.parameters - sum(size([norm.gamma, norm.beta]) for norm in norms)
    report = json.loads(output_of(capsys, "budget", MODELS / system.file, "--json"))
    assert report["total"]["macs"] == system.macs
    assert report["total"]["params"] == folded


@pytest.mark.parametrize("name", NETWORKS)
def test_network_was_trained_by_its_recipe(name: str) -> None:
    model = model_file.load(MODELS / f"{name}.tflite")
    recipe = tomllib.loads((MODELS / f"{name}.toml").read_text(encoding="utf-8"))
    trained = dict(model.provenance["recipe"])
    if name in FILTERS:
        kept = tomllib.loads(FILTERS[name].read_text(encoding="utf-8"))
        assert trained.pop("filters") == kept
        # Retraining after pruning has a cycle and a learning rate of its own.
        for key in ("cycles", "rate_max"):
            del trained["schedule"][key], recipe["schedule"][key]
    assert trained == recipe


@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensemble_names_its_members_by_hash(name: str) -> None:
    system = SYSTEMS[name]
    document = tomllib.loads((MODELS / system.file).read_text(encoding="utf-8"))
    assert [member["path"] for member in document["member"]] == [
        f"{network}.tflite" for network in system.networks
    ]
    for member in document["member"]:
        data = (MODELS / member["path"]).read_bytes()
        assert member["sha256"] == hashlib.sha256(data).hexdigest()


def python_codes(model: Model, clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return features of the integer front end and scores of TensorFlow Lite Micro's kernels."""
    from asc_tiny.tflm.ensemble_interpreter import interpreter

    features = [
        np.concatenate([fixed.features(clip, each) for each in frontends(model)], axis=-1)
        for clip in clips
    ]
    network = interpreter(model)
    return np.stack(features), np.stack([network.run(codes) for codes in features])


@pytest.fixture(scope="module", params=SYSTEMS)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> targets.Project:
    folder = tmp_path_factory.mktemp(request.param) / "firmware"
    file = MODELS / SYSTEMS[request.param].file
    assert asc_tiny("generate", file, "--out", folder, "--board", "mps2-an386") == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder)


@pytest.mark.qemu
def test_firmware_is_bit_exact_with_python(
    project: targets.Project, capsys: pytest.CaptureFixture[str]
) -> None:
    made = golden.clips(project.frontend)
    real = [read_pcm(path, 44100) for path in CLIPS[::3]]
    clips = [made["noise"], made["chirp"], *real]
    expected_features, expected = python_codes(project.model_file, clips)
    features, codes = image.features_and_codes(project, clips)
    assert np.array_equal(features, expected_features)
    assert np.array_equal(codes, expected)
    assert len(np.unique(codes, axis=0)) == len(clips), "the clips do not matter"

    printed = output_of(capsys, "run", project.folder, "--wav", CLIPS[0], "--json")
    (result,) = json.loads(printed)["results"]
    output, scores = output_quantization(project.model_file), expected[2]
    assert result["label"] == project.labels[scores.argmax()]
    assert [result["scores"][label] for label in project.labels] == [
        output.scale * (int(code) - output.zero_point) for code in scores
    ]


@pytest.mark.qemu
def test_verify_passes(project: targets.Project, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(output_of(capsys, "verify", project.folder, "--json"))
    assert report["board"] == "mps2-an386"
    assert report["passed"] is True


def rows(markdown: str) -> dict[str, dict[str, str]]:
    """Return the cells of the first Markdown table with systems, by system and by head."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    start = next(i for i, line in enumerate(lines) if line.startswith("| system"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:]]
    return {row[0]: dict(zip(cells[0], row, strict=False)) for row in cells[2:]}


@pytest.mark.slow
def test_the_page_has_the_figures_of_the_files(
    esc10: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [MODELS / system.file for system in SYSTEMS.values()]
    found = rows(output_of(capsys, "evaluate", *files, "--data", esc10, "--table"))
    page = ROOT / "docs" / "reference" / "released_models.md"
    documented = rows(page.read_text(encoding="utf-8"))
    for system in SYSTEMS.values():
        name = Path(system.file).stem
        for head, cell in found[name].items():
            assert documented[name][head] == cell, f"{name}: {head}"
        assert documented[name]["before folding"] == f"{system.parameters:,}"
    accuracy = {
        name: float(re.match(r"[\d.]+", row["accuracy, int8, integer features"])[0])
        for name, row in found.items()
    }
    assert accuracy["ensemble1_esc10"] > accuracy["mobilenet_esc10"]
    assert accuracy["ensemble1_esc10"] > accuracy["mini_segnet_esc10"]
