"""Compiled random graphs against TensorFlow Lite Micro, under all sanitisers.

``ASC_TINY_GRAPHS=2000 pytest tests/oracle/test_random_graphs.py`` runs so many; 150 otherwise.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.tflite.ops import OPS
from asc_tiny.tflite.variables import stateful_operator
from asc_tiny.util.errors import AscError
from support.compiles import compiles
from support.paths import MODELS

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.network_models import TflmNetwork, inputs
from support.random_graphs import seeded
from support.random_int16 import mixed_graph

GRAPHS = int(os.environ.get("ASC_TINY_GRAPHS", "150"))
EMULATED = range(10_000, 10_100)
QUICK, PER_BATCH, SAMPLES = 50, 250, 7
OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "layers": {"options": Options(schedule="layers")},
    "size": {"options": Options(optimize="size")},
    "time": {"options": Options(schedule="time")},
}
"""Options of ``NetworkCode.of`` with which every graph is compiled."""

BATCHES = [
    range(QUICK),
    *(
        pytest.param(range(first, min(first + PER_BATCH, GRAPHS)), marks=pytest.mark.slow)
        for first in range(QUICK, GRAPHS, PER_BATCH)
    ),
]


@pytest.fixture(scope="module")
def runtime() -> Path:
    return compiled_runtime()


def expected(model: ModelFile, samples: list[np.ndarray]) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples])


def samples_of(model: ModelFile) -> list[np.ndarray]:
    tensor = model.graph.tensor(model.graph.inputs[0])
    return inputs(tensor.shape, SAMPLES, tensor.dtype.lower())


def can_be_streamed(model: ModelFile) -> bool:
    """Whether the input has columns of int8 that can come one by one."""
    tensor = model.graph.tensor(model.graph.inputs[0])
    return len(tensor.shape) == 4 and tensor.dtype == "INT8"


def keeps_state(model: ModelFile) -> bool:
    """Whether a value lasts from one inference to the next."""
    return stateful_operator(model.graph) is not None


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_random_graphs(seeds: range, options: str, runtime: Path, tmp_path: Path) -> None:
    models, refused = [], Counter[str]()
    for seed in seeds:
        model = model_file(mixed_graph(seeded(seed)), f"graph {seed}")
        if options == "time" and (keeps_state(model) or not can_be_streamed(model)):
            continue
        try:
            compiled.compile_network(model, **OPTIONS[options])
        except AscError as error:
            refused[str(error)] += 1
        else:
            models.append(model)
    # Scales too far apart, or nothing to compute; all else must compile.
    assert refused.total() <= len(seeds) // 20 + 2, refused
    samples = [samples_of(model) for model in models]
    outputs = run_all(models, samples, tmp_path, runtime, OPTIONS[options])
    wanted = [expected(model, each) for model, each in zip(models, samples, strict=True)]
    differing = [
        str(model.path)
        for model, made, right in zip(models, outputs, wanted, strict=True)
        if not np.array_equal(made, right)
    ]
    assert not differing
    # Codes that no input changes would prove little.
    varied = sum(len(np.unique(each, axis=0)) > 1 for each in wanted)
    assert varied > 0.6 * len(wanted)


def test_random_graphs_use_every_operator() -> None:
    graphs = [model_file(mixed_graph(seeded(seed)), "graph").graph for seed in range(1000)]
    used = {operator.name for graph in graphs for operator in graph.operators}
    # TensorFlow Lite Micro must have them, too, to compare with.
    assert used == {name for name in lowering_rule.names if OPS[name].micro}


@pytest.mark.slow
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_graphs_of_hypothesis(
    data: Any, runtime: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same generator with choices that Hypothesis makes, and shrinks when one fails."""
    content = mixed_graph(lambda first, last: data.draw(st.integers(first, last)))
    model = model_file(content, "graph")
    if not compiles(model):
        return
    samples, folder = samples_of(model), tmp_path_factory.mktemp("graph")
    (made,) = run_all([model], [samples], folder, runtime, {})
    shutil.rmtree(folder)
    assert np.array_equal(made, expected(model, samples))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize(
    "board",
    [
        *("mps2-an386", "mps3-an547"),
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("mps2-an385", "virt-rv32")),
    ],
)
def test_random_graphs_on_emulated_cores(board: str, tmp_path: Path) -> None:
    """Portable C, and what cores with the DSP extension and with Helium have instead."""
    models = [model_file(mixed_graph(seeded(seed)), f"graph {seed}") for seed in EMULATED]
    models = [model for model in models if compiles(model)]
    assert len(models) > 0.9 * len(EMULATED)
    samples = [samples_of(model) for model in models]
    outputs = run_all_emulated(models, samples, tmp_path, board)
    for model, made, each in zip(models, outputs, samples, strict=True):
        assert np.array_equal(made, expected(model, each)), model.path


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        "default",
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("time", "layers", "size")),
    ],
)
def test_released_models(options: str, runtime: Path, tmp_path: Path) -> None:
    """No released network reads or writes outside its arena, input and output."""
    models = [load(path) for path in sorted(MODELS.glob("*.tflite"))]
    assert len(models) > 1
    samples = [samples_of(model) for model in models]
    outputs = run_all(models, samples, tmp_path, runtime, OPTIONS[options])
    for model, made, each in zip(models, outputs, samples, strict=True):
        assert np.array_equal(made, expected(model, each)), model.path
