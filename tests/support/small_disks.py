"""File systems on which nothing can be written: full, read-only, or by a limit of the system."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def _mounted(folder: Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")


@contextmanager
def full_disk(folder: Path, *, left_bytes: int = 0) -> Iterator[Path]:
    """Give a folder on a disk of 64 KiB with so much space left; others find it there, too."""
    _mounted(folder, "size=64k,mode=777")
    try:
        with suppress(OSError), (folder / "filled").open("wb", buffering=0) as file:
            for _ in range((64 * 1024 - left_bytes) // 4096):
                file.write(bytes(4096))
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def read_only_disk(folder: Path) -> Iterator[Path]:
    """Give a folder in which nobody can write; one of a plain user by its permissions."""
    if os.geteuid():
        folder.mkdir(mode=0o555)
        yield folder
        return
    _mounted(folder, "ro,size=64k")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def no_file_grows() -> Iterator[None]:
    """Refuse every write to a file, in this process and those that it starts."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
