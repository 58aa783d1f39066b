"""Where this package keeps what it can compute again."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """Return the user's cache folder for asc-tiny (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "asc-tiny"
