"""Generated libraries built by Arduino's builder with the real cores, where these are.

``ARDUINO_HARDWARE`` is a folder as arduino-builder takes it by ``-hardware``: a core lies in
``VENDOR/ARCHITECTURE``, such as ``rp2040/rp2040`` (Arduino-Pico), ``arduino/mbed_nano``
(ArduinoCore-mbed) and ``STMicroelectronics/stm32`` (stm32duino). A core whose platform.txt names
a compiler that is not there needs a platform.local.txt beside it that names another one. Images
for the RP2040 run on rp2040js where ``RP2040JS`` and ``RP2040_BOOTROM`` are as in
``test_pico_sdk.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.projects.arduino import TABLE
from support import build_records
from support.arduino_cores import NEEDED, built, core_of
from support.build_records import LINKED, RAN, Record
from support.microphones import scenes
from support.paths import CLIPS, MODEL, MODELS

EMULATOR = ("RP2040JS", "RP2040_BOOTROM")

OWN = """
title = "Feather STM32F405 by stm32duino"
core = "Cortex-M4F"
core_flags = ["-mcpu=cortex-m4", "-mthumb"]
clock_hz = 168_000_000

[microphone]
kind = "i2s"
part = "a recording in flash"
rates = [44100]
source = "none"

[memory]
flash = { origin = 0x08000000, bytes = 0x100000 }
ram = { origin = 0x20000000, bytes = 0x20000 }

[arduino]
architectures = ["stm32"]
core = "STM32 MCU based boards"
package = "STMicroelectronics:stm32"
fqbn = "STMicroelectronics:stm32:GenF4:pnum=FEATHER_F405"
reader = "own"
"""

READER = """
#include "microphone.h"

#include <Arduino.h>
#include <asc_listen.h>

static const int16_t kRecording[] = {RECORDING};

static void bring() {
    static size_t brought;
    const size_t left = sizeof kRecording / sizeof kRecording[0] - brought;
    const size_t count = left < 256 ? left : 256;
    if (count > 0) {
        asc_listen_samples(kRecording + brought, count);
        brought += count;
    }
}

bool microphone_begin() {
    static HardwareTimer timer(TIM2);
    timer.setOverflow(172, HERTZ_FORMAT); /* 256 samples each */
    timer.attachInterrupt(bring);
    timer.resume();
    return kMicrophoneRate == 44100;
}
"""
"""What a user writes whose core has no library for a microphone."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(NEEDED not in os.environ, reason=f"needs {NEEDED}"),
]


@pytest.mark.parametrize("board", TABLE.boards)
def test_released_models_link_without_a_warning(board: str, tmp_path: Path, record: Record) -> None:
    core_of(board)
    for name in build_records.released():
        suffix = "toml" if name.startswith("ensemble") else "tflite"
        done = built(board, MODELS / f"{name}.{suffix}", tmp_path)
        record("arduino", done)


@pytest.mark.skipif(
    not (shutil.which("node") and all(name in os.environ for name in EMULATOR)),
    reason=f"needs node, {', '.join(EMULATOR)}",
)
def test_an_i2s_microphone_is_heard_on_the_emulated_chip(tmp_path: Path, record: Record) -> None:
    """By the core's I2S library, whose program has a frame of nothing before the first sample.

    Of that first one it takes the highest bit a clock early: twice the value.
    """
    done = built("rpi_pico", MODEL, tmp_path)
    clip = read_pcm(CLIPS[0], 44100).astype("<i2")
    (tmp_path / "heard").write_bytes(clip.tobytes())
    script = Path(__file__).with_name("rp2040.mjs")
    emulator, bootrom = (os.environ[name] for name in EMULATOR)
    image = tmp_path / "build" / "asc_scenes.ino.uf2"
    command = ["node", script, emulator, bootrom, image, "i2s:10,11,12", tmp_path / "heard", "12"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    heard = np.concatenate([np.array([0, 2 * clip[0]], np.int16), clip[1:]])
    assert lines[0] == "selftest 0"
    found = [line for line in lines if line.startswith("scene ")]
    assert found[:1] == scenes(heard)[:1]
    record("arduino", replace(done, reached=RAN, emulator="rp2040js"))


def test_a_reader_of_ones_own_links(tmp_path: Path) -> None:
    """By stm32duino, whose core has no library for a microphone: the user writes that part."""
    board, clip = tmp_path / "mine.toml", read_pcm(CLIPS[0], 44100)
    board.write_text(OWN)
    reader = READER.replace("RECORDING", ", ".join(map(str, clip)))
    done = built(str(board), MODEL, tmp_path / "library", {"microphone.cpp": reader})
    assert done.reached == LINKED and done.memory["flash"] > 2 * len(clip)
