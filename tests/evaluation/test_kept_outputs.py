"""An evaluation that was cut off goes on with the parts that it has done."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

from asc_tiny.evaluation import kept_outputs

DONE: list[int] = []


class Killed(BaseException):
    """The process ends here."""


def outputs(first, advance=lambda: None, *, die_at=None):
    if first == die_at:
        raise Killed
    DONE.append(first)
    rows = np.arange(first, first + 3, dtype=np.int8)
    for _ in rows:
        advance()
    return {"0": np.stack([rows, -rows], axis=1), "1": rows[:, None]}


def run(die_at=None, note="model"):
    """Return the outputs of three parts, which parts were computed, and what the bar says."""
    DONE.clear()
    starts = (0, 3, 6)
    bar = tqdm(total=9, disable=False, file=io.StringIO())
    with bar, kept_outputs.until_complete() as kept:
        found = kept.computed(
            lambda first, advance: outputs(first, advance, die_at=die_at),
            [(start,) for start in starts],
            [f"{note} {start}" for start in starts],
            None,
            bar,
        )
    return found, list(DONE), bar.n


def test_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "asc-tiny" / "evaluation"
    whole, done, shown = run()
    assert done == [0, 3, 6] and shown == 9
    np.testing.assert_array_equal(whole["0"][:, 0], np.arange(9))
    assert not list(folder.iterdir()), "nothing is kept of what is complete"
    with pytest.raises(Killed):
        run(die_at=6)
    assert len(list(folder.iterdir())) == 2
    # Another model's parts are its own.
    assert run(note="another")[1] == [0, 3, 6]
    # What is damaged is computed again.
    sorted(folder.iterdir())[0].write_bytes(b"PK")
    again, done, shown = run()
    assert len(done) == 2 and 6 in done and shown == 9
    for name, values in whole.items():
        np.testing.assert_array_equal(again[name], values)
    assert not list(folder.iterdir())
