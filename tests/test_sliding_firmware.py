"""Windows that slide: what a generated project says about a stream is what Python says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ensemble_models import small, write_ensemble
from native import compile_for
from test_firmware import CLIPS, MODEL, asc_tiny

from asc_tiny.audio.clips import read_pcm, write_wav16
from asc_tiny.decision.rule import decide
from asc_tiny.frontend import stream
from asc_tiny.model.ensemble import output_quantization
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure

RULES = {
    "overlap": "hop_columns = 12\nsmoothing = 3\nlead = 0.05\nhold = 2\nthreshold = 0.6\n",
    "every column": "hop_columns = 1\nsmoothing = 40\n",
    "side by side": "hop_columns = 36\n",
    "gaps": "hop_seconds = 1\nthreshold = 0.9\n",
    "long gaps": "hop_columns = 61\nhold = 2\n",
    "clips": "smoothing = 2\nthreshold = 0.6\n",
}


def make(
    folder: Path, rule: str, board: str, model: Path = MODEL, *options: str
) -> targets.Project:
    """Generate and build a project with one of the rules."""
    folder.mkdir(exist_ok=True)
    path = folder / "decision.toml"
    path.write_text(RULES[rule])
    out = folder / "firmware"
    command = ("generate", model, "--decision", path, "--board", board, "--out", out)
    assert asc_tiny(*command, *options) == 0
    assert asc_tiny("build", out) == 0
    return targets.load(out)


def stream_of(clips: int) -> np.ndarray:
    return np.concatenate([read_pcm(path, 44100) for path in CLIPS[:clips]])


def windows_of(project: targets.Project, pcm: np.ndarray) -> list[np.ndarray]:
    """The features of all windows by the definition: columns k H to k H + W of the stream."""
    hop, width = project.decision.hop_columns, project.frontend.columns
    if hop is None:
        return [project.features(clip) for clip in pcm.reshape(-1, 44100)]
    columns = stream.joint_features(pcm, project.frontends)
    starts = range(0, columns.shape[1] - width + 1, hop)
    return [columns[:, start : start + width] for start in starts]


def check(project: targets.Project, pcm: np.ndarray, folder: Path, capsys) -> list[str]:
    """Assert that ``run`` says what Python says; return the labels."""
    pytest.importorskip("tflite_micro")
    from asc_tiny.tflm.ensemble_interpreter import interpreter

    network = interpreter(project.model_file)
    windows = windows_of(project, pcm)
    scores = np.stack([network.run(np.ascontiguousarray(w)) for w in windows])
    output = output_quantization(project.model_file)
    smoothed, reported = decide(scores, project.decision, output)
    names = [*project.labels, "unknown"]
    wav = folder / "stream.wav"
    write_wav16(wav, pcm, 44100)
    capsys.readouterr()
    assert asc_tiny("run", project.folder, "--wav", wav, "--json") == 0
    results = json.loads(capsys.readouterr().out)["results"]
    assert len(results) == len(windows)
    hop = project.decision.hop_columns
    for window, result in enumerate(results):
        start = window * (44100 if hop is None else hop * 1024) / 44100
        assert result["start"] == start
        assert result["label"] == names[reported[window]]
        for key, codes in (("scores", scores), ("smoothed", smoothed)):
            values = (codes[window].astype(float) - output.zero_point) * output.scale
            assert result[key] == dict(zip(project.labels, values.tolist(), strict=True))
    return [result["label"] for result in results]


@pytest.mark.qemu
def test_overlapping_windows_on_cortex_m4(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "overlap", "mps2-an386")
    labels = check(project, stream_of(4), tmp_path, capsys)
    assert "unknown" in labels
    assert len(set(labels)) >= 3
    # Columns that the next window begins with are kept while the network runs.
    shared = 256 * (36 - 12) * 3
    state = 3 * 10 + 2 * 10 + 10 + 4 * 4
    without = measure(targets.load(make_default(tmp_path)))
    costs = measure(project)
    assert abs(costs.ram_bytes - without.ram_bytes - shared - state) <= 32
    assert costs.instructions_per_hop <= 1.02 * without.instructions_per_hop


def make_default(folder: Path) -> Path:
    out = folder / "default"
    assert asc_tiny("generate", MODEL, "--out", out) == 0
    assert asc_tiny("build", out) == 0
    return out


@pytest.mark.parametrize(
    "rule",
    [
        "gaps",
        "clips",
        *(pytest.param(r, marks=pytest.mark.slow) for r in RULES if r not in ("gaps", "clips")),
    ],
)
def test_every_kind_of_window_on_host(rule: str, tmp_path: Path, capsys) -> None:
    check(make(tmp_path, rule, "host"), stream_of(6), tmp_path, capsys)


def test_an_ensemble_of_two_quantizations(tmp_path: Path, capsys) -> None:
    pytest.importorskip("tensorflow")
    members = [
        small(tmp_path / f"{width}.tflite", ("park", "tram", "bus"), filters=6, width=width)
        for width in (1.0, 4.0)
    ]
    ensemble = write_ensemble(tmp_path / "both.toml", members, [0.5, 0.5])
    project = make(tmp_path, "overlap", "host", ensemble)
    assert len(project.frontends) == 2
    check(project, stream_of(3), tmp_path, capsys)


@pytest.mark.qemu
def test_golden_vectors_hold_for_a_continuous_front_end(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "overlap", "mps2-an386")
    capsys.readouterr()
    assert asc_tiny("verify", project.folder, "--wav", CLIPS[0], "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [clip["passed"] for clip in report["clips"]] == [True] * 9


def test_a_shifted_stream_gives_the_same_scores(tmp_path: Path) -> None:
    project = make(tmp_path, "overlap", "host")
    pcm = stream_of(3)
    decisions = image.classify(project, pcm)
    assert len(decisions) == project.windows.count(len(pcm))
    shift = project.decision.hop_columns * 1024
    late = image.classify(project, np.concatenate([np.zeros(shift, np.int16), pcm]))
    # Once no window holds anything of before the stream.
    for now, then in zip(decisions[1:], late[2:], strict=True):
        assert np.array_equal(now.codes, then.codes)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m55"])
@pytest.mark.parametrize("rule", ["overlap", "gaps"])
def test_sources_compile_without_warnings(core: str, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "decision.toml"
    path.write_text(RULES[rule])
    out = tmp_path / "sources"
    arguments = ("generate", MODEL, "--project", "sources", "--decision", path, "--out", out)
    assert asc_tiny(*arguments) == 0
    compile_for(core, out)


def test_a_stream_shorter_than_a_window(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "overlap", "host")
    wav = tmp_path / "short.wav"
    write_wav16(wav, np.zeros(project.windows.end(0) - 1, np.int16), 44100)
    capsys.readouterr()
    assert asc_tiny("run", project.folder, "--wav", wav) == 2
    assert "45055 samples, at least 45056 are needed (1.02" in capsys.readouterr().err


def test_a_bad_value_is_named(tmp_path: Path, capsys) -> None:
    path = tmp_path / "decision.toml"
    path.write_text("threshold = 2\n")
    out = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--decision", path, "--out", out) == 2
    assert f"{path}: threshold = 2.0, allowed: above 0, up to 0.996" in capsys.readouterr().err
    assert not out.exists()
