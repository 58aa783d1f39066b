"""Gives PyPI the README: its links are relative here, and lead to the repository's address there.

hatchling calls it when it makes a distribution (tool.hatch.metadata.hooks in pyproject.toml).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)(\[[^\]]*\])\((?!\w+:|#)([^)\s]+)\)")
SOURCE = re.compile(r'\b(src|srcset)="(?!\w+:)([^"]+)"')


def absolute(text: str, repository: str) -> str:
    """Return Markdown whose links and pictures have whole addresses.

    Args:
        text: the Markdown of a file in the repository's top folder.
        repository: the repository's address, without a last slash.
    """

    def link(found: re.Match[str]) -> str:
        kind = "raw" if found[1] else "blob"
        return f"{found[1]}{found[2]}({repository}/{kind}/main/{found[3]})"

    return SOURCE.sub(rf'\1="{repository}/raw/main/\2"', LINK.sub(link, text))


class PyPIReadme(MetadataHookInterface):  # type: ignore[misc]
    """hatchling's hook."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the README of the distribution."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = metadata["urls"]["Repository"]
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute(text, repository),
        }
