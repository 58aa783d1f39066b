"""A folder that is claimed, and what a failed start leaves of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.util import claims
from asc_tiny.util.errors import AscError


def fail(path: Path, *made: str) -> None:
    """Claim a folder, make files and folders (with a slash at the end) in it, and fail."""
    with pytest.raises(AscError), claims.claimed(path, "mine\n", also=["notes.db"]):
        assert path.read_text() == "mine\n"
        for name in made:
            (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
            (path.parent / name).mkdir() if name.endswith("/") else (path.parent / name).touch()
        raise AscError("no")


@pytest.mark.parametrize("made", [(), ("notes.db",), ("steps/01/", "trials/")])
def test_a_start_that_fails_gives_the_folder_back(tmp_path: Path, made: tuple[str, ...]) -> None:
    fail(tmp_path / "above" / "out" / "claim.json", *made)
    assert not list(tmp_path.iterdir())


def test_what_was_there_before_stays(tmp_path: Path) -> None:
    (tmp_path / "read me").write_text("of the user")
    fail(tmp_path / "claim.json", "steps/")
    assert [each.name for each in tmp_path.iterdir()] == ["read me"]


def test_work_that_is_done_keeps_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    fail(path, "steps/01/run.json")
    assert path.exists() and (tmp_path / "steps" / "01" / "run.json").exists()
    # The next one goes on with it, and its failure takes nothing away.
    fail(path)
    assert path.exists()
