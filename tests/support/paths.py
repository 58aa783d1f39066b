"""Where the repository and the files that tests read lie."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
C = TESTS / "c"
"""Programs in C that tests build."""

DOUBLES = TESTS / "doubles"
"""Stand-ins for systems of others, a folder each."""

FILES = TESTS / "files"
"""Files that tests read."""

MODELS = ROOT / "models"
MODEL = MODELS / "mobilenet_esc10.tflite"
CLIPS = sorted((MODELS / "clips").glob("*.flac"))
"""Recordings that the released models were made for, one second each."""
