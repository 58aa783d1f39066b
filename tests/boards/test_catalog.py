"""Boards: the files that come with the tool, and those of users."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.costs.board_fit import Fit, fit
from asc_tiny.firmware.classifier import classifier
from asc_tiny.model.ensemble import load_model
from asc_tiny.projects import manifest_reader, registry
from asc_tiny.targets.build import project
from asc_tiny.targets.image import bench
from asc_tiny.util.errors import AscError
from support import own_boards
from support.commands import asc_tiny
from support.hostile_models import FRONTEND, with_metadata
from support.paths import MODEL

FILES = sorted(catalog._FOLDER.glob("*.toml"))
ASKED = {
    *("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"),
    "netduinoplus2",
    *(
        "nano33ble_sense",
        "nano33ble_sense_rev2",
        "nrf52833dk",
        "nrf52840dk",
        "nrf5340dk",
        "nucleo_l496zg",
        "stm32l496g_disco",
    ),
    *(
        "disco_l475_iot1",
        "nucleo_f746zg",
        "nucleo_h743zi",
        "stm32f4_disco",
        "stm32f746g_disco",
        "rpi_pico",
        "rpi_pico2",
    ),
    *("esp32c3_devkitm", "esp32c6_devkitc"),
}


def test_boards_are_there_each_with_its_source() -> None:
    assert set(catalog.BOARDS) >= ASKED
    for board in catalog.BOARDS.values():
        assert board.title
        assert board.name == catalog.HOST or board.source
        if board.microphone:
            assert board.clock_hz and board.baud
            # Of drop-in sources alone the user's own system makes the image, and flashes it.
            assert board.flash or not board.own_tables


def test_a_users_board_goes_with_the_project(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    text = (catalog._FOLDER / "mps2-an386.toml").read_text()
    mine.write_text(re.sub("(?m)^(ram = .*)bytes = 0x400000", r"\1bytes = 0x20000", text))
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
        ('core = "x"\nsped = 1', "unknown key sped, allowed: baud, clock_hz, core"),
        ("core = 1", "core = 1, must be a text"),
        ('core = "x"\nclock_hz = -1', "clock_hz = -1, allowed: 0 to 4294967295"),
        ('core = "x"\nclock_hz = true', "clock_hz = True, must be a whole number"),
        ('core = "x"\ntoolchain = "avr"', "toolchain = 'avr', allowed: native, none, arm, riscv"),
        ('core = "x"\nmicrophone = "none"', "microphone = 'none', allowed: i2s_inmp441"),
        ('core = "x"\ncore_flags = "-m"', "core_flags: '-m', allowed: options of the compiler"),
        ('core = "x"\n[flash]\ntool = "dd"\ntarget = "x"', "flash.tool = 'dd', allowed: arduino"),
        ('core = "x"\n[flash]\ntool = "uf2"', "flash.target is missing"),
        ('core = "x"\n[microphone]\nkind = "pdm"\nrates = []', "microphone.rates: at least one"),
        ('core = "x"\nmachine = "y"', "machine y needs a toolchain with an emulator"),
        ("core = ", "board.toml"),
    ],
)
def test_a_bad_file_is_one_clear_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(AscError) as error:
        catalog.get(str(path))
    assert str(path) in str(error.value) and message in str(error.value)


MEMORY = """
[memory]
flash = { origin = 0x8000000, bytes = 0x100000 }
ram = { origin = 0x20000000, bytes = 0x18000 }
ram2 = { origin = 0x10000000, bytes = 0x8000 }
"""


def test_regions_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text('core = "x"\n' + MEMORY)
    board = catalog.get(str(path))
    assert (board.flash_bytes, board.ram_bytes) == (0x100000, 0x18000 + 0x8000)
    assert (board.ram_region.origin, board.ram_region.bytes) == (0x20000000, 0x18000)
    only_first = "\n".join(MEMORY.splitlines()[:-1])
    path.write_text('core = "x"\n' + only_first)
    regions = catalog.get(str(path)).memory
    # As files said it before there were regions.
    old = ["flash_origin = 0x8000000", "flash_bytes = 0x100000", "ram_origin = 0x20000000"]
    path.write_text("\n".join(['core = "x"', *old, "ram_bytes = 0x18000"]))
    assert catalog.get(str(path)).memory == regions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ram_bytes = 1.5", "ram_bytes = 1.5, must be a whole number"),
        ("ram_origin = -1", "ram_origin = -1, allowed: 0 to 4294967295"),
        ("memory = 3", "memory = 3, must be a table"),
        ("[memory]\nram = 3", "memory.ram = 3, must be a table"),
        (
            "[memory]\nrom = {bytes = 1}",
            "unknown key memory.rom, allowed: flash, flash2, ram, ram2",
        ),
        ("[memory]\nram = {origin = 1}", "memory.ram.bytes is missing"),
        ("[memory]\nram = {bytes = -1}", "memory.ram.bytes = -1, allowed: 0 to 4294967295"),
        ("[memory]\nram = {bytes = 1, size = 2}", "unknown key memory.ram.size, allowed: bytes"),
        (
            "[memory]\nram = {origin = 0xffffffff, bytes = 2}",
            "memory.ram.bytes: the region ends at",
        ),
        ("ram_bytes = 1\n[memory]\nram = {bytes = 1}", "memory and keys such as flash_bytes"),
    ],
)
def test_bad_regions(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(f'core = "x"\n{text}')
    with pytest.raises(AscError) as error:
        catalog.get(str(path))
    assert str(error.value).startswith(f"{path}: {message}")


def test_variables_must_fit_into_one_region() -> None:
    """The tools link them into the first one; 110 KiB are no more than 96 and 32."""
    board = catalog.get("disco_l475_iot1")
    assert board.ram_bytes == 128 * 1024
    assert not Fit({"network": 110 * 1024}).fits(board)
    assert Fit({"network": 90 * 1024}).fits(board)


def test_a_microphone_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    table = 'kind = "i2s"\npart = "y"\nsource = "z"\nrates = [16000, "125000/3"]'
    path.write_text(f'core = "x"\n[microphone]\n{table}\n')
    microphone = catalog.get(str(path)).microphone
    assert microphone is not None
    assert microphone.rates == (Fraction(16000), Fraction(125000, 3))


def test_list_in_json(capsys) -> None:
    assert asc_tiny("boards", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["boards"]}
    assert set(rows) == set(catalog.BOARDS)
    row = rows["nrf52840dk"]
    assert (row["flash_tool"], row["flash_target"]) == ("pyocd", "nrf52840")
    assert (row["clock_hz"], row["baud"], row["machine"]) == (64_000_000, 115_200, None)
    assert row["projects"] == ["sources", "zephyr"]
    assert rows["mps2-an386"]["machine"] == "mps2-an386"
    assert all("sources" in row["projects"] for row in rows.values())


def test_list_for_people(tmp_path: Path, capsys) -> None:
    assert asc_tiny("boards") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * len(catalog.BOARDS)
    (number,) = [i for i, line in enumerate(lines) if line.startswith("rpi_pico ")]
    assert lines[number].split() == [
        *("rpi_pico", "Cortex-M0+", "125", "264", "2048", "uf2:", "RPI-RP2"),
        *("arduino,", "pico-sdk,", "sources"),
    ]
    assert lines[number + 1].strip().startswith("Raspberry Pi Pico; to connect: I2S")
    assert asc_tiny("boards", "rpi_pico", "nano33ble_sense", "mps2-an386") == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if "asc-tiny flash" in line] == [
        "flash a project (arduino, pico-sdk): asc-tiny flash DIR",
        "flash any image: asc-tiny flash --board rpi_pico --image FILE.uf2 [--probe VOLUME]",
        "flash a project (arduino, platformio): asc-tiny flash DIR --port PORT",
        "switch a project on (cmake): asc-tiny flash DIR",
    ]
    mine = tmp_path / "mine.toml"
    mine.write_text('core = "Z80"\nram_bytes = 65536\n')
    assert asc_tiny("boards", mine) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["mine", "Z80", "-", "64"]


@pytest.mark.parametrize(
    "board",
    [each for each in catalog.BOARDS.values() if each.name != "host"],
    ids=lambda board: board.name,
)
def test_every_board_shows_what_programs_it(board: catalog.Board, capsys) -> None:
    """A line for each kind of project, as ``flash`` takes it, and for an image of any program."""
    assert asc_tiny("boards", board.name) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    if board.machine:
        assert "switch a project on (cmake): asc-tiny flash DIR" in lines
        return
    assert board.flash
    pattern = r"^flash a project \((.+)\): asc-tiny flash (.+)$"
    shown = dict(re.findall(pattern, "\n".join(lines), re.MULTILINE))
    ways = {kind: way for kinds, way in shown.items() for kind in kinds.split(", ")}
    generators = [kind for kind in registry.serving(board, registry.load()[0]) if kind.is_folder]
    assert set(ways) == {kind.name for kind in generators}
    needs_port = board.flash.tool in ("arduino-cli", "esptool")
    for kind in generators:
        assert ("--image FILE" in ways[kind.name]) == (kind.name == "stm32cubeide")
        assert ("--port PORT" in ways[kind.name]) == needs_port
    any_image = f"flash any image: asc-tiny flash --board {board.name} --image FILE"
    is_any = any(line.startswith(any_image) for line in lines)
    assert is_any == (board.flash.tool != "arduino-cli")


def test_a_project_that_is_built_elsewhere_is_flashed_by_its_image(tmp_path: Path, capsys) -> None:
    project = tmp_path / "project"
    assert asc_tiny("generate", MODEL, "--project", "stm32cubeide", "--out", project) == 0
    assert asc_tiny("flash", project, "--dry-run") == 2
    told = "a project of kind stm32cubeide is built elsewhere; give its image by --image"
    assert told in capsys.readouterr().err


def test_whether_a_model_fits(tmp_path: Path, capsys) -> None:
    small = tmp_path / "small.toml"
    text = (catalog._FOLDER / "nrf52840dk.toml").read_text()
    small.write_text(text.replace("bytes = 0x40000 ", "bytes = 0xc000 "))
    xtensa = own_boards.esp32s3(tmp_path)
    arguments = ("boards", small, "rpi_pico", xtensa, "host", "--model", MODEL)
    assert asc_tiny(*arguments, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["boards"]
    assert [row.get("fit", {}).get("fits") for row in rows] == [False, True, True, None]
    assert 0.5 < rows[1]["fit"]["cpu_share"] < 1.0
    assert "no code was measured on Xtensa LX7" in rows[2]["fit"]["absent"]["flash_bytes"]
    assert asc_tiny(*arguments) == 0
    printed = capsys.readouterr()
    ends = [line.split()[-1] for line in printed.out.splitlines()[1:]]
    assert ends == ["no", "yes", "?", "yes"]
    assert printed.err.splitlines()[0].startswith("RAM and flash in KiB, CPU at one instruction")
    notes = printed.err.splitlines()[1:]
    assert notes[0] == "? no code was measured on Xtensa LX7: esp32s3"
    assert notes[1].startswith("board small: zephyr needs ") and notes[1].endswith("has 49,152")


def test_whether_a_file_without_metadata_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does as a network alone, and with both of what makes a classifier of it.

    What the message advises is an option of this command, too.
    """
    model, labels = tmp_path / "model.tflite", tmp_path / "labels.txt"
    model.write_bytes(with_metadata('{"schema": 1}'))
    labels.write_text("a\nb\nc\n")
    arguments = ["boards", "rpi_pico", "--json", "--model", model]
    assert asc_tiny(*arguments) == 0
    assert json.loads(capsys.readouterr().out)["boards"][0]["fit"]["fits"]
    given = ("--frontend", FRONTEND), ("--labels", labels)
    for one, missing in zip(given, ("--labels FILE", "--frontend FILE.toml"), strict=True):
        assert asc_tiny(*arguments, *one) == 2
        assert f"; give {missing}" in capsys.readouterr().err
    assert asc_tiny(*arguments, *given[0], *given[1]) == 0
    assert json.loads(capsys.readouterr().out)["boards"][0]["fit"]["fits"]
    assert asc_tiny("boards", "--labels", labels) == 2
    assert "--labels: needs --model" in capsys.readouterr().err


