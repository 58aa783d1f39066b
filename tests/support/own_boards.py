"""Boards of a user's own, as the pages show them."""

from __future__ import annotations

import re
from pathlib import Path

from support.paths import ROOT


def esp32s3(folder: Path) -> Path:
    """Write the file of an ESP32-S3 that the page on boards of one's own shows; return it."""
    page = (ROOT / "docs" / "how_to" / "own_board.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (text,) = [block for block in blocks if 'target = "esp32s3"' in block]
    path = folder / "esp32s3.toml"
    path.write_text(text, encoding="utf-8")
    return path
