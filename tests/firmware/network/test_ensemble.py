"""Ensembles as C: against TensorFlow Lite Micro and the integer model, on host and Cortex-M4."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.library import render_library
from asc_tiny.frontend import fixed, golden
from asc_tiny.model import ensemble
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import memory
from support.commands import asc_tiny
from support.ensemble_models import perturbed, small, write_ensemble
from support.native import CORES, compile_for
from support.network_models import CNetwork, inputs
from support.paths import MODEL

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny.tflm.ensemble_interpreter import EnsembleInterpreter

CLIPS = sorted((MODEL.parent / "clips").glob("*.flac"))
LABELS = ("park", "street", "tram", "bus")
FEATURE_BYTES = 256 * 36 * 3


@pytest.fixture(scope="session")
def mobilenets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The released model and its perturbed twin: one input quantisation."""
    folder = tmp_path_factory.mktemp("mobilenets")
    members = [MODEL, perturbed(folder / "perturbed.tflite")]
    return write_ensemble(folder / "both.toml", members, [0.6, 0.35], [0.005] * 10)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small networks with two input quantisations; scores below 0."""
    folder = tmp_path_factory.mktemp("mixed")
    members = [
        small(folder / "fine.tflite", LABELS, filters=6, width=1.0),
        small(folder / "wide.tflite", LABELS, filters=24, width=4.0),
        small(folder / "fine_too.tflite", LABELS, filters=12, width=1.0),
    ]
    weights, bias = [0.9, 0.7, -0.3], [0.0, -0.05, 0.1, 0.02]
    return write_ensemble(folder / "mixed.toml", members, weights, bias)


def make(model: Path, folder: Path, board: str) -> targets.Project:
    assert asc_tiny("generate", model, "--out", folder, "--board", board) == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder)


@pytest.fixture(scope="session")
def host(mobilenets: Path, tmp_path_factory: pytest.TempPathFactory) -> targets.Project:
    return make(mobilenets, tmp_path_factory.mktemp("host") / "firmware", "host")


@pytest.fixture(scope="session")
def cortex_m4(mobilenets: Path, tmp_path_factory: pytest.TempPathFactory) -> targets.Project:
    return make(mobilenets, tmp_path_factory.mktemp("m4") / "firmware", "mps2-an386")


@pytest.mark.parametrize("name", ["mobilenets", "mixed"])
def test_network_is_bit_exact(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model = ensemble.load(request.getfixturevalue(name))
    emitted, reference = CNetwork(model, tmp_path), EnsembleInterpreter(model)
    height, width, channels = model.frontends[0].shape
    shape = (height, width, channels * len(model.frontends))
    outputs = []
    for values in inputs(shape, 12):
        expected = reference.run(values)
        outputs.append(expected)
        assert np.array_equal(emitted.run(values), expected)
    assert len(np.unique(np.stack(outputs), axis=0)) > 6, "the inputs do not matter"


def test_mixed_members_hear_their_own_quantization(mixed: Path) -> None:
    model = ensemble.load(mixed)
    assert [model.frontend_of(number) for number in range(3)] == [0, 1, 0]
    assert model.score_mixer.output.zero_point > -128
    pcm = read_pcm(CLIPS[0], 44100)
    codes = np.concatenate([fixed.features(pcm, each) for each in model.frontends], axis=-1)
    found = EnsembleInterpreter(model).member_codes(codes)
    from asc_tiny.tflm.interpreter import Interpreter

    for member, scores in zip(model.members, found, strict=True):
        own = fixed.features(pcm, member.frontend)
        file = member.model_file
        assert np.array_equal(scores, Interpreter(file.data, file.path).run(own))


def check(project: targets.Project, clips: list[np.ndarray]) -> np.ndarray:
    """Assert that features and scores equal the references; return the scores."""
    assert isinstance(project.model_file, ensemble.Ensemble)
    features, scores = image.features_and_codes(project, clips)
    expected = np.stack([project.features(clip) for clip in clips])
    assert np.array_equal(features, expected)
    reference = EnsembleInterpreter(project.model_file)
    assert np.array_equal(scores, np.stack([reference.run(codes) for codes in expected]))
    return scores


def test_clips_on_host(host: targets.Project) -> None:
    clips = [*golden.clips(host.frontend).values(), *(read_pcm(path, 44100) for path in CLIPS)]
    scores = check(host, clips)
    decisions = image.classify(host, np.concatenate(clips))
    assert np.array_equal(np.stack([decision.codes for decision in decisions]), scores)
    labels = [host.labels[i] for i in scores.argmax(axis=1)]
    assert [decision.label for decision in decisions] == labels
    assert sum(decisions[-1].scores.values()) == pytest.approx(1.0, abs=0.05)


def test_mixed_project_on_host(mixed: Path, tmp_path: Path) -> None:
    project = make(mixed, tmp_path / "firmware", "host")
    assert project.feature_shape == (16, 36, 6)
    scores = check(project, [read_pcm(path, 44100) for path in CLIPS])
    assert len(np.unique(scores, axis=0)) > 3
    assert asc_tiny("verify", project.folder) == 0


@pytest.mark.qemu
def test_verify_on_cortex_m4(
    cortex_m4: targets.Project, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert asc_tiny("verify", cortex_m4.folder, "--wav", CLIPS[0], "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is True
    assert report["reference"] == "TensorFlow Lite Micro"
    assert len(report["clips"]) == 9


def test_memory_grows_by_little_more_than_the_features(
    cortex_m4: targets.Project, tmp_path: Path
) -> None:
    alone = make(MODEL, tmp_path / "firmware", "mps2-an386")
    more = memory(cortex_m4.image)[1] - memory(alone.image)[1]
    # The input need not lie at the start of an arena that may be a little larger.
    assert FEATURE_BYTES <= more <= FEATURE_BYTES + 1024


def test_verify_notices_a_changed_member(
    host: targets.Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "firmware"
    shutil.copytree(host.folder, folder)
    text = (folder / "ensemble.toml").read_text()
    (folder / "ensemble.toml").write_text(text.replace("weight = 0.35", "weight = 0.3"))
    capsys.readouterr()
    assert asc_tiny("verify", folder) == 3
    assert "DIFFERENT" in capsys.readouterr().out
    shutil.copy(MODEL, folder / "member1.tflite")
    assert asc_tiny("verify", folder) == 2
    assert "member1.tflite has sha256" in capsys.readouterr().err


def test_project_needs_its_folder_only(mixed: Path, tmp_path: Path) -> None:
    source = tmp_path / "models"
    shutil.copytree(mixed.parent, source)
    model = source / "mixed.toml"
    model.write_text(model.read_text().replace(str(mixed.parent), "."))
    digest = ensemble.load(model).sha256
    assert asc_tiny("generate", model, "--out", tmp_path / "firmware", "--board", "host") == 0
    shutil.rmtree(source)
    project = targets.load(tmp_path / "firmware")
    assert isinstance(project.model_file, ensemble.Ensemble)
    assert project.model_file.sha256 == digest
    manifest = json.loads((tmp_path / "firmware" / "asc-tiny.json").read_text())
    assert manifest["model"] == {"name": "mixed.toml", "sha256": digest, "file": "ensemble.toml"}


def test_generating_twice_gives_equal_bytes(mixed: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        assert asc_tiny("generate", mixed, "--out", folder) == 0
    names = sorted(str(p.relative_to(folders[0])) for p in folders[0].rglob("*") if p.is_file())
    assert {"asc/asc_net.c", "asc/asc_net2.c", "ensemble.toml", "member2.tflite"} <= set(names)
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", ["mobilenets", "mixed"])
def test_sources_compile_without_warnings(
    name: str, core: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model = request.getfixturevalue(name)
    options = ["--project", "sources", "--prefix", "pair", "--out", tmp_path]
    assert asc_tiny("generate", model, *options) == 0
    assert (tmp_path / "pair_net1.c").is_file()
    compile_for(core, tmp_path)


def test_one_member_is_that_member(tmp_path: Path) -> None:
    path = write_ensemble(tmp_path / "one.toml", [MODEL], [1.0])
    model = ensemble.load(path)
    sources = render_library(classifier(model, runtime="aot")).sources
    assert "memcpy(arena" not in sources["asc_net.c"].split("int asc_net_infer")[0]
    codes = np.random.default_rng(0).integers(-128, 128, (1, 50, 10)).astype(np.int8)
    assert np.array_equal(model.score_mixer.codes(codes), codes[0])
