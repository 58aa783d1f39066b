"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asc_tiny.audio.synth import write_synthetic


@pytest.fixture(scope="session")
def esc10() -> Path:
    """Folder of the ESC-10 recordings in the TAU layout; skips the test where they are absent."""
    default = Path(__file__).parents[2] / "shared" / "data" / "esc10"
    folder = Path(os.environ.get("ASC_TINY_ESC10", default))
    if not (folder / "meta.csv").is_file():
        pytest.skip("no ESC-10 recordings: set ASC_TINY_ESC10 to their folder")
    return folder


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic dataset of 3 scenes with 8 clips each; tests must not change it."""
    folder = tmp_path_factory.mktemp("synthetic")
    write_synthetic(folder, seed=1, clips_per_class=8)
    return folder
