"""Operators on 16-bit activations with 8-bit weights (16x8), against TensorFlow Lite Micro.

Inputs are the extreme codes and noise; sums are larger than 32 bits where the reference's are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.int16_models import MODELS, Int16, dense, transposed
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Builder


def model(name: str) -> ModelFile:
    made = MODELS[name]()
    return model_file(made.data, name)


def samples(of: ModelFile) -> list[np.ndarray]:
    tensor = of.graph.tensor(of.graph.inputs[0])
    rng, dtype = np.random.default_rng(7), tensor.dtype.lower()
    limits = np.iinfo(dtype)
    uniform = rng.integers(limits.min, limits.max, (3, *tensor.shape), dtype, endpoint=True)
    near = rng.integers(-9, 10, tensor.shape).astype(dtype)
    return [*inputs(tensor.shape, 6, dtype), near, *uniform]


def expected(of: ModelFile, given: Sequence[np.ndarray]) -> np.ndarray:
    reference = TflmNetwork(of.data)
    return np.stack([reference.run(sample).copy() for sample in given])


@pytest.fixture(scope="module")
def runtime() -> Path:
    return compiled_runtime()


def differing(models: Sequence[ModelFile], outputs: Sequence[np.ndarray]) -> list[str]:
    """Return the models whose outputs are not those of TensorFlow Lite Micro."""
    found = []
    for each, made in zip(models, outputs, strict=True):
        right = expected(each, samples(each))
        assert made.dtype == right.dtype
        # What never changes would prove nothing.
        assert len(np.unique(right)) > 4, each.path
        if not np.array_equal(made, right):
            found.append(str(each.path))
    return found


def test_codes_are_those_of_tensorflow_lite_micro(tmp_path: Path, runtime: Path) -> None:
    models = [model(name) for name in MODELS]
    given = [samples(each) for each in models]
    assert not differing(models, run_all(models, given, tmp_path / "c", runtime, {}))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize(
    "board",
    [
        *("mps2-an386", "mps3-an547"),
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("mps2-an385", "virt-rv32")),
    ],
)
def test_codes_on_emulated_cores(board: str, tmp_path: Path) -> None:
    models = [model(name) for name in MODELS]
    given = [samples(each) for each in models]
    assert not differing(models, run_all_emulated(models, given, tmp_path, board))


def chain(kind: str = "INT16") -> ModelFile:
    """Layers that can make width tiles of their rows, with rows much larger than windows."""
    b = Int16(1, 40, 12, 2)
    x = b.source
    if kind == "INT8":
        b.source = b.activation((1, 40, 12, 2), 0.05, -7)
        b.operator("QUANTIZE", [b.source], [x])
    same = {"padding": "SAME", "strideH": 1, "strideW": 1}
    once = {**same, "dilationHFactor": 1, "dilationWFactor": 1}
    for filters, scale in ((12, 0.004), (10, 0.04)):
        y = b.int16(1, 40, 12, filters, scale=scale)
        weights = b.weights(filters, 3, 3, x.shape[3])
        b.operator("CONV_2D", [x, weights, b.bias(filters, 2**18)], [y], **once)
        x = y
    y = b.int16(1, 40, 12, 10, scale=0.1)
    given = [x, b.weights(1, 3, 3, 10, axis=3), b.bias(10, 2**18)]
    b.operator("DEPTHWISE_CONV_2D", given, [y], depthMultiplier=1, **once)
    last = b.int16(1, 20, 6, 10, scale=0.1)
    window = {"padding": "VALID", "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    b.operator("MAX_POOL_2D", [y], [last], **window)
    return b.made("MEAN", [last, b.numbers(1, 2)], b.int16(1, 10, scale=0.05))


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [("INT16", None), ("INT16", "rows"), ("INT16", "layers"), ("INT8", "streaming")],
)
def test_schedules(kind: str, schedule: str | None, tmp_path: Path, runtime: Path) -> None:
    each = chain(kind)
    options = Options(schedule=schedule)
    tiled = [stage.tiles for stage in compiled.compile_network(each, options).lowered.stages]
    assert any(tiled) == (schedule == "streaming")
    made = run_all([each], [samples(each)], tmp_path / "c", runtime, {"options": options})
    assert not differing([each], made)


def test_streamed_columns_are_int8() -> None:
    with pytest.raises(AscError, match="is INT16, --schedule streaming needs INT8"):
        compiled.compile_network(chain(), Options(schedule="streaming"))


def refusal(of: ModelFile) -> str:
    with pytest.raises(AscError) as caught:
        compiled.compile_network(of)
    return str(caught.value)


def test_only_zero_points_of_0() -> None:
    b = Int16(1, 8)
    text = refusal(b.made("RELU", [b.source], b.int16(1, 8, zero_point=3)))
    assert re.search(r"tensor 1 is INT16, its zero point must be 0$", text)


def test_biases_are_of_the_types_that_the_reference_reads() -> None:
    b = Int16(1, 4, 4, 2)
    same = {"padding": "SAME", "strideH": 1, "strideW": 1, "depthMultiplier": 1}
    same |= {"dilationHFactor": 1, "dilationWFactor": 1}
    given = [b.source, b.weights(1, 2, 2, 2, axis=3), b.bias(2, 9, np.int32)]
    text = refusal(b.made("DEPTHWISE_CONV_2D", given, b.int16(1, 4, 4, 2), **same))
    assert "bias is INT32, which TensorFlow Lite Micro reads as INT64" in text
    assert refusal(transposed((1, 1), "SAME", np.int32)).endswith("anew with biases of 64 bits")
    b = Int16(1, 4, 4, 2)
    given = [b.source, b.weights(1, 2, 2, 2, axis=3)]
    text = refusal(b.made("DEPTHWISE_CONV_2D", given, b.int16(1, 4, 4, 2), **same))
    assert "has no bias" in text


def test_sums_are_as_large_as_the_reference_takes() -> None:
    text = refusal(dense(40, np.int64, reach=2**48))
    assert "the sum of a channel may exceed 47 bits" in text


def test_operators_without_a_kernel_for_16_bits() -> None:
    b = Int16(1, 8)
    for name in ("HARD_SWISH", "ZEROS_LIKE"):
        text = refusal(b.made(name, [b.source], b.int16(1, 8)))
        assert "INT16" in text and name in text


@pytest.mark.parametrize("name", ["TANH", "LOGISTIC"])
def test_scales_that_leave_nothing(name: str) -> None:
    """TensorFlow Lite Micro takes a factor of 0 for a power of two."""
    b = Int16(1, 8, scale=1.5e-15)
    text = refusal(b.made(name, [b.source], b.int16(1, 8, scale=1 / 32768)))
    assert "input scale 1.5e-15 is too small" in text


def test_roots_of_every_code(runtime: Path, tmp_path: Path) -> None:
    """Scales for which single precision of the factor would give two other codes."""
    net = Builder()
    x = net.activation((1, 32767), 6.835937711002771e-06, 0, "INT16")
    y = net.activation((1, 32767), 0.00047983770491555333, 0, "INT16")
    net.operator("RSQRT", [x], [y])
    model = model_file(net.finish([x], [y]), "roots")
    codes = np.arange(1, 32768, dtype=np.int16).reshape(1, -1)
    expected = TflmNetwork(model.data).run(codes)
    (output,) = run_all([model], [[codes]], tmp_path, runtime, {})
    assert np.array_equal(output.ravel(), expected.ravel())
