"""The command on small real files: float, int8 and ensembles side by side, and the report."""

from __future__ import annotations

import base64
import html
import json
import pickle
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

import keras

from asc_tiny import nets
from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.dataset import Dataset
from asc_tiny.audio.synth import write_synthetic
from asc_tiny.cli.main import main
from asc_tiny.compress import quantize
from asc_tiny.evaluation import systems
from asc_tiny.evaluation.evaluate import evaluate
from asc_tiny.features import cache, host_library
from asc_tiny.frontend import fixed
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train.run import Run, RunInfo, save_model
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256

CONFIG = FrontEndConfig(n_mels=16)
WEIGHTS, BIAS = (0.25, 0.6), 0.05


@dataclass(frozen=True)
class Files:
    """Two networks, float and int8, and their ensemble on a synthetic data set.

    Beside each int8 network is ``bare.tflite``, the same without metadata.
    """

    data: Path
    floats: tuple[Path, Path]
    int8s: tuple[Path, Path]
    ensemble: Path


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("systems")
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        write_synthetic(folder / "data", seed=1, clips_per_class=8)
        dataset = Dataset.load(folder / "data")
        features = cache.load(dataset.clips, CONFIG).take(np.arange(len(dataset.clips)))
        pairs = [_network(folder / str(seed), dataset, features, seed) for seed in (1, 2)]
        floats, int8s = zip(*pairs, strict=True)
        members = "".join(
            f'[[member]]\npath = "{path.relative_to(folder)}"\nweight = {weight}\n'
            for path, weight in zip(int8s, WEIGHTS, strict=True)
        )
        (folder / "both.toml").write_text(f"schema = 1\nbias = {BIAS}\n{members}")
        yield Files(folder / "data", floats, int8s, folder / "both.toml")


