"""Options that say otherwise than shapes, or what no layer has, are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asc_tiny.firmware.network import compiled

pytest.importorskip("tflite_micro")

from support.graph_batch import model_file
from support.hand_made_files import ONE, image, numbers, refused, transposed, weights
from support.tflite_builder import Builder, Value

HUGE = 33_554_434


@pytest.mark.parametrize("strides", [(2, HUGE), (HUGE, 2), (2**16, 1)])
def test_strides_that_no_layer_has(strides: tuple[int, int]) -> None:
    assert "allowed: 1 to 65535" in refused(transposed((4, 3), strides))


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
            compiled.generate(model_file(data, "model.tflite"))
        else:
            assert f" {count}, but " in refused(data)
