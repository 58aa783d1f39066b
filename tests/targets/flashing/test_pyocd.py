"""Flashing: the checks before it, and pyOCD's real code with a probe of our own."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.targets.flashing import image as images
from asc_tiny.targets.flashing import uf2
from asc_tiny.util.errors import AscError
from support.images import SIZE, linked

pytest.importorskip("pyocd")
from asc_tiny.targets.flashing import pyocd
from support.fake_probe import Chip, FakeProbe

NRF = catalog.get("nrf52840dk")
PICO = catalog.get("rpi_pico")
RP2040, RP2350 = 0xE48BFF56, 0xE48BFF59


def flash(
    image: Path, probes: list[FakeProbe], monkeypatch, probe: str | None = None
) -> list[float]:
    """Flash with those probes connected; return the progress that was shown."""
    monkeypatch.setattr(pyocd, "probes", lambda: probes)
    shares: list[float] = []
    pyocd.job(images.load(image, NRF), NRF, probe=probe).run(shares.append)
    return shares


def test_an_image_is_written_and_read_back(tmp_path: Path, monkeypatch) -> None:
    chip = Chip()
    image = linked(tmp_path, "cortex-m4")
    shares = flash(image, [FakeProbe("A1", chip)], monkeypatch)
    (block,) = images.load(image, NRF).blocks
    assert len(block.data) == SIZE
    assert chip.flash[:SIZE] == block.data
    assert set(chip.flash[SIZE + 4096 :]) == {0xFF}
    assert chip.programmed_pages == -(-SIZE // 4096)
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_a_flash_that_keeps_another_value_is_told(tmp_path: Path, monkeypatch) -> None:
    chip = Chip()
    chip.wears_out_at = 3
    with pytest.raises(AscError, match=r"flash differs at 0x00002000 after writing"):
        flash(linked(tmp_path, "cortex-m4"), [FakeProbe("A1", chip)], monkeypatch)


def test_a_locked_chip_is_told_and_not_erased(tmp_path: Path, monkeypatch) -> None:
    chip = Chip(locked=True)
    chip.flash[:4] = b"keep"
    with pytest.raises(AscError, match=r"locked against debugging") as error:
        flash(linked(tmp_path, "cortex-m4"), [FakeProbe("A1", chip)], monkeypatch)
    assert "\n" not in str(error.value)
    assert chip.flash[:4] == b"keep"


def test_a_probe_that_is_pulled_out_is_told(tmp_path: Path, monkeypatch) -> None:
    image = linked(tmp_path, "cortex-m4")
    # While connecting, erasing, writing and reading back.
    for transfer in (20, 200, 1000, 3000, 5000):
        probe = FakeProbe("A1", Chip(), unplugged_at=transfer)
        with pytest.raises(AscError, match=r"probe A1: .*; is it still connected") as error:
            flash(image, [probe], monkeypatch)
        assert "\n" not in str(error.value)


def test_probes_are_chosen_by_id(tmp_path: Path, monkeypatch) -> None:
    image = linked(tmp_path, "cortex-m4")
    chips = Chip(), Chip()
    probes = [FakeProbe(name, chip) for name, chip in zip(("A1", "B2"), chips, strict=True)]
    with pytest.raises(AscError, match=r"board nrf52840dk: no debug probe is connected"):
        flash(image, [], monkeypatch)
    with pytest.raises(AscError, match=r"several probes: A1 .*, B2 .*; choose one by --probe"):
        flash(image, probes, monkeypatch)
    with pytest.raises(AscError, match=r"--probe C: no probe of that id; connected: A1"):
        flash(image, probes, monkeypatch, "C")
    flash(image, probes, monkeypatch, "b2")
    assert chips[0].programmed_pages == 0 and chips[1].programmed_pages > 0


def test_an_unknown_chip_names_its_pack(tmp_path: Path, monkeypatch) -> None:
    board = catalog.get("nucleo_f746zg")
    monkeypatch.setattr(pyocd, "probes", lambda: [FakeProbe("A1", Chip())])
    image = linked(tmp_path, "cortex-m7", origin=board.flash_region.origin)
    job = pyocd.job(images.load(image, board), board, probe=None)
    with pytest.raises(AscError, match=r"pyocd pack install stm32f746zgtx"):
        job.run(lambda share: None)


@pytest.mark.parametrize(
    ("core", "board", "built"),
    [
        ("cortex-m4", "rpi_pico", "Cortex-M4 or M7"),
        ("cortex-m33", "nrf52840dk", "Cortex-M33"),
        ("cortex-m55", "nrf5340dk", "Cortex-M55"),
        ("cortex-m0plus", "nrf52840dk", None),
        ("cortex-m3", "nrf5340dk", None),
        ("cortex-m4", "nucleo_f746zg", None),
    ],
)
def test_an_image_for_another_core_is_refused(
    core: str, board: str, built: str | None, tmp_path: Path
) -> None:
    image = linked(tmp_path, core, origin=catalog.get(board).flash_region.origin)
    if built is None:
        assert images.load(image, catalog.get(board)).size == SIZE
        return
    with pytest.raises(AscError, match=f"firmware.elf: built for {built}, board {board} has"):
        images.load(image, catalog.get(board))


def test_an_image_of_another_processor_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "main.c"
    source.write_text("int main(void) { return 0; }\n")
    image = tmp_path / "firmware.elf"
    subprocess.run(["cc", source, "-o", image], check=True)
    with pytest.raises(AscError, match=r"built for X86_64, board nrf52840dk has Cortex-M4F"):
        images.load(image, NRF)


def test_an_image_that_is_too_large_is_refused(tmp_path: Path) -> None:
    image = linked(tmp_path, "cortex-m4", size=(1 << 20) + 4)
    with pytest.raises(AscError, match=r"1048580 bytes, board nrf52840dk has 1048576 of flash"):
        images.load(image, NRF)


def uf2_file(path: Path, size: int, family: int = RP2040, origin: int = 0x10000000) -> Path:
    """Microsoft's UF2 format: blocks of 512 bytes with 256 of payload."""
    blocks = []
    for number in range(size // 256):
        head = (0x0A324655, 0x9E5D5157, 0x2000, origin + 256 * number, 256, number)
        head += (size // 256, family)
        payload = bytes([number % 256]) * 256 + bytes(220)
        blocks.append(struct.pack("<8I", *head) + payload + struct.pack("<I", 0x0AB16F30))
    path.write_bytes(b"".join(blocks))
    return path


def volume(root: Path, name: str, board: str = "RPI-RP2") -> Path:
    (root / name).mkdir(parents=True)
    (root / name / uf2.INFO).write_text(f"UF2 Bootloader v3.0\nBoard-ID: {board}\n")
    return root / name


def test_a_uf2_file_is_copied_to_the_volume(tmp_path: Path) -> None:
    loaded = images.load(uf2_file(tmp_path / "firmware.uf2", 25_600), PICO)
    root = tmp_path / "media"
    with pytest.raises(AscError, match=r"no volume RPI-RP2 is mounted; hold BOOTSEL"):
        uf2.job(loaded, PICO, volume=None, roots=[root])
    first = volume(root, "RPI-RP2")
    volume(root, "OTHER", "OTHER-BOARD")
    shares: list[float] = []
    uf2.job(loaded, PICO, volume=None, roots=[root]).run(shares.append)
    assert (first / "firmware.uf2").read_bytes() == loaded.path.read_bytes()
    assert shares[-1] == 1.0
    second = volume(root, "RPI-RP21")
    with pytest.raises(AscError, match=r"several volumes: .*; choose one by --probe"):
        uf2.job(loaded, PICO, volume=None, roots=[root])
    uf2.job(loaded, PICO, volume=str(second), roots=[root]).run(shares.append)
    assert (second / "firmware.uf2").is_file()
    with pytest.raises(AscError, match=r"has no INFO_UF2.TXT"):
        uf2.job(loaded, PICO, volume=str(tmp_path), roots=[root])


def test_the_block_that_picotool_puts_before_programs_for_an_rp2350(tmp_path: Path) -> None:
    """As the real one is: of a family of its own, block 0 of 2, far behind the flash."""
    path = uf2_file(tmp_path / "firmware.uf2", 2_560)
    plain = path.read_bytes()
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0xA000, 0x10FFFF00, 256, 0, 2, 0xE48BFF57)
    path.write_bytes(
        (head + b"\xef" * 256).ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30) + plain
    )
    assert images.load(path, PICO).size == images.load(uf2_file(path, 2_560), PICO).size


