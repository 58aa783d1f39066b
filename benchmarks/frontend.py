"""The integer front end: its error against float64, and its costs on emulated cores.

    python benchmarks/frontend.py [--clips FOLDER]

Costs need the compilers and emulators that tools/setup.sh test installs. FOLDER holds audio files
of 44.1 kHz, without it the clips of the released models are measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from emulated import EmulatedFrontEnd
from test_frontend_accuracy import stress
from test_frontend_cores import COSTS, DEFAULT
from test_frontend_fixed import error_db

from asc_tiny.audio.clips import read_pcm
from asc_tiny.frontend import fixed, golden, reference


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=ROOT / "models" / "clips")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.clips.iterdir() if p.suffix in (".wav", ".flac"))
    print_accuracy({"real clips": (read_pcm(path, 44100) for path in paths)})
    print_accuracy({name: [signal] for name, signal in stress().items()})
    print_costs()


def print_accuracy(cases: Mapping[str, Iterable[NDArray[np.int16]]]) -> None:
    """Print errors in bands at or above -100 dBFS, and the int8 codes that are float64's."""
    print(f"{'':36}{'mean dB':>10}{'99 %':>10}{'largest':>10}{'codes same':>12}{'off by 2':>10}")
    for name, signals in cases.items():
        errors, same, far = [], [], 0
        for signal in signals:
            error, level = error_db(signal, DEFAULT)
            errors.append(error[level >= -100.0])
            difference = code_difference(signal)
            same.append(np.mean(difference == 0))
            far += int(np.count_nonzero(difference > 1))
        joined = np.concatenate(errors)
        figures = (joined.mean(), np.quantile(joined, 0.99), joined.max()) if joined.size else ()
        cells = "".join(f"{figure:10.5f}" for figure in figures) or " " * 30
        print(f"{name:36}{cells}{min(same):12.3%}{far:10}")


def code_difference(signal: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return how far the codes are from those of float64."""
    assert DEFAULT.quantisation
    expected = reference.quantise(reference.features(signal, DEFAULT), DEFAULT.quantisation)
    return np.abs(fixed.features(signal, DEFAULT).astype(np.int64) - expected)


def print_costs() -> None:
    """Print the costs of the default configuration on each core."""
    print(f"{'':12}{'instructions per hop':>22}{'flash bytes':>13}{'RAM bytes':>11}")
    for core, (board, flags, _, _) in COSTS.items():
        with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
            frontend = EmulatedFrontEnd(DEFAULT, board, Path(folder), flags=flags)
            _, instructions, state = frontend.run(golden.noise(DEFAULT), "hops")
            print(f"{core:12}{instructions:22,}{frontend.flash_bytes():13,}{state:11,}")


if __name__ == "__main__":
    main()
