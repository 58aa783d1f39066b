"""Networks that compute while columns come: what the compiler does for it, against the references.

Random graphs along time are in ``test_random_graphs.py``, released networks on every core in
``test_compiled_networks.py``, firmware in ``projects/test_streaming.py``.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.paths import MODELS

pytest.importorskip("tflite_micro")

from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.cascade import Cascade, can_cascade, cascadable_pairs, with_cascades
from asc_tiny.compiler.planner import planner
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.util.errors import AscError
from support.graph_batch import compiled_runtime, model_file, run_all
from support.kept_plans import kept_plans
from support.network_models import CNetwork, TflmNetwork, inputs
from support.random_graphs import random_graph, seeded
from support.tflite_builder import Builder

TIME = Options(schedule="time")


@functools.cache
def released(name: str) -> ModelFile:
    """Return a released model, the same each time, so that the compiler knows its plan."""
    return load(MODELS / f"{name}_esc10.tflite")


def samples_of(model: ModelFile, count: int) -> list[np.ndarray]:
    return inputs(model.graph.tensor(model.graph.inputs[0]).shape, count)


def expected(model: ModelFile, samples: list[np.ndarray]) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples])


@pytest.mark.parametrize(("name", "bytes_"), [("mobilenet", 19_168), ("mini_segnet", 22_544)])
def test_arena(name: str, bytes_: int) -> None:
    """Less than the features alone take, 27,648 bytes."""
    with kept_plans():
        assert compile_network(released(name), TIME).arena.size <= bytes_


def test_no_column_waits_for_the_end() -> None:
    """Each stage runs as soon as it can: in all hops but the first few there is work."""
    compiled = compile_network(released("mobilenet"), TIME)
    hops = compiled.schedule.column_steps
    assert len(hops) == 36
    done = [end - first for first, end in itertools.pairwise(hops)]
    assert all(sum(done[hop : hop + 2]) > 10 for hop in range(2, 34))


@pytest.mark.parametrize("limit", [24_000, 1 << 30])
def test_more_memory_costs_fewer_instructions(limit: int, tmp_path: Path) -> None:
    model = released("mobilenet")
    compiled = compile_network(model, Options(schedule="time", max_ram=limit))
    assert compiled.arena.size <= limit
    smallest = compile_network(model, TIME)
    assert compiled.cost < smallest.cost or compiled.arena.size == smallest.arena.size
    samples = samples_of(model, 3)
    own = CNetwork(model, tmp_path, Options(schedule="time", max_ram=limit))
    assert np.array_equal([own.run(sample) for sample in samples], expected(model, samples))


def test_a_limit_that_is_too_tight_is_refused() -> None:
    with pytest.raises(AscError, match=r"needs an arena of 18,\d+ bytes at least, --max-ram allow"):
        compile_network(released("mobilenet"), Options(schedule="time", max_ram=10_000))


def test_an_input_without_columns_is_refused() -> None:
    net = Builder()
    source, target = net.activation((1, 8), 0.1, 0), net.activation((1, 8), 0.1, 0)
    net.operator("RELU", [source], [target])
    model = model_file(net.finish([source], [target]), "dense.tflite")
    with pytest.raises(AscError, match=r"input shape \[1, 8\], --schedule streaming needs"):
        compile_network(model, TIME)


def random_cascades(lowered: LoweredGraph, source: random.Random) -> list[Cascade]:
    """Return cascades of random length with tiles of any size, down to two pixels."""
    chains = [(n,) for n, stage in enumerate(lowered.stages) if can_cascade(stage)]
    for first, second in cascadable_pairs(lowered):
        one = next(chain for chain in chains if chain[-1] == first)
        two = next(chain for chain in chains if chain[0] == second)
        if source.random() < 0.7:
            chains = [chain for chain in chains if chain not in (one, two)] + [(*one, *two)]
    return [Cascade(chain, source.choice((1, 2, 3, 5, 16))) for chain in chains]


def cascades_at_random(lowered: LoweredGraph, *_: Any) -> Iterator[LoweredGraph]:
    """Stand in for the search with any cascades that are possible, the same ones for a graph."""
    source = random.Random(lowered.source)
    for _ in range(8):
        made = with_cascades(lowered, random_cascades(lowered, source))
        if made is not None:
            yield made
            return
    yield lowered


@pytest.mark.parametrize(
    "seeds",
    [
        range(20, 40),
        pytest.param(range(20), marks=pytest.mark.exhaustive),
        pytest.param(range(40, 120), marks=pytest.mark.exhaustive),
        pytest.param(range(120, 280), marks=pytest.mark.exhaustive),
    ],
    ids=str,
)
def test_any_cascades_give_the_same_outputs(
    seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under AddressSanitizer, in arenas of exactly the planned size."""
    monkeypatch.setattr(planner, "search_cascades", cascades_at_random)
    runtime, folder = compiled_runtime(), tmp_path / "graphs"
    models, tiled = [], 0
    for seed in seeds:
        model = model_file(random_graph(seeded(seed)), f"graph {seed}")
        try:
            compiled = compile_network(model, TIME)
        except AscError:
            continue
        tiled += any(stage.tiles for stage in compiled.lowered.stages)
        models.append(model)
    assert tiled > len(seeds) // 16
    samples = [samples_of(model, 5) for model in models]
    outputs = run_all(models, samples, folder, runtime, {"options": TIME})
    for model, made, each in zip(models, outputs, samples, strict=True):
        assert np.array_equal(made, expected(model, each)), model.path


class Columns:
    """The interface by columns of a network compiled for this computer."""

    def __init__(self, own: CNetwork) -> None:
        self.own, self.library = own, own.library
        self.arena = ctypes.c_void_p(own.memory.ctypes.data + own.start)
        self.library.asc_net_column.restype = ctypes.c_void_p
        self.library.asc_net_output.restype = ctypes.c_void_p

    def feed(self, column: np.ndarray) -> int:
        data = np.ascontiguousarray(column).tobytes()
        ctypes.memmove(self.library.asc_net_column(self.arena), data, len(data))
        return int(self.library.asc_net_feed(self.arena))

    def output(self) -> np.ndarray:
        address = self.library.asc_net_output(self.arena)
        return np.frombuffer(ctypes.string_at(address, self.own.output_size), np.int8)


def test_interface_by_columns(tmp_path: Path) -> None:
    """A clip that is given up leaves no trace; a column too many is told."""
    model = released("mobilenet")
    own = Columns(CNetwork(model, tmp_path, TIME))
    first, second, *_ = samples_of(model, 2)
    library = own.library
    assert library.asc_net_init(own.arena) == 0
    for column in range(20):
        assert own.feed(first[0, :, column]) == 0
    library.asc_net_start(own.arena)
    for column in range(36):
        assert own.feed(second[0, :, column]) == 0
    assert np.array_equal(own.output(), expected(model, [second])[0])
    assert library.asc_net_feed(own.arena) == -7
    assert np.array_equal(own.output(), expected(model, [second])[0])
    assert library.asc_net_feed(None) == -1
    assert library.asc_net_feed(ctypes.c_void_p(own.arena.value + 8)) == -2
    assert library.asc_net_init(ctypes.c_void_p(own.arena.value + 8)) == -2
