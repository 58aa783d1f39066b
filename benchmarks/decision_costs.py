"""What decisions over time cost on a Cortex-M4: RAM, flash, instructions of a hop.

    python benchmarks/decision_costs.py [--write]

The released MobileNet is generated, built and measured with windows of several hops, as by
``asc-tiny generate --decision``, ``build`` and ``bench``. ``--write`` puts the table into
docs/explanation/decisions.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from page_tables import ROOT, put, table

from asc_tiny import api

MODEL = ROOT / "models" / "mobilenet_esc10.tflite"
RULES = {
    "none: clips": "",
    "1": "hop_columns = 1",
    "11": "hop_columns = 11",
    "18": "hop_columns = 18",
    "36": "hop_columns = 36",
    "172": "hop_columns = 172",
    "11, with smoothing, lead, hold and threshold": (
        "hop_columns = 11\nsmoothing = 4\nlead = 0.1\nhold = 2\nthreshold = 0.4"
    ),
}
"""Rows of the table: text of the decision's file."""

HEAD = ("`hop_columns`", "RAM, bytes", "flash, bytes", "front end, instructions per hop")


def measured(rule: str) -> api.Benchmark:
    """Generate, build and measure the model with a rule."""
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as temporary:
        decision, folder = Path(temporary) / "decision.toml", Path(temporary) / "firmware"
        decision.write_text(rule, encoding="utf-8")
        api.generate(MODEL, folder, board="mps2-an386", decision=decision if rule else None)
        project = api.load_project(folder)
        api.build(project)
        return api.bench(project)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs/explanation/decisions.md")
    arguments = parser.parse_args()
    rows = []
    for name, rule in RULES.items():
        costs = measured(rule).costs
        figures = (costs.ram_bytes, costs.flash_bytes, costs.instructions_per_hop)
        rows.append((name, *(f"{figure:,}" for figure in figures)))
    text = table(HEAD, rows, words=1)
    print(text)
    if arguments.write:
        put("decision costs", text)


if __name__ == "__main__":
    main()
