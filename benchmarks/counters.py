#!/usr/bin/env python3
"""Prints the table of docs/reference/counters.md: what four counters give for released networks.

    python benchmarks/counters.py [--write]

Our figures are counted now. Those of Vela and of TensorFlow's profiler, which are no part of this
project, were read from their output once, by the commands that the page names.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from page_tables import ROOT, put, table

from asc_tiny.complexity.report import measure
from asc_tiny.tflite.reader import read_graph

NAMES = ("mobilenet_esc10", "mini_segnet_esc10")
RECORDED = {
    'Vela, "MACs/batch"': (4_056_212, 19_936_276),
    'TensorFlow\'s profiler, "float ops"': (8_675_804, 39_773_084),
}


def counters() -> str:
    """Return the table."""
    graphs = [read_graph(ROOT / "models" / f"{name}.tflite") for name in NAMES]
    rows = {
        "MACs here": [measure(graph).macs for graph in graphs],
        "`--convention nessi`": [measure(graph, convention="nessi").macs for graph in graphs],
        **RECORDED,
    }
    cells = [[name, *(f"{figure:,}" for figure in figures)] for name, figures in rows.items()]
    return table(["", *(f"`{name}`" for name in NAMES)], cells, words=1)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        put("counters", counters())
    else:
        print(counters())
