"""Flashing projects of every kind: which tool is called for which, and what is refused before."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from asc_tiny.targets.build import project as projects
from support.commands import asc_tiny
from support.ensemble_models import perturbed
from support.paths import MODEL

STM32 = 0x08000000
"""Where the flash of these chips begins."""
PROGRAMS = ("arduino-cli", "pio", "west", "wlink")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Images for a Cortex-M4 of the released model and of another one."""
    folder = tmp_path_factory.mktemp("images")
    models = MODEL, perturbed(folder / "other.tflite")
    built = []
    for number, model in enumerate(models):
        out = folder / str(number)
        assert asc_tiny("generate", model, "--out", out, "--board", "mps2-an386") == 0
        built.append(projects.build(projects.load(out)))
    return built[0], built[1]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of other tools that only note where and how they are called; they fail on demand."""
    programs, log = tmp_path / "programs", tmp_path / "calls"
    programs.mkdir()
    for name in PROGRAMS:
        script = programs / name
        script.write_text(f'#!/bin/sh\necho "$PWD: {name} $@" >> {log}\nexit ${{FAIL:-0}}\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return log


def generate(folder: Path, kind: str, board: str, *options: object) -> Path:
    out = folder / f"{kind}-project"
    arguments = ("--project", kind, "--board", board, *options)
    assert asc_tiny("generate", MODEL, "--out", out, *arguments) == 0
    return out


def put(image: Path, place: Path, address: int = 0) -> None:
    """Copy an image whose flash begins at address 0 as one of another board."""
    place.parent.mkdir(parents=True)
    data = bytearray(image.read_bytes())
    (first,), (size, count) = (
        struct.unpack_from("<I", data, 28),
        struct.unpack_from("<2H", data, 42),
    )
    for header in range(first, first + size * count, size):
        (physical,) = struct.unpack_from("<I", data, header + 12)
        struct.pack_into("<I", data, header + 12, physical + address)
    place.write_bytes(data)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return the one line that a command fails with."""
    capsys.readouterr()
    assert asc_tiny(*arguments) == 2
    streams = capsys.readouterr()
    (line,) = streams.err.strip().splitlines()
    return line


@pytest.mark.parametrize("place", ["build/zephyr", "build/zephyr-project/zephyr"])
def test_zephyr_is_flashed_by_west(place: str, tmp_path, images, calls: Path, capsys) -> None:
    out = generate(tmp_path, "zephyr", "nrf52840dk", "--resample")
    assert "not built, build/zephyr/zephyr.elf is missing" in refused(capsys, "flash", out)
    put(images[0], out / place / "zephyr.elf")
    assert asc_tiny("flash", out, "--dry-run") == 0
    assert "west flash" in capsys.readouterr().out and not calls.exists()
    assert asc_tiny("flash", out) == 0
    assert asc_tiny("flash", out, "--probe", "123") == 0
    assert calls.read_text() == f"{out}: west flash\n{out}: west flash -- --dev-id 123\n"


def test_an_image_of_another_model_is_refused(tmp_path, images, calls: Path, capsys) -> None:
    out = generate(tmp_path, "zephyr", "nrf52840dk", "--resample")
    place = out / "build" / "zephyr" / "zephyr.elf"
    put(images[1], place)
    assert f"{place}: was built from another model than {out}" in refused(capsys, "flash", out)
    assert f"{images[1]}: was built from another" in refused(
        capsys, "flash", out, "--image", images[1]
    )
    assert not calls.exists()


def test_platformio(tmp_path, calls: Path, capsys) -> None:
    out = generate(tmp_path, "platformio", "nano33ble_sense", "--resample")
    assert asc_tiny("flash", out) == 0
    assert asc_tiny("flash", out, "--port", "/dev/ttyACM0") == 0
    upload = f"{out}: pio run --target upload"
    assert calls.read_text() == f"{upload}\n{upload} --upload-port /dev/ttyACM0\n"


