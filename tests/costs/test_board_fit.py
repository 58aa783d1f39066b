"""What fits a board, against links by the real systems (tests/real/builds)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from asc_tiny import api
from asc_tiny.boards import catalog
from asc_tiny.costs.board_fit import Fit, fit
from asc_tiny.firmware.classifier import classifier
from asc_tiny.model.ensemble import load_model
from asc_tiny.projects import registry
from asc_tiny.projects.generator import Application
from asc_tiny.util.numbers import round_up
from support import build_records
from support.build_records import LINKED, OVERFLOWS, RAN, Build
from support.commands import asc_tiny
from support.paths import MODEL, MODELS

KINDS = [kind for kind in registry.NAMES if any(each.memory for each in build_records.read(kind))]


def links(kind: str) -> list[Build]:
    """Return the records of links of released models as they are, for boards with memory."""
    usual = ("", "--resample")
    return [each for each in build_records.read(kind) if each.memory and each.options in usual]


@cache
def estimated(model: str, board: str, kind: str) -> Fit:
    suffix = "toml" if model.startswith("ensemble") else "tflite"
    complete = classifier(load_model(MODELS / f"{model}.{suffix}"), runtime="aot")
    return fit(complete, catalog.BOARDS[board], kinds=[registry.get(kind)])


def lacks_memory(found: Fit, board: str, kind: str) -> bool:
    shortages = found.shortages(catalog.BOARDS[board], kind)
    return any("bytes of" in shortage for shortage in shortages)


@pytest.mark.parametrize("kind", KINDS)
def test_the_estimate_agrees_with_the_linker(kind: str) -> None:
    for build in links(kind):
        found = estimated(build.model, build.board, kind)
        overflows = build.reached == OVERFLOWS
        assert lacks_memory(found, build.board, kind) == overflows, (build.board, build.model)


@pytest.mark.parametrize("kind", KINDS)
def test_an_application_takes_what_the_largest_link_leaves(kind: str) -> None:
    """In whole KiB, at most one more of RAM and four of flash, to last for another link."""
    if not registry.get(kind).is_folder:
        pytest.skip("the application around drop-in sources is the user's")
    ram, flash = [], []
    for build in links(kind):
        parts, code = estimated(build.model, build.board, kind).needs()
        del parts["stack"]
        if "ram" in build.memory:
            ram.append(build.memory["ram"] - sum(parts.values()))
        if code and build.reached in (LINKED, RAN):
            flash.append(build.memory["flash"] - sum(code.values()))
    found = registry.get(kind).listening
    least = Application(round_up(max(ram), 1024), round_up(max(flash), 1024))
    assert found is not None, f"{kind} takes {least}"
    assert least.ram_bytes <= found.ram_bytes <= least.ram_bytes + 1024
    assert least.flash_bytes <= found.flash_bytes <= least.flash_bytes + 4096


def test_both_commands_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, board = MODELS / "ensemble1_esc10.toml", "disco_l475_iot1"
    what = (
        "needs 115,824 bytes of RAM (network 57,952, front end 16,912, audio 20,480, application "
        "20,480), has 98,304 in the region of its variables"
    )
    assert asc_tiny("boards", board, "--model", model) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1].endswith("no")
    assert f"board {board}: zephyr {what}" in printed.err.splitlines()
    options = ["--project", "zephyr", "--board", board, "--out", tmp_path / "project"]
    assert asc_tiny("generate", model, *options) == 0
    lines = capsys.readouterr().err.splitlines()
    advice = "another --board, or a model whose network needs at most 40,432 bytes of RAM"
    assert f"warning: board {board}: the project {what}; give {advice}" in lines


def test_tensorflow_lite_micro_needs_its_arena(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--project", "zephyr", "--board", "nrf52840dk", "--resample", "--runtime", "tflm"]
    for arena, warns in ((150_000, False), (200_000, True)):
        given = ["--tflm-arena", arena, "--out", tmp_path / str(arena)]
        assert asc_tiny("generate", MODEL, *options, *given) == 0
        told = capsys.readouterr().err
        assert ("bytes of RAM (network 200,000, " in told) == warns
        assert ("; give --runtime aot, or another --board, or" in told) == warns


SMALL = """core = "Cortex-M4F"
core_flags = ["-mcpu=cortex-m4"]
clock_hz = 80_000_000
like = "nrf52840dk"
microphone = "nrf_pdm"

