"""Where outputs are written to: links are followed, devices and folders in the way refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing, replacing_folder, write_bytes
from support.small_disks import full_disk


def fill(path: Path) -> None:
    with replacing_folder(path) as folder:
        (folder / "new").write_text("new")


def write(path: Path) -> None:
    write_bytes(path, b"new")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def entries(root: Path) -> dict[Path, int]:
    return {path: os.lstat(path).st_ino for path in (root, *root.rglob("*"))}


def refused(write_to: Callable[[Path], None], path: Path) -> str:
    root = path.parent if path.parent.is_dir() else path.parent.parent
    return refused_at(root, write_to, path)


def refused_at(root: Path, write_to: Callable[[Path], None], path: Path) -> str:
    before = entries(root)
    with pytest.raises(AscError) as caught:
        write_to(path)
    assert "\n" not in str(caught.value)
    assert entries(root) == before, "nothing is left and nothing is missing"
    return str(caught.value)


def test_a_link_to_a_folder_stays_and_the_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk" / "runs").mkdir(parents=True)
    (tmp_path / "disk" / "runs" / "old").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "runs")
    fill(tmp_path / "link")
    assert (tmp_path / "link").readlink() == tmp_path / "disk" / "runs"
    assert names(tmp_path) == ["disk", "link"]
    assert names(tmp_path / "disk") == ["runs"]
    assert names(tmp_path / "disk" / "runs") == ["new"]


def test_a_link_to_a_file_stays_and_the_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.bin").write_bytes(b"old")
    (tmp_path / "one").symlink_to("disk/a.bin")
    (tmp_path / "two").symlink_to("one")
    write(tmp_path / "two")
    assert names(tmp_path) == ["disk", "one", "two"]
    assert (tmp_path / "one").is_symlink() and (tmp_path / "two").is_symlink()
    assert names(tmp_path / "disk") == ["a.bin"]
    assert (tmp_path / "disk" / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize("write_to", [write, fill])
def test_links_to_nothing_are_refused(write_to: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "unmounted" / "run")
    message = refused(write_to, tmp_path / "link")
    assert message == (
        f"{tmp_path}/link: is a link to {tmp_path}/unmounted/run, which does not exist"
    )
    (tmp_path / "circle").symlink_to("circle")
    assert "circle, which does not exist" in refused(write_to, tmp_path / "circle")


@pytest.mark.parametrize("write_to", [write, fill])
def test_pipes_and_devices_are_refused(write_to: Callable[[Path], None], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        assert f"{tmp_path / name}: is " in refused(write_to, tmp_path / name)
    assert Path("/dev/null").is_char_device()


def test_a_folder_in_the_way_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert "is a folder, a file is needed" in refused(write, tmp_path / "x")


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("kept")
    assert "is a file, a folder is needed" in refused(fill, tmp_path / "x")
    for write_to in (write, fill):
        message = refused(write_to, tmp_path / "x" / "below")
        assert message == f"{tmp_path}/x/below: {tmp_path}/x is a file, a folder is needed"


def test_the_current_folder_is_filled_if_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inode = tmp_path.stat().st_ino
    monkeypatch.chdir(tmp_path)
    fill(Path())
    assert names(tmp_path) == ["new"] and tmp_path.stat().st_ino == inode
    assert "is the current folder and cannot be replaced; empty it" in refused(fill, Path())
    fill(Path("below"))
    assert names(tmp_path / "below") == ["new"]


def test_a_mounted_folder_is_filled_if_it_is_empty(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk", left_bytes=65536) as volume:
        (volume / "filled").unlink()
        fill(volume)
        assert names(volume) == ["new"]
        assert "another file system begins" in refused(fill, volume)
    assert names(tmp_path) == ["disk"]


def test_folders_above_are_made_and_go_again(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    message = refused_at(tmp_path, fail, tmp_path / "a" / "b" / "x")
    assert message.endswith("/a/b/x: cannot write here: No space left on device")
    for write_to in (write, fill):
        write_to(tmp_path / write_to.__name__ / "b" / "x")
        assert names(tmp_path / write_to.__name__ / "b") == ["x"]


def test_what_fails_in_the_block_leaves_the_old(tmp_path: Path) -> None:
    fill(tmp_path / "run")
    write(tmp_path / "file")

    def fail_within_folder(path: Path) -> None:
        with replacing_folder(path) as folder:
            (folder / "half").write_text("half")
            raise OSError("a library gives no number")

    assert refused(fail_within_folder, tmp_path / "run").endswith(
        "run: cannot write here: a library gives no number"
    )
    assert names(tmp_path / "run") == ["new"]
