"""docs/reference/builds.md against the records of real builds, and the records against us."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects import registry
from support import build_records
from support.build_records import COMPILED, LINKED, OVERFLOWS, RAN, REACHED, Build
from support.paths import ROOT

BUILDS = [(kind, build) for kind in registry.NAMES for build in build_records.read(kind)]


def name(kind: str, build: Build) -> str:
    return f"{kind}, {', '.join(build.key)}"


def test_the_page_is_made_of_the_records() -> None:
    page = (ROOT / "docs" / "reference" / "builds.md").read_text(encoding="utf-8")
    assert page == build_records.page(), "tools/builds_page > docs/reference/builds.md"


def test_every_board_has_a_row_for_each_of_its_kinds() -> None:
    lines = build_records.page().splitlines()
    for board in catalog.BOARDS.values():
        for kind in build_records.kinds(board):
            rows = [line for line in lines if line.startswith(f"| `{board.name}` | `{kind}` |")]
            tried = any(kind == each and build.board == board.name for each, build in BUILDS)
            assert rows and all("*not tried*" not in row for row in rows) == tried


def test_records_have_names_of_kinds() -> None:
    assert {path.stem for path in build_records.FOLDER.iterdir()} <= set(registry.NAMES)


@pytest.mark.parametrize(("kind", "build"), BUILDS, ids=[name(*each) for each in BUILDS])
def test_a_record_holds(kind: str, build: Build) -> None:
    board = catalog.BOARDS[build.board]
    assert build_records.serves(kind, board)
    assert build.model in build_records.released()
    assert build.reached in REACHED
    assert bool(build.emulator) == (build.reached == RAN)
    assert bool(build.memory) == (build.reached != COMPILED and bool(board.memory))
    over = any(used > board.memory[region].bytes for region, used in build.memory.items())
    assert over == (build.reached == OVERFLOWS)


def test_records_are_in_order_with_one_of_a_build() -> None:
    for kind in registry.NAMES:
        keys = [build.key for build in build_records.read(kind)]
        assert keys == sorted(set(keys))


def test_what_is_written_is_read(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_records, "FOLDER", tmp_path)
    linked = Build(
        board="nrf52840dk",
        model="mobilenet_esc10",
        release="Zephyr 0",
        compiler="GCC 0",
        reached=LINKED,
        memory={"flash": 1, "ram": 0x40000},
    )
    build_records.add("zephyr", linked)
    more = Build(**{**asdict(linked), "model": "ensemble1_esc10", "reached": OVERFLOWS})
    build_records.add("zephyr", Build(**{**asdict(more), "memory": {"flash": 1, "ram": 0x40001}}))
    build_records.add("zephyr", linked)
    assert [each.model for each in build_records.read("zephyr")] == [more.model, linked.model]
    assert len(json.loads((tmp_path / "zephyr.json").read_text())) == 2
    (row,) = (line for line in build_records.page().splitlines() if "Zephyr 0, GCC 0" in line)
    cells = ["`nrf52840dk`", "`zephyr`", "Zephyr 0, GCC 0", "linked", "1", "262,144"]
    assert row == f"| {' | '.join(cells)} | `ensemble1_esc10` overflows RAM by 1 |"
