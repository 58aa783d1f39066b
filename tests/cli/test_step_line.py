"""The line that says what a command is at: on a terminal alone, and gone at the end."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import sys
from pathlib import Path

import pytest

from support.commands import asc_tiny, refused
from support.paths import MODEL

CLEAR = "\r\x1b[K"


def on_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> str:
    """What a command writes to standard error, which is a terminal."""
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        asc_tiny(*arguments)
    return everything(reader).decode()


def everything(reader: int) -> bytes:
    """Read a terminal to its end, which is an error once nobody writes to it."""
    found = b""
    with contextlib.suppress(OSError):
        while part := os.read(reader, 1 << 16):
            found += part
    os.close(reader)
    return found


def test_steps_are_shown_and_cleared_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = on_terminal(monkeypatch, "generate", MODEL, "--out", tmp_path / "firmware")
    assert said.startswith(f"{CLEAR}compiling the network and computing what it must give ...")
    # Nothing of it is left on the screen: the last line begins where the step was.
    assert said.split(CLEAR)[-1].splitlines()[-1].startswith("wrote ")


def test_an_error_clears_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(b"TFL3")
    said = on_terminal(monkeypatch, "generate", model, "--out", tmp_path / "firmware")
    assert said.split(CLEAR)[-1].startswith(f"asc-tiny: {model}: not a .tflite file")


def test_elsewhere_there_are_no_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert CLEAR not in refused(capsys, "generate", tmp_path / "no.tflite", "--out", tmp_path / "o")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", tmp_path / "sources") == 0
    assert "..." not in stream.getvalue() and "\x1b" not in stream.getvalue()