@pytest.mark.qemu
def test_the_estimate_is_near_what_an_emulated_core_takes(tmp_path: Path) -> None:
    out = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--out", out, "--board", "mps2-an386") == 0
    target = project.load(out)
    project.build(target)
    measured = bench.measure(target)
    complete = classifier(load_model(MODEL), runtime="aot")
    estimate = fit(complete, target.board)
    # A clip of a second, 43.07 hops.
    hops = complete.frontend.sample_rate / complete.frontend.hop
    assert estimate.instructions_per_s["network"] == pytest.approx(
        measured.instructions_per_inference, rel=0.1
    )
    assert estimate.instructions_per_s["front end"] / hops == pytest.approx(
        measured.instructions_per_hop, rel=0.02
    )
    assert estimate.ram_bytes["network"] == measured.arena_bytes
    # What is more is the application: its blocks of samples, the serial protocol, the C library.
    ram = estimate.ram_bytes["network"] + estimate.ram_bytes["front end"]
    assert 0 < measured.ram_bytes - ram < 8_000
    assert 0 < measured.flash_bytes - sum(estimate.flash_bytes.values()) < 12_000


OWN = """
title = "My board"
core = "Cortex-M4F"
core_flags = ["-mcpu=cortex-m4"]
clock_hz = 64_000_000
flash_bytes = 0x100000
ram_bytes = 0x40000
microphone = "nrf_pdm"
"""


