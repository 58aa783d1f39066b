"""Two runs at one place: a second is refused, and a dead one holds nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asc_tiny.util import locks
from asc_tiny.util.errors import AscError

pytest.importorskip("fcntl")

HOLD = """
import pathlib, sys
from asc_tiny.util import locks
with locks.exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate("")


def test_a_second_run_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    with held_by_another(folder) as other:
        with pytest.raises(AscError) as error, locks.exclusive(folder):
            pass
        named = f" (process {other.pid})" if Path("/proc/locks").exists() else ""
        assert str(error.value) == (
            f"{folder}: is being written by another run{named}; wait for it or stop it"
        )
    with locks.exclusive(folder):
        pass


def test_a_killed_run_holds_nothing(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as other:
        other.kill()
        other.wait()
        with locks.exclusive(tmp_path):
            pass


def test_a_link_is_the_folder_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    link, real = locks.exclusive(tmp_path / "link"), locks.exclusive(tmp_path / "real")
    with link, pytest.raises(AscError, match="another run"), real:
        pass


def test_folders_beside_each_other_and_inside_are_free(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with (
        locks.exclusive(a),
        locks.exclusive(b),
        locks.exclusive(a / "1"),
        locks.exclusive(tmp_path),
    ):
        pass


def test_what_was_made_and_stays_empty_goes(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with locks.exclusive(tmp_path / "old" / "a" / "b"), locks.exclusive(tmp_path / "full"):
        (tmp_path / "full" / "file").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "old"]


def test_a_folder_that_is_replaced_is_locked_anew(tmp_path: Path) -> None:
    """Who waited for the old one must not take it for the new one."""
    folder = tmp_path / "out"
    folder.mkdir()
    with locks.exclusive(folder):
        folder.rename(tmp_path / "aside")
        with locks.exclusive(folder):
            assert folder.exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(AscError, match=f"^{path}: "), locks.exclusive(path):
            pass


def test_without_locks_all_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    with locks.exclusive(tmp_path / "out"), locks.exclusive(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()
