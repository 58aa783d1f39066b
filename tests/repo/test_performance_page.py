"""docs/reference/performance*.md against measurements: each within the compiler's margin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from network import CORES, HEAD, PLANS, STREAMING, STREAMING_HEAD, Row, measured

from asc_tiny.compiler.options import Options
from support import compilers
from support.paths import ROOT

pytestmark = pytest.mark.usefixtures("shared_plans")

PAGES = [ROOT / "docs" / "reference" / f"performance{part}.md" for part in ("", "_options")]
MARGIN = compilers.margin()
QUICK = (("mobilenet_esc10", "Cortex-M4"),)
SLOW = (("mobilenet_esc10", "Cortex-M55"), ("mini_segnet_esc10", "RV32IMC"))
MODELS = ("mobilenet_esc10", "mini_segnet_esc10")
LONG = [case for case in product(MODELS, CORES) if case not in (*QUICK, *SLOW)]
COSTS = [
    *QUICK,
    *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW),
    *(pytest.param(*case, marks=pytest.mark.exhaustive) for case in LONG),
]


def stated(model: str, label: str, head: Sequence[str]) -> list[float]:
    """Return the figures of a row of a table of the pages."""
    for line in "".join(page.read_text(encoding="utf-8") for page in PAGES).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(head) and cells[:2] == [model, label]:
            return [float(cell.replace(",", "")) for cell in cells[2:]]
    raise AssertionError(f"no page has a row {model}, {label}")


def assert_as_stated(cells: Sequence[str], head: Sequence[str] = HEAD) -> None:
    figures = [float(cell.replace(",", "")) for cell in cells[2:]]
    wanted = stated(cells[0], cells[1], head)
    for name, figure, right in zip(head[2:], figures, wanted, strict=True):
        assert right / MARGIN <= figure <= right * MARGIN, (*cells[:2], name)


def streaming(model: str, core: str, schedule: str) -> Row:
    return measured(f"{model}.tflite", f"{core}, {schedule}", CORES[core], STREAMING[schedule])


@pytest.mark.qemu
@pytest.mark.parametrize(("model", "core"), COSTS)
def test_cost_on_core(model: str, core: str) -> None:
    assert_as_stated(measured(f"{model}.tflite", core, CORES[core], Options()).cells)


@pytest.mark.qemu
@pytest.mark.parametrize(("model", "core"), COSTS)
def test_cost_of_streaming(model: str, core: str) -> None:
    assert_as_stated(streaming(model, core, "streaming").streaming_cells, STREAMING_HEAD)


@pytest.mark.exhaustive
@pytest.mark.qemu
@pytest.mark.parametrize("plan", [name for name in PLANS if name != "default"])
def test_cost_of_plan(plan: str) -> None:
    row = measured("mobilenet_esc10.tflite", plan, CORES["Cortex-M4"], PLANS[plan])
    assert_as_stated(row.cells)


def test_the_page_about_streaming_quotes_the_table() -> None:
    page = (ROOT / "docs" / "explanation" / "streaming.md").read_text(encoding="utf-8")
    table = page.split("## What it costs")[1].split("\n\n")[2]
    quoted = [row.strip("|").split("|")[1:] for row in table.splitlines()[2:]]
    columns = [
        [float(cell.replace(",", "")) for cell in column] for column in zip(*quoted, strict=True)
    ]
    labels = [(model, schedule) for model in ("mobilenet", "mini_segnet") for schedule in STREAMING]
    for (model, schedule), column in zip(labels, columns, strict=True):
        row = stated(f"{model}_esc10", f"Cortex-M4, {schedule}", STREAMING_HEAD)
        assert [row[0], *row[2:]] == column
