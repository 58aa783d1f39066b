"""Programs in C that tests build together with generated sources."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.paths import C


def put(name: str, folder: Path) -> None:
    """Copy a program of ``tests/c`` and what programs share to the sources that it runs."""
    for each in (name, "harness.h"):
        shutil.copy(C / each, folder)
