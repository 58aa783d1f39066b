"""What a resampler does to the features, and to the accuracy of a model.

    python benchmarks/resample.py [--clips FOLDER] [--data DATASET --model MODEL.tflite]

FOLDER holds audio files of 44.1 kHz, without it the clips of the released models. They are brought
to the microphone's rate in float64, rounded to 16 bits as a microphone gives them, and resampled
by the integer model to 44.1 kHz. The error is that of the log-mel against the same done in float64
with a filter four times as steep. With DATASET, the test clips of its first fold go the same way
into the model; that needs the package tflite-micro.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.dataset import Dataset
from asc_tiny.features import host_library
from asc_tiny.firmware.classifier import classifier
from asc_tiny.model.model_file import load
from asc_tiny.resample import fixed
from asc_tiny.resample.design import PASS_EDGE, Resampler, design
from support.front_ends import DEFAULT
from support.resampling import log_mel_errors, recorded

RATE = DEFAULT.sample_rate
MICROPHONES = (Fraction(48000), Fraction(125_000, 3), Fraction(125_000, 6), Fraction(16000))

Clip = NDArray[np.int16]


def main() -> None:
    """Print errors in dB, and accuracies if there is a dataset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=ROOT / "models" / "clips")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "mobilenet_esc10.tflite")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.clips.iterdir() if p.suffix in (".wav", ".flac"))
    print_errors([read_pcm(path, RATE) for path in paths])
    if arguments.data:
        print_accuracies(arguments.model, Dataset.load(arguments.data))


def print_errors(clips: Sequence[Clip]) -> None:
    """Print errors in bands at or above -100 dBFS, by where the bands lie."""
    print(f"{'microphone, Hz':16}{'bands':>38}{'mean dB':>10}{'99 %':>10}{'largest':>10}")
    edges = DEFAULT.mel_edges
    for rate in MICROPHONES:
        resampler = design(rate, RATE)
        parts = [log_mel_errors(clip, resampler, DEFAULT) for clip in clips]
        error, rounding, level = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
        lower = min(float(rate), RATE)
        passed = edges[2:] <= PASS_EDGE * lower
        weak = ~passed & (edges[:-2] < lower / 2)
        rows = {
            "within the pass band": (error, passed),
            "the same, rounding to 16 bits alone": (rounding, passed),
            "up to half the rate": (error, weak),
        }
        for name, (values, bands) in rows.items():
            values = np.abs(values[bands][level[bands] >= -100.0])
            figures = (values.mean(), np.quantile(values, 0.99), values.max())
            print(f"{float(rate):<16.0f}{name:>38}" + "".join(f"{f:10.4f}" for f in figures))


def print_accuracies(path: Path, dataset: Dataset) -> None:
    """Print the share of test clips that an int8 model gets right, by the microphone's rate."""
    from asc_tiny.tflm.interpreter import Interpreter

    model_file = load(path)
    config = classifier(model_file, runtime="aot").frontend
    network = Interpreter(model_file.data, path)
    clips = dataset.split("test")
    labels = list(model_file.labels)

    def accuracy(heard: Callable[[Clip], Clip]) -> float:
        right = 0
        for clip in clips:
            pcm = heard(read_pcm(clip.path, config.sample_rate)[: config.clip_samples])
            scores = network.run(host_library.features(pcm, config))
            right += labels[int(np.argmax(scores))] == clip.scene
        return right / len(clips)

    print(f"{len(clips)} test clips of {path.name}")
    print(f"{'as trained':16}{accuracy(lambda pcm: pcm):10.3f}")
    for rate in MICROPHONES:
        resampler = design(rate, config.sample_rate)

        def heard(pcm: Clip, resampler: Resampler = resampler) -> Clip:
            return fixed.resample(recorded(pcm, resampler), resampler)[: config.clip_samples]

        print(f"{float(rate):<16.0f}{accuracy(heard):10.3f}")


if __name__ == "__main__":
    main()
