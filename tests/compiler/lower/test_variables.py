"""Variables over several inferences: the values of TensorFlow Lite Micro, in the same order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, run_all, run_all_emulated
from support.network_models import CNetwork, TflmNetwork
from support.stateful_networks import (
    Net,
    delay,
    delay_line,
    delay_with_first_values,
    exchange,
    input_as_value,
    never_assigned,
    never_read,
    old_value_as_output,
    other_shapes,
    running_sum,
    streaming,
    streaming_by_slice,
)

INFERENCES = 9

NETWORKS: list[Callable[[], ModelFile]] = [
    delay,
    delay_with_first_values,
    running_sum,
    delay_line,
    exchange,
    streaming,
    lambda: streaming(1, 4),
    streaming_by_slice,
    old_value_as_output,
    input_as_value,
    other_shapes,
    never_assigned,
    never_read,
]


def samples(model: ModelFile) -> list[np.ndarray]:
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    rng = np.random.default_rng(0)
    return [rng.integers(-60, 60, shape).astype(np.int8) for _ in range(INFERENCES)]


def expected(model: ModelFile) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples(model)])


@pytest.mark.parametrize("schedule", [None, "rows", "layers"])
def test_inferences_in_a_row(schedule: str | None, tmp_path: Path) -> None:
    models = [make() for make in NETWORKS]
    runtime = compiled_runtime()
    given = [samples(model) for model in models]
    options = {"options": Options(schedule=schedule)}
    outputs = run_all(models, given, tmp_path / "c", runtime, options)
    for model, made in zip(models, outputs, strict=True):
        assert np.array_equal(made, expected(model)), model.path


@pytest.mark.slow
@pytest.mark.qemu
def test_inferences_on_an_emulated_core(tmp_path: Path) -> None:
    models = [make() for make in NETWORKS]
    given = [samples(model) for model in models]
    outputs = run_all_emulated(models, given, tmp_path, "mps2-an386")
    for model, made in zip(models, outputs, strict=True):
        assert np.array_equal(made, expected(model)), model.path


@pytest.mark.parametrize("make", [delay_with_first_values, streaming])
def test_reset_forgets_all_inferences(make: Callable[[], ModelFile], tmp_path: Path) -> None:
    model = make()
    network = CNetwork(model, tmp_path)
    for _ in range(2):
        network.reset()
        made = np.stack([network.run(sample) for sample in samples(model)])
        assert np.array_equal(made, expected(model))


def test_only_states_lie_at_the_begin_of_the_arena(tmp_path: Path) -> None:
    network = CNetwork(delay(), tmp_path)
    assert network.macro("STATE_SIZE") == 16 < network.macro("ARENA_SIZE")


@pytest.mark.parametrize("make", [never_assigned, never_read])
def test_what_does_not_last_takes_no_memory(make: Callable[[], ModelFile]) -> None:
    header = compiled.generate(make())["asc_net.h"]
    assert "STATE_SIZE" not in header and "reset" not in header


def refused(model: ModelFile, words: str, options: Options = compiled.DEFAULT) -> None:
    with pytest.raises(AscError, match=words):
        compiled.compile_network(model, options)


def test_a_streamed_input_is_refused() -> None:
    refused(streaming(), "keeps values between inferences", Options(schedule="time"))


def test_a_value_of_another_size_is_refused() -> None:
    net = Net(1, 5)
    net.assign("x", net.input)
    net.assign("x", net.concat(1, net.input, net.input))
    refused(net.file(net.read("x", 1, 5), "sizes"), "value of 10 bytes for variable x of 5")


def test_a_first_value_after_use_is_refused() -> None:
    model = delay_with_first_values()
    operators = [*model.graph.operators[1:], model.graph.operators[0]]
    graph = replace(model.graph, operators=tuple(operators))
    refused(replace(model, graph=graph), "gives variable x a first value after it is used")
