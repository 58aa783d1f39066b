"""Recordings of a factory: the same each time, and of several kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.factory import MACHINES, write_factory
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny, refused


def test_recordings(tmp_path: Path) -> None:
    for name in ("one", "two"):
        count = write_factory(tmp_path / name, seed=3, halls=3, seconds=2.0, sample_rate=16000)
        assert count == 3 * len(MACHINES)
    paths = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.wav"))
    assert len(paths) == 12 and str(paths[0]) == "fan/hall_1/recording.wav"
    levels: dict[str, list[float]] = {}
    for path in paths:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
        samples, rate = soundfile.read(tmp_path / "one" / path)
        assert (samples.shape, rate) == ((32000, 2), 16000)
        assert 0.01 < np.abs(samples).max() < 0.999
        assert not np.array_equal(samples[:, 0], samples[:, 1])
        levels.setdefault(path.parts[0], []).append(float(samples.std()))
    assert max(levels["idle"]) < min(levels["fan"])


@pytest.mark.parametrize("bad", [{"seed": -1}, {"halls": 2}, {"sample_rate": 8000}])
def test_arguments_are_checked(tmp_path: Path, bad: dict[str, int]) -> None:
    with pytest.raises(AscError, match=r"= -?\d+, allowed: "):
        write_factory(tmp_path / "x", **{"seed": 0, **bad})  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert "is not empty" in refused(capsys, "data", "synth", tmp_path, "--factory")
    line = refused(capsys, "data", "synth", tmp_path / "x", "--factory", "--clips", 4)
    assert "--clips means nothing with --factory" in line
    argv = ("data", "synth", tmp_path / "x", "--factory", "--sample-rate", 16000)
    assert asc_tiny(*argv) == 0
    assert len(list((tmp_path / "x").rglob("*.wav"))) == 24
