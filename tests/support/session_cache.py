"""What is made once in a run of the tests, for all tests in all processes of the run.

Entries are found by what they are made of, so that a test has what it would have made. Nothing
outlives the run: another compiler or converter makes everything anew.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

VARIABLE = "ASC_TINY_SESSION_CACHE"
"""Environment variable with the folder, which processes that a run starts inherit."""


def folder() -> Path:
    """Return the folder of this run, made by the first process that asks."""
    if VARIABLE not in os.environ:
        made = tempfile.mkdtemp(prefix="asc-tiny-tests-")
        os.environ[VARIABLE] = made
        owner = os.getpid()
        # A fork of this process has its own end, but not its own folder.
        atexit.register(lambda: os.getpid() == owner and shutil.rmtree(made, ignore_errors=True))
    return Path(os.environ[VARIABLE])


def key(*parts: str | bytes) -> str:
    """Return a name for what is made of these parts."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()


def entry(name: str, make: Callable[[Path], None]) -> Path:
    """Return the file or folder of that name, which ``make`` writes if there is none yet."""
    path = folder() / name
    if not path.exists():
        # Two processes may make it at once: each writes its own, and one of them stays.
        unfinished = path.with_name(f"{os.getpid()}-{name}")
        make(unfinished)
        try:
            unfinished.replace(path)
        except OSError:  # No folder takes the place of another.
            if not path.is_dir():
                raise
            shutil.rmtree(unfinished)
    return path