def test_arduino(tmp_path, calls: Path, capsys) -> None:
    out = generate(tmp_path, "arduino", "nano33ble_sense", "--resample")
    assert "arduino-cli needs the board's --port" in refused(capsys, "flash", out)
    assert asc_tiny("flash", out, "--port", "/dev/ttyACM0") == 0
    assert calls.read_text() == (
        f"{out}: arduino-cli compile --fqbn arduino:mbed_nano:nano33ble --library . --upload "
        "--port /dev/ttyACM0 --verify examples/asc_scenes\n"
    )
    assert (out / "examples" / "asc_scenes" / "asc_scenes.ino").is_file()


def test_a_tool_that_is_missing_or_fails(tmp_path, calls: Path, monkeypatch, capsys) -> None:
    out = generate(tmp_path, "platformio", "nano33ble_sense", "--resample")
    monkeypatch.setenv("FAIL", "3")
    assert "pio failed with code 3" in refused(capsys, "flash", out)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "pio is not installed; pip install platformio" in refused(capsys, "flash", out)


def test_a_csolution_is_flashed_from_its_out_folder(tmp_path, images, capsys, monkeypatch) -> None:
    out = generate(tmp_path, "cmsis", "disco_l475_iot1", "--resample")
    assert "out/asc_scenes/*/Release/asc_scenes.elf is missing" in refused(capsys, "flash", out)
    folder = out / "out/asc_scenes/B-L475E-IOT01A"
    put(images[1], folder / "Debug/asc_scenes.elf", STM32)
    put(images[0], folder / "Release/asc_scenes.elf", STM32)
    pyocd = pytest.importorskip("asc_tiny.targets.flashing.pyocd")
    monkeypatch.setattr(pyocd, "probes", list)
    assert refused(capsys, "flash", out).endswith("no debug probe is connected")
    # What was built last is meant, whatever it is called.
    os.utime(folder / "Debug/asc_scenes.elf", (2**31, 2**31))
    assert "Debug/asc_scenes.elf: was built from another model" in refused(capsys, "flash", out)


def test_esp_idf_is_flashed_with_all_its_parts(tmp_path, images, capsys) -> None:
    pytest.importorskip("esptool")
    out = generate(tmp_path, "esp-idf", "esp32c3_devkitm", "--resample")
    assert "build/asc_scenes.bin is missing" in refused(capsys, "flash", out)
    record = images[0].read_bytes()
    build = out / "build"
    build.mkdir()
    (build / "asc_scenes.bin").write_bytes(record)
    options = ("--port", "/dev/ttyUSB0", "--dry-run")
    line = refused(capsys, "flash", out, *options)
    assert "asc_scenes.bin: built for ARM, board esp32c3_devkitm has RISC-V" in line
    header = b"\xe9\x00\x00\x00" + bytes(8) + b"\x05\x00" + bytes(10)
    (build / "asc_scenes.bin").write_bytes(header + record[:0] + raw(images[0]))
    (build / "bootloader").mkdir()
    (build / "bootloader" / "bootloader.bin").write_bytes(b"boot")
    (build / "flasher_args.json").write_text(
        '{"flash_files": {"0x10000": "asc_scenes.bin", "0x0": "bootloader/bootloader.bin"}}'
    )
    capsys.readouterr()
    assert asc_tiny("flash", out, *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" and ")[0] for line in lines[1:3]] == [
        f"write {build}/bootloader/bootloader.bin to 0x0",
        f"write {build}/asc_scenes.bin to 0x10000",
    ]
    assert "needs the board's --port" in refused(capsys, "flash", out)


def raw(image: Path) -> bytes:
    """What an image puts into flash, without the container of ELF."""
    from asc_tiny.targets.image import firmware_file

    return b"".join(block.data for block in firmware_file.read(image)[1])


