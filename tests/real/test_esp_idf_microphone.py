"""ESP-IDF's own start, FreeRTOS and I2S driver, on an ESP32-C3 that hears a clip.

The image is the one that would be flashed. It runs on a core that Unicorn emulates, among registers
of ours and functions that stand for the chip's ROM (``support.esp32c3``), if there is the package
unicorn; the rest is as in ``test_esp_idf.py``.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.esp_idf import TABLE
from support.build_records import RAN, Build, Record, memory_use
from support.commands import asc_tiny
from support.esp32c3.chip import Chip
from support.esp32c3.core import CLOCK_HZ
from support.esp_idf import (
    LINKING_COMPILER,
    NEEDS_COMPILER,
    NEEDS_IDF,
    built,
    compiler,
    project_in,
    release,
)
from support.microphones import played, scenes
from support.paths import MODEL

BOARD = "esp32c3_devkitm"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    NEEDS_IDF,
    NEEDS_COMPILER,
    pytest.mark.skipif(not importlib.util.find_spec("unicorn"), reason="needs unicorn"),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    project = project_in(tmp_path_factory.mktemp("esp_idf"))
    options = ["--project", "esp-idf", "--board", BOARD, "--out", project]
    assert asc_tiny("generate", MODEL, *options) == 0
    return built(project, BOARD)


@pytest.fixture(scope="module")
def pcm() -> np.ndarray:
    """Samples that are two decisions."""
    return np.concatenate([played(), np.zeros(1000, np.int16)])


def test_hears_what_the_interface_gives(
    image: tuple[Path, str], pcm: np.ndarray, record: Record
) -> None:
    (path, without), board = image, catalog.get(BOARD)
    chip = Chip(path)
    chip.play(pcm)
    table = TABLE.read(board)
    assert chip.sound.rate() == board.microphone.nearest_rate(44100)
    assert chip.pins() == (table.bit_clock_pin, table.word_select_pin, table.data_pin)
    assert chip.lines() == ["selftest 0", *scenes(pcm)]
    assert "W (" not in chip.all()
    off_in_flash_writes = chip.core.word(chip.core.addresses["non_iram_int_mask"])
    assert not off_in_flash_writes >> chip.line() & 1
    done = Build(
        board=BOARD,
        model=MODEL.stem,
        release=f"ESP-IDF {release()}",
        compiler=compiler(LINKING_COMPILER),
        without=without,
        reached=RAN,
        emulator="Unicorn's RISC-V, with registers and ROM of ours",
        memory={**memory_use(path, board), "flash": path.with_suffix(".bin").stat().st_size},
    )
    record("esp-idf", done)


def test_samples_that_the_driver_loses_begin_a_new_clip(
    image: tuple[Path, str], pcm: np.ndarray
) -> None:
    """Its queue is full while the task that reads it is kept from doing so."""
    chip = Chip(image[0])
    parts: list[list[np.ndarray]] = [[]]
    core = chip.core

    def take(*_: object) -> None:
        count = core.get("A1")
        parts[-1].append(np.frombuffer(core.uc.mem_read(core.get("A0"), 2 * count), np.int16))

    core.hook(core.addresses["asc_listen_samples"], take)
    core.hook(core.addresses["asc_listen_gap"], lambda *_: parts.append([]))
    chip.sound.stream = pcm
    while chip.sound.heard < 10_000:
        chip.run(0.01)
    core.hold("i2s_channel_read", 0.06 * CLOCK_HZ)
    chip.play(pcm)
    before, after = (np.concatenate(part) for part in parts if part)
    heard = np.concatenate([pcm, np.zeros(44100, np.int16)])
    assert np.array_equal(before, heard[: len(before)])
    starts = [
        at for at in range(len(before), 44100) if np.array_equal(after[:64], heard[at : at + 64])
    ]
    assert len(starts) == 1 and starts[0] > len(before)
    assert np.array_equal(after, heard[starts[0] :][: len(after)])
    lost = [line for line in chip.lines() if line.startswith("overruns ")]
    assert len(lost) == 1 and lost[0].startswith("overruns 0 overflows ")
    assert [line for line in chip.lines() if line not in lost] == ["selftest 0", *scenes(after)]
