"""Zephyr's own kernel and driver of Nordic's PDM interface, on an nRF52840 that hears a clip.

The image is the one that would be flashed. It runs on a core that Unicorn emulates, among registers
of ours (``support.nrf52840``), if there is the package unicorn; ``ZEPHYR_BASE`` as in
``test_zephyr.py``.
"""

from __future__ import annotations

import importlib.util
import os
import re
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
from support.serial_requests import check_a_port
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


def told(lines: list[str]) -> list[str]:
    """Return lines, those of Zephyr's log without time, color and text: severity and module."""
    return [
        re.sub(r"^\[[\d:.,]+\] (?:\x1b\[[\d;]*m)?(<\w+> \w+): .+$", r"\1", line) for line in lines
    ]


def test_starts_again_where_the_driver_finds_no_buffer(image: Path, pcm: np.ndarray) -> None:
    """The driver logs what happened; its messages stand between whole lines."""
    chip = Chip(image)
    chip.fail_once("k_mem_slab_alloc", -12, at_sample=10_000)
    chip.play(pcm)
    (began,) = chip.pdm.begins[1:]
    assert 10_000 < began < 20_000
    heard = np.append(pcm, np.zeros(chip.pdm.heard - len(pcm), pcm.dtype))
    _, *lines = told(chip.lines())
    error = "<err> dmic_nrfx_pdm"
    restarted = [error, "overruns 0 restarts 1", error]
    assert lines == ["selftest 0", *restarted, *scenes(heard[began:], RATE)]


def test_reports_a_fault_on_lines_of_its_own(image: Path, pcm: np.ndarray) -> None:
    """One that happens within a scene's line, of which the rest never comes."""
    chip = Chip(image)
    core = chip.core

    reasons = [4]  # a panic of the kernel

    def fault(*_: object) -> None:
        if reasons and chip.uart.printed.endswith(b"scene heli"):
            core.set("R0", reasons.pop())
            core.set("R1", 0)  # no registers to show
            core.set("PC", core.functions["z_fatal_error"] | 1)

    core.hook(core.functions["uarte_nrfx_poll_out"], fault)
    core.hook(core.functions["arch_system_halt"], core.halt)
    chip.pdm.stream = pcm
    while not core.halted:
        chip.run(0.05)
    _, *lines = told(chip.lines())
    assert lines[:2] == ["selftest 0", "scene heli\0"]
    assert len(lines) > 2
    assert set(lines[2:]) == {"<err> os"}


def test_answers_on_its_uart(image: Path, pcm: np.ndarray) -> None:
    def talk(pcm: np.ndarray, sent: bytes) -> bytes:
        chip = Chip(image)
        chip.pdm.stream = pcm
        while "selftest 0" not in chip.lines():
            chip.run(0.02)
        chip.uart.receive(sent)
        chip.play(pcm)
        return bytes(chip.uart.printed).partition(b"\n")[2]

    check_a_port(talk, pcm, RATE, selftest=False)
