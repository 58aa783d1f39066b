"""Boards: the files that come with the tool, and those of users."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from ensemble_models import MODEL, asc_tiny

from asc_tiny.errors import AscError
from asc_tiny.targets import boards, project

FILES = sorted(boards._FOLDER.glob("*.toml"))
ASKED = {
    *("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"),
    *("nano33ble_sense", "nrf52840dk", "nrf5340dk", "nucleo_l496zg", "stm32l496g_disco"),
    *("disco_l475_iot1", "nucleo_f746zg", "stm32f746g_disco", "rpi_pico", "rpi_pico2"),
    "esp32s3_devkitc",
}


def test_boards_are_there_each_with_its_source() -> None:
    assert set(boards.BOARDS) >= ASKED
    for board in boards.BOARDS.values():
        assert board.title
        assert board.name == boards.HOST or board.source
        if board.microphone:
            assert board.flash and board.clock_hz and board.baud


def test_a_users_board_goes_with_the_project(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    text = (boards._FOLDER / "mps2-an386.toml").read_text()
    mine.write_text(text.replace("ram_bytes = 0x400000", "ram_bytes = 0x20000"))
    out = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--out", out, "--board", mine) == 0
    mine.unlink()
    loaded = project.load(out)
    assert (loaded.board.name, loaded.board.ram_bytes) == ("mine", 0x20000)
    assert "LENGTH = 0x00020000" in (out / "platform" / "link.ld").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "core is missing"),
        ('core = "x"\nsped = 1', "unknown key sped, allowed: name, title, core"),
        ("core = 1", "core = 1, must be a text"),
        ('core = "x"\nclock_hz = -1', "clock_hz = -1, must be a whole number of 0 or more"),
        ('core = "x"\nclock_hz = true', "clock_hz = True, must be a whole number of 0 or more"),
        ('core = "x"\ntoolchain = "avr"', "toolchain = 'avr', allowed: native, none, arm, riscv"),
        ('core = "x"\nmicrophone = "none"', "microphone = 'none', allowed: i2s_inmp441"),
        ('core = "x"\ncore_flags = "-m"', "core_flags = '-m', must be a list of texts"),
        ('core = "x"\n[flash]\ntool = "dd"\ntarget = "x"', "flash = 'dd', allowed tools: arduino"),
        ('core = "x"\n[flash]\ntool = "uf2"', "flash = "),
        ('core = "x"\n[microphone]\nkind = "pdm"\nrates = []', "microphone = rates: at least one"),
        ('core = "x"\nmachine = "y"', "machine y needs a toolchain with an emulator"),
        ("core = ", "board.toml"),
    ],
)
def test_a_bad_file_is_one_clear_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(AscError) as error:
        boards.get(str(path))
    assert str(path) in str(error.value) and message in str(error.value)


def test_a_microphone_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    table = 'kind = "i2s"\npart = "y"\nsource = "z"\nrates = [16000, "125000/3"]'
    path.write_text(f'core = "x"\n[microphone]\n{table}\n')
    microphone = boards.get(str(path)).microphone
    assert microphone is not None
    assert microphone.rates == (Fraction(16000), Fraction(125000, 3))


def test_list_in_json(capsys) -> None:
    assert asc_tiny("boards", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["boards"]
    assert {row["name"] for row in rows} == set(boards.BOARDS)
