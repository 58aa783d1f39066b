"""A folder to begin with: recipe, limits, a check of them in CI, the commands."""

from __future__ import annotations

from pathlib import Path

from asc_tiny.starter.released import write_new
from asc_tiny.util.files import read_bytes

_PLACES = {
    "recipe.toml": "recipe.toml",
    "asc-budget.toml": "asc-budget.toml",
    "README.md": "README.md",
    "budget.yml": ".github/workflows/budget.yml",
}


def write(target: Path) -> list[Path]:
    """Write the files into a folder, which may be new, and return where they are.

    Raises:
        AscError: a file with other content is there; nothing is written.
    """
    source = Path(__file__).with_name("files")
    return write_new(target, {place: read_bytes(source / name) for name, place in _PLACES.items()})