def _network(folder, dataset, features, seed):
    """An untrained network whose scores differ from clip to clip, and its quantised twin."""
    keras.utils.set_random_seed(seed)
    model = nets.build("mobilenet", CONFIG.shape, len(dataset.labels), dropout=0.0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.37  # What 100 equal batches come to with the usual 0.99.
    model(features, training=True)
    model.get_layer("classify").kernel.assign(6 * model.get_layer("classify").kernel)
    run = Run(folder)
    save_model(model, run.model_path)
    converted = quantize.quantize(model, features)
    source = Interpreter(converted, "model").input_quantization
    config = CONFIG.quantized(source.scale, source.zero_point)
    info = RunInfo(dataset.labels, "0" * 64, config, "mobilenet", 0, None)
    run.write_info(info)
    path = folder / f"net{seed}.tflite"
    path.with_name("bare.tflite").write_bytes(converted)
    provenance = {"parent_sha256": run.model_sha256(), "recipe": {"name": "<b>small</b>"}}
    path.write_bytes(
        quantize.with_metadata(
            converted,
            config=config,
            labels=dataset.labels,
            network="mobilenet",
            provenance=provenance,
        )
    )
    return run.model_path, path


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", *(str(argument) for argument in arguments)])
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def document(capsys, files, *arguments: object) -> dict:
    code, out, _ = run(capsys, *arguments, "--data", files.data, "--json")
    assert code == 0
    return json.loads(out)


def test_float_and_int8_of_one_system_are_one_table(files, capsys):
    code, out, _ = run(capsys, files.floats[0], files.int8s[0], "--data", files.data)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == f"{files.int8s[0]}, split test"
    assert re.findall(r"float|int8, integer features|int8", lines[1]) == [
        "float",
        "int8",
        "int8, integer features",
    ]
    values = document(capsys, files, files.floats[0], files.int8s[0])
    (row,) = (line for line in lines if line.startswith("  all clips"))
    accuracies = [f"{result['accuracy']:.4f}" for result in values["results"].values()]
    assert [cell for cell in row.split() if re.fullmatch(r"[01]\.\d{4}", cell)][::2] == accuracies
    assert sum("city vienna" in line for line in lines) == 1


def test_json_of_one_system(files, capsys):
    values = document(capsys, files, files.floats[0], files.int8s[0])
    assert values["schema"] == 1
    assert values["model"] == str(files.int8s[0])
    assert values["split"] == "test"
    assert list(values["results"]) == ["float", "int8", "int8_integer_frontend"]
    assert values["params_before_folding"] > values["params"] > 0
    assert values["macs"] > 0
    assert values["bootstrap"] == {"over": "recordings", "level": 0.95, "draws": 2000, "seed": 0}
    hashes = {file["path"]: file["sha256"] for file in values["files"]}
    assert hashes == {
        str(path): sha256(path.read_bytes()) for path in (files.floats[0], files.int8s[0])
    }
    for result in values["results"].values():
        assert np.sum(result["confusion"]) == result["clips"] == 6
        assert set(result["cities"]) == {"vienna"}


def test_float_scores_are_those_of_the_network(files):
    model = nets.load(files.floats[0])
    clips = Dataset.load(files.data).split("test")
    features = cache.load(clips, CONFIG).take(np.arange(len(clips)))
    scores = model(features).numpy()
    (evaluation,) = evaluate(systems.load([files.floats[0]]), Dataset.load(files.data), "test")
    truth = [sorted({c.scene for c in clips}).index(clip.scene) for clip in clips]
    loss = -np.mean([np.log(row[t]) for row, t in zip(scores, truth, strict=True)])
    assert evaluation.results["float"].overall.log_loss == pytest.approx(loss, rel=1e-5)
    assert evaluation.results["float"].overall.accuracy == np.mean(scores.argmax(axis=1) == truth)


def test_integer_figures_are_those_of_the_firmware_arithmetic(files):
    """Clip by clip: integer front end, TFLM, combination in exact rational arithmetic."""
    dataset = Dataset.load(files.data)
    both = systems.load([files.ensemble])[0]
    (evaluation,) = evaluate([both], dataset, "test")
    loss, hits = 0.0, 0
    clips = dataset.split("test")
    runs = [Interpreter(path.read_bytes(), path) for path in files.int8s]
    for clip in clips:
        total = np.full(len(both.labels), BIAS)
        for weight, member, interpreter in zip(WEIGHTS, both.members, runs, strict=True):
            pcm = read_pcm(clip.path, 44100)
            codes = interpreter.run(fixed.features(pcm, member.frontend))
            total += weight * (codes.astype(np.float64) + 128) / 256
        scores = np.floor(total * 256 + 0.5) / 256
        truth = dataset.labels.index(clip.scene)
        hits += int(scores.argmax() == truth)
        scores = np.maximum(scores, 1 / 512)
        loss -= np.log(scores[truth] / scores.sum())
    found = evaluation.results["int8_integer_frontend"].overall
    # Weights are Q16 integers: now and then a rounded score is off by one code.
    assert found.log_loss == pytest.approx(loss / len(clips), abs=0.02)
    assert found.accuracy == pytest.approx(hits / len(clips), abs=0.17)


class Elsewhere(ThreadPoolExecutor):
    """Runs what it gets as another process would: from its pickled form."""

    def submit(self, function, *args):
        return super().submit(
            lambda pickled: (lambda f, a: f(*a))(*pickle.loads(pickled)),
            pickle.dumps((function, args)),
        )


def test_parts_of_the_clips_side_by_side_give_the_same(files, monkeypatch):
    monkeypatch.setattr(cache, "SHARD_CLIPS", 4)
    both = systems.load([files.ensemble, files.int8s[0]])
    dataset = Dataset.load(files.data)
    alone = evaluate(both, dataset, "test")
    # One thread: what an interpreter prints is caught by the process.
    with Elsewhere(1) as pool:
        submitted = []
        submit = pool.submit
        monkeypatch.setattr(pool, "submit", lambda *a: submitted.append(a) or submit(*a))
        together = evaluate(both, dataset, "test", pool)
    assert len(submitted) == 4, "6 clips are two parts, in two arithmetics"
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        assert one.to_json() == other.to_json()


def test_float_side_of_an_ensemble_is_the_weighted_sum(files):
    clips = Dataset.load(files.data).split("test")
    features = cache.load(clips, CONFIG).take(np.arange(len(clips)))
    total = np.full((len(clips), 3), BIAS)
    for weight, path in zip(WEIGHTS, files.floats, strict=True):
        total += weight * nets.load(path)(features).numpy()
    labels = sorted({clip.scene for clip in clips})
    chosen = [row[labels.index(c.scene)] / row.sum() for row, c in zip(total, clips, strict=True)]
    both = systems.load([files.ensemble, *files.floats])
    assert [system.path for system in both] == [files.ensemble]
    (evaluation,) = evaluate(both, Dataset.load(files.data), "test")
    found = evaluation.results["float"].overall.log_loss
    assert found == pytest.approx(-np.mean(np.log(chosen)), rel=1e-5)


def test_ensemble_costs_what_its_members_cost(files, capsys):
    values = document(capsys, files, files.ensemble, *files.int8s, *files.floats)
    both, first, second = values["systems"]
    for key in ("params", "params_before_folding", "macs"):
        assert both[key] == first[key] + second[key]
    assert both["ensemble"] == {"weights": list(WEIGHTS), "bias": [BIAS] * 3}
    assert first["ensemble"] is None


def test_other_float_network_is_a_system_of_its_own(files, capsys):
    values = document(capsys, files, files.floats[1], files.int8s[0])
    assert [system["model"] for system in values["systems"]] == [
        str(files.floats[1]),
        str(files.int8s[0]),
    ]
    assert [list(system["results"]) for system in values["systems"]] == [
        ["float"],
        ["int8", "int8_integer_frontend"],
    ]
    assert values["systems"][0]["params"] is None


def test_markdown_table(files, capsys):
    arguments = (*files.int8s, files.ensemble, files.floats[0])
    code, out, _ = run(capsys, *arguments, "--data", files.data, "--table")
    assert code == 0
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in out.splitlines()]
    heads = rows[0]
    assert heads[:4] == ["system", "parameters", "before folding", "MACs"]
    assert len(heads) == 10
    assert {len(row) for row in rows} == {10}
    assert [row[0] for row in rows[2:]] == ["net1", "net2", "both"]
    values = document(capsys, files, *arguments)["systems"]
    for row, system in zip(rows[2:], values, strict=True):
        assert row[1] == f"{system['params']:,}"
        assert row[3] == f"{system['macs']:,}"
        chip = system["results"]["int8_integer_frontend"]
        assert row[heads.index("accuracy, int8, integer features")].startswith(
            f"{chip['accuracy']:.3f} ("
        )
    assert rows[3][2] == "-", "the second float network is not given"
    assert "before folding" not in run(capsys, files.int8s[0], "--data", files.data, "--table")[1]


