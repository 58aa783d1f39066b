"""Files whose fields contradict each other: refused at once, in one line, by every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.cli.main import main
from asc_tiny.codegen import network
from asc_tiny.complexity.reader import parse_graph
from asc_tiny.errors import AscError

pytest.importorskip("tflite_micro")

from graph_batch import artefact, compiled_runtime, run_all
from network_models import TflmNetwork, inputs
from tflite_builder import Builder, Value

HUGE = 33_554_434
ONE = {"strideH": 1, "strideW": 1, "padding": "SAME"}


def image(builder: Builder, *shape: int, zero_point: int = 0, dtype: str = "INT8") -> Value:
    return builder.activation(shape, 0.05, zero_point, dtype)


def numbers(builder: Builder, *values: int) -> Value:
    return builder.constant(np.array(values, np.int32))


def weights(builder: Builder, *shape: int) -> Value:
    codes = np.random.default_rng(0).integers(-127, 128, shape).astype(np.int8)
    return builder.constant(codes, [0.02])


def refused(data: bytes) -> str:
    with pytest.raises(AscError) as caught:
        parse_graph(data, source="model.tflite")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zero_point(value: int, dtype: str, *, last: bool) -> bytes:
    builder = Builder()
    x, y = image(builder, 1, 4), image(builder, 1, 4)
    odd = image(builder, 1, 4, zero_point=value, dtype=dtype)
    builder.operator("QUANTIZE", [x if last else odd], [odd if last else y])
    return builder.finish([x if last else odd], [odd if last else y])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("dtype", "lowest", "highest"),
    [("INT8", -128, 127), ("UINT8", 0, 255), ("INT16", -32768, 32767)],
)
def test_zero_points_are_codes_of_their_type(
    dtype: str, lowest: int, highest: int, last: bool
) -> None:
    for value in (lowest, highest):
        parse_graph(zero_point(value, dtype, last=last), source="model.tflite")
    for value in (lowest - 1, highest + 1, 2**31, -(2**62), 2**62):
        reason = f"zero point {value}, {dtype} allows {lowest} to {highest}"
        assert reason in refused(zero_point(value, dtype, last=last))


def transposed(output: tuple[int, int], strides: tuple[int, int], padding: str = "VALID") -> bytes:
    """A transposed convolution of one pixel with a kernel of 4 x 3."""
    builder = Builder()
    x, y = image(builder, 1, 1, 1, 2), image(builder, 1, *output, 3)
    kernel = weights(builder, 3, 4, 3, 2)
    inputs = [numbers(builder, *y.shape), kernel, x]
    options: dict[str, Any] = {"strideH": strides[0], "strideW": strides[1], "padding": padding}
    builder.operator("TRANSPOSE_CONV", inputs, [y], **options)
    return builder.finish([x], [y])


@pytest.mark.parametrize("strides", [(2, HUGE), (HUGE, 2), (2**16, 1)])
def test_strides_that_no_layer_has(strides: tuple[int, int]) -> None:
    assert "allowed: 1 to 65535" in refused(transposed((4, 3), strides))


def test_weights_that_a_stride_multiplies() -> None:
    """Every pixel of the output would have weights of its own."""
    model = artefact(transposed((1000, 2000), (1000, 2000)), "model.tflite")
    with pytest.raises(
        AscError, match=r"operator 0 \(TRANSPOSE_CONV, layer t1\): becomes 12,000,000"
    ):
        network.generate(model)


def test_strides_beyond_the_output_compute_the_same(tmp_path: Path) -> None:
    """With one pixel of input no stride is ever taken."""
    cases = [
        ((4, 3), (65535, 65535), "VALID"),
        ((6, 7), (7, 65535), "VALID"),
        ((6, 5), (65535, 6), "SAME"),
        ((2, 2), (65535, 65535), "SAME"),
    ]
    models = [artefact(transposed(*case), str(case)) for case in cases]
    samples = [inputs((1, 1, 1, 2), 8)] * len(models)
    made = run_all(models, samples, tmp_path / "c", compiled_runtime(tmp_path), {})
    for model, each in zip(models, made, strict=True):
        reference = TflmNetwork(model.data)
        assert np.array_equal(each, [reference.run(sample).copy() for sample in samples[0]])
        assert len(np.unique(each)) > 5


def depthwise(b: Builder, multiplier: int) -> tuple[list[Value], list[Value]]:
    x, y = image(b, 1, 4, 4, 2), image(b, 1, 4, 4, 6)
    options = {"depthMultiplier": multiplier, "dilationHFactor": 1, "dilationWFactor": 1}
    b.operator("DEPTHWISE_CONV_2D", [x, weights(b, 1, 3, 3, 6)], [y], **options, **ONE)
    return [x], [y]


def pack(b: Builder, count: int) -> tuple[list[Value], list[Value]]:
    x, y = image(b, 1, 6), image(b, 1, 3, 6)
    b.operator("PACK", [x, x, x], [y], valuesCount=count, axis=1)
    return [x], [y]


def unpack(b: Builder, count: int) -> tuple[list[Value], list[Value]]:
    x, parts = image(b, 1, 3, 4), [image(b, 1, 4) for _ in range(3)]
    b.operator("UNPACK", [x], parts, num=count, axis=1)
    return [x], parts[:1]


def split(b: Builder, count: int) -> tuple[list[Value], list[Value]]:
    x, parts = image(b, 1, 6), [image(b, 1, 2) for _ in range(3)]
    b.operator("SPLIT", [numbers(b, 1), x], parts, numSplits=count)
    return [x], parts[:1]


def split_v(b: Builder, count: int) -> tuple[list[Value], list[Value]]:
    x, parts = image(b, 1, 6), [image(b, 1, n) for n in (1, 2, 3)]
    inputs = [x, numbers(b, 1, 2, 3), numbers(b, 1)]
    b.operator("SPLIT_V", inputs, parts, numSplits=count)
    return [x], parts[:1]


@pytest.mark.parametrize("build", [depthwise, pack, unpack, split, split_v])
def test_counts_that_shapes_contradict(
    build: Callable[[Builder, int], tuple[list[Value], list[Value]]],
) -> None:
    """All of these have three of something."""
    for count in (3, 2, 4, 1, 0, -3):
        builder = Builder()
        sources, (last,) = build(builder, count)
        y = image(builder, *last.shape)
        builder.operator("RELU", [last], [y])
        data = builder.finish(sources, [y])
        if count == 3:
            network.generate(artefact(data, "model.tflite"))
        else:
            assert f" {count}, but " in refused(data)


@pytest.mark.parametrize("command", ["budget", "generate", "generate --runtime tflm"])
def test_every_command_refuses(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    hostile = {
        "stride": transposed((4, 3), (2, HUGE)),
        "zero": zero_point(2**31, "INT8", last=False),
    }
    for name, data in hostile.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(data)
        out = ["--memory"] if command == "budget" else ["--out", str(folder)]
        with pytest.raises(SystemExit) as stop:
            main([*command.split(), str(path), *out])
        said = capsys.readouterr().err
        assert stop.value.code == 2
        assert said.count("\n") == 1
        assert f"{name}.tflite: " in said
    assert not folder.exists()
