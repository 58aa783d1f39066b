"""The time that ``asc-tiny budget`` takes, as a whole process and for a large model.

    python benchmarks/budget_speed.py [--rounds N]

Prints the best of N rounds for: Python that imports NumPy; the command on a released model in every
format; the command on a model of 500 convolutions. Then, within one process, what becomes of that
model's file: read from the disk, read by the package tflite, and measured here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import tflite
from tflite_files import convolutions

from asc_tiny.complexity.formats import FORMATS
from asc_tiny.complexity.reader import read_graph
from asc_tiny.complexity.report import measure

MODEL = ROOT / "models" / "mobilenet_esc10.tflite"
LAYERS = 500


def best(rounds: int, run: Callable[[], object]) -> float:
    """Return the shortest time of several runs in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def process(*arguments: str) -> Callable[[], object]:
    """Return what runs Python as a process."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def budget(path: Path, style: str = "table") -> Callable[[], object]:
    """Return what runs the command."""
    options = ("--max-params=none", "--max-macs=none", f"--format={style}")
    return process("-m", "asc_tiny.cli.main", "budget", str(path), *options)


def visit(path: Path) -> None:
    """Read all tensors and operators by the package tflite."""
    graph = tflite.Model.GetRootAs(path.read_bytes()).Subgraphs(0)
    for number in range(graph.TensorsLength()):
        tensor = graph.Tensors(number)
        tensor.Name(), tensor.Type(), tensor.Buffer(), tensor.ShapeAsNumpy()
        quantisation = tensor.Quantization()
        quantisation.ScaleAsNumpy(), quantisation.ZeroPointAsNumpy()
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        operator.InputsAsNumpy(), operator.OutputsAsNumpy(), operator.BuiltinOptions()


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        large = Path(folder) / "large.tflite"
        large.write_bytes(convolutions([8] * LAYERS))
        numpy = best(rounds, process("-c", "import numpy"))
        print(f"{'whole process':44}{'ms':>8}{'ratio':>8}")
        print(f"{'python -c import numpy':44}{numpy:8.0f}{1.0:8.2f}")
        cases = {f"{MODEL.name}, {style}": budget(MODEL, style) for style in FORMATS}
        cases[f"{LAYERS} convolutions, table"] = budget(large)
        for name, run in cases.items():
            taken = best(rounds, run)
            print(f"{name:44}{taken:8.0f}{taken / numpy:8.2f}")
        size = large.stat().st_size
        print(f"\n{f'{LAYERS} convolutions, {size:,} bytes':44}{'ms':>8}")
        steps: dict[str, Callable[[], object]] = {
            "read from the disk": large.read_bytes,
            "tensors and operators by the package tflite": lambda: visit(large),
            "read, checked and measured": lambda: measure(read_graph(large)),
        }
        for name, run in steps.items():
            print(f"{name:44}{best(rounds, run):8.1f}")


if __name__ == "__main__":
    main()
