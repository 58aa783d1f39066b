"""PAD before convolutions: where it goes, and TensorFlow Lite Micro's results without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.fold_padding import fold_padding
from asc_tiny.model.model_file import ModelFile

pytest.importorskip("tflite_micro")

from support.chain import Chain, check

FOLDED: dict[str, Callable[[], Chain]] = {
    "convolution": lambda: first().pad().conv({}, 3, padding="VALID", filters=5),
    "stride": lambda: first().pad((0, 1), (0, 1)).conv({}, 3, padding="VALID", stride=2),
    "both sides": lambda: first().pad((1, 1), (1, 1)).conv({}, 3, padding="VALID", stride=2),
    "depthwise": lambda: first().pad((0, 1), (0, 1)).depthwise({}, padding="VALID", stride=2),
    "wide window": lambda: first().pad((3, 2), (1, 3)).depthwise({}, 7, padding="VALID"),
    "one channel": lambda: (
        Chain(shape=(1, 7, 6, 1))
        .conv({}, filters=1)
        .pad((1, 0), (0, 1))
        .depthwise({}, padding="VALID", filters=12)
    ),
    "resized": lambda: first().resize().pad((1, 1), (1, 1)).conv({}, 3, padding="VALID", filters=5),
    "with constant channels": lambda: (
        Chain()
        .conv({1: 9, 2: -12, 5: 40, 6: -55, 8: 0})
        .pad((1, 0), (0, 0))
        .conv({}, 3, padding="VALID", filters=5)
    ),
}

KEPT: dict[str, Callable[[], Chain]] = {
    "SAME": lambda: first().pad().conv({}, 3),
    "one by one": lambda: first().pad().conv({}, padding="VALID"),
    "more than half a window": lambda: (
        first().pad((2, 0), (0, 0)).conv({}, 3, padding="VALID", filters=5)
    ),
    "channels": lambda: first().pad((1, 1), (1, 1), (1, 2)).conv({}, 3, padding="VALID"),
    "output": lambda: first().pad(),
    "pooling": lambda: first().pad().pool(),
}


def first() -> Chain:
    return Chain().conv({}, filters=8)


def pads(model: ModelFile) -> int:
    names = [operator.name for operator in fold_padding(model.graph).operators]
    return names.count("PAD")


@pytest.mark.parametrize("case", FOLDED)
def test_pad_goes_into_a_convolution(case: str) -> None:
    assert pads(FOLDED[case]().model()) == 0


@pytest.mark.parametrize("case", KEPT)
def test_pad_stays(case: str) -> None:
    graph = KEPT[case]().model().graph
    assert fold_padding(graph) is graph


@pytest.mark.parametrize("reader", ["VALID", "SAME"])
def test_two_readers(reader: str, tmp_path: Path) -> None:
    chain = first().pad((1, 1), (1, 1))
    padded = chain.x
    chain.conv({}, 3, padding="VALID", filters=5)
    other = chain.x
    chain.x = padded
    chain.conv({}, 3, padding=reader, filters=5)
    model = chain.plus(other).model() if reader == "VALID" else chain.model(other)
    assert pads(model) == (reader == "SAME")
    if reader == "VALID":
        check([model], tmp_path)


@pytest.mark.parametrize("schedule", [None, "layers", "streaming"])
def test_results(schedule: str | None, tmp_path: Path) -> None:
    models = [make().model() for make in (*FOLDED.values(), *KEPT.values())]
    check(models, tmp_path, Options(schedule=schedule))


@pytest.mark.parametrize(
    "seeds", [range(10), pytest.param(range(10, 150), marks=pytest.mark.slow)], ids=str
)
def test_random_windows(seeds: range, tmp_path: Path) -> None:
    models = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        shape = (1, *rng.integers(1, 9, 2).tolist(), int(rng.integers(1, 10)))
        chain = Chain(seed, shape).conv({}, filters=int(rng.integers(1, 10)))
        kernel = int(rng.integers(2, 6))
        amounts = rng.integers(0, (kernel - 1) // 2 + 1, (2, 2))
        # The window must fit.
        amounts += np.maximum(0, kernel - np.array(chain.x.shape[1:3]) - amounts.sum(axis=1))[
            :, None
        ]
        layer = chain.pad(*map(tuple, amounts.tolist()))
        kind = layer.depthwise if rng.integers(0, 2) else layer.conv
        kind({}, kernel, padding="VALID", stride=int(rng.integers(1, 4)))
        models.append(chain.model())
    assert sum(pads(model) == 0 for model in models) > len(models) // 2
    check(models, tmp_path)
