"""Flashing by esptool's real code, with a chip of our own at the other end of the line."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import serial

from asc_tiny.boards import catalog
from asc_tiny.targets.flashing import image as images
from asc_tiny.util.errors import AscError
from support import own_boards
from support.images import linked

pytest.importorskip("esptool")
from asc_tiny.targets.flashing import esptool
from support.fake_esp import FakeEsp, plugged_in

with TemporaryDirectory() as _folder:
    BOARD = catalog.get(str(own_boards.esp32s3(Path(_folder))))
APPLICATION = 0x10000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for what will not come, and for nobody to plug the board in again."""
    from esptool import cmds, loader

    monkeypatch.setattr(loader, "SYNC_TIMEOUT", 0.02)
    monkeypatch.setattr(cmds, "DEFAULT_CONNECT_ATTEMPTS", 1)


def application(folder: Path, size: int = 70_000, chip: int = 9) -> Path:
    """An image with the header of Espressif's, of which half cannot be compressed."""
    header = b"\xe9\x00\x02\x30" + bytes(8) + chip.to_bytes(2, "little") + bytes(10)
    noise = np.random.default_rng(3).integers(0, 256, size // 2, dtype=np.uint8).tobytes()
    path = folder / "asc_scenes.bin"
    path.write_bytes((header + noise).ljust(size, b"\x5a")[:size])
    return path


def flash(path: Path, esp: FakeEsp) -> list[float]:
    """Flash and return the progress that was shown."""
    shares: list[float] = []
    with plugged_in(esp) as port:
        esptool.job(images.load(path, BOARD), BOARD, port=port).run(shares.append)
    return shares


def refusal(path: Path, esp: FakeEsp) -> str:
    """Flash in vain and return the one line that says why."""
    with pytest.raises(AscError) as error:
        flash(path, esp)
    assert "\n" not in str(error.value)
    return re.sub(r"127.0.0.1:\d+", "PORT", str(error.value))


@pytest.mark.parametrize("size", [70_000, 41])
def test_an_image_is_written_and_verified(size: int, tmp_path: Path, capfd) -> None:
    esp = FakeEsp()
    path = application(tmp_path, size)
    shares = flash(path, esp)
    assert esp.stub and len(esp.memory) == 2
    assert esp.flash[APPLICATION : APPLICATION + size] == path.read_bytes()
    end = APPLICATION + -(-size // 4) * 4
    assert set(esp.flash[:APPLICATION] + esp.flash[end:]) == {0xFF}
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert capfd.readouterr() == ("", "")


def test_all_parts_of_a_build_are_written(tmp_path: Path) -> None:
    path = application(tmp_path)
    contents = {0x0: b"boot" * 2000, 0x8000: b"table" * 600, APPLICATION: path.read_bytes()}
    names = {0x0: "bootloader/bootloader.bin", 0x8000: "partitions.bin", APPLICATION: path.name}
    (tmp_path / "bootloader").mkdir()
    for address, name in names.items():
        (tmp_path / name).write_bytes(contents[address])
    files = {hex(address): name for address, name in names.items()}
    arguments = tmp_path / esptool.PARTS
    arguments.write_text(json.dumps({"flash_files": files}))
    esp = FakeEsp()
    shares = flash(path, esp)
    assert shares == sorted(shares) and shares[-1] == 1.0
    for address, content in contents.items():
        assert esp.flash[address : address + len(content)] == content
    (tmp_path / "partitions.bin").unlink()
    assert "partitions.bin: is missing" in refusal(path, FakeEsp())
    arguments.write_text("{}")
    assert "is not what ESP-IDF's build writes" in refusal(path, FakeEsp())
    arguments.write_text(json.dumps({"flash_files": {"0x7ff000": path.name}}))
    assert "ends at 8454512 bytes, board esp32s3 has 8388608" in refusal(path, FakeEsp())


def test_another_chip_is_refused(tmp_path: Path) -> None:
    esp = FakeEsp("ESP32-C3")
    before = bytes(esp.flash)
    line = refusal(application(tmp_path), esp)
    assert line == "socket://PORT: the chip is ESP32-C3, not esp32s3"
    assert esp.flash == before
    line = refusal(application(tmp_path, chip=5), FakeEsp())
    assert line.endswith("asc_scenes.bin: built for chip 5, esp32s3 is chip 9")
    assert "is no image for esp32s3" in refusal(linked(tmp_path, "cortex-m4"), FakeEsp())


def test_a_flash_that_keeps_another_value_is_told(tmp_path: Path) -> None:
    esp = FakeEsp()
    esp.stuck_at = APPLICATION + 5000
    line = refusal(application(tmp_path), esp)
    assert line == "socket://PORT: MD5 of file does not match data in flash!"


def test_a_locked_chip_is_told_and_not_written(tmp_path: Path) -> None:
    esp = FakeEsp(secure_download=True)
    line = refusal(application(tmp_path), esp)
    assert line == (
        "socket://PORT: the chip is locked (secure download mode); nothing can be read back"
    )
    assert set(esp.flash) == {0xFF}


@pytest.mark.parametrize("block", [1, 3])
def test_a_board_that_is_unplugged_is_told(block: int, tmp_path: Path) -> None:
    line = refusal(application(tmp_path), FakeEsp(unplugged_at=block))
    assert line.startswith("socket://PORT: the line is lost")
    assert line.endswith("is it still connected?")


def test_nobody_answers(tmp_path: Path) -> None:
    esp = FakeEsp()
    esp.mute = True
    line = refusal(application(tmp_path), esp)
    assert line == (
        "socket://PORT: Failed to connect to Espressif device: No serial data received."
    )


def test_a_port_that_is_missing_or_busy(tmp_path: Path) -> None:
    path = application(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"socket://127.0.0.1:{server.getsockname()[1]}"
    _, terminal = os.openpty()
    busy = os.ttyname(terminal)
    holder = serial.Serial(busy, exclusive=True)
    for port in (closed, "/dev/ttyNONE", busy):
        job = esptool.job(images.load(path, BOARD), BOARD, port=port)
        with pytest.raises(AscError, match="the port is busy or doesn't exist") as error:
            job.run(lambda share: None)
        assert "\n" not in str(error.value)
    holder.close()
    with pytest.raises(AscError, match=r"esptool needs the board's --port"):
        esptool.job(images.load(path, BOARD), BOARD, port=None)


def test_an_image_that_the_build_does_not_name_is_written_alone(tmp_path: Path) -> None:
    """Not what lies beside it; and to where the build has its application."""
    built = application(tmp_path)
    arguments = {"flash_files": {"0x20000": built.name}, "app": {"offset": "0x20000"}}
    (tmp_path / esptool.PARTS).write_text(json.dumps(arguments))
    other = built.rename(tmp_path / "other.bin")
    application(tmp_path, 50_000)
    esp = FakeEsp()
    flash(other, esp)
    assert esp.flash[0x20000 : 0x20000 + 70_000] == other.read_bytes()
    assert set(esp.flash[:0x20000]) == {0xFF}


def test_a_merged_image_begins_at_the_begin_of_flash(tmp_path: Path) -> None:
    path = application(tmp_path)
    data = bytearray(path.read_bytes())
    data[0x8000:0x8002] = b"\xaa\x50"
    path.write_bytes(data)
    esp = FakeEsp()
    flash(path, esp)
    assert esp.flash[: len(data)] == data


def test_parts_that_are_none_or_overlap_are_refused(tmp_path: Path) -> None:
    path = application(tmp_path)
    arguments = tmp_path / esptool.PARTS
    arguments.write_text('{"flash_files": {}}')
    assert "flash_files is empty" in refusal(path, FakeEsp())
    (tmp_path / "boot.bin").write_bytes(bytes(0x9000))
    files = {"0x8000": "boot.bin", hex(APPLICATION): path.name}
    arguments.write_text(json.dumps({"flash_files": files}))
    assert "begins at 0x10000" in refusal(path, FakeEsp())
    assert "boot.bin ends at 0x11000" in refusal(path, FakeEsp())
