"""How many samples wait while a network runs: by hand, and in generated projects."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model import model_file
from asc_tiny.projects.audio_buffering import backlog, column_macs, macs
from support.commands import asc_tiny
from support.paths import MODEL


@pytest.mark.parametrize(
    ("work", "most"),
    [
        ([2, 2, 2], 2),
        ([0, 0, 9], 9),
        ([4, 4, 1], 5),
        # What is left of a window waits when the next one comes: 5 - 3 and 4.
        ([4, 0, 5], 6),
    ],
)
def test_backlog_by_hand(work: list[float], most: float) -> None:
    """With 3 done until the next column."""
    assert backlog(work, 3) == most


def test_columns_share_the_work_of_a_window() -> None:
    model = model_file.load(MODEL)
    by_column = column_macs(compile_network(model, Options(schedule="time")))
    assert len(by_column) == 36
    # Some pixels are computed twice, to save the rows that they are in.
    assert macs(model) < sum(by_column) < 1.2 * macs(model)
    assert max(by_column) < macs(model) / 4


def blocks(folder: Path, *options: str) -> int:
    """Return how many blocks the STM32L475 of a project, at 80 MHz, keeps."""
    command = ("generate", MODEL, "--project", "stm32cubeide", "--out", folder, *options)
    assert asc_tiny(*command) == 0
    header = (folder / "asc" / "asc_audio.h").read_text()
    (found,) = re.findall(r"^#define ASC_AUDIO_BLOCKS (\d+)u", header, re.MULTILINE)
    return int(found)


def test_fewer_blocks_wait_for_columns(tmp_path: Path) -> None:
    """A block takes 23.2 ms; 3.97 million MACs at most 149 ms, a column's less than one block."""
    assert blocks(tmp_path / "whole") == 2 + 7
    assert blocks(tmp_path / "time", "--schedule", "time") == 2 + 1


@pytest.mark.parametrize(
    ("board", "expected"), [("nucleo_l496zg", 2 + 7), ("esp32c3_devkitm", 2 + 13)]
)
def test_more_blocks_wait_where_a_product_takes_longer(
    board: str, expected: int, tmp_path: Path
) -> None:
    """3.97 million MACs: 149 ms of 3 cycles at 80 MHz, 298 ms of 12 on RISC-V at 160 MHz."""
    command = ("generate", MODEL, "--project", "sources", "--board", board, "--out", tmp_path)
    assert asc_tiny(*command) == 0
    header = (tmp_path / "asc_audio.h").read_text()
    (found,) = re.findall(r"^#define ASC_AUDIO_BLOCKS (\d+)u", header, re.MULTILINE)
    assert int(found) == expected
