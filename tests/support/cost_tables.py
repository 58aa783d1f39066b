"""The tables of docs/reference/estimates.md that are made of files: errors of estimates, chips."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from support.paths import ROOT

PAGE = ROOT / "docs" / "reference" / "estimates.md"
COSTS = ROOT / "asc_tiny" / "compiler" / "cpu_costs.json"
CHIPS = ROOT / "asc_tiny" / "costs" / "chips.json"


def page() -> str:
    """Return the page with its tables made anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("errors", _errors()), ("chips", _chips())):
        place = re.compile(rf"(<!-- {name} -->\n\n).*?(\n<!-- end -->)", re.DOTALL)
        text, places = place.subn(lambda found, new=table: f"{found[1]}{new}{found[2]}", text)
        assert places == 1, f"{PAGE.name}: {places} tables {name}"
    return text


def _errors() -> str:
    rows = ["| core | error, released networks, most | small networks, mean | most |"]
    rows.append("|---|---:|---:|---:|")
    for cpu, costs in _read(COSTS)["cpus"].items():
        error = costs["error"]
        cells = f"{error['released']:.1%} | {error['mean']:.1%} | {error['largest']:.0%}"
        rows.append(f"| {cpu} | {cells.replace('%', ' %')} |")
    return "\n".join(rows) + "\n"


def _chips() -> str:
    rows = ["| `--chip` | core | uA/MHz | V | source |", "|---|---|---:|---:|---|"]
    for name, chip in _read(CHIPS).items():
        cells = (name, chip["cpu"], f"{chip['microamps_per_mhz']:g}", chip["volts"], chip["source"])
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
