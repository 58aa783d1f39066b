"""Folders of files that come with the package and stand beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def brought_folder(name: str) -> Path:
    """Return such a folder: in the installed package, else beside it in a checkout.

    Args:
        name: name of the folder, as ``force-include`` of pyproject.toml has it.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
