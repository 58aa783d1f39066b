"""Projects whose windows slide, and what Python says about the same stream."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm, write_wav16
from asc_tiny.decision.rule import decide
from asc_tiny.frontend import stream
from asc_tiny.model.ensemble import output_quantization
from asc_tiny.targets.build import project as targets
from support.commands import asc_tiny
from support.paths import CLIPS, MODEL

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
