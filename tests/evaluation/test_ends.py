"""Classifiers of any ends: the same figures as of the int8 network inside, by every command.

The reference is the interpreter of the package alone, which gets the values that each file takes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny import api
from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.dataset import Dataset
from asc_tiny.audio.synth import write_synthetic
from asc_tiny.evaluation.evaluate import int8_codes
from asc_tiny.frontend import fixed
from asc_tiny.model import metadata_writer
from asc_tiny.model.ensemble import Ensemble, load_model, member_of
from asc_tiny.model.model_file import load
from support.classifier_ends import (
    CONFIG,
    MIXED,
    SOFTMAX,
    SOURCE,
    score_codes,
    write_classifier,
)
from support.commands import asc_tiny, refused
from support.ensemble_models import write_ensemble
from support.tflite_builder import Builder
from support.wrapped_ends import ENDS

WEIGHTS = (0.2, 0.3, 0.1, 0.4)


@dataclass(frozen=True)
class Files:
    """A data set, and by the type of its ends each of some networks with front end and labels."""

    data: Path
    models: dict[str, Path]
    same: dict[str, Path]
    """One network in all ends; the ones in ``models`` differ."""


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("ends")
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        write_synthetic(folder / "data", seed=1, clips_per_class=8)
        labels = Dataset.load(folder / "data").labels

        def write(name: str, seed: int, ends: str) -> Path:
            return write_classifier(folder / f"{name}.tflite", seed, ends, labels)

        models = {ends: write(f"net{n}_{ends}", n, ends) for n, ends in enumerate(MIXED)}
        same = {ends: write(f"same_{ends}", 0, ends) for ends in MIXED}
        yield Files(folder / "data", models, same)


def codes(files: Files) -> list[np.ndarray]:
    """The codes of the test clips by the integer model of the front end."""
    config = CONFIG.quantized(SOURCE.scale, SOURCE.zero_point)
    clips = Dataset.load(files.data).split("test")
    return [fixed.features(read_pcm(clip.path, 44100), config) for clip in clips]


@pytest.mark.parametrize("ends", MIXED)
def test_scores_are_those_of_the_whole_file(files: Files, ends: str) -> None:
    path = files.models[ends]
    member = member_of(load(path), weight=1.0, name=ends)
    assert member.frontend.quantization == SOURCE
    assert member.output == SOFTMAX
    clips = Dataset.load(files.data).split("test")
    found = int8_codes({"x": member}, clips, integer_front_end=True)["x"]
    expected = np.stack([score_codes(path, ends, each) for each in codes(files)])
    assert len(np.unique(expected, axis=0)) > 3
    assert np.array_equal(found, expected)
    pcm = [read_pcm(clip.path, 44100) for clip in clips]
    assert np.array_equal(api.scores(load_model(path), pcm), expected)


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    capsys.readouterr()
    assert asc_tiny("evaluate", *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("ends", ENDS)
def test_figures_are_those_of_the_network_inside(
    files: Files, ends: str, stream: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", files.data, *(["--stream"] if stream else [])]
    plain, other = (printed(capsys, files.same[each], *options) for each in ("INT8", ends))
    for document in (plain, other):
        for name in ("model", "files"):
            document.pop(name)
    assert other["results"] and other == plain


def test_decisions_about_a_stream(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The threshold is of a score, whatever type it has at the end of the file."""
    rule = tmp_path / "decision.toml"
    rule.write_text("hop_columns = 18\nsmoothing = 2\nthreshold = 0.6\n")
    options = ["--data", files.data, "--stream", "--decision", rule]
    found = [printed(capsys, files.same[ends], *options)["results"] for ends in MIXED]
    assert 0 < found[0]["reported"]["unknown"] < 1
    assert all(each == found[0] for each in found)


def test_an_ensemble_of_all_kinds(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its scores are the weighted sums, in exact numbers, of what the files give."""
    members = [files.models[ends] for ends in MIXED]
    path = write_ensemble(tmp_path / "all.toml", members, WEIGHTS)
    model = load_model(path)
    assert isinstance(model, Ensemble) and len(model.frontends) == 1
    pcm = [read_pcm(clip.path, 44100) for clip in Dataset.load(files.data).split("test")]
    found = api.scores(model, pcm)
    for scores, features in zip(found, codes(files), strict=True):
        parts = [score_codes(p, e, features) for p, e in zip(members, MIXED, strict=True)]
        # Weights are Q16 integers, which sum up to 1: a sum at the half of a code may be off by 1.
        wanted = np.tensordot(WEIGHTS, np.stack(parts) + 128.0, axes=1) - 128.0
        assert np.abs(scores - wanted).max() <= 0.51
    document = printed(capsys, path, *members, "--data", files.data)
    assert len(document["systems"]) == 5
    assert all("int8_integer_frontend" in each["results"] for each in document["systems"])


def test_an_ensemble_is_fitted_over_all_kinds(files: Files, tmp_path: Path) -> None:
    dataset = Dataset.load(files.data)
    fits = []
    for name, kinds in (("one", MIXED[1:]), ("other", ("INT8",) * 3)):
        copies = [tmp_path / f"{name}{number}.tflite" for number in range(3)]
        for number, (copy, ends) in enumerate(zip(copies, kinds, strict=True), start=1):
            write_classifier(copy, number, ends, dataset.labels)
        fits.append(api.fit_ensemble(copies, dataset, tmp_path / f"{name}.toml").fit)
    one, other = ([(row.weight, row.log_loss, row.accuracy) for row in fit.rows] for fit in fits)
    assert one == other


def test_report(files: Files, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    page = tmp_path / "report.html"
    models = [files.same["FLOAT32"], files.models["INT16"]]
    assert asc_tiny("evaluate", *models, "--data", files.data, "--html", page) == 0
    assert all(path.name in page.read_text() for path in models)


def sixteen_bits() -> bytes:
    """A network whose values have 16 bits throughout."""
    builder = Builder()
    x, y = (builder.activation((1, *CONFIG.shape), 0.001, 0, "INT16") for _ in range(2))
    builder.operator("RELU", [x], [y])
    return builder.finish([x], [y])


def test_what_is_no_int8_network_is_refused(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By one text, whichever command gets the file."""
    model, labels = tmp_path / "m.tflite", tmp_path / "labels.txt"
    names = [str(number) for number in range(int(np.prod(CONFIG.shape)))]
    labels.write_text("\n".join(names))
    document = {"frontend": CONFIG.to_dict(), "labels": names}
    model.write_bytes(metadata_writer.embed(sixteen_bits(), document))
    lines = {
        refused(capsys, "evaluate", model, "--data", files.data),
        refused(capsys, "attach", model, f"--labels={labels}", "--out", tmp_path / "o.tflite"),
        refused(capsys, "generate", model, "--out", tmp_path / "aot"),
        refused(capsys, "generate", model, "--runtime", "tflm", "--out", tmp_path / "tflm"),
    }
    assert len(lines) == 1
    assert f"{model}: tensor 0, input, is INT16, a front end gives int8 codes: " in lines.pop()
