"""Convolutions, depthwise convolutions and dense layers against their definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.kernel_params import (
    MOSTLY_NARROW,
    NARROW,
    ONCE,
    ConvParams,
    DepthwiseConvParams,
)
from asc_tiny.firmware.network.compiled import compile_network
from support.emulated import EmulatedNetwork
from support.hand_made import GraphBuilder, model_of
from support.hand_run import outputs_of, samples_for
from support.integer_reference import code, convolution, limits, rescale

CASES: dict[str, dict[str, Any]] = {
    "pointwise": {"kernel": (1, 1)},
    "3 x 3": {"kernel": (3, 3)},
    "valid": {"kernel": (2, 3), "padding": "VALID"},
    "stride of 2 and an even kernel": {"kernel": (4, 2), "stride": (2, 2)},
    "stride beyond the kernel": {"kernel": (1, 2), "stride": (3, 3), "padding": "VALID"},
    "dilation": {"kernel": (3, 3), "dilation": (2, 1)},
    "RELU": {"kernel": (3, 1), "activation": "RELU"},
    "RELU6": {"kernel": (1, 3), "activation": "RELU6"},
    "one filter, one channel": {"kernel": (3, 3), "channels": 1, "filters": 1},
    "odd channels": {"kernel": (2, 2), "channels": 5, "filters": 7},
}


def options(case: dict[str, Any]) -> dict[str, Any]:
    stride, dilation = case.get("stride", (1, 1)), case.get("dilation", (1, 1))
    return {
        "padding": case.get("padding", "SAME"),
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
        "fused_activation_function": case.get("activation", "NONE"),
    }


def check(case: dict[str, Any], folder: Path, *, multiplier: int | None = None) -> None:
    """Compare a layer with its definition, on extreme and random codes."""
    random = np.random.default_rng(5)
    channels = case.get("channels", 4)
    outputs = case.get("filters", 6) if multiplier is None else channels * multiplier
    name = "CONV_2D" if multiplier is None else "DEPTHWISE_CONV_2D"
    inner = (outputs, *case["kernel"], channels)
    shape = inner if multiplier is None else (1, *case["kernel"], outputs)
    weights = random.integers(-127, 128, shape).astype(np.int8)
    bias = random.integers(-900, 900, outputs).astype(np.int32)
    # Scales between channels differ by more than a power of two.
    scales = [float(np.float32(each)) for each in random.uniform(0.001, 0.02, outputs)]
    builder = GraphBuilder((1, 9, 7, channels), 0.05, 3)
    constants = [
        builder.constant(weights, scales, 0 if multiplier is None else 3),
        builder.constant(bias, [0.05 * scale for scale in scales]),
    ]
    named = ("stride", "dilation", "padding", "activation")
    keywords = {key: case[key] for key in named if key in case}
    source = builder.tensors[0].scales[0]
    out_scale, out_zero = 0.1, -20

    def expected(sample: np.ndarray) -> np.ndarray:
        return convolution(
            sample,
            weights if multiplier is None else weights[0],
            bias,
            scales=(source, scales, float(np.float32(out_scale))),
            zero_points=(3, out_zero),
            is_depthwise=multiplier is not None,
            **keywords,
        )

    wanted = expected(np.zeros((9, 7, channels), np.int8))
    more = {} if multiplier is None else {"depth_multiplier": multiplier}
    builder.add(
        name, (0, *constants), (1, *wanted.shape), out_scale, out_zero, **options(case), **more
    )
    graph = builder.graph()
    samples = samples_for(graph)
    made = outputs_of(graph, samples, folder)
    for sample, output in zip(samples, made, strict=True):
        assert np.array_equal(output, expected(sample))
    assert len(np.unique(np.stack(made))) > 10, "the weights do not matter"


@pytest.mark.parametrize("name", CASES)
def test_convolution(name: str, tmp_path: Path) -> None:
    check(CASES[name], tmp_path)


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("name", ["3 x 3", "stride of 2 and an even kernel", "dilation", "RELU6"])
def test_depthwise_convolution(name: str, multiplier: int, tmp_path: Path) -> None:
    check(CASES[name], tmp_path, multiplier=multiplier)


@pytest.mark.parametrize("activation", ["NONE", "RELU"])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (13, 5), (40, 10)])
def test_dense_layer(inputs: int, outputs: int, activation: str, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    weights = random.integers(-127, 128, (outputs, inputs)).astype(np.int8)
    bias = random.integers(-5000, 5000, outputs).astype(np.int32)
    builder = GraphBuilder((1, inputs), 0.03, -5)
    source, scale, out_scale = (float(np.float32(each)) for each in (0.03, 0.004, 0.02))
    constants = [builder.constant(weights, [scale]), builder.constant(bias, [source * scale])]
    builder.add(
        "FULLY_CONNECTED",
        (0, *constants),
        (1, outputs),
        out_scale,
        7,
        fused_activation_function=activation,
        keep_num_dims=False,
        weights_format=0,
    )
    graph = builder.graph()
    samples = samples_for(graph)
    low, high = limits(activation, out_scale, 7)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        totals = weights.astype(int) @ (sample.astype(int) + 5) + bias
        wanted = [code(rescale(int(t), source * scale / out_scale) + 7, low, high) for t in totals]
        assert output.tolist() == wanted


CORES = [
    pytest.param("", id="host"),
    pytest.param("mps2-an386", id="Cortex-M4", marks=pytest.mark.qemu),
    pytest.param("mps3-an547", id="Cortex-M55", marks=pytest.mark.qemu),
]


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("activation", "is_wide", "narrow"),
    [
        ("NONE", False, NARROW),
        ("NONE", True, MOSTLY_NARROW),
        ("RELU", False, ONCE),
        ("RELU", True, MOSTLY_NARROW),
    ],
)
@pytest.mark.parametrize("is_depthwise", [False, True])
def test_filters_without_effect(
    is_depthwise: bool, activation: str, is_wide: bool, narrow: int, core: str, tmp_path: Path
) -> None:
    """Filters whose output is constant are rounded by the short way, unless another is wide, or
    once."""
    count = 21
    random = np.random.default_rng(9)
    shape = (1, 3, 3, count) if is_depthwise else (count, 1, 1, 5)
    weights = random.integers(-127, 128, shape).astype(np.int8)
    bias = random.integers(-900, 900, count).astype(np.int32)
    scales = random.uniform(0.001, 0.02, count).astype(np.float32).tolist()
    # The zero point, codes about it, the ends of the codes, and a multiplier of 0
    constant = {2: 1e-12, 5: 1e-8, 6: -1e-8, 9: 1e-6, 10: -1e-6, 13: 1e-30}
    for number, scale in constant.items():
        scales[number] = float(np.float32(abs(scale)))
        bias[number] = 2**30 if scale > 0 else -(2**30)
    if is_wide:
        # Half a step of the output for each of the sum
        scales[7] = 1.5
    depth = weights.shape[3] if is_depthwise else 5
    builder = GraphBuilder((1, 5, 7, depth), 0.05, 3)
    inputs = [0, builder.constant(weights, scales, 3 if is_depthwise else 0)]
    inputs.append(builder.constant(bias, [0.05 * scale for scale in scales]))
    name, more = "CONV_2D", {}
    if is_depthwise:
        name, more = "DEPTHWISE_CONV_2D", {"depth_multiplier": 1}
    builder.add(
        name, inputs, (1, 5, 7, count), 0.1, -20, **options({"activation": activation}), **more
    )
    graph = builder.graph()
    (stage,) = compile_network(model_of(graph)).lowered.stages
    assert isinstance(stage.params, ConvParams | DepthwiseConvParams)
    assert stage.params.range is not None
    assert stage.params.range.narrow == narrow
    samples = samples_for(graph)
    if core:
        made = EmulatedNetwork(model_of(graph), core, tmp_path).run(samples)[0]
    else:
        made = outputs_of(graph, samples, tmp_path)
    seen, lowest = set(), -20 if activation == "RELU" else -128
    for sample, output in zip(samples, made, strict=True):
        wanted = convolution(
            sample,
            weights[0] if is_depthwise else weights,
            bias,
            scales=(builder.tensors[0].scales[0], scales, float(np.float32(0.1))),
            zero_points=(3, -20),
            is_depthwise=is_depthwise,
        )
        wanted = np.maximum(wanted, lowest)
        assert np.array_equal(np.asarray(output).reshape(wanted.shape), wanted)
        seen |= {tuple(pixel) for pixel in wanted[..., list(constant)].reshape(-1, len(constant))}
    assert seen == {tuple(max(code, lowest) for code in (-20, -15, -25, 127, -128, -20))}
