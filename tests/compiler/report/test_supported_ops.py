"""What cannot be compiled is refused by name, layer and advice; the list of the rest is current."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.diagnostics import advice
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.compiler.report import supported_ops
from asc_tiny.firmware.network import compiled
from asc_tiny.util.errors import AscError
from support.paths import ROOT

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Builder, Value

PAGE = ROOT / "docs" / "reference" / "supported_ops.md"


def test_page_is_generated() -> None:
    """python -m asc_tiny.compiler.report.supported_ops > docs/reference/supported_ops.md"""
    assert PAGE.read_text(encoding="utf-8") == supported_ops.markdown()


def test_advice_is_about_operators_that_are_not_supported() -> None:
    assert not set(advice.names) & set(lowering_rule.names)


def image(builder: Builder, *shape: int, scale: float = 0.1, zero_point: int = 0) -> Value:
    return builder.activation(shape, scale, zero_point)


def uneven_groups(b: Builder) -> tuple[list[Value], list[Value]]:
    x, y = image(b, 1, 4, 4, 4), image(b, 1, 4, 4, 2)
    weights = b.constant(np.ones((2, 1, 1, 3), np.int8), [0.1])
    one = {"padding": "SAME", "strideH": 1, "strideW": 1}
    b.operator("CONV_2D", [x, weights], [y], dilationHFactor=1, dilationWFactor=1, **one)
    return [x], [y]


def computed_weights(b: Builder) -> tuple[list[Value], list[Value]]:
    x, weights, y = image(b, 2, 4), image(b, 2, 4), image(b, 2, 2)
    b.operator("RELU", [x], [weights])
    b.operator("FULLY_CONNECTED", [x, weights], [y])
    return [x], [y]


def batches(b: Builder) -> tuple[list[Value], list[Value]]:
    x, y = image(b, 2, 4, 4, 1), image(b, 2, 2, 2, 1)
    window = {"padding": "VALID", "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    b.operator("MAX_POOL_2D", [x], [y], **window)
    return [x], [y]


def activation_of_no_kernel(b: Builder) -> tuple[list[Value], list[Value]]:
    x, y = image(b, 1, 4), image(b, 1, 4)
    b.operator("GELU", [x], [y])
    return [x], [y]


def many_classes(b: Builder) -> tuple[list[Value], list[Value]]:
    x, y = image(b, 1, 4096), image(b, 1, 4096, scale=1 / 256, zero_point=-128)
    b.operator("SOFTMAX", [x], [y], beta=1.0)
    return [x], [y]


def float_inside(b: Builder) -> tuple[list[Value], list[Value]]:
    x, last = image(b, 1, 4), image(b, 1, 4)
    y, z = (b.activation((1, 4), 0.1, 0, "FLOAT32") for _ in range(2))
    b.operator("DEQUANTIZE", [x], [y])
    b.operator("RELU", [y], [z])
    b.operator("QUANTIZE", [z], [last])
    return [x], [last]


def custom_before_cast(b: Builder) -> tuple[list[Value], list[Value]]:
    x, last = image(b, 1, 4), image(b, 1, 4)
    y = b.activation((1, 4), 0.1, 0, "UINT32")
    b.operator("CUSTOM", [x], [y])
    b.model.operatorCodes[0].customCode = b"Whirl"
    b.operator("CAST", [y], [last])
    return [x], [last]


def many_types(b: Builder) -> tuple[list[Value], list[Value]]:
    x, last = image(b, 1, 4), b.activation((1, 4), 0.1, 0, "UINT8")
    b.operator("CAST", [x], [last])
    return [x], [last]


REFUSED: dict[Callable[[Builder], tuple[list[Value], list[Value]]], str] = {
    activation_of_no_kernel: (
        r"operator 0 \(GELU, layer t1\): is not supported; use HARD_SWISH.*supported_ops"
    ),
    batches: r"operator 0 \(MAX_POOL_2D, layer t1\): .*convert the model with batch size 1",
    computed_weights: r"operator 1 \(FULLY_CONNECTED, layer t2\): weights must be int8 constants",
    custom_before_cast: (
        r"operator 0 \(CUSTOM Whirl, layer t2\): is a custom operator.* use --runtime tflm with "
        r"your kernel, --tflm-op Whirl=my_op.h:Register_MyOp, or end the model before it"
    ),
    many_types: (
        r"tensor 1, output of operator 0 \(CAST\), is UINT8, .* does not compute: "
        r"(INT8 -> \w+ or ){4}[1-9] others$"
    ),
    float_inside: r"tensor 2, output of operator 0 \(DEQUANTIZE\), is FLOAT32, only full int8",
    many_classes: r"operator 0 \(SOFTMAX, layer t1\): over 4096 classes, at most 4095",
    uneven_groups: r"operator 0 \(CONV_2D\) has 4 input channels, filters of 3, 2 filters",
}


@pytest.mark.parametrize("build", REFUSED, ids=lambda build: build.__name__)
def test_refuses_by_name_and_layer(
    build: Callable[[Builder], tuple[list[Value], list[Value]]],
) -> None:
    builder = Builder()
    data = builder.finish(*build(builder))
    with pytest.raises(AscError, match=REFUSED[build]) as caught:
        compiled.generate(model_file(data, "model.tflite"))
    assert str(caught.value).startswith("model.tflite: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["FLOAT32", "UINT8"])
def test_leaves_out_conversions_at_the_ends(kind: str, tmp_path: Path) -> None:
    """The C code takes and gives the codes inside."""

    def model(*, converts: bool) -> bytes:
        builder = Builder()
        x, y = image(builder, 1, 5, scale=0.05, zero_point=3), image(builder, 1, 5, scale=0.03)
        outer = [builder.activation((1, 5), 0.05, 131, kind) for _ in range(2)]
        if converts:
            builder.operator("QUANTIZE", [outer[0]], [x])
        builder.operator("RELU", [x], [y])
        if converts:
            builder.operator("DEQUANTIZE" if kind == "FLOAT32" else "QUANTIZE", [y], [outer[1]])
        return builder.finish(*([[each] for each in outer] if converts else ([x], [y])))

    inner, outer = model(converts=False), model_file(model(converts=True), "model.tflite")
    samples = inputs((1, 5), 8)
    runtime = compiled_runtime()
    (made,) = run_all([outer], [samples], tmp_path / "c", runtime, {})
    reference = TflmNetwork(inner)
    assert np.array_equal(made, np.stack([reference.run(each).copy() for each in samples]))
    header = compiled.generate(outer)["asc_net.h"]
    assert "#define ASC_NET_INPUT_SCALE 5.0e-02f" in header
    assert "#define ASC_NET_INPUT_ZERO_POINT (3)" in header
