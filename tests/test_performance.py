"""docs/PERFORMANCE.md against measurements: every figure of a row within 2 %."""

from __future__ import annotations

import re

import pytest
from network import CORES, HEAD, PAGE, PLANS, Row, measured

from asc_tiny.codegen.compiler.choose import Options

MARGIN = 0.02
QUICK = (("mobilenet_esc10", "Cortex-M4"),)
SLOW = (
    *(("mobilenet_esc10", core) for core in CORES if core not in ("Cortex-M4", "Cortex-M7")),
    *(("mini_segnet_esc10", core) for core in ("Cortex-M4", "Cortex-M55", "RV32IMC")),
)


def stated(model: str, label: str) -> list[float]:
    """Return the figures of a row of the page."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == len(HEAD) and cells[:2] == [model, label]:
            return [float(cell.replace(",", "")) for cell in cells[2:]]
    raise AssertionError(f"{PAGE.name} has no row {model}, {label}")


def assert_as_stated(row: Row) -> None:
    figures = [float(re.sub(",", "", cell)) for cell in row.cells[2:]]
    for name, figure, wanted in zip(
        HEAD[2:], figures, stated(row.cells[0], row.label), strict=True
    ):
        assert abs(figure - wanted) <= MARGIN * wanted, (row.model, row.label, name)


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("model", "core"), [*QUICK, *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOW)]
)
def test_cost_on_core(model: str, core: str) -> None:
    assert_as_stated(measured(f"{model}.tflite", core, CORES[core], Options()))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("plan", [name for name in PLANS if name != "default"])
def test_cost_of_plan(plan: str) -> None:
    row = measured("mobilenet_esc10.tflite", plan, CORES["Cortex-M4"], PLANS[plan])
    assert_as_stated(row)
