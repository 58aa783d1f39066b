"""The record of provenance: in every image, read back from every format, held to its layout."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from asc_tiny import __version__
from asc_tiny.boards import catalog
from asc_tiny.firmware.provenance import Provenance, pack, unpack
from asc_tiny.model import model_file
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image.inspect import inspect
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.ensemble_models import perturbed, write_ensemble
from support.native import CORES, FLAGS, compile_for
from support.paths import MODEL

OTHER_MAIN = """#include <stdio.h>
#include "far_provenance.h"
int main(void) {
    size_t size = 0;
    const uint8_t *record = far_provenance(&size);
    return fwrite(record, 1, size, stdout) != size;
}
"""


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ELF image for the Cortex-M4."""
    folder = tmp_path_factory.mktemp("m4") / "firmware"
    assert asc_tiny("generate", MODEL, "--out", folder, "--prefix", "near") == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder).image


def convert(firmware: Path, path: Path, file_format: str) -> Path:
    command = ["arm-none-eabi-objcopy", "-O", file_format, firmware, path]
    subprocess.run(command, check=True)
    return path


def uf2(data: bytes, address: int) -> bytes:
    """Return raw bytes as UF2 blocks, by the format's description."""
    pieces = [data[i : i + 256].ljust(256, b"\0") for i in range(0, len(data), 256)]
    blocks = b""
    for number, piece in enumerate(pieces):
        place = (address + 256 * number, 256, number, len(pieces))
        head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, *place, 0xE48BFF56)
        blocks += head + piece.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    return blocks


def symbol(firmware: Path, name: str) -> int:
    done = subprocess.run(
        ["arm-none-eabi-nm", firmware], check=True, capture_output=True, text=True
    )
    (line,) = [line for line in done.stdout.splitlines() if line.endswith(f" {name}")]
    address = int(line.split(" ")[0], 16)
    assert address < catalog.get(catalog.DEFAULT_BOARD).ram_region.origin, "not in flash"
    return address


def test_layout_in_flash(firmware: Path, tmp_path: Path) -> None:
    """By the documentation alone, at the address that the linker gave."""
    memory = convert(firmware, tmp_path / "firmware.bin", "binary").read_bytes()
    record = memory[symbol(firmware, "near_provenance_data") :]
    magic, version, size = struct.unpack_from("<8sHH", record)
    assert (magic, version, size % 4) == (b"\x89ASCTINY", 1, 0)
    assert record[12:44] == hashlib.sha256(MODEL.read_bytes()).digest()
    model = model_file.load(MODEL)
    assert model.frontend and model.labels
    text = json.dumps([model.frontend.to_dict()], sort_keys=True)
    assert record[44:76] == hashlib.sha256(text.encode()).digest()
    assert struct.unpack_from("<I", record, 76) == (len(model.labels),)
    strings = record[80 : size - 4].rstrip(b"\0").decode().split("\0")
    assert strings == [__version__, "aot", "near", *model.labels]
    assert struct.unpack_from("<I", record, size - 4) == (zlib.crc32(record[: size - 4]),)
    assert size <= 200