def test_stm32cubeide_needs_the_image(tmp_path, images, capsys, monkeypatch) -> None:
    out = generate(tmp_path, "stm32cubeide", "stm32l496g_disco", "--resample")
    assert "built elsewhere; give its image by --image" in refused(capsys, "flash", out)
    pyocd = pytest.importorskip("asc_tiny.targets.flashing.pyocd")
    monkeypatch.setattr(pyocd, "probes", list)
    put(images[0], tmp_path / "built" / "firmware.elf", STM32)
    line = refused(capsys, "flash", out, "--image", tmp_path / "built" / "firmware.elf")
    assert line.endswith("no debug probe is connected")
    line = refused(capsys, "flash", out, "--image", images[0])
    assert "firmware.elf: has bytes for 0x00000000 to 0x" in line
    assert line.endswith("board stm32l496g_disco has flash at 0x08000000 to 0x080fffff")


def test_an_image_of_no_project(tmp_path, images, capsys, monkeypatch) -> None:
    pyocd = pytest.importorskip("asc_tiny.targets.flashing.pyocd")
    monkeypatch.setattr(pyocd, "probes", list)
    put(images[0], tmp_path / "built" / "firmware.elf", STM32)
    image = "--image", tmp_path / "built" / "firmware.elf"
    line = refused(capsys, "flash", "--board", "nucleo_f746zg", *image)
    assert line.endswith("board nucleo_f746zg: no debug probe is connected")
    assert refused(capsys, "flash", *image).endswith("DIR of a project, or --board and --image")
    assert refused(capsys, "flash", "--board", "rpi_pico").endswith("or --board and --image")
    assert "has bytes for 0x08000000" in refused(capsys, "flash", "--board", "rpi_pico2", *image)
    assert "it is emulated" in refused(capsys, "flash", "--board", "mps2-an386", *image)
    assert "needs the board's" not in refused(capsys, "flash", "--board", "nowhere", *image)
    out = generate(tmp_path, "zephyr", "nrf52840dk", "--resample")
    line = refused(capsys, "flash", out, "--board", "nrf5340dk", *image)
    assert line == f"asc-tiny: --board: the project in {out} names its board"


def test_a_chip_of_wch_is_flashed_by_wlink(tmp_path, images, calls: Path, capsys) -> None:
    command = "flash", "--board", "ch32v307v_evt", "--image"
    assert "built for ARM, board ch32v307v_evt has QingKe" in refused(capsys, *command, images[0])
    image = tmp_path / "firmware.elf"
    data = bytearray(images[0].read_bytes())
    struct.pack_into("<H", data, 18, 243)  # e_machine: EM_RISCV
    image.write_bytes(data)
    assert asc_tiny(*command, image, "--dry-run") == 0 and not calls.exists()
    assert asc_tiny(*command, image) == 0
    assert asc_tiny(*command, image, "--probe", "1") == 0
    flash = f"--chip CH32V30X flash {image}"
    lines = [line.split(": ", 1)[1] for line in calls.read_text().splitlines()]
    assert lines == [f"wlink {flash}", f"wlink --device 1 {flash}"]


@pytest.mark.parametrize(
    ("kind", "board", "what"),
    [
        ("cmake", "host", "it is this computer"),
        ("zephyr", "mps2-an385", "it is emulated"),
    ],
)
def test_boards_that_are_not_flashed(kind, board, what, tmp_path, calls: Path, capsys) -> None:
    out = generate(tmp_path, kind, board)
    assert f"board {board}: nothing to flash, {what}" in refused(capsys, "flash", out)
    assert not calls.exists()


def test_a_folder_without_a_project(tmp_path: Path, capsys) -> None:
    assert "no asc-tiny.json here" in refused(capsys, "flash", tmp_path)
    missing, model = tmp_path / "frimware", tmp_path / "model.tflite"
    model.write_bytes(b"")
    for command in ("build", "bench", "flash"):
        assert f"{missing}: no such folder; " in refused(capsys, command, missing)
        assert f"{model}: is a file, a project is a folder; " in refused(capsys, command, model)
