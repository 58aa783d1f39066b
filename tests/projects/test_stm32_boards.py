"""What the application for STM32 boards is made of: clocks of the SAI, and each board's facts.

The images with ST's own code are in ``tests/real/test_stm32_hal.py``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.boards.microphones import I2S_INMP441, STM32F4_PDM, STM32F7_CODEC
from asc_tiny.projects import i2s, sai, stm32
from support.commands import asc_tiny, refused
from support.paths import MODEL

USUAL = (8000, 11025, 16000, 22050, 32000, 44100, 48000)
OSCILLATORS = {"l4": (64e6, 344e6), "f7": (100e6, 432e6), "h7": (192e6, 836e6)}
"""Lowest and highest frequency of the audio PLL's oscillator in Hz: RM0351, RM0385, RM0433."""
INPUTS = {"l4": 4e6, "f7": 1e6, "h7": 2e6}


@pytest.mark.parametrize("family", OSCILLATORS)
def test_the_sai_gives_the_rates_of_the_microphone(family: str) -> None:
    lowest, highest = OSCILLATORS[family]
    for rate in (*USUAL, *map(int, I2S_INMP441.rates), 12345, 41667):
        found = sai.nearest(family, Fraction(rate))
        # The registers' own arithmetic, by the reference manuals.
        clock = INPUTS[family] * found.pll_n / found.pll_p / found.divider
        value = found.master_value
        divided = max(1, value if family == "h7" else 2 * value)
        assert clock / divided / 256 == pytest.approx(rate, rel=500e-6 if rate in USUAL else 2e-3)
        assert lowest <= INPUTS[family] * found.pll_n <= highest
        assert 0 <= value <= (63 if family == "h7" else 15)
        assert float(found.rate) == pytest.approx(clock / divided / 256)


def test_the_i2s_gives_the_rates_of_a_pdm_microphone() -> None:
    for rate in (*USUAL, *map(int, STM32F4_PDM.rates), 12345, 41667):
        found = i2s.nearest(Fraction(rate))
        # The registers' own arithmetic and its limits, by RM0090 and the data sheet.
        assert 192 <= found.pll_n <= 432 and 2 <= found.pll_r <= 7
        clock = found.pll_n * 1_000_000 // found.pll_r
        assert clock <= 192e6
        # As HAL_I2S_Init computes the prescaler, in integers.
        divider = (clock // 32 * 10 // found.frame_rate + 5) // 10
        assert divider == found.divider and 2 <= divider // 2 <= 255
        assert 1e6 <= clock / divider <= 3.25e6  # of the MP45DT02
        assert clock / divider / found.bits == pytest.approx(rate, rel=100e-6)


def test_a_reader_is_for_microphones_of_its_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "mine.toml"
    text = (catalog._FOLDER / "stm32f4_disco.toml").read_text(encoding="utf-8")
    board.write_text(text.replace("stm32f4_pdm", "i2s_inmp441"))
    options = ["--project", "stm32cubeide", "--board", board, "--out", tmp_path / "out"]
    line = refused(capsys, "generate", MODEL, *options)
    assert "stm32cube.reader = 'i2s' reads a microphone of kind pdm, not i2s" in line


def test_boards_with_a_table_have_what_their_rates_need() -> None:
    assert set(map(int, STM32F7_CODEC.rates)) <= set(stm32._CODEC_RATES)
    for name in stm32.TABLE.boards:
        board = catalog.get(name)
        stm32.check(board)
        assert board.tables["platformio"]["framework"] == "stm32cube"


@pytest.mark.parametrize("kind", ["platformio", "stm32cubeide"])
def test_the_readers_of_boards(kind: str, tmp_path: Path) -> None:
    expected = {
        "nucleo_f746zg": ("SAI_HandleTypeDef", "SCB_InvalidateDCache_by_Addr", "0xE0001FB0u"),
        "nucleo_h743zi": ("(int32_t *)(uintptr_t)0x30000000u", "D2SRAM1", "0xE0001FB0u"),
        "nucleo_l496zg": ("SAI_HandleTypeDef", "HAL_SAI_Abort"),
        "stm32f4_disco": ("I2S_HandleTypeDef", "asc_pdm_init(&pdm)", "HAL_I2S_DMAStop"),
        "stm32f746g_disco": ("#define ASC_APP_SHIFT 0u", "SCB_InvalidateDCache_by_Addr"),
    }
    for board, texts in expected.items():
        out = tmp_path / board
        assert asc_tiny("generate", MODEL, "--project", kind, "--board", board, "--out", out) == 0
        (source,) = out.glob("*/asc_app.c")
        text = source.read_text(encoding="utf-8")
        assert all(each in text for each in texts), board
        assert ("DCache" in text) == board.startswith(("nucleo_f", "nucleo_h", "stm32f7"))
        assert (source.parent / "asc_codec.c").is_file() == (board == "stm32f746g_disco")
        assert len([*out.rglob("asc_pdm.c")]) == (board == "stm32f4_disco")
        readme = (out / "README.md").read_text(encoding="utf-8")
        assert ("serial adapter" in readme) == (board == "stm32f4_disco")
    if kind == "platformio":
        start_up = (tmp_path / "stm32f4_disco/src/main.c").read_text(encoding="utf-8")
        priority = dict(re.findall(r"SetPriority\((\w+)_IRQn, (\d), 0\)", start_up))
        assert priority["USART2"] < priority["DMA1_Stream3"] == priority["SPI2"]
        settings = (tmp_path / "nucleo_h743zi/platformio.ini").read_text(encoding="utf-8")
        assert "-D HSE_VALUE=8000000U" in settings and "memory.ld" in settings
        script = (tmp_path / "nucleo_h743zi/memory.ld").read_text(encoding="utf-8")
        assert "RAM : ORIGIN = 0x24000000, LENGTH = 0x80000" in script
        script = (tmp_path / "nucleo_f746zg/memory.ld").read_text(encoding="utf-8")
        assert "RAM : ORIGIN = 0x20000000, LENGTH = 0x50000" in script


def test_a_rate_that_the_codec_does_not_have_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board, frontend = tmp_path / "mine.toml", tmp_path / "frontend.toml"
    text = (catalog._FOLDER / "stm32f746g_disco.toml").read_text(encoding="utf-8")
    board.write_text(text.replace("stm32f7_wm8994", "i2s_inmp441"))
    frontend.write_text("sample_rate = 20000\nclip_samples = 20000\nhop = 465\nf_max = 10000\n")
    options = ["--frontend", frontend, "--project", "stm32cubeide", "--board", board]
    line = refused(capsys, "generate", MODEL, *options, "--out", tmp_path / "out")
    assert "stm32cube.codec: gives 8000, 11025" in line and "not 20000" in line
