"""PCEN, windows shorter than the transform and finer training columns, from clips to a core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny import api
from asc_tiny.audio.dataset import Dataset
from asc_tiny.features.cache import clip_pcm
from asc_tiny.frontend import fixed
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train import recipe as recipes

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

RECIPE = """
name = "pcen"
network = "mobilenet"
time_resolution = 2
[frontend]
n_mels = 16
n_fft = 2048
win_length = 1764
hop = 882
deltas = false
compression = "pcen"
[schedule]
cycles = [4]
batch = 6
[augmentation]
frequency_mask_bands = 4
"""


@pytest.mark.qemu
@pytest.mark.exhaustive  # Half a minute; the default run has each step apart.
def test_scores_of_a_trained_network_are_the_same_on_a_core(
    synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path, dataset = tmp_path / "pcen.toml", Dataset.load(synthetic)
    path.write_text(RECIPE, encoding="utf-8")
    recipe = recipes.load(path)
    assert recipe.train_frontend.pcen != recipe.frontend.pcen, "smoothed by the same time"
    run = api.train(path, dataset, tmp_path / "run")
    losses = [float(row["loss"]) for row in run.history()]
    assert losses[-1] < losses[0], "it learns"
    file = api.quantize(run.root, dataset, tmp_path / "pcen.tflite")
    model = api.load_model(file)
    (frontend,) = api.frontends(model)
    assert (frontend.compression, frontend.frame_length) == ("pcen", 1764)
    found, trained = frontend.quantization, run.info().frontend.quantization
    assert found.scale == pytest.approx(trained.scale, rel=1e-6), "a file has float32"
    assert found.zero_point == trained.zero_point

    project = api.load_project(api.generate(file, tmp_path / "f", board="mps2-an386").folder)
    api.build(project)
    clips = dataset.split("evaluate")[:3]
    samples = [clip_pcm(clip, frontend) for clip in clips]
    named = {clip.filename: pcm for clip, pcm in zip(clips, samples, strict=True)}
    assert api.verify(project, named).passed
    network = Interpreter(model.data, source=str(file))
    for pcm, decision in zip(samples, api.run(project, np.concatenate(samples)), strict=True):
        codes = network.run(fixed.features(pcm, frontend)).astype(np.float64)
        output = network.output_quantization
        expected = (codes - output.zero_point) * output.scale
        assert list(decision.scores.values()) == pytest.approx(expected, abs=1e-9)