def test_a_volume_that_is_full_is_told(tmp_path: Path) -> None:
    loaded = images.load(uf2_file(tmp_path / "firmware.uf2", 25_600), PICO)
    full = volume(tmp_path, "RPI-RP2")
    (full / "firmware.uf2").symlink_to("/dev/full")
    with pytest.raises(AscError, match=r"copying stopped: No space left on device"):
        uf2.job(loaded, PICO, volume=str(full)).run(lambda share: None)
    elf = linked(tmp_path, "cortex-m0plus", origin=PICO.flash_region.origin)
    with pytest.raises(AscError, match=r"takes .uf2 files only"):
        uf2.job(images.load(elf, PICO), PICO, volume=str(full))


def test_a_uf2_file_is_read_for_the_boards_family(tmp_path: Path) -> None:
    other = uf2_file(tmp_path / "pico2.uf2", 512, RP2350)
    with pytest.raises(AscError, match=r"built for family 0xe48bff59, board rpi_pico is 0xe48bff"):
        images.load(other, PICO)
    assert images.load(other, catalog.get("rpi_pico2")).size == 512
    both = tmp_path / "universal.uf2"
    both.write_bytes(other.read_bytes() + uf2_file(tmp_path / "pico.uf2", 768).read_bytes())
    assert images.load(both, PICO).size == 768
    beyond = uf2_file(tmp_path / "ram.uf2", 256, origin=0x20000000)
    with pytest.raises(AscError, match=r"has bytes for 0x20000000 to 0x200000ff, board rpi_pico"):
        images.load(beyond, PICO)


