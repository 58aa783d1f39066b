"""The classifier on an emulated Cortex-M4, its samples from a timer's interrupt."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.library import audio_sources, render_library
from asc_tiny.frontend import fixed
from asc_tiny.model.model_file import load
from support import c_programs
from support.emulated import EmulatedImage
from support.native import write
from support.paths import CLIPS, MODEL
from support.references import tflm_scores

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
        reason="needs arm-none-eabi-gcc and qemu-system-arm",
    ),
]

CLIPS_PLAYED = 2
BLOCK = 1024
# Between two interrupts of 64 samples, in ticks of 40 instructions. A decision takes 1.08 million
# ticks, a block of 16 interrupts lasts 16 times as long as one.
RELAXED, HURRIED = 75_000, 10_000


def build(folder: Path, blocks: int) -> EmulatedImage:
    model = classifier(load(MODEL), runtime="aot")
    files = {
        **render_library(model).sources,
        **audio_sources(model, None, prefix="asc", blocks=blocks),
    }
    write(files, folder)
    c_programs.put("audio_main.c", folder)
    return EmulatedImage(folder, "mps2-an386")


def play(image: EmulatedImage, ticks: int) -> tuple[np.ndarray, dict[str, int], int]:
    """Return scores, counts, and the blocks that were played."""
    clips = [read_pcm(clip, 44100) for clip in CLIPS[:CLIPS_PLAYED]]
    # A last block that is not whole is never complete.
    pcm = np.concatenate([*clips, np.arange(BLOCK, dtype=np.int16)])
    (image.folder / "in.pcm").write_bytes(pcm.astype("<i2").tobytes())
    lines = image.execute("in.pcm", str(ticks)).splitlines()
    assert not {"torn", "changed"} & set(lines)
    scores = [line.split()[1:] for line in lines if line.startswith("decision")]
    words = lines[-1].split()
    counts = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    return np.array(scores, np.int8), counts, len(pcm) // BLOCK


@pytest.mark.parametrize(("blocks", "ticks"), [(2, RELAXED), (9, HURRIED)])
def test_nothing_is_lost_when_the_blocks_bridge_a_decision(
    blocks: int, ticks: int, tmp_path: Path
) -> None:
    scores, counts, played = play(build(tmp_path, blocks), ticks)
    assert counts == {"received": played, "lost": 0, "overruns": 0}
    config = classifier(load(MODEL), runtime="aot").frontend
    clips = [read_pcm(clip, 44100)[: config.clip_samples] for clip in CLIPS[:CLIPS_PLAYED]]
    expected = tflm_scores(np.stack([fixed.features(clip, config) for clip in clips]))
    assert np.array_equal(scores, expected)


def test_what_a_slow_application_loses_is_counted(tmp_path: Path) -> None:
    _, counts, played = play(build(tmp_path, 2), HURRIED // 4)
    assert counts["lost"] == counts["overruns"] > 3
    assert counts["received"] + counts["lost"] == played
