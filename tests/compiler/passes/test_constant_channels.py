"""Channels that no input changes: what is removed, and TensorFlow Lite Micro's results after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.passes.constant_channels import without_constant_channels
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import Graph

pytest.importorskip("tflite_micro")

from support.chain import SCALE, Chain, check


def channels_of(graph: Graph) -> list[int]:
    """Return the channels of what each operator makes."""
    return [graph.tensor(operator.outputs[0]).shape[-1] for operator in graph.operators]


AT_LAST = dict.fromkeys((8, 9, 10, 11), 7)
AT_ZERO = dict.fromkeys((0, 3, 4, 7, 11), 0)
ELSEWHERE = {1: 9, 2: -12, 5: 40, 6: -55, 8: 3}

CASES: dict[str, tuple[Callable[[], Chain], list[int]]] = {
    "through a depthwise convolution": (
        lambda: Chain().conv(AT_ZERO, 3).depthwise({}).conv({}, filters=5),
        [8, 8, 5],
    ),
    "into a bias": (lambda: Chain().conv(ELSEWHERE).conv({}, filters=5), [8, 5]),
    "into a bias without padding": (
        lambda: Chain().conv(ELSEWHERE).conv({}, 3, filters=5, padding="VALID"),
        [8, 5],
    ),
    "not where padding is another code": (
        lambda: Chain().conv(ELSEWHERE).conv({}, 3, filters=5),
        [12, 5],
    ),
    "where padding is the same code": (
        lambda: Chain().conv(AT_ZERO).conv({}, 3, filters=5),
        [8, 5],
    ),
    "not where depthwise padding is another code": (
        lambda: Chain().conv(ELSEWHERE).depthwise({}).conv({}, filters=5),
        [12, 12, 5],
    ),
    "through a depthwise convolution without padding": (
        lambda: Chain().conv(ELSEWHERE).depthwise({}, padding="VALID").conv({}, filters=5),
        [8, 8, 5],
    ),
    "what a depthwise convolution does not pass on": (
        lambda: Chain().conv({}).depthwise(ELSEWHERE).conv({}, filters=5),
        [8, 8, 5],
    ),
    "through poolings into rows": (
        lambda: Chain().conv(ELSEWHERE).pool().pool("AVERAGE_POOL_2D").reshape(1, 48).dense(),
        [8, 8, 8, 32, 9],
    ),
    "into a dense layer of several rows": (
        lambda: Chain().conv(ELSEWHERE).reshape(42, 12).dense(rows=42),
        [8, 8, 9],
    ),
    "not through a pooling that clamps": (
        lambda: Chain().conv(ELSEWHERE).pool(fusedActivationFunction="RELU").conv({}, filters=5),
        [12, 12, 5],
    ),
    "through PAD of the same code": (
        lambda: Chain().conv(AT_ZERO).pad().conv({}, 3, padding="VALID", filters=5),
        [8, 8, 5],
    ),
    "not through PAD of another code": (
        lambda: Chain().conv(ELSEWHERE).pad().conv({}, 3, padding="VALID", filters=5),
        [12, 12, 5],
    ),
    "through a resize": (
        lambda: Chain().conv(AT_ZERO).resize().conv({}, 3, filters=5),
        [8, 8, 5],
    ),
    "of a depthwise convolution of one channel": (
        lambda: Chain(shape=(1, 7, 6, 1)).depthwise(AT_ZERO, filters=12).conv({}, filters=5),
        [8, 5],
    ),
    "not of one with a multiplier": (
        lambda: Chain().depthwise(AT_ZERO, filters=12).conv({}, filters=5),
        [12, 5],
    ),
    "what nothing reads": (
        lambda: Chain().conv({}).conv({}, 3, filters=5, unread=(0, 1, 2, 3, 9)),
        [8, 5],
    ),
    "what only removed filters read": (
        lambda: Chain().conv({}).conv(AT_LAST, 3, unread=(0, 1, 2, 3, 9)).conv({}, filters=5),
        [8, 8, 5],
    ),
    "not what a filter reads that fills a group": (
        lambda: Chain().conv({}).conv(dict.fromkeys(range(12), 4)).conv({}, filters=5),
        [12, 4, 5],
    ),
    "of a dense layer": (lambda: Chain().dense(ELSEWHERE, units=12).dense(), [8, 9]),
    "not less than a group": (
        lambda: Chain().conv({0: 9, 5: 0, 9: -3}).conv({}, filters=5),
        [12, 5],
    ),
    "a whole group of more": (
        lambda: Chain().conv({0: 9}, filters=9).conv({}, filters=5),
        [8, 5],
    ),
    "all but a group": (
        lambda: Chain().conv(dict.fromkeys(range(12), 6)).conv({}, filters=5),
        [4, 5],
    ),
    "not of the output": (lambda: Chain().conv(AT_ZERO), [12]),
}


@pytest.mark.parametrize("case", CASES)
def test_channels_that_are_removed(case: str) -> None:
    make, channels = CASES[case]
    graph = make().model().graph
    made = without_constant_channels(graph)
    assert channels_of(made) == channels
    assert (made is graph) == (channels_of(graph) == channels)


def test_results_of_all_cases(tmp_path: Path) -> None:
    check([make().model() for make, _ in CASES.values()], tmp_path)


def test_channels_of_sums_and_concatenations_stay(tmp_path: Path) -> None:
    models = []
    for joined in (Chain.plus, Chain.beside):
        chain = Chain().conv(AT_ZERO)
        first = chain.x
        chain.conv(ELSEWHERE)
        model = joined(chain, first).conv({}, filters=5).model()
        assert without_constant_channels(model.graph) is model.graph
        models.append(model)
    check(models, tmp_path)


def test_channels_of_a_second_output_stay() -> None:
    chain = Chain().conv(AT_ZERO)
    graph = chain.conv({}, filters=5).model(chain.input).graph
    assert channels_of(without_constant_channels(graph)) == [8, 5]
    chain = Chain().conv(AT_ZERO)
    first = chain.x
    graph = chain.conv({}, filters=5).model(first).graph
    assert without_constant_channels(graph) is graph


def test_two_readers_of_which_one_needs_a_channel(tmp_path: Path) -> None:
    chain = Chain().conv(ELSEWHERE)
    first = chain.x
    chain.conv({}, filters=5)
    other = chain.x
    chain.x = first
    model = chain.conv({}, 3, filters=5).plus(other).model()
    assert without_constant_channels(model.graph) is model.graph
    chain = Chain().conv(AT_ZERO)
    first = chain.x
    chain.conv({}, filters=5)
    other = chain.x
    chain.x = first
    both = chain.conv({}, 3, filters=5).plus(other).model()
    assert channels_of(without_constant_channels(both.graph)) == [8, 5, 5, 5]
    check([model, both], tmp_path)


def test_a_range_that_only_earlier_layers_narrow(tmp_path: Path) -> None:
    """Sums that reach a step of the output from all codes do not from those that there are."""
    chain = Chain().conv(dict.fromkeys(range(12), 2))
    model = chain.conv({0: 0}).conv({}, filters=5).model()
    # All inputs of the second layer are constant, so all its filters are.
    assert channels_of(without_constant_channels(model.graph)) == [4, 4, 5]
    check([model], tmp_path)


def test_an_absent_bias(tmp_path: Path) -> None:
    chain = Chain().conv(ELSEWHERE)
    weights = chain.builder.constant(chain.codes((5, 1, 1, 12)), [0.003] * 5)
    shape = (*chain.x.shape[:3], 5)
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    model = chain.add("CONV_2D", [weights], shape, padding="SAME", **options).model()
    assert channels_of(without_constant_channels(model.graph)) == [8, 5]
    check([model], tmp_path)


def random_chain(seed: int) -> ModelFile:
    """Return a network of 2 to 6 layers, about half of whose filters have no effect."""
    chain = Chain(seed, (1, 9, 8, int(np.random.default_rng(seed).integers(1, 6))))
    rng = chain.rng

    def effects(count: int) -> dict[int, int]:
        dead = np.flatnonzero(rng.random(count) < rng.random())
        return {int(n): int(rng.choice([0, rng.integers(-100, 101)])) for n in dead}

    def filters() -> int:
        return int(rng.integers(1, 30))

    for _ in range(rng.integers(1, 6)):
        kind = rng.integers(0, 8)
        if kind < 4:
            count = filters()
            chain.conv(effects(count), int(rng.choice([1, 1, 3])), filters=count)
        elif kind < 6 and chain.x.scale == float(np.float32(SCALE)):
            chain.depthwise(effects(chain.x.shape[3]), stride=int(rng.integers(1, 3)))
        elif kind == 6 and chain.x.scale == float(np.float32(SCALE)):
            chain.pool(str(rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"])))
        elif chain.x.scale == float(np.float32(SCALE)):
            chain.pad()
    return chain.dense().model()


@pytest.mark.parametrize(
    "seeds",
    [
        range(12),
        pytest.param(range(12, 120), marks=pytest.mark.exhaustive),
        pytest.param(range(120, 400), marks=pytest.mark.exhaustive),
    ],
    ids=str,
)
def test_random_chains(seeds: range, tmp_path: Path) -> None:
    models = [random_chain(seed) for seed in seeds]
    smaller = sum(without_constant_channels(each.graph) is not each.graph for each in models)
    assert smaller > len(models) // 3
    check(models, tmp_path)
