"""Two classifiers in one image, built as the documentation says, against each alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.inspect import inspect
from support import compilers
from support.commands import asc_tiny
from support.ensemble_models import perturbed, write_ensemble
from support.paths import MODEL, ROOT

pytestmark = pytest.mark.slow

CLIPS = sorted((ROOT / "models" / "clips").glob("*.flac"))[:3]
# What a second copy of the code costs on a Cortex-M4, and of the tables where front ends are equal.
MARGIN = compilers.margin()
COPIES = {"frontend.c": 1_472, "spectrum.c": 2_052, "kernels.c": 3_444, "frontend_tables.c": 9_232}


def documented(language: str) -> str:
    text = (ROOT / "docs" / "how_to" / "several_models.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ensemble")
    members = [perturbed(folder / "perturbed.tflite"), MODEL]
    return write_ensemble(folder / "far.toml", members, [0.7, 0.25], [0.005] * 10)


@pytest.fixture(scope="module")
def both(ensemble: Path, tmp_path_factory: pytest.TempPathFactory) -> targets.Project:
    folder = tmp_path_factory.mktemp("both")
    firmware, far = folder / "firmware", folder / "far"
    assert asc_tiny("generate", MODEL, "--prefix", "near", "--out", firmware) == 0
    options = ["--prefix", "far", "--project", "sources", "--out", far]
    assert asc_tiny("generate", ensemble, *options) == 0
    with (firmware / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write(documented("cmake"))
    (firmware / "src" / "main.c").write_text(documented("c"), encoding="utf-8")
    assert asc_tiny("build", firmware) == 0
    return targets.load(firmware)


def alone(model: Path, folder: Path) -> targets.Project:
    assert asc_tiny("generate", model, "--out", folder) == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder)


@pytest.mark.qemu
def test_each_gives_the_scores_that_it_gives_alone(
    both: targets.Project, ensemble: Path, tmp_path: Path
) -> None:
    pcm = np.concatenate([read_pcm(path, 44100) for path in CLIPS])
    files = {"in.pcm": image.pcm_bytes(pcm)}
    text, outputs = targets.execute(both, ["in.pcm", "out.bin"], files, ["out.bin"])
    # Both decide with the last samples of a clip, the first model first.
    scores = np.frombuffer(outputs["out.bin"], np.int8).reshape(len(CLIPS), 2, -1)
    lines = text.splitlines()
    for position, (prefix, model) in enumerate((("near", MODEL), ("far", ensemble))):
        expected = image.classify(alone(model, tmp_path / prefix), pcm)
        assert np.array_equal(scores[:, position], [decision.codes for decision in expected])
        labels = [line.split(" ")[1] for line in lines if line.startswith(f"{prefix} ")]
        assert labels == [decision.label for decision in expected]
    assert not np.array_equal(scores[:, 0], scores[:, 1])


def test_commands_for_the_tools_own_application_are_refused(
    both: targets.Project, tmp_path: Path, capsys
) -> None:
    commands = [
        ("run", both.folder, "--wav", CLIPS[0]),
        ("verify", both.folder),
        ("bench", both.folder),
        ("simulate", both.folder, CLIPS[0], "--out", tmp_path / "out"),
    ]
    for command in commands:
        capsys.readouterr()
        assert asc_tiny(*command) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and "runs an application of your own" in printed.err
    assert not (tmp_path / "out").exists()


def test_inspect_shows_both(both: targets.Project, ensemble: Path) -> None:
    _, found = inspect(both.image)
    assert sorted(each.provenance.prefix for each in found) == ["far", "near"]
    assert len({each.provenance.model_sha256 for each in found}) == 2
    for model in (MODEL, ensemble):
        assert asc_tiny("inspect", both.image, "--model", model) == 0
    assert asc_tiny("inspect", both.image, "--model", ensemble.parent / "perturbed.tflite") == 1


def test_cost_of_the_copy(both: targets.Project) -> None:
    command = ["arm-none-eabi-size", both.folder / "build" / "libfar.a"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    sizes = {row[5].split(".obj")[0]: int(row[0]) + int(row[1]) for row in rows}
    for name, limit in COPIES.items():
        assert 0 < sizes[f"far_{name}"] <= MARGIN * limit, name