def test_features_are_computed_once_per_front_end(files, monkeypatch):
    calls = []
    original = host_library.features
    monkeypatch.setattr(
        host_library, "features", lambda pcm, config: calls.append(1) or original(pcm, config)
    )
    loaded = systems.load([*files.int8s, files.ensemble])
    assert loaded[0].members[0].frontend == loaded[1].members[0].frontend
    evaluate(loaded, Dataset.load(files.data), "test")
    assert len(calls) == 6


def test_report_is_one_repeatable_file(files, tmp_path, capsys):
    arguments = (*files.int8s, files.ensemble, files.floats[0], "--data", files.data)
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page in pages:
        details = ("--details", tmp_path / "details")
        assert run(capsys, *arguments, "--html", page, *details)[0] == 0
    written = {path.name for path in (tmp_path / "details").glob("*/*.csv")}
    # The float network is a column of its int8 form, no system of its own.
    assert len(written) == 5 and len(list((tmp_path / "details").iterdir())) == 3
    text = pages[0].read_text()
    assert pages[1].read_text() == text
    assert not re.search(r"https?:|//[a-z]|<script|<link|@import|url\(", _without_data(text))
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    assert len(images) == text.count("<img") == 1 + 3 * 3
    for image in images:
        drawing = base64.b64decode(image).decode("utf-8")
        links = re.findall(r'href="([^"]*)"', drawing)
        assert all(link.startswith(("#", "data:")) for link in links)
        assert "<dc:date>" not in drawing
    assert "&lt;b&gt;small&lt;/b&gt;" in text, "what files say is text, not markup"
    assert all(sha256(path.read_bytes()) in text for path in (*files.int8s, files.floats[0]))


def test_report_has_the_figures(files, tmp_path, capsys):
    page = tmp_path / "report.html"
    values = document(capsys, files, files.int8s[0], "--html", page)
    text = html.unescape(page.read_text())
    for result in values["results"].values():
        for figures in (result, *result["classes"].values(), *result["devices"].values()):
            low, high = figures["log_loss_interval"]
            assert (
                f"<td>{figures['log_loss']:.4f} <small>{low:.3f} to {high:.3f}</small></td>" in text
            )


def _without_data(text: str) -> str:
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)


def refused(capsys, *arguments: object) -> str:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert len(err.splitlines()) == 1
    return err


def test_other_kinds_of_file_are_refused(files, tmp_path, capsys):
    line = refused(capsys, tmp_path / "model.onnx", "--data", files.data)
    assert "model.onnx: unknown kind of model, allowed: .keras (float network), .tflite" in line


def test_a_class_unknown_to_a_model_is_named_with_the_model(files, tmp_path, capsys):
    write_synthetic(tmp_path, seed=1, classes=4, clips_per_class=4)
    line = refused(capsys, files.int8s[1], "--data", tmp_path)
    assert "scene 'tones_mid'" in line
    assert f"{files.int8s[1]} knows noise_low, pulses_low, tones_low" in line


def test_an_empty_split_is_named(files, tmp_path, capsys):
    shutil.copytree(files.data, tmp_path / "data")
    (tmp_path / "data" / "evaluation_setup" / "fold1_test.csv").write_text("filename\n")
    line = refused(capsys, files.int8s[0], "--data", tmp_path / "data")
    assert "fold1_test.csv: lists no clips" in line
    dataset = replace(Dataset.load(files.data), splits={"test": ()})
    with pytest.raises(AscError, match="data: split test has no clips"):
        evaluate(systems.load([files.int8s[0]]), dataset, "test")


def test_a_foreign_model_is_refused(files, capsys):
    path = files.int8s[0].with_name("bare.tflite")
    assert "bare.tflite: holds no front end" in refused(capsys, path, "--data", files.data)


def test_a_float_network_needs_its_run(files, tmp_path, capsys):
    shutil.copy(files.floats[0], tmp_path / "model.keras")
    line = refused(capsys, tmp_path / "model.keras", "--data", files.data)
    assert f"{tmp_path / 'run.json'}: cannot read" in line


def test_a_report_that_cannot_be_written_is_named(files, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    page = tmp_path / "file" / "report.html"
    line = refused(capsys, files.int8s[0], "--data", files.data, "--html", page)
    assert str(page) in line


def test_table_and_json_exclude_each_other(files, capsys):
    line = refused(capsys, files.int8s[0], "--data", files.data, "--table", "--json")
    assert "--table and --json exclude each other" in line
