"""Tables of functions of one code against TensorFlow Lite Micro's kernels, for all 256 codes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

CODES = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)
FIXED_OUTPUT = {"LOGISTIC": (1.0 / 256.0, -128), "TANH": (1.0 / 128.0, 0)}


def model(
    name: str, source: tuple[float, int], target: tuple[float, int], **options: float
) -> bytes:
    from support.tflite_builder import Builder

    builder = Builder()
    x, y = builder.activation((1, 256), *source), builder.activation((1, 256), *target)
    builder.operator(name, [x], [y], **options)
    return builder.finish([x], [y])


def table(data: bytes) -> np.ndarray:
    (stage,) = lower_graph(parse_graph(data, source="a test")).stages
    (array,) = stage.arrays
    assert stage.kernel == "asc_lookup"
    return array.values


def expected(data: bytes) -> np.ndarray:
    from support.network_models import TflmNetwork

    return TflmNetwork(data).run(CODES)


def scales(count: int) -> list[tuple[float, float]]:
    """Pairs of scales from tiny to huge; many have quotients that bring codes near a half."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(count):
        source = float(rng.integers(1, 200) / 256.0 / rng.integers(1, 9))
        quotient = float(rng.integers(1, 400) / rng.integers(1, 99) / 2.0)
        pairs.append((source, source / quotient))
    exponents = rng.uniform(-6.0, 3.0, (count, 2))
    return pairs + [(float(10.0**a), float(10.0**b)) for a, b in exponents]


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_sigmoids(name: str) -> None:
    rng = np.random.default_rng(1)
    for source, _ in scales(90):
        data = model(name, (source, int(rng.integers(-128, 128))), FIXED_OUTPUT[name])
        assert np.array_equal(table(data), expected(data)), source


def test_reciprocal_roots() -> None:
    """Of codes that are not below 0: TensorFlow Lite Micro stops at others."""
    rng, refused = np.random.default_rng(3), 0
    pairs = scales(60)
    for source, target in pairs:
        data = model("RSQRT", (source, -128), (target, int(rng.integers(-128, 128))))
        try:
            made = table(data)
        except AscError:
            refused += 1
            continue
        assert np.array_equal(made, expected(data)), (source, target)
    assert refused < len(pairs) // 4


@pytest.mark.parametrize("name", ["ABS", "ELU", "HARD_SWISH", "LEAKY_RELU"])
def test_activations(name: str) -> None:
    rng = np.random.default_rng(2)
    refused = 0
    pairs = scales(90)
    for pair in pairs:
        slope = float(rng.choice([0.1, 0.2, 0.3, 1.5, 0.0, -0.25]))
        options: dict[str, Any] = {"alpha": slope} if name == "LEAKY_RELU" else {}
        quantizations = [(scale, int(rng.integers(-128, 128))) for scale in pair]
        data = model(name, *quantizations, **options)
        try:
            made = table(data)
        except AscError:
            refused += 1
            continue
        assert np.array_equal(made, expected(data)), (quantizations, slope)
    # Scales that are too far apart overflow in TensorFlow Lite Micro.
    assert refused < len(pairs) // 4


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("HARD_SWISH", (1e-6, 0), "scales of input and output are too far apart"),
        ("LEAKY_RELU", (1e-8, 0), "output's scale is too small"),
    ],
)
def test_refuses_quantizations(name: str, target: tuple[float, int], words: str) -> None:
    with pytest.raises(AscError, match=words):
        table(model(name, (1.0, 0), target))


def test_equal_tables_are_one() -> None:
    from support.tflite_builder import Builder

    builder = Builder()
    first, *others = (builder.activation((1, 256), *q) for q in ((0.02, 3), *[(1 / 128, 0)] * 3))
    for source, target in pairwise((first, *others)):
        builder.operator("TANH", [source], [target])
    stages = lower_graph(parse_graph(builder.finish([first], [others[-1]]), source="a test")).stages
    one, two, three = (array for stage in stages for array in stage.arrays)
    assert two is three
    assert one is not two
