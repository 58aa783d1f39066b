"""ARG_MAX and ARG_MIN: the first of equal values counts, along any axis, on every core."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.native import FLAGS
from support.network_models import CNetwork, TflmNetwork, emit
from support.tflite_builder import Builder

SHAPES = [(1, 9), (1, 1), (3, 5), (1, 4, 7), (1, 6, 5, 4), (1, 5, 1, 3), (2, 3, 4, 5), (1, 1, 1, 6)]
CASES = [
    (name, shape, axis)
    for name in ("ARG_MAX", "ARG_MIN")
    for shape in SHAPES
    for axis in (*range(len(shape)), -1)
]


def one(name: str, shape: tuple[int, ...], axis: int, dtype: str = "INT32") -> ModelFile:
    """Return a model of a RELU, so that the input is no more than that, and the operator."""
    b = Builder()
    x, y = b.activation(shape, 0.1, -100), b.activation(shape, 0.1, -100)
    b.operator("RELU", [x], [y])
    places = b._tensor(tuple(np.delete(shape, axis).tolist()), dtype, None, [], [])
    b.operator(name, [y, b.constant(np.int32(axis))], [places], outputType=dtype)
    return model_file(b.finish([x], [places]), f"{name} of {shape} along {axis}")


def samples(shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return inputs of many and of few different codes: with ties everywhere, and all equal."""
    rng = np.random.default_rng(0)
    kinds = [(-128, 128), (126, 128), (-102, -98), (5, 6)]
    return [rng.integers(*kind, shape).astype(np.int8) for kind in kinds]


def expected(model: ModelFile) -> np.ndarray:
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples(shape)])


def test_places_are_those_of_tensorflow_lite_micro(tmp_path: Path) -> None:
    models = [one(*case) for case in CASES]
    runtime = compiled_runtime()
    given = [samples(shape) for _, shape, _ in CASES]
    for model, made in zip(
        models, run_all(models, given, tmp_path / "c", runtime, {}), strict=True
    ):
        assert made.dtype == np.int32
        assert np.array_equal(made, expected(model)), model.path


def test_numbers_of_64_bits(tmp_path: Path) -> None:
    """TensorFlow Lite Micro has none: NumPy takes the first of equal values, too."""
    network = CNetwork(one("ARG_MAX", (1, 4, 5), 1, "INT64"), tmp_path)
    for sample in samples((1, 4, 5)):
        made = network.run(sample)
        assert made.dtype == np.int64
        assert np.array_equal(made, np.maximum(sample, -100).argmax(1).ravel())


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_places_on_emulated_cores(board: str, tmp_path: Path) -> None:
    models = [one(*case) for case in CASES]
    given = [samples(shape) for _, shape, _ in CASES]
    for model, made in zip(models, run_all_emulated(models, given, tmp_path, board), strict=True):
        assert np.array_equal(made, expected(model)), model.path


@pytest.mark.parametrize(("axis", "runs"), [(3, 6), (2, 6), (1, 1), (0, 1)])
def test_only_the_rows_that_are_needed_exist(axis: int, runs: int) -> None:
    found = compiled.compile_network(one("ARG_MAX", (1, 6, 5, 4), axis))
    assert [stage.runs for stage in found.lowered.stages][-1] == runs


def test_the_interface_says_what_it_gives(tmp_path: Path) -> None:
    """A program gets the class as a number, and finds no scale that would mean nothing."""
    emit(one("ARG_MAX", (1, 9), 1), tmp_path)
    header = (tmp_path / "asc_net.h").read_text(encoding="utf-8")
    assert "const int32_t *asc_net_output(int8_t *arena);" in header
    assert "ASC_NET_OUTPUT_SCALE" not in header and "OUTPUT_ZERO_POINT" not in header
    (tmp_path / "main.c").write_text(
        """#include <stdio.h>
#include <string.h>

#include "asc_net.h"

ASC_NET_ALIGNED static int8_t arena[ASC_NET_ARENA_SIZE];

int main(void) {
    static const int8_t input[ASC_NET_INPUT_SIZE] = {0, 3, 7, 7, 1};
    if (asc_net_init(arena) != ASC_NET_OK) {
        return 1;
    }
    memcpy(asc_net_input(arena), input, sizeof input);
    if (asc_net_run(arena) != ASC_NET_OK) {
        return 1;
    }
    printf("class %ld", (long)asc_net_output(arena)[0]);
    return 0;
}
"""
    )
    sources = [path.name for path in tmp_path.glob("*.c")]
    subprocess.run(["cc", *FLAGS, *sources, "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, text=True).stdout == "class 2"


def test_a_classifier_needs_scores() -> None:
    for runtime in ("aot", "tflm"):
        with pytest.raises(AscError, match="gives INT32, a classifier needs int8 scores") as caught:
            classifier(one("ARG_MAX", (1, 9), 1), runtime=runtime)
        assert "leave the last layer out of the model" in str(caught.value)


def test_nothing_has_codes_of_places() -> None:
    b = Builder()
    x = b.activation((1, 9), 0.1, 0)
    places, last = (b._tensor((1,), "INT32", None, [], []) for _ in range(2))
    b.operator("ARG_MAX", [x, b.constant(np.int32(1))], [places], outputType="INT32")
    b.operator("RELU", [places], [last])
    with pytest.raises(AscError, match=r"with which operator 1 \(RELU\) does not compute"):
        compiled.compile_network(model_file(b.finish([x], [last]), "file.tflite"))


def test_an_axis_must_be_known() -> None:
    model = one("ARG_MAX", (1, 9), 1)
    axis = model.graph.operators[1].inputs[1]
    tensors = [replace(t, content=None) if t.index == axis else t for t in model.graph.tensors]
    graph = replace(model.graph, tensors=tuple(tensors), inputs=(*model.graph.inputs,))
    with pytest.raises(AscError, match=r"operator 1 \(ARG_MAX\) does not compute: INT8 -> INT32"):
        compiled.compile_network(replace(model, graph=graph))
