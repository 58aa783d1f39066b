"""Activations of their own: where they go, and TensorFlow Lite Micro's results without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.fold_activations import fold_activations
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.model.model_file import ModelFile

pytest.importorskip("tflite_micro")

from support.chain import SCALE, ZERO, Chain, check
from support.tflite_builder import Value

LINEAR = {"fusedActivationFunction": "NONE"}


def clamped(chain: Chain, name: str = "RELU", scale: float = SCALE) -> Chain:
    y = chain.builder.activation(chain.x.shape, scale, ZERO)
    chain.builder.operator(name, [chain.x], [y])
    chain.x = y
    return chain


def first() -> Chain:
    return Chain().conv({}, filters=8)


def sum_of_two() -> Chain:
    chain = first()
    return clamped(chain.conv({}, filters=8).plus(chain.x))


def unclamped(name: str, scale: float) -> Chain:
    """A chain with activations of codes that are all in their range."""
    chain = first()
    for _ in range(2):
        y = chain.builder.activation(chain.x.shape, scale, -128)
        operator = name if chain.x.zero_point == -128 else "QUANTIZE"
        chain.builder.operator(operator, [chain.x], [y])
        chain.x = y
    return chain.plus(chain.x)


def two_readers() -> ModelFile:
    chain = first()
    source: Value = chain.x
    return clamped(chain).plus(source).model()


def output_too() -> ModelFile:
    chain = first()
    source = chain.x
    return clamped(chain).model(source)


FOLDED: dict[str, Callable[[], Chain]] = {
    "convolution": lambda: clamped(first()).conv({}, 3),
    "RELU6": lambda: clamped(first(), "RELU6").conv({}, 3),
    "depthwise": lambda: clamped(first().depthwise({})).conv({}),
    "dense": lambda: clamped(first().dense(units=20)).dense(),
    "sum": sum_of_two,
    "before padding": lambda: clamped(first()).pad().conv({}, 3, padding="VALID"),
    "output": lambda: clamped(first()),
    "nothing to clamp": lambda: unclamped("RELU", SCALE),
    "nothing above 6": lambda: unclamped("RELU6", 0.0235),
}

KEPT: dict[str, Callable[[], ModelFile]] = {
    "other scale": lambda: clamped(first(), scale=2 * SCALE).conv({}).model(),
    "reshape": lambda: clamped(first().reshape(1, 42, 8)).dense().model(),
    "pooling": lambda: clamped(first().pool(**LINEAR)).conv({}).model(),
    "fused one": lambda: clamped(first().pool(fusedActivationFunction="RELU6"), "RELU").model(),
    "something above 6": lambda: unclamped("RELU6", 0.0236).model(),
    "two readers": two_readers,
    "output, too": output_too,
}


def activations(model: ModelFile) -> int:
    return sum(each.name.startswith("RELU") for each in fold_activations(model.graph).operators)


@pytest.mark.parametrize("case", FOLDED)
def test_activation_goes_into_the_operator_before(case: str) -> None:
    graph = FOLDED[case]().model().graph
    assert activations(FOLDED[case]().model()) == 0
    assert len(fold_activations(graph).operators) == len(graph.operators) - 1


@pytest.mark.parametrize("case", KEPT)
def test_activation_stays(case: str) -> None:
    graph = KEPT[case]().graph
    assert fold_activations(graph) is graph


def test_a_stage_less() -> None:
    stages = compile_graph(FOLDED["convolution"]().model().graph, Options()).lowered.stages
    assert [stage.kernel for stage in stages] == ["asc_conv", "asc_conv"]


@pytest.mark.parametrize("schedule", [None, "layers"])
def test_results(schedule: str | None, tmp_path: Path) -> None:
    models = [make().model() for make in FOLDED.values()]
    models += [make() for name, make in KEPT.items() if name != "output, too"]
    check(models, tmp_path, Options(schedule=schedule))
