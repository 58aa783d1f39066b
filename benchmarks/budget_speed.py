"""The time that ``asc-tiny budget`` takes, as a whole process and for a large model.

    python benchmarks/budget_speed.py [--rounds N]

Prints the best of N rounds, in which all take turns, for: Python that imports NumPy; the command on
a released model in every format; the command on a model of 500 convolutions. Then, in one process,
for that model's file: read from the disk, read by the package tflite, read and measured here.
Times are of the processor, user and system: what else runs on the machine counts little.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import tflite

from asc_tiny.complexity.gate.formats import FORMATS
from asc_tiny.complexity.report import measure
from asc_tiny.tflite.reader import read_graph
from support.tflite_files import convolutions

MODEL = ROOT / "models" / "mobilenet_esc10.tflite"
LAYERS = 500


def best(rounds: int, cases: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least processor time of each case in milliseconds."""
    times = dict.fromkeys(cases, math.inf)
    for _ in range(rounds):
        for name, run in cases.items():
            start = processor_time()
            run()
            times[name] = min(times[name], 1e3 * (processor_time() - start))
    return times


def processor_time() -> float:
    """Return the seconds that this process and those that it has run took."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


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
        quantization = tensor.Quantization()
        quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
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
        processes = {
            "python -c import numpy": process("-c", "import numpy"),
            **{f"{MODEL.name}, {style}": budget(MODEL, style) for style in FORMATS},
            f"{LAYERS} convolutions, table": budget(large),
        }
        times = best(rounds, processes)
        print(f"{'whole process':44}{'ms':>8}{'ratio':>8}")
        for name, taken in times.items():
            print(f"{name:44}{taken:8.0f}{taken / times['python -c import numpy']:8.2f}")
        steps: dict[str, Callable[[], object]] = {
            "read from the disk": large.read_bytes,
            "tensors and operators by the package tflite": lambda: visit(large),
            "read, checked and measured": lambda: measure(read_graph(large)),
        }
        print(f"\n{f'{LAYERS} convolutions, {large.stat().st_size:,} bytes':44}{'ms':>8}")
        for name, taken in best(rounds, steps).items():
            print(f"{name:44}{taken:8.1f}")


if __name__ == "__main__":
    main()