def test_a_volume_is_known_by_its_boards_id(tmp_path: Path) -> None:
    """As on Windows, where its name is a letter."""
    loaded = images.load(uf2_file(tmp_path / "firmware.uf2", 512), PICO)
    drive = volume(tmp_path, "E")
    uf2.job(loaded, PICO, volume=None, roots=[drive]).run(lambda share: None)
    assert (drive / "firmware.uf2").read_bytes() == loaded.path.read_bytes()


@pytest.mark.parametrize("goes", [True, False])
def test_a_board_that_restarts_with_the_last_block_is_no_failure(
    goes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = images.load(uf2_file(tmp_path / "firmware.uf2", 25_600), PICO)
    board = volume(tmp_path, "RPI-RP2")
    monkeypatch.setattr(uf2, "_GONE_S", 0.2)

    def restarts(handle: int) -> None:
        if goes:
            (board / uf2.INFO).unlink()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", restarts)
    shares: list[float] = []
    job = uf2.job(loaded, PICO, volume=str(board))
    if goes:
        job.run(shares.append)
        assert shares == [1.0]
    else:
        with pytest.raises(AscError, match=r"copying stopped: Input/output error"):
            job.run(shares.append)


def test_parts_that_overlap_or_lie_beside_the_flash_are_refused(tmp_path: Path) -> None:
    def record(address: int, data: bytes) -> str:
        high = bytes([2, 0, 0, 4, *(address >> 16).to_bytes(2, "big")])
        low = bytes([len(data), *(address & 0xFFFF).to_bytes(2, "big"), 0, *data])
        return "".join(f":{each.hex()}{-sum(each) % 256:02x}\n".upper() for each in (high, low))

    path = tmp_path / "firmware.hex"
    parts = record(0x1000, bytes(16)), record(0x10001200, bytes(8)), record(0x1008, bytes(16))
    end = ":00000001FF\n"
    path.write_text(parts[0] + parts[1] + end)
    assert images.load(path, NRF).size == 24
    path.write_text("".join(parts) + end)
    with pytest.raises(AscError, match=r"two of its parts have bytes for 0x00001008"):
        images.load(path, NRF)
    path.write_text(parts[0] + record(0xFFFF8, bytes(16)) + end)
    with pytest.raises(AscError, match=r"bytes for 0x000ffff8 to 0x00100007, board nrf52840dk"):
        images.load(path, NRF)


def test_a_whole_id_names_one_probe(tmp_path: Path, monkeypatch) -> None:
    chips = Chip(), Chip()
    probes = [FakeProbe(name, chip) for name, chip in zip(("A1", "A12"), chips, strict=True)]
    flash(linked(tmp_path, "cortex-m4"), probes, monkeypatch, "a1")
    assert chips[0].programmed_pages > 0 and chips[1].programmed_pages == 0


def test_a_usb_line_without_permission_names_the_rule(tmp_path: Path, monkeypatch) -> None:
    from pyocd.core.session import Session

    def refuses(self: object) -> None:
        raise PermissionError(errno.EACCES, "Access denied (insufficient permissions)")

    monkeypatch.setattr(Session, "open", refuses)
    with pytest.raises(AscError, match=r"^probe A1: .*Access denied.*udev rule"):
        flash(linked(tmp_path, "cortex-m4"), [FakeProbe("A1", Chip())], monkeypatch)
