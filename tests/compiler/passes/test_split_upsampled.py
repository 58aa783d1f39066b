"""Upsampled convolutions that multiply each row of their input once, against their definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.tflite.graph import Graph
from support.emulated import EmulatedNetwork
from support.hand_made import GraphBuilder, model_of
from support.hand_run import outputs_of, samples_for
from support.integer_reference import convolution

CORES = [
    pytest.param("", id="host"),
    pytest.param("mps2-an386", id="Cortex-M4", marks=pytest.mark.qemu),
    pytest.param("mps3-an547", id="Cortex-M55", marks=pytest.mark.qemu),
]
SCALES = (0.05, 0.03)
ZERO_POINTS = (3, -20)


class Upsampled:
    """A network that repeats all pixels twice, and a convolution of 3 columns behind that.

    Args:
        rows: rows of the window.
        filters, channels: of the convolution and its input.
        activation: of the convolution.
        width: pixels of a row of the input.
    """

    def __init__(
        self, rows: int, filters: int, channels: int, activation: str = "NONE", width: int = 4
    ) -> None:
        random = np.random.default_rng(rows)
        self.width = width
        self.activation = activation
        self.weights = random.integers(-127, 128, (filters, rows, 3, channels)).astype(np.int8)
        self.bias = random.integers(-900, 900, filters).astype(np.int32)
        self.scales = [float(each) for each in random.uniform(0.001, 0.02, filters).astype("f4")]

    def graph(self) -> Graph:
        """Return the network; a first layer takes memory that this one may have."""
        filters, _, _, channels = self.weights.shape
        builder = GraphBuilder((1, 5, self.width, channels), SCALES[0], ZERO_POINTS[0])
        size = builder.constant(np.array([10, 2 * self.width], np.int32))
        shape = (1, 10, 2 * self.width, channels)
        wide = builder.add(
            "RESIZE_NEAREST_NEIGHBOR",
            (0, size),
            shape,
            SCALES[0],
            ZERO_POINTS[0],
            align_corners=False,
            half_pixel_centers=False,
        )
        constants = (
            builder.constant(self.weights, self.scales),
            builder.constant(self.bias, [SCALES[0] * scale for scale in self.scales]),
        )
        builder.add(
            "CONV_2D",
            (wide, *constants),
            (1, 10, 2 * self.width, filters),
            SCALES[1],
            ZERO_POINTS[1],
            padding="SAME",
            stride_h=1,
            stride_w=1,
            dilation_h_factor=1,
            dilation_w_factor=1,
            fused_activation_function=self.activation,
        )
        return builder.graph()

    def expected(self, sample: np.ndarray) -> np.ndarray:
        """Return what the network gives, by the definition of its layers."""
        return convolution(
            sample.repeat(2, axis=0).repeat(2, axis=1),
            self.weights,
            self.bias,
            scales=(float(np.float32(SCALES[0])), self.scales, float(np.float32(SCALES[1]))),
            zero_points=ZERO_POINTS,
            activation=self.activation,
        )


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("rows", "filters", "channels", "activation", "width"),
    [
        (1, 4, 4, "NONE", 4),
        (2, 5, 3, "RELU6", 4),
        (2, 6, 8, "NONE", 4),
        (3, 1, 5, "NONE", 4),
        (2, 1, 9, "RELU", 1),
        (2, 3, 4, "NONE", 3),
        (2, 7, 20, "RELU", 5),
        (2, 2, 16, "NONE", 11),
    ],
)
def test_each_row_is_multiplied_once(
    rows: int, filters: int, channels: int, activation: str, width: int, core: str, tmp_path: Path
) -> None:
    network = Upsampled(rows, filters, channels, activation, width)
    graph, options = network.graph(), Options(max_ram=1 << 16)
    stages = compile_network(model_of(graph), options).lowered.stages
    assert [stage.kernel for stage in stages] == ["asc_conv_sums"] * rows + ["asc_upsampled_sum"]
    assert sum(stage.macs for stage in stages) == 5 * width * rows * 3 * filters * channels
    samples = samples_for(graph)
    if core:
        made = EmulatedNetwork(model_of(graph), core, tmp_path, options=options).run(samples)[0]
    else:
        made = outputs_of(graph, samples, tmp_path, options)
    for sample, output in zip(samples, made, strict=True):
        wanted = network.expected(sample)
        assert np.array_equal(np.asarray(output).reshape(wanted.shape), wanted)
