"""The integer front end: its error against float64, and its costs on emulated cores.

    python benchmarks/frontend.py [--clips FOLDER | --write | --costs]

Costs need the compilers and emulators that tools/setup.sh test installs. FOLDER holds audio files
of 44.1 kHz, without it the clips of the released models are measured. --write keeps the figures of
accuracy as what tests/frontend/test_accuracy.py allows no more than. --costs prints costs alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import golden
from support.emulated import EmulatedFrontEnd
from support.front_end_accuracy import REACHED, Figures, cases, figures
from support.front_end_cores import COSTS, OPTIONS
from support.front_ends import DEFAULT


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--clips", type=Path, help="measure these in place of the models' clips")
    group.add_argument("--write", action="store_true", help=f"write {REACHED.name}")
    group.add_argument("--costs", action="store_true", help="print costs alone")
    arguments = parser.parse_args()
    if not arguments.costs:
        print_all_accuracy(arguments)
    print_costs()


def print_all_accuracy(arguments: argparse.Namespace) -> None:
    """Print the first table, and keep it if asked to."""
    signals = cases()
    if arguments.clips:
        paths = sorted(p for p in arguments.clips.iterdir() if p.suffix in (".wav", ".flac"))
        signals["real clips"] = [read_pcm(path, 44100) for path in paths]
    measured = {name: figures(some) for name, some in signals.items()}
    print_accuracy(measured)
    if arguments.write:
        values = {name: each._asdict() for name, each in measured.items()}
        REACHED.write_text(json.dumps(values, indent=1) + "\n")


def print_accuracy(measured: Mapping[str, Figures]) -> None:
    """Print errors in bands at or above -100 dBFS, and the int8 codes that are float64's."""
    print(f"{'':36}{'mean dB':>10}{'99 %':>10}{'largest':>10}{'codes same':>12}{'off by 2':>10}")
    for name, row in measured.items():
        errors = (row.mean, row.most_of_99_percent, row.largest)
        cells = "".join(" " * 10 if error is None else f"{error:10.5f}" for error in errors)
        print(f"{name:36}{cells}{1 - row.other_codes / row.codes:12.3%}{row.off_by_2:10}")


def print_costs() -> None:
    """Print the costs of the default configuration and of options on each core."""
    for name, config in {"default": DEFAULT, **OPTIONS}.items():
        print(f"{name:32}{'instructions per hop':>22}{'flash bytes':>13}{'RAM bytes':>11}")
        for core, (board, flags, _, _) in COSTS.items():
            with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
                frontend = EmulatedFrontEnd(config, board, Path(folder), flags=flags)
                _, instructions, state = frontend.run(golden.noise(config), "hops")
                print(f"{core:32}{instructions:22,}{frontend.flash_bytes():13,}{state:11,}")


if __name__ == "__main__":
    main()