[memory]
flash = { bytes = FLASH }
ram = { bytes = RAM }
"""


def small_board(folder: Path, ram: int, flash: int = 0x100000) -> Path:
    path = folder / "small.toml"
    path.write_text(SMALL.replace("RAM", str(ram)).replace("FLASH", str(flash)))
    return path


@pytest.mark.parametrize(
    ("ram", "flash", "option"),
    [
        pytest.param(78_000, 0x100000, "--schedule streaming", marks=pytest.mark.slow),
        # Without the network the RAM is not enough, either; and no option makes the flash enough.
        (49_000, 0x100000, None),
        (0x40000, 60_000, None),
    ],
)
def test_an_option_is_named_only_if_the_model_fits_with_it(
    ram: int, flash: int, option: str | None, tmp_path: Path
) -> None:
    board = api.load_board(str(small_board(tmp_path, ram, flash)))
    found = api.fit_boards(MODEL, [board])["small"]
    assert list(found.shortages(board, "zephyr")) and found.remedies.get("zephyr") == option


def test_generate_names_an_option_with_which_it_says_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_board(tmp_path, 90_000)
    generate = ["generate", MODEL, "--project", "zephyr", "--board", path, "--resample"]
    assert asc_tiny(*generate, "--out", tmp_path / "one", "--schedule", "layers") == 0
    advice = "; give no --schedule layers, or another --board, or a model whose network needs at"
    assert f"{advice} most 40,112 bytes of RAM" in capsys.readouterr().err
    assert asc_tiny(*generate, "--out", tmp_path / "two") == 0
    assert "bytes of RAM" not in capsys.readouterr().err


@pytest.mark.slow
def test_a_board_says_what_generate_can_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asc_tiny("boards", small_board(tmp_path, 78_000), "--model", MODEL) == 0
    told = "; it fits by `asc-tiny generate` with --schedule streaming"
    assert told in capsys.readouterr().err


def test_a_network_alone_counts_what_its_own_application_takes() -> None:
    board = catalog.BOARDS["nrf52840dk"]
    kind = registry.get("zephyr")
    alone, listening = kind.application(board, False), kind.application(board, True)
    assert alone and listening
    assert alone.ram_bytes < listening.ram_bytes and alone.flash_bytes < listening.flash_bytes


def test_the_decimator_of_a_pdm_microphone_counts() -> None:
    """As tests/runtime/test_pdm_cores.py counts its instructions and bytes, within 1 %."""
    found = estimated(MODEL.stem, "stm32f4_disco", "platformio")
    assert found.instructions_per_s["decimator"] == pytest.approx(1029 * 44100, rel=0.01)
    assert found.ram_bytes["decimator"] == 1088
    assert found.flash_bytes["decimator"] == pytest.approx(2072, rel=0.01)
    assert "decimator" not in estimated(MODEL.stem, "disco_l475_iot1", "platformio").ram_bytes


def test_what_is_not_known_of_a_board_is_not_too_little(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('core = "x"\ncore_flags = ["-mcpu=cortex-m4"]\nram_bytes = 65536\n')
    board = api.load_board(str(path))
    found = api.fit_boards(MODEL, [board])["mine"]
    assert found.flash_bytes and not list(found.shortages(board))


@pytest.mark.parametrize(
    ("march", "is_known"),
    [
        ("rv32imc", True),
        ("rv32imac", True),
        ("rv32gc", True),
        ("rv32imc_zba_zbb", True),
        ("rv32ic_zmmul", False),
        ("rv32emc", False),
        ("rv64imac", False),
    ],
)
def test_a_riscv_core_with_more_instructions_costs_what_one_with_fewer_does(
    march: str, is_known: bool, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    flags = f'["-march={march}", "-mabi=ilp32"]'
    path.write_text(f'core = "x"\ncore_flags = {flags}\nram_bytes = 65536\nclock_hz = 80_000_000\n')
    board = api.load_board(str(path))
    found = api.fit_boards(MODEL, [board])["mine"]
    known = estimated("mobilenet_esc10", "virt-rv32", "cmake")
    assert found.flash_bytes == (known.flash_bytes if is_known else {})
    assert found.instructions_per_s == (known.instructions_per_s if is_known else {})


def test_a_kind_that_was_not_measured_counts_the_stack_alone() -> None:
    board = catalog.BOARDS["nrf52840dk"]
    found = Fit(
        {"network": 1000, "stack": 8192}, {"code": 10}, applications={"zephyr": Application(5, 6)}
    )
    assert found.needs() == ({"network": 1000, "stack": 8192}, {"code": 10})
    assert found.needs("cmsis") == found.needs()
    assert found.needs("zephyr") == (
        {"network": 1000, "application": 5},
        {"code": 10, "application": 6},
    )
    assert found.fits(board, "zephyr")
    slow = Fit({"network": 1}, cpu_share=1.2)
    assert list(slow.shortages(board)) == ["needs 120% of the core's time"]