@pytest.mark.parametrize("file_format", ["elf", "raw", "hex", "uf2"])
def test_inspect_reads_every_format(
    file_format: str, firmware: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, base = tmp_path / "firmware", 0x08000000
    address: int | None = symbol(firmware, "near_provenance_data")
    if file_format == "elf":
        path = firmware
    elif file_format == "hex":
        # Beyond the first 64 KiB, so that address records count.
        moved = tmp_path / "moved.elf"
        command = ["arm-none-eabi-objcopy", "--change-section-address", f".text={base}"]
        subprocess.run([*command, firmware, moved], check=True)
        convert(moved, path, "ihex")
        address = base + (address or 0)
    else:
        convert(firmware, path, "binary")
    if file_format == "raw":
        address = None
    if file_format == "uf2":
        path.write_bytes(uf2(path.read_bytes(), base))
        address = base + (address or 0)
    capsys.readouterr()
    assert asc_tiny("inspect", path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    (row,) = report["models"]
    assert (report["schema"], report["format"]) == (1, file_format)
    assert row["address"] == address
    assert row["model_sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert tuple(row["labels"]) == model_file.load(MODEL).labels
    assert (row["prefix"], row["runtime"]) == ("near", "aot")
    assert row["tool_version"] == __version__
    if row["offset"] is not None:
        assert path.read_bytes()[row["offset"] :].startswith(b"\x89ASCTINY")


def test_project_tells_the_same_front_end(firmware: Path) -> None:
    manifest = json.loads((firmware.parents[1] / "asc-tiny.json").read_text())
    (found,) = inspect(firmware)[1]
    assert manifest["frontend_sha256"] == found.provenance.frontend_sha256


def test_model_is_compared(
    firmware: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = perturbed(tmp_path / "other.tflite")
    ensemble = write_ensemble(tmp_path / "one.toml", [MODEL], [1.0])
    assert asc_tiny("inspect", firmware, "--model", MODEL) == 0
    capsys.readouterr()
    assert asc_tiny("inspect", firmware, "--model", other) == 1
    assert f"{other} (sha256 " in capsys.readouterr().out
    assert asc_tiny("inspect", firmware, "--model", ensemble, "--json") == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


@pytest.mark.parametrize("runtime", ["aot", "tflm"])
def test_sources_of_each_runtime(runtime: str, tmp_path: Path) -> None:
    options = ["--runtime", runtime, "--prefix", "far", "--project", "sources"]
    assert asc_tiny("generate", MODEL, *options, "--out", tmp_path) == 0
    (tmp_path / "main.c").write_text(OTHER_MAIN)
    # All that computes with the network needs TensorFlow Lite Micro.
    for name in ("classifier", "selftest", "listen", "protocol"):
        (tmp_path / f"far_{name}.c").unlink()
    sources = sorted(tmp_path.glob("*.c"))
    subprocess.run(["cc", *FLAGS, *sources, "-o", tmp_path / "image"], check=True)
    done = subprocess.run([tmp_path / "image"], check=True, capture_output=True)
    sent = unpack(done.stdout)
    assert sent == inspect(tmp_path / "image")[1][0].provenance
    assert (sent.runtime, sent.prefix) == (runtime, "far")


@pytest.mark.parametrize("core", CORES)
def test_sources_of_tflm_compile_without_warnings(core: str, tmp_path: Path) -> None:
    options = ["--runtime", "tflm", "--project", "sources"]
    assert asc_tiny("generate", MODEL, *options, "--out", tmp_path) == 0
    compile_for(core, tmp_path)


@pytest.mark.parametrize("flags", [["-O2"], ["-Os", "-flto"]])
def test_record_survives_the_linker(flags: list[str], tmp_path: Path) -> None:
    """An application that does not name it, from a static library."""
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", tmp_path) == 0
    (tmp_path / "main.c").write_text(
        '#include "asc_classifier.h"\n'
        "static asc_t classifier;\nint main(void) { return asc_init(&classifier); }\n"
    )
    flags = [*flags, "-ffunction-sections", "-fdata-sections"]
    sources = sorted(tmp_path.glob("*.c"))
    subprocess.run(["cc", *flags, "-c", *sources], cwd=tmp_path, check=True)
    objects = sorted(tmp_path.glob("asc_*.o"))
    subprocess.run(["gcc-ar", "rcs", "libasc.a", *objects], cwd=tmp_path, check=True)
    link = ["-Wl,--gc-sections", "-s", "main.o", "libasc.a", "-o", "image"]
    subprocess.run(["cc", *flags, *link], cwd=tmp_path, check=True)
    (found,) = inspect(tmp_path / "image")[1]
    assert found.provenance.prefix == "asc"


def test_record_can_have_a_section(tmp_path: Path) -> None:
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", tmp_path) == 0
    section = '-DASC_PROVENANCE_SECTION=__attribute__((section(".provenance")))'
    record = tmp_path / "asc_provenance.c"
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", *FLAGS, section, "-c", record]
    subprocess.run([*command, "-o", tmp_path / "record.o"], check=True)
    only = ["--only-section", ".provenance", "-O", "binary", tmp_path / "record.o"]
    subprocess.run(["arm-none-eabi-objcopy", *only, tmp_path / "record.bin"], check=True)
    assert unpack((tmp_path / "record.bin").read_bytes()).prefix == "asc"


def test_round_trip_of_any_text() -> None:
    labels = ("", "café", "a" * 300)
    record = Provenance("0a" * 32, "ff" * 32, "1.2", "tflm", "x", labels)
    assert unpack(pack(record) + b"\xff" * 9) == record


def hex_record(payload: bytes, *, kind: int = 0, offset: int = 0) -> str:
    body = bytes([len(payload), offset >> 8, offset & 255, kind]) + payload
    return ":" + (body + bytes([-sum(body) % 256])).hex().upper() + "\n"


def test_hex_segments_in_any_order(tmp_path: Path) -> None:
    record = pack(Provenance("00" * 32, "11" * 32, "1", "aot", "seg", ("a", "b")))
    pieces = [record[i : i + 16] for i in range(0, len(record), 16)]
    lines = [hex_record(piece, offset=0x40 + 16 * i) for i, piece in enumerate(pieces)]
    base = hex_record(b"\x12\x34", kind=2)
    path = tmp_path / "image.hex"
    path.write_text(base + "".join(reversed(lines)) + hex_record(b"", kind=1))
    (found,) = inspect(path)[1]
    assert found.provenance.prefix == "seg"
    assert found.address == 0x12340 + 0x40


def refused(capsys: pytest.CaptureFixture[str], path: Path) -> str:
    capsys.readouterr()
    assert asc_tiny("inspect", path) == 2
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert captured.out == ""
    assert line.startswith(f"asc-tiny: {path}: ")
    return line


def test_bad_raw_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = pack(Provenance("00" * 32, "11" * 32, "1", "aot", "asc", ("a", "b")))
    newer = record[:8] + b"\x02" + record[9:-4]
    newer += struct.pack("<I", zlib.crc32(newer))
    endless = record[:10] + b"\xfc\xff" + record[12:]
    bad = {
        "holds no record": bytes(5000),
        "damaged: CRC-32 0x": record.replace(b"\x11", b"\x10", 1),
        "cut off: ": record[:-1],
        "of version 2, this asc-tiny reads version 1": newer,
        f"cut off: {0xFFFC} bytes long": endless,
    }
    path = tmp_path / "image.bin"
    for reason, data in bad.items():
        path.write_bytes(b"\xff" * 100 + data)
        assert reason in refused(capsys, path)
    path.write_bytes(record + bytes(8) + bad["damaged: CRC-32 0x"])
    assert f"at offset {len(record) + 8} is damaged" in refused(capsys, path)
    # A slot that was being written when the flash was read.
    path.write_bytes(record + bytes(8) + record[:60] + b"\xff" * 4096)
    assert asc_tiny("inspect", path) == 0
    path.write_bytes(record[:60] + b"\xff" * 4096)
    assert "at offset 0 is damaged" in refused(capsys, path)
    assert "cannot read: No such file" in refused(capsys, tmp_path / "none.bin")
    assert "cannot read: Is a directory" in refused(capsys, tmp_path)


def test_bad_files_of_each_format(
    firmware: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = firmware.read_bytes()
    text = convert(firmware, tmp_path / "good.hex", "ihex").read_bytes()
    lines = text.splitlines(keepends=True)
    digit = b"1" if lines[3][-4:-3] == b"0" else b"0"
    flipped = lines[3][:-4] + digit + lines[3][-3:]
    blocks = uf2(convert(firmware, tmp_path / "good.bin", "binary").read_bytes(), 0)
    bad = {
        "elf": {
            "damaged ELF file": elf[:40],
            "ELF file is cut off": elf[:0x2000],
            "ELF file without segments": (firmware.parent / object_of(firmware)).read_bytes(),
        },
        "hex": {
            "no end record": b"".join(lines[:-1]),
            "line 4: checksum 0x": b"".join([*lines[:3], flipped, *lines[4:]]),
            "line 4: record of 15 bytes, its size field says 21": b"".join(
                [*lines[:3], lines[3][:31]]
            ),
            "line 1: no Intel HEX record": b":xyz\n",
            "line 1: record of type 6": hex_record(b"", kind=6).encode(),
            "line 1: address record of 1 bytes": hex_record(b"\0", kind=4).encode(),
        },
        "uf2": {
            "UF2 file lacks block 2 of ": blocks[: 2 * 512],
            "block 1: cut off": blocks[:700],
            "block 1: damaged": blocks[:512] + bytes(512) + blocks[1024:],
            "UF2 file lacks block 1 of": blocks[:512] + blocks[1024:],
            "some twice": blocks[:512] + blocks[:512] + blocks[1024:],
        },
    }
    for suffix, cases in bad.items():
        for reason, data in cases.items():
            path = tmp_path / f"bad.{suffix}"
            path.write_bytes(data)
            assert reason in refused(capsys, path), reason


def object_of(firmware: Path) -> Path:
    found = sorted(firmware.parent.rglob("main.c.obj")) + sorted(firmware.parent.rglob("main.c.o"))
    return found[0].relative_to(firmware.parent)


def test_labels_that_do_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tmp_path / "labels.txt"
    for reason, text in (("'a\\x00b', allowed", "a\0b"), ("allowed: 1 to 255 bytes", "a" * 70_000)):
        labels.write_text("\n".join([text, *(f"label {i}" for i in range(9))]))
        capsys.readouterr()
        assert asc_tiny("generate", MODEL, "--labels", labels, "--out", tmp_path / "out") == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert reason in line
        assert not (tmp_path / "out").exists()


def test_labels_that_are_too_many() -> None:
    labels = tuple(f"{i:0255}" for i in range(300))
    with pytest.raises(AscError, match=r"allowed are 65532; shorten the labels"):
        pack(Provenance("00" * 32, "00" * 32, "1", "aot", "asc", labels))
