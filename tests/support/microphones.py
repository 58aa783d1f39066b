"""What an application with a microphone must print for the samples that it hears."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.classifier import classifier
from asc_tiny.frontend import fixed
from asc_tiny.model.model_file import load
from asc_tiny.resample.design import design
from asc_tiny.resample.fixed import resample
from support.paths import CLIPS, MODEL
from support.patience import PATIENCE_S
from support.references import tflm_scores

BLOCK = 1024


def played() -> np.ndarray:
    """Real clips, as if the microphone had recorded them; the last block is whole."""
    pcm = np.concatenate([read_pcm(clip, 44100) for clip in CLIPS[:2]])
    return pcm[: len(pcm) // BLOCK * BLOCK]


def lines_of(app: Path, *, check: bool = True, **environment: str) -> list[str]:
    """Run an application on this computer, in its folder, and return the lines that it prints."""
    done = subprocess.run(
        [app],
        cwd=app.parent,
        env={**os.environ, **environment},
        check=check,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    return done.stdout.splitlines()


def scenes(pcm: np.ndarray, rate: Fraction | None = None) -> list[str]:
    """The lines of the released model's decisions on samples at ``rate`` Hz, its own without."""
    model = classifier(load(MODEL), runtime="aot")
    config = model.frontend
    stream = resample(pcm, design(rate, config.sample_rate)) if rate else pcm
    count = len(stream) // config.clip_samples
    clips = stream[: count * config.clip_samples].reshape(count, -1)
    scores = tflm_scores(np.stack([fixed.features(clip, config) for clip in clips]))
    return [
        f"scene {model.labels[int(np.argmax(row))]} {' '.join(map(str, row))}" for row in scores
    ]
