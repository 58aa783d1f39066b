"""Cycles of generated projects: by hop, inference and layer, and what cannot be estimated."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import NetworkProject
from asc_tiny.targets.cycles import trace
from asc_tiny.targets.cycles.estimate import Cycles, estimate
from asc_tiny.targets.image.bench import Costs, measure
from support.bare_networks import write
from support.commands import asc_tiny, refused
from support.device_lines import small_model
from support.native import FLAGS
from support.paths import MODEL

pytestmark = pytest.mark.qemu

TICK = 40
"""Instructions of a tick of the counter on mps2-an386."""

CYCLES = {
    "mobilenet_esc10": (9_728_000, 10_090_000, 142_600, 148_800),
    "mini_segnet_esc10": (18_176_000, 19_150_000, 142_600, 148_800),
}
"""Cycles without and with five wait states, of an inference and of a hop."""


def make(model: Path, folder: Path, *options: object) -> NetworkProject:
    assert asc_tiny("generate", model, "--out", folder, *options) == 0
    assert asc_tiny("build", folder) == 0
    return projects.load(folder)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> NetworkProject:
    folder = tmp_path_factory.mktemp("cycles")
    return make(small_model(folder / "small.tflite"), folder / "firmware")


@pytest.fixture(scope="module")
def costs(classifier: NetworkProject) -> Costs:
    assert isinstance(classifier, projects.Project)
    return measure(classifier)


@pytest.fixture(scope="module")
def cycles(classifier: NetworkProject, costs: Costs) -> Cycles:
    hop = costs.instructions_per_hop
    return estimate(classifier, layers=True, instructions_per_hop=hop)


def test_instructions_are_those_of_the_counter(cycles: Cycles, costs: Costs) -> None:
    """Reading it takes some, which the trace leaves out."""
    assert cycles.hop is not None
    for traced, counted in (
        (cycles.inference.instructions, costs.instructions_per_inference),
        (cycles.hop.instructions, costs.instructions_per_hop),
    ):
        assert abs(traced - counted) < 2 * TICK


def test_layers_together_are_the_inference(cycles: Cycles) -> None:
    found = sum(each.segment.waiting_cycles for each in cycles.layers)
    assert found == pytest.approx(cycles.inference.waiting_cycles, rel=0.02)
    assert all(each.segment.instructions for each in cycles.layers)


def test_wait_states_cost_cycles_and_no_instructions(
    classifier: NetworkProject, cycles: Cycles, costs: Costs
) -> None:
    found = estimate(
        classifier, wait_states=0, instructions_per_hop=costs.instructions_per_hop
    ).inference
    assert (found.instructions, found.cycles, found.stalls) == (
        cycles.inference.instructions,
        cycles.inference.cycles,
        0,
    )
    assert cycles.inference.stalls > 0


def test_layers_of_a_streaming_network(tmp_path: Path) -> None:
    """What is executed column by column adds up to the whole, as in one run."""
    model = small_model(tmp_path / "small.tflite")
    project = make(model, tmp_path / "firmware", "--schedule", "streaming")
    assert isinstance(project, projects.Project)
    counted = measure(project)
    found = estimate(project, layers=True, instructions_per_hop=counted.instructions_per_hop)
    assert abs(found.inference.instructions - counted.instructions_per_inference) < (
        2 * TICK * project.frontend.columns
    )
    layers = sum(each.segment.instructions for each in found.layers)
    assert layers == pytest.approx(found.inference.instructions, rel=0.05)


def test_command_prints_cycles(
    classifier: NetworkProject, cycles: Cycles, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert asc_tiny("bench", classifier.folder, "--cycles", "--layers") == 0
    text = capsys.readouterr().out
    assert f"{cycles.inference.cycles:,}" in text
    assert f"{cycles.inference.waiting_cycles:,}" in text
    assert asc_tiny("bench", classifier.folder, "--cycles", "--json") == 0
    found = json.loads(capsys.readouterr().out)["cycles"]
    assert found["wait_states"] == 5
    assert found["inference"] == vars(cycles.inference)


@pytest.mark.slow
@pytest.mark.parametrize("name", CYCLES)
def test_cycles_of_released_networks(name: str, tmp_path: Path) -> None:
    project = make(MODEL.with_name(f"{name}.tflite"), tmp_path / "firmware")
    assert isinstance(project, projects.Project)
    hop_instructions = measure(project).instructions_per_hop
    found = estimate(project, instructions_per_hop=hop_instructions)
    assert found.hop is not None
    figures = [
        *(found.inference.cycles, found.inference.waiting_cycles),
        *(found.hop.cycles, found.hop.waiting_cycles),
    ]
    assert figures == pytest.approx(CYCLES[name], rel=0.02)


def test_least_cycles_of_a_core_with_helium(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(
        small_model(tmp_path / "small.tflite"), tmp_path / "m55", "--board", "mps3-an547"
    )
    found = estimate(project)
    least = found.inference
    assert found.is_bound
    assert (found.wait_states, least.stalls) == (0, 0)
    assert least.instructions < least.cycles < 2 * least.instructions
    capsys.readouterr()
    assert asc_tiny("bench", project.folder, "--cycles") == 0
    text = capsys.readouterr().out
    assert "at least" in text
    assert "wait states" not in text
    assert f"{least.cycles:,}" in text


@pytest.mark.parametrize(
    ("board", "reason"),
    [
        ("mps2-an500", "Cortex-M7 of board mps2-an500: its manual states no cycles"),
        ("host", "board host is not emulated"),
    ],
)
def test_what_has_no_cycles(
    board: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "firmware"
    make(write(tmp_path, "one"), folder, "--board", board)
    assert reason in refused(capsys, "bench", folder, "--cycles")


def test_emulator_without_plugins(
    classifier: NetworkProject,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """One that refuses the option, as a build without plugins does."""
    program = tmp_path / "qemu-system-arm"
    program.write_text('#!/bin/sh\necho "qemu-system-arm: -plugin: invalid option" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    line = refused(capsys, "bench", classifier.folder, "--cycles")
    assert "invalid option" in line


def test_plugin_compiles_without_a_warning(tmp_path: Path) -> None:
    command = ["cc", *FLAGS, "-shared", "-fPIC", trace._PLUGIN]
    subprocess.run([*command, "-o", tmp_path / "plugin.so"], check=True)