def with_labels(folder: Path) -> Path:
    """Write a small model with names of classes."""
    path = folder / "model.tflite"
    path.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    return path


FLASH = '[flash]\ntool = "pyocd"\ntarget = "nrf52840"\n'


@pytest.mark.parametrize(
    "text", [OWN + FLASH, 'like = "nrf52840dk"\n' + OWN, 'name = "own"' + OWN + FLASH]
)
def test_an_own_board_is_built_like_one_with_its_chip(text: str, tmp_path: Path) -> None:
    path, out, reference = tmp_path / "my_nrf.toml", tmp_path / "own", tmp_path / "dk"
    path.write_text(text)
    options = ["generate", with_labels(tmp_path), "--frontend", FRONTEND, "--project", "zephyr"]
    assert asc_tiny(*options, "--board", path, "--out", out) == 0
    assert asc_tiny(*options, "--board", "nrf52840dk", "--out", reference) == 0
    name = "own" if "name =" in text else "my_nrf"
    content = json.loads((out / "asc-tiny.json").read_text())
    assert content["board"] == name
    assert manifest_reader.read(out).board.design == "nrf52840dk"
    files = {p.relative_to(reference) for p in reference.rglob("*") if p.is_file()}
    for file in files - {Path("asc-tiny.json")}:
        assert (out / file).read_bytes() == (reference / file).read_bytes(), file


def test_an_own_board_that_is_like_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my_board.toml"
    path.write_text(OWN)
    options = ["generate", with_labels(tmp_path), "--frontend", FRONTEND, "--project", "zephyr"]
    options += ["--board", path]
    assert asc_tiny(*options, "--out", tmp_path / "out") == 2
    assert "says by `like` which of them it is built like" in capsys.readouterr().err
    path.write_text('like = "toaster"\n' + OWN)
    assert asc_tiny(*options, "--out", tmp_path / "out") == 2
    assert "like = 'toaster', allowed: ch32v307v_evt, disco_l475_iot1" in capsys.readouterr().err
    path.write_text('like = "rpi_pico"\n' + OWN)
    assert asc_tiny(*options, "--out", tmp_path / "out") == 2
    assert "board my_board: --project zephyr is for" in capsys.readouterr().err
