"""A whole search by the command, small: its files, its refusals, and going on."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from asc_tiny.train.run import Run
from support.commands import asc_tiny
from support.exit_codes import refused
from support.recipes import RECIPE

pytest.importorskip("optuna")
pytest.importorskip("tensorflow")
pytestmark = pytest.mark.slow

SPACE = """
recipe = "small.toml"
[halving]
epochs = [1]
[space]
"schedule.rate_max" = { low = 0.02, high = 0.2, log = true }
"filters.*" = [0.5, 1.0]
"""


@pytest.fixture(scope="module")
def found(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    (folder / "small.toml").write_text(RECIPE, encoding="utf-8")
    (folder / "space.toml").write_text(SPACE, encoding="utf-8")
    assert search(folder, synthetic, "--trials", "1", "--max-ram", "64K") == 0
    return folder


def arguments(folder: Path, data: Path, *more: str) -> list[object]:
    return ["search", folder / "space.toml", "--data", data, "--out", folder / "out", *more]


def search(folder: Path, data: Path, *more: str) -> int:
    return asc_tiny(*arguments(folder, data, *more))


def test_its_files_and_going_on(
    found: Path, synthetic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = found / "out"
    before = (out / "trials" / "0000" / "model.keras").read_bytes()
    assert search(found, synthetic, "--trials", "2", "--max-ram", "64K", "--resume") == 0
    assert (out / "trials" / "0000" / "model.keras").read_bytes() == before
    with (out / "candidates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        run = Run(out / "trials" / f"{int(row['candidate']):04d}")
        assert f"{run.info().evaluate_accuracy:.4f}" == row["accuracy"]
        assert run.recipe().schedule.rate_max == pytest.approx(float(row["schedule.rate_max"]))
        assert int(row["arena_bytes"]) <= 65536
    assert (out / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert "schedule.rate max" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "holds a search already; use --resume"),
        (("--resume",), "was started with other limits, cannot resume"),
        (("--resume", "--max-ram", "64K", "--cpu", "z80"), "--cpu z80: was not measured"),
        (("--resume", "--max-ram", "64K", "--board", "none"), "none"),
        (("--resume", "--max-ram", "many"), "--max-ram many: must be a whole number"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    more: tuple[str, ...],
    message: str,
    found: Path,
    synthetic: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert message in refused(arguments(found, synthetic, *more), capsys)


@pytest.mark.exhaustive
def test_limits_that_no_candidate_meets_end_with_a_line(
    found: Path, synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = tmp_path / "space.toml"
    text = SPACE.replace('"small.toml"', f'"{found / "small.toml"}"')
    space.write_text(text.replace("{ low = 0.02, high = 0.2, log = true }", "[0.1]"), "utf-8")
    line = refused(
        ["search", space, "--data", synthetic, "--out", tmp_path / "out", "--max-params", "10"],
        capsys,
    )
    assert "300 candidates in a row" in line
    assert not (tmp_path / "out").exists()
