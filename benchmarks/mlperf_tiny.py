"""MLPerf Tiny's four networks on a Cortex-M4, beside what other engines publish.

    python benchmarks/mlperf_tiny.py FOLDER [--write]

FOLDER holds MLPerf Tiny's models, in whatever folders below it: github.com/mlcommons/tiny has them
in benchmark/training/*/trained_models. Each is generated, built and measured as by ``asc-tiny
generate``, ``build`` and ``bench --cycles``. ``--write`` puts the tables into
docs/reference/performance_mlperf.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from page_tables import put, table

from asc_tiny import api
from asc_tiny.util.errors import AscError

FILES = {
    "kws": "kws_ref_model.tflite",
    "vww": "vww_96_int8.tflite",
    "ic": "pretrainedResnet_quant.tflite",
    "ad": "ad01_int8.tflite",
}
"""Keyword spotting, visual wake words, image classification, anomaly detection."""

PUBLISHED = {
    "ST X-CUBE-AI 10.2 (results v1.3)": (5.21, 10.73, 19.88, 0.575),
    "Plumerai (results v1.1)": (5.73, 11.85, 20.13, 0.486),
    "Bosch (results v1.1)": (7.52, 21.7, 21.5, 0.679),
    "microTVM with CMSIS-NN (results v1.1)": (11.98, 36.1, 46.7, 1.03),
}
"""Million cycles of an inference on a NUCLEO-L4R5ZI at 120 MHz, from MLPerf Tiny's results.

The results state latencies; times the clock they are these cycles.
"""


def find(folder: Path) -> dict[str, Path]:
    """Return the file of each network.

    Raises:
        AscError: one is not there.
    """
    found = {}
    for name, file in FILES.items():
        path = min(folder.rglob(file), default=None)
        if path is None:
            raise AscError(f"{folder}: holds no {file}, MLPerf Tiny's network {name}")
        found[name] = path
    return found


def measured(path: Path) -> api.Benchmark:
    """Generate, build and measure a network on a Cortex-M4."""
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as temporary:
        folder = Path(temporary) / "firmware"
        api.generate(path, folder, board="mps2-an386")
        project = api.load_project(folder)
        api.build(project)
        return api.bench(project, cycles=True)


def tables(folder: Path) -> dict[str, str]:
    """Return the tables of the page: cycles beside other engines, and all figures."""
    found = {name: measured(path) for name, path in find(folder).items()}
    cycles = [each.cycles.inference for each in found.values() if each.cycles is not None]
    rows = [(name, "published", *map(str, values)) for name, values in PUBLISHED.items()]
    rows += [
        ("asc-tiny", "estimate, no wait states", *(_millions(e.cycles) for e in cycles)),
        ("asc-tiny", "estimate, 5 wait states", *(_millions(e.waiting_cycles) for e in cycles)),
    ]
    costs = [
        (
            f"MLPerf Tiny {name}",
            FILES[name],
            f"{each.costs.instructions_per_inference:,}",
            f"{each.costs.arena_bytes:,}",
            f"{each.costs.network_flash_bytes or 0:,}",
        )
        for name, each in found.items()
    ]
    return {
        "mlperf": table(("million cycles", "", *FILES), rows),
        "mlperf costs": table(("network", "file", "instructions", "arena", "flash"), costs),
    }


def _millions(cycles: int) -> str:
    return f"{cycles / 1e6:.3g}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="into its page")
    arguments = parser.parse_args()
    for name, text in tables(arguments.folder).items():
        print(text, end="\n\n")
        if arguments.write:
            put(name, text)


if __name__ == "__main__":
    main()
