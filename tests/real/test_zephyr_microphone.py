"""Zephyr's own kernel and driver of Nordic's PDM interface, on an nRF52840 that hears a clip.

The image is the one that would be flashed. It runs on a core that Unicorn emulates, among registers
of ours (``support.nrf52840``), if there is the package unicorn; ``ZEPHYR_BASE`` as in
``test_zephyr.py``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.zephyr import TABLE
from support.build_records import RAN, Build, Record, memory_use
from support.microphones import played, scenes
from support.nrf52840.chip import Chip
from support.paths import MODEL
from support.zephyr import build, compiler, generate, release, target_of

BOARD = "nrf52840dk"
RATE = catalog.get(BOARD).microphone.nearest_rate(44100)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif("ZEPHYR_BASE" not in os.environ, reason="needs Zephyr: ZEPHYR_BASE"),
    pytest.mark.skipif(not shutil.which("dtc"), reason="needs dtc"),
    pytest.mark.skipif(not importlib.util.find_spec("unicorn"), reason="needs unicorn"),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = generate(tmp_path_factory.mktemp("zephyr") / "project", BOARD)
    image, overflow = build(project, target_of(BOARD))
    assert not overflow
    return image


@pytest.fixture(scope="module")
def pcm() -> np.ndarray:
    """Samples that are three decisions at the microphone's rate."""
    return played()[:70_000]


def pin(name: str) -> int:
    """Return the number of a pin such as P1.02."""
    port, number = name.removeprefix("P").split(".")
    return 32 * int(port) + int(number)


def test_hears_what_the_interface_gives(image: Path, pcm: np.ndarray, record: Record) -> None:
    chip = Chip(image)
    chip.play(pcm)
    board = catalog.get(BOARD)
    table = TABLE.read(board)
    assert chip.pdm.rate() == RATE
    assert chip.pdm.pins() == (pin(table.clock_pin), pin(table.data_pin))
    banner, *lines = chip.lines()
    assert banner.startswith("*** Booting Zephyr")
    assert lines == ["selftest 0", *scenes(pcm, RATE)]
    done = Build(
        board=BOARD,
        model=MODEL.stem,
        release=release(),
        compiler=compiler(image.parents[1]),
        options="--resample",
        reached=RAN,
        emulator="Unicorn's Cortex-M4, with registers of ours",
        memory=memory_use(image, board),
    )
    record("zephyr", done)
