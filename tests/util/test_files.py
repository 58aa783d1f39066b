"""Writing in one step: no two runs at one place, nothing left of one that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asc_tiny.util import locks, partial_files
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import (
    read_bytes,
    read_json,
    read_text,
    read_toml,
    replacing,
    replacing_folder,
    write_bytes,
)

pytest.importorskip("fcntl")

WRITE = """
import os, pathlib, sys
from asc_tiny.util.files import replacing, replacing_folder
path = pathlib.Path(sys.argv[2])
if sys.argv[1] == "file":
    with replacing(path) as temporary:
        temporary.write_text("half of a long text")
        print("busy", flush=True)
        sys.stdin.read()
        temporary.write_text("theirs")
else:
    with replacing_folder(path) as temporary:
        (temporary / "half").mkdir()
        (temporary / "half" / "file").write_text("half")
        print("busy", flush=True)
        sys.stdin.read()
"""


@contextmanager
def another(kind: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that writes and is not done."""
    command = [sys.executable, "-c", WRITE, kind, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        yield process
        if process.poll() is None:
            process.communicate("")
            assert process.returncode == 0


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_that_another_run_writes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    with another("file", path), pytest.raises(AscError) as error:
        write_bytes(path, b"mine")
    assert str(error.value).startswith(f"{path}: is being written by another run")
    assert path.read_text() == "theirs" and names(tmp_path) == ["model.tflite"]


def test_in_a_cache_the_second_waits(tmp_path: Path) -> None:
    path = tmp_path / "entry.npy"
    script = "import pathlib, sys\nfrom asc_tiny.util.files import write_bytes\nprint(flush=True)\n"
    script += "write_bytes(pathlib.Path(sys.argv[1]), b'mine', wait=True)"
    with another("file", path) as first:
        command = [sys.executable, "-c", script, str(path)]
        second = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert second.stdout is not None and second.stdout.readline() == b"\n"
        assert second.poll() is None and not path.exists()
        first.communicate("")
    with second:
        assert second.wait() == 0
    assert path.read_bytes() == b"mine" and names(tmp_path) == ["entry.npy"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_run_has_left_goes_with_the_next(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.bin"
    for _ in range(2):
        with another(kind, path) as process:
            process.kill()
            process.wait()
    assert [name for name in names(tmp_path) if name.startswith(".")]
    if kind == "file":
        write_bytes(path, b"whole")
        assert names(tmp_path) == ["out.bin"]
    else:
        with replacing_folder(path) as temporary:
            assert names(temporary) == []
            (temporary / "whole").touch()
        assert names(tmp_path) == ["out.bin", "out.bin/whole"]


def test_a_folder_that_another_run_writes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "firmware"
    with another("folder", path), pytest.raises(AscError) as error, replacing_folder(path):
        pass
    assert str(error.value).startswith(f"{path}: is being written by another run")
    assert names(path) == ["half", "half/file"]
    mine = replacing_folder(path)
    with locks.exclusive(path), pytest.raises(AscError, match="another run"), mine:
        pass


@pytest.mark.parametrize("one_step", [True, False])
def test_a_folder_takes_the_place_of_another(
    tmp_path: Path, one_step: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not one_step:
        monkeypatch.setattr(partial_files, "exchange", lambda new, path: False)
    for number in (1, 2, 3):
        with replacing_folder(tmp_path / "out") as temporary:
            (temporary / f"file{number}").touch()
        assert names(tmp_path) == ["out", f"out/file{number}"]


def test_two_folders_are_swapped(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not partial_files.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this system cannot")
    assert names(tmp_path) == ["a", "a/b", "b", "b/a"]
    assert not partial_files.exchange(tmp_path / "a", tmp_path / "none")


@pytest.mark.parametrize("write", [replacing, replacing_folder])
def test_a_failure_leaves_nothing(tmp_path: Path, write) -> None:
    with pytest.raises(ZeroDivisionError), write(tmp_path / "new" / "deep" / "out"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


@pytest.mark.parametrize("write", [replacing, replacing_folder])
def test_without_locks_every_run_has_its_own_name(
    tmp_path: Path, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    with write(tmp_path / "out") as first, write(tmp_path / "out") as second:
        assert first != second
        for temporary in (first, second):
            (temporary / "file" if temporary.is_dir() else temporary).write_text("x")
    assert names(tmp_path)[0] == "out" and not list(tmp_path.glob(".*"))


READERS: list[Callable[[Path], Any]] = [read_bytes, read_text, read_toml, read_json]


@pytest.mark.parametrize("read", READERS)
def test_what_never_ends_is_refused(read: Callable[[Path], Any], tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to("/dev/zero")
    with pytest.raises(AscError, match=rf"^{link}: more than \d+ bytes, allowed: up to \d+$"):
        read(link)


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_too_large_is_refused_unread(
    read: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no room: all of it is a hole
    with pytest.raises(AscError, match="large: more than "):
        read(path)


def test_bounds_include_what_they_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    assert read_bytes(path, at_most=4) == b"1234"
    with pytest.raises(AscError, match="more than 3 bytes"):
        read_bytes(path, at_most=3)
    path.write_text("#" * (1 << 20))
    assert read_toml(path) == {}
    path.write_text("#" * ((1 << 20) + 1))
    with pytest.raises(AscError, match="more than 1048576 bytes"):
        read_toml(path)


def test_pipes_and_files_without_a_size_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"content" * 50_000,))
    writer.start()
    assert read_bytes(pipe) == b"content" * 50_000
    writer.join()
    assert read_text(Path("/proc/self/cmdline"))
