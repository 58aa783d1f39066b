"""Frames on a serial line: C code and Python held to published examples and to zlib's CRC."""

from __future__ import annotations

import random
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.targets.device import frame
from asc_tiny.targets.device.frame import FrameReader
from support.native import FLAGS, write
from support.paths import C

SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
COUNT = bytes(range(1, 255))
# From Cheshire and Baker's paper and the examples of Wikipedia's article on COBS.
PUBLISHED = {
    b"\0": "0101",
    b"\0\0": "010101",
    b"\0\x11\0": "01021101",
    b"\x11\x22\0\x33": "0311220233",
    b"\x11\x22\x33\x44": "0511223344",
    b"\x11\0\0\0": "0211010101",
    COUNT: "ff" + COUNT.hex(),
    b"\0" + COUNT: "01ff" + COUNT.hex(),
    COUNT + b"\xff": "ff" + COUNT.hex() + "02ff",
    COUNT[1:] + b"\xff\0": "ff" + COUNT[1:].hex() + "ff0101",
    COUNT[2:] + b"\xff\0\x01": "fe" + COUNT[2:].hex() + "ff0201",
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C code with its sanitisers."""
    folder = tmp_path_factory.mktemp("frames")
    sources = runtime_sources("protocol")
    write({name: sources[name] for name in ("asc_frame.c", "asc_frame.h")}, folder)
    shutil.copy(C / "frame_main.c", folder)
    image = folder / "frames"
    subprocess.run(["cc", *FLAGS, *SANITISERS, *folder.glob("*.c"), "-o", image], check=True)
    return image


def run(program: Path, mode: str, data: bytes) -> bytes:
    return subprocess.run([program, mode], input=data, capture_output=True, check=True).stdout


def decoded(program: Path, line: bytes) -> list[str]:
    return run(program, "decode", line).decode().split()


@pytest.mark.parametrize("data", PUBLISHED, ids=range(len(PUBLISHED)))
def test_published_examples_of_cobs(data: bytes) -> None:
    assert frame._stuff(data).hex() == PUBLISHED[data]
    assert frame._unstuff(bytes.fromhex(PUBLISHED[data])) == data


def by_hand(payload: bytes) -> bytes:
    """A frame, byte by byte as COBS is defined."""
    data = payload + zlib.crc32(payload).to_bytes(4, "little")
    groups, group = [], b""
    for byte in data:
        if byte == 0:
            groups.append(group)
            group = b""
        else:
            group += bytes([byte])
            if len(group) == 254:
                groups.append(group)
                group = b""
    ends_full = bool(groups) and not group and len(groups[-1]) == 254 and data[-1] != 0
    if not ends_full:
        groups.append(group)
    return b"\0" + b"".join(bytes([len(g) + 1]) + g for g in groups) + b"\0"


@given(
    payload=st.one_of(
        st.binary(min_size=1, max_size=256),
        st.integers(1, 256).map(lambda size: b"\x07" * size),
        st.integers(1, 256).map(bytes),
    )
)
@settings(max_examples=60, deadline=None)
def test_c_and_python_make_and_read_the_same_frames(program: Path, payload: bytes) -> None:
    expected = by_hand(payload)
    assert frame.encode(payload) == expected
    assert run(program, "encode", payload) == expected
    assert decoded(program, expected) == [payload.hex()]
    assert list(FrameReader().take(expected)) == [payload]


def noisy_line(seed: int, size: int) -> tuple[bytes, set[bytes]]:
    """Frames, some of them damaged, between noise; and the payloads that were sent."""
    generator = random.Random(seed)
    line, sent = bytearray(), set()
    while len(line) < size:
        payload = generator.randbytes(generator.randint(1, 300))
        piece = bytearray(frame.encode(payload))
        if len(payload) <= 256:
            sent.add(payload)
        for _ in range(generator.choice((0, 0, 1, 3))):
            place = generator.randrange(len(piece))
            change = generator.randrange(3)
            if change == 0:
                piece[place] = generator.randrange(256)
            elif change == 1:
                del piece[place]
            else:
                piece.insert(place, generator.randrange(256))
        line += piece
        if generator.random() < 0.1:
            line += generator.randbytes(generator.randint(1, 600))
    return bytes(line), sent


@pytest.mark.parametrize("size", [100_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_noise_is_survived_and_never_accepted(program: Path, size: int) -> None:
    """Address and undefined behaviour sanitisers end the program at the first wrong step."""
    line, sent = noisy_line(20231, size)
    accepted = [entry for entry in decoded(program, line) if entry != "damaged"]
    assert len(accepted) > size / 1000
    assert {bytes.fromhex(entry) for entry in accepted} <= sent
    reader = FrameReader()
    # Python reads longer frames than the firmware does.
    kept = [payload.hex() for payload in reader.take(line) if len(payload) <= 256]
    assert kept == accepted
    assert reader.damaged > 0


def test_the_frame_after_noise_arrives(program: Path) -> None:
    for noise in (b"\x05abc", b"\xff" * 1000, b"\0\0\0", bytes(range(256)) * 3):
        line = noise + frame.encode(b"after")
        assert decoded(program, line)[-1] == b"after".hex()
        assert list(FrameReader().take(line))[-1] == b"after"


def test_a_line_without_zeros_takes_no_memory() -> None:
    reader = FrameReader()
    for _ in range(100):
        assert not list(reader.take(b"\x01" * 10_000))
    assert len(reader._begun) <= 2 * reader.LONGEST
    assert list(reader.take(frame.encode(b"after"))) == [b"after"]
