"""Bytes of a serial port between its interrupt and the application."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asc_tiny.firmware.c.templates import template_root
from asc_tiny.firmware.runtime import runtime_sources
from support.native import FLAGS, write

BYTES = 16
"""Of the line here, so that it is often full and wraps around."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("line")
    for name in ("asc_line.c", "asc_line.h"):
        shutil.copy(template_root() / "app" / name, folder)
    write(runtime_sources("audio"), folder)
    path: Path = folder / "line.so"
    options = ["-shared", "-fPIC", f"-DASC_LINE_BYTES={BYTES}u", "-o", path]
    subprocess.run(["cc", *FLAGS, *options, folder / "asc_line.c"], check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.asc_line_take.restype = ctypes.c_size_t
    return loaded


def start(library: ctypes.CDLL, passed: int) -> ctypes.Array[ctypes.c_char]:
    """A line that ``passed`` bytes went through."""
    line = ctypes.create_string_buffer(BYTES + 8)
    line[BYTES:] = passed.to_bytes(4, "little") * 2
    return line


@settings(deadline=None, max_examples=300)
@given(
    passed=st.sampled_from([0, 5, (1 << 32) - 3]),
    steps=st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 20)), max_size=40),
)
def test_bytes_come_in_order_and_those_without_room_are_lost(
    library: ctypes.CDLL, passed: int, steps: list[tuple[bytes, int]]
) -> None:
    line = start(library, passed)
    waiting = b""
    for put, most in steps:
        library.asc_line_put(line, put, ctypes.c_size_t(len(put)))
        waiting += put[: BYTES - len(waiting)]
        taken = ctypes.create_string_buffer(32)
        count = library.asc_line_take(line, taken, ctypes.c_size_t(most))
        assert taken.raw[:count] == waiting[:most]
        waiting = waiting[most:]
