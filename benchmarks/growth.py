"""How time, memory and flash on a Cortex-M4 grow with the width and the depth of a network.

    python benchmarks/growth.py [--write]

The network is a MobileNet: a convolution of 3x3, then depthwise and pointwise convolutions in turn,
on an image of 32x32 pixels that is halved three times. Its width is doubled twice, its depth goes
from 10 to 500 layers; weights are random. Each is generated, built and measured as by ``asc-tiny
generate``, ``build`` and ``bench --cycles``. ``--write`` puts the tables into
docs/reference/performance_growth.md.
Needs TensorFlow, a compiler and an emulator (tools/setup.sh test).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from page_tables import ROOT, put, table

sys.path.insert(0, str(ROOT / "tests"))

from asc_tiny import api
from asc_tiny.complexity.report import ModelComplexity, measure
from asc_tiny.model.model_file import load
from asc_tiny.targets.image.bench import NetworkCosts
from asc_tiny.util.captured_output import captured_output
from support.network_models import quantized

WIDTHS, WIDE_DEPTH = (8, 16, 32), 28
"""Channels of the first layer, of networks of one depth."""

DEPTHS, DEEP_WIDTH = (10, 28, 100, 300, 500), 8
"""Layers, of networks of one width."""

HEAD = (
    "channels",
    "layers",
    "parameters",
    "MACs",
    "instructions",
    "cycles, 5 wait states",
    "arena",
    "flash",
    "seconds to generate",
)


@dataclass(frozen=True)
class Row:
    """A network and what it costs.

    Attributes:
        channels: number of channels behind the first layer.
        layers: number of convolutions, and the dense layer.
        seconds: seconds that generating the firmware took.
        complexity: parameters and multiply-accumulates.
        measured: what ``asc-tiny bench --cycles`` gives.
    """

    channels: int
    layers: int
    seconds: float
    complexity: ModelComplexity
    measured: api.Benchmark

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        costs, cycles = self.measured.costs, self.measured.cycles
        assert isinstance(costs, NetworkCosts) and cycles is not None
        return (
            str(self.channels),
            str(self.layers),
            f"{self.complexity.params:,}",
            f"{self.complexity.macs:,}",
            f"{costs.instructions_per_inference:,}",
            f"{cycles.inference.waiting_cycles:,}",
            f"{costs.arena_bytes:,}",
            f"{costs.network_flash_bytes or 0:,}",
            f"{self.seconds:.1f}",
        )


def network(channels: int, depth: int) -> Any:
    """Return a MobileNet.

    Args:
        channels: number of channels behind the first layer.
        depth: number of layers, an even number: pairs of convolutions, the first and the last one.
    """
    from keras import Input, Model, layers

    source = Input((32, 32, 3), batch_size=1)
    x = layers.Conv2D(channels, 3, strides=2, padding="same", activation="relu")(source)
    pairs = (depth - 2) // 2
    halved = {pairs // 3, 2 * pairs // 3}
    for number in range(pairs):
        stride = 2 if number in halved else 1
        channels *= stride
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", activation="relu")(x)
        x = layers.Conv2D(channels, 1, activation="relu")(x)
    return Model(source, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def measured(channels: int, depth: int) -> Row:
    """Generate, build and measure a network."""
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as temporary:
        path, folder = Path(temporary) / "network.tflite", Path(temporary) / "firmware"
        with captured_output():
            path.write_bytes(quantized(network(channels, depth)))
        begin = time.perf_counter()
        api.generate(path, folder, board="mps2-an386")
        seconds = time.perf_counter() - begin
        project = api.load_project(folder)
        api.build(project)
        complexity = measure(load(path).graph)
        return Row(channels, depth, seconds, complexity, api.bench(project, cycles=True))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into its page")
    arguments = parser.parse_args()
    choices = {
        "width": [(channels, WIDE_DEPTH) for channels in WIDTHS],
        "depth": [(DEEP_WIDTH, depth) for depth in DEPTHS],
    }
    for name, chosen in choices.items():
        text = table(HEAD, [measured(*each).cells for each in chosen])
        print(text, end="\n\n")
        if arguments.write:
            put(f"growth by {name}", text)


if __name__ == "__main__":
    main()
