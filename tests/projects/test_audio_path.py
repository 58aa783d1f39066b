"""From a board's microphone to a model: rates, resampler, warnings, and what is generated."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.firmware.classifier import Classifier, classifier
from asc_tiny.model.model_file import load
from asc_tiny.projects.audio_path import audio_path
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny, refused
from support.native import FLAGS, compile_for, shared_library
from support.paths import MODEL, ROOT
from support.resampling import response

WITH_MICROPHONE = [name for name, board in catalog.BOARDS.items() if board.microphone]
NANO = "nano33ble_sense"


def model(rate: int = 44100, f_max: float | None = None) -> Classifier:
    """The released model as if its front end had another rate."""
    complete = classifier(load(MODEL), runtime="aot")
    frontend = dataclasses.replace(
        complete.frontend, sample_rate=rate, clip_samples=2 * rate, f_max=f_max or rate / 2
    )
    return dataclasses.replace(complete, frontend=frontend)


def htk_edges(f_max: float, count: int = 256) -> np.ndarray:
    """Band edges in Hz, by the formula in the documentation."""
    mel = np.linspace(0.0, 2595.0 * np.log10(1.0 + f_max / 700.0), count + 2)
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def test_the_nano_cannot_give_44100_hz() -> None:
    with pytest.raises(AscError) as refusal:
        audio_path(model(), catalog.get(NANO))
    line = str(refusal.value)
    for part in (NANO, "16000 or 41667 Hz", "44100 Hz", "--resample (from 41667 Hz)", "train for"):
        assert part in line
    assert "\n" not in line


def test_a_board_without_a_microphone_has_nothing_to_resample() -> None:
    with pytest.raises(AscError, match=r"^board host: has no microphone; leave --resample out, or"):
        audio_path(model(), catalog.get("host"), resample=True)
    assert audio_path(model(), catalog.get("host")).microphone_rate == 44_100


def test_the_nano_with_a_resampler() -> None:
    path = audio_path(model(), catalog.get(NANO), resample=True)
    assert path.microphone_rate == Fraction(125_000, 3)
    assert path.resampler and (path.resampler.up, path.resampler.down) == (18, 17)
    edges, nyquist = htk_edges(22050.0), 125_000 / 6
    empty = np.flatnonzero(edges[:-2] >= nyquist)
    weak = np.flatnonzero((edges[2:] > 0.9 * nyquist) & (edges[:-2] < nyquist))
    (line,) = path.warnings
    assert f"mel bands {weak[0]} to {weak[-1]} " in line
    assert f"mel bands {empty[0]} to {empty[-1]} " in line
    assert "train for 16000 or 41667 Hz" in line


def test_a_16_khz_rate_leaves_the_bands_above_8_khz_empty() -> None:
    """A board whose microphone gives 16 kHz only."""
    microphone = dataclasses.replace(catalog.get(NANO).microphone, rates=(Fraction(16000),))
    board = dataclasses.replace(catalog.get(NANO), microphone=microphone)
    path = audio_path(model(), board, resample=True)
    edges = htk_edges(22050.0)
    first = int(np.flatnonzero(edges[:-2] >= 8000.0)[0])
    assert f"mel bands {first} to 255 (from {edges[first]:.0f} Hz) stay empty" in path.warnings[0]
    assert 8000.0 <= edges[first] < 8200.0


@pytest.mark.parametrize(
    ("board", "rate"),
    [
        (NANO, 16000),
        (NANO, 41667),
        ("nrf52840dk", 16000),
        ("nrf5340dk", 20833),
        ("disco_l475_iot1", 44100),
        ("stm32l496g_disco", 48000),
        ("esp32c3_devkitm", 44100),
        ("rpi_pico", 31415),
        ("host", 44100),
        ("mps2-an386", 44100),
    ],
)
def test_rates_that_need_no_resampler(board: str, rate: int) -> None:
    for resample in (False, catalog.get(board).microphone is not None):
        path = audio_path(model(rate), catalog.get(board), resample=resample)
        assert path.resampler is None and path.warnings == ()
        assert abs(path.microphone_rate / rate - 1) <= 500e-6


@pytest.mark.parametrize(
    ("board", "rate", "microphone"),
    [
        (NANO, 8000, 16000),
        (NANO, 22050, Fraction(125_000, 3)),
        (NANO, 48000, Fraction(125_000, 3)),
        ("nrf52840dk", 18000, Fraction(32_000_000, 26 * 64)),
        ("nrf52840dk", 44100, Fraction(32_000_000, 24 * 64)),
        ("disco_l475_iot1", 12000, 16000),
    ],
)
def test_the_lowest_rate_that_loses_nothing(board: str, rate: int, microphone: Fraction) -> None:
    assert audio_path(model(rate), catalog.get(board), resample=True).microphone_rate == microphone


def test_resamplers_of_all_boards_meet_their_figures() -> None:
    resamplers = {}
    for name in WITH_MICROPHONE:
        for rate in (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000):
            resampler = audio_path(model(rate), catalog.get(name), resample=True).resampler
            if resampler:
                resamplers[resampler.up, resampler.down] = resampler
    assert len(resamplers) >= 10
    for resampler in resamplers.values():
        share, gain = response(resampler)
        assert np.abs(gain[share <= 0.45]).max() <= 0.001, resampler
        assert gain[share >= 0.55].max() <= -81.0, resampler
        assert resampler.table_bytes <= 20_000, resampler
        assert abs(resampler.clock_error) <= 500e-6, resampler


def test_no_warning_where_the_model_listens_below_what_is_lost() -> None:
    assert audio_path(model(f_max=16000.0), catalog.get(NANO), resample=True).warnings == ()


def test_a_board_without_microphone_has_nothing_to_resample() -> None:
    with pytest.raises(AscError, match="no microphone"):
        audio_path(model(), catalog.get("host"), resample=True)


@pytest.mark.parametrize("name", WITH_MICROPHONE)
def test_microphones_are_described(name: str) -> None:
    microphone = catalog.get(name).microphone
    assert microphone and microphone.kind in ("pdm", "i2s")
    assert list(microphone.rates) == sorted(set(microphone.rates))
    assert microphone.source and microphone.bits >= 16


def test_pdm_rates_of_nordic_chips_follow_from_the_clocks_of_the_data_sheet() -> None:
    clocks = (1.000, 1.032, 1.067, 1.231, 1.280, 1.333)
    expected = {clock * 1e6 / ratio for clock in clocks for ratio in (64, 80)}
    microphone = catalog.get("nrf52840dk").microphone
    assert microphone
    for rate in microphone.rates:
        assert min(abs(float(rate) / wanted - 1.0) for wanted in expected) < 1e-3
    assert Fraction(16000) in microphone.rates


def test_generate_refuses_and_offers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (MODEL, "--out", tmp_path / "out", "--project", "sources", "--board", NANO)
    assert "--resample" in refused(capsys, "generate", *arguments)
    assert not (tmp_path / "out").exists()


def test_generate_refuses_a_cmake_project_for_a_board_without_platform(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (MODEL, "--out", tmp_path / "out", "--board", "rpi_pico")
    assert "--project cmake" in refused(capsys, "generate", *arguments)
    assert not (tmp_path / "out").exists()


def test_generate_with_resampler(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--project", "sources", "--board", NANO, "--resample", "--prefix", "scene")
    assert asc_tiny("generate", MODEL, "--out", tmp_path, *arguments) == 0
    text = capsys.readouterr().err
    assert "stay empty" in text and "18/17" in text and "400 ppm" in text
    header = (tmp_path / "scene_resample_tables.h").read_text()
    assert "#define SCENE_RESAMPLE_MICROPHONE_RATE 41667\n" in header
    assert "#define SCENE_RESAMPLE_RATE 44100\n" in header
    library = shared_library(tmp_path)
    assert library.scene_resample and library.scene_audio_take
    if shutil.which("arm-none-eabi-gcc"):
        compile_for("cortex-m4", tmp_path)


def test_sources_hold_the_double_buffer_and_no_resampler(tmp_path: Path) -> None:
    assert asc_tiny("generate", MODEL, "--out", tmp_path, "--project", "sources") == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"asc_audio.c", "asc_audio.h"} <= names
    assert not any("resample" in name for name in names)


def test_boards_lists_microphones(capsys: pytest.CaptureFixture[str]) -> None:
    assert asc_tiny("boards", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["boards"]}
    assert rows["host"]["microphone"] is None
    assert rows[NANO]["microphone"]["rates"] == [16000.0, 41666.67]
    assert asc_tiny("boards") == 0
    assert "16000 or 41667 Hz" in capsys.readouterr().out


def test_the_example_of_the_documentation_compiles(tmp_path: Path) -> None:
    arguments = ("--project", "sources", "--board", NANO, "--resample")
    assert asc_tiny("generate", MODEL, "--out", tmp_path, *arguments) == 0
    text = (ROOT / "docs" / "explanation" / "audio.md").read_text()
    example = text.split("```c\n")[1].split("```")[0]
    around = (
        '#include "asc_audio.h"\n#include "asc_classifier.h"\n#include "asc_resample.h"\n'
        "void start_dma(int16_t *to, size_t count);\nvoid wait_for_interrupt(void);\n"
        "void classify(const int16_t *pcm, size_t count);\n"
        "void dma_complete(void);\nvoid listen(void);\nvoid start(void);\n"
    )
    start = (
        "void start(void) {\n    if (asc_init(&classifier) == ASC_NET_OK) {\n"
        "        asc_audio_init(&audio);\n        asc_resample_init(&resampler);\n    }\n}\n"
    )
    (tmp_path / "example.c").write_text(around + example + start)
    command = ["cc", *FLAGS, "-c", tmp_path / "example.c", "-o", tmp_path / "example.o"]
    subprocess.run(command, check=True)
