"""The budget: counts against counts made by hand, gates against their limits."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.complexity.gate.limits import Limits, parse_bytes, parse_count
from asc_tiny.complexity.report import Total, measure
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.tflite.liveness import live_bytes
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support.commands import budget
from support.paths import MODEL

MOBILENET_MACS = 3_972_224
MOBILENET_FOLDED_PARAMS = 7_210
MOBILENET_TRAINABLE_PARAMS = 7_946


def test_mobilenet_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = budget(capsys, MODEL, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["schema"] == 1
    assert report["passed"] is True
    assert report["limits"] == {
        "max_params": 128_000,
        "max_macs": 30_000_000,
        "max_ram": None,
        "max_flash": None,
    }
    (model,) = report["models"]
    assert model["path"] == str(MODEL)
    assert model["macs"] == MOBILENET_MACS
    assert model["params"] == MOBILENET_FOLDED_PARAMS
    assert report["total"] == {key: model[key] for key in report["total"]}
    for key in ("params", "macs", "weight_bytes"):
        assert sum(layer[key] for layer in model["layers"]) == model[key]
    # The planner of TensorFlow Lite Micro leaves a gap: its head is what counts.
    assert model["peak_activation_bytes"] == 82_944
    assert max(layer["activation_bytes"] for layer in model["layers"]) == 73_728
    first = next(layer for layer in model["layers"] if layer["op"] == "CONV_2D")
    # 3x3x3 weights and a bias for 8 channels, on 128x36 positions.
    assert first["output_shape"] == [1, 128, 36, 8]
    assert first["params"] == 8 * (27 + 1)
    assert first["macs"] == 128 * 36 * 8 * 27
    assert first["weight_bytes"] == 8 * (27 + 4)


def test_format_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert budget(capsys, MODEL, "--json") == budget(capsys, MODEL, "--format", "json")


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = budget(capsys, MODEL)
    assert code == 0
    assert "DEPTHWISE_CONV_2D  1x64x9x16" in out
    assert out.splitlines()[-1].startswith("total: 7,210 parameters, 3,972,224 MACs, ")


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("--max-params", MOBILENET_FOLDED_PARAMS, "parameters"),
        ("--max-macs", MOBILENET_MACS, "MACs"),
        ("--max-flash", 8_344, "weight bytes"),
    ],
)
def test_gate_at_its_edge(
    option: str, value: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = budget(capsys, MODEL, option, value)
    assert (code, err) == (0, "")
    code, out, err = budget(capsys, MODEL, option, value - 1, "--json")
    assert code == 1
    assert err == f"asc-tiny: over budget: {value:,} {name}, 1 over {option} {value - 1:,}\n"
    report = json.loads(out)
    assert report["passed"] is False
    assert len(report["exceeded"]) == 1


def test_ram_gate(capsys: pytest.CaptureFixture[str]) -> None:
    peak = json.loads(budget(capsys, MODEL, "--json")[1])["total"]["peak_activation_bytes"]
    assert budget(capsys, MODEL, "--max-ram", peak)[0] == 0
    assert budget(capsys, MODEL, "--max-ram", peak - 1)[0] == 1
    assert peak % 1024 == 0
    assert budget(capsys, MODEL, "--max-ram", f"{peak // 1024}K")[0] == 1
    assert budget(capsys, MODEL, "--max-ram", f"{peak // 1024}KiB")[0] == 0


def test_total_over_models(capsys: pytest.CaptureFixture[str]) -> None:
    """Each model passes alone, two together do not."""
    assert budget(capsys, MODEL, "--max-params", "8K")[0] == 0
    code, out, err = budget(capsys, MODEL, MODEL, "--max-params", "8K", "--json")
    assert code == 1
    assert "14,420 parameters, 6,420 over --max-params 8,000" in err
    report = json.loads(out)
    assert [model["macs"] for model in report["models"]] == [MOBILENET_MACS] * 2
    assert report["total"]["macs"] == 2 * MOBILENET_MACS


def test_every_exceeded_limit_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--max-params", "1", "--max-macs", "1", "--max-ram", "1", "--max-flash", "1"]
    code, _, err = budget(capsys, MODEL, *options)
    assert code == 1
    assert len(err.splitlines()) == 4


@pytest.mark.parametrize("value", ["12Q", "-1", "", "1.5", "K", "1e6", "0.0005K"])
def test_bad_limits(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = budget(capsys, MODEL, "--max-params", value)
    assert (code, out) == (2, "")
    assert err.startswith(f"asc-tiny: --max-params {value}: must be a whole number")
    assert len(err.splitlines()) == 1


def test_unknown_kind_of_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"")
    code, _, err = budget(capsys, path)
    assert code == 2
    assert ".tflite" in err


def test_suffixes() -> None:
    assert parse_count("128K", option="-") == 128_000
    assert parse_count("2.5M", option="-") == 2_500_000
    assert parse_count("1.5Ki", option="-") == 1536
    assert parse_count("30,000,000", option="-") == 30_000_000
    assert parse_bytes("64K", option="-") == parse_bytes("64 kB", option="-") == 64_000
    assert parse_bytes("64KiB", option="-") == parse_bytes("64Ki", option="-") == 65_536
    assert parse_bytes("1M", option="-") == 10**6
    assert parse_bytes("1GiB", option="-") == 2**30
    assert parse_bytes("100", option="-") == parse_bytes("100B", option="-") == 100


@pytest.mark.parametrize("text", ["64KBB", "64iB", "B", "KiB", "-1B", "1e3", "1.0005K", "٣K"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(AscError, match=f"^--max-ram {text}: must be a whole number"):
        parse_bytes(text, option="--max-ram")


def test_no_limit() -> None:
    huge = Total(10**12, 10**12, 10**12, 10**12)
    none = Limits(max_params=None, max_macs=None, max_ram=None, max_flash=None)
    assert none.exceeded(huge) == []
    assert len(Limits().exceeded(huge)) == 2


def test_reads_tflite_without_tensorflow() -> None:
    program = (
        "import sys\n"
        "from asc_tiny.cli.main import main\n"
        "try:\n"
        f"    main(['budget', {str(MODEL)!r}])\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0, stop.code\n"
        "heavy = {'tensorflow', 'keras', 'tflite_micro', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def graph_of(operators: list[tuple[str, list[int], list[int]]], tensors: dict[int, int]) -> Graph:
    """A graph of int8 vectors: tensor index -> size; input 0, output the last."""
    return Graph(
        "graph",
        tuple(
            Operator(i, name, tuple(a), tuple(b), {}) for i, (name, a, b) in enumerate(operators)
        ),
        tuple(Tensor(i, f"t{i}", (size,), "INT8", (), (), 0, None) for i, size in tensors.items()),
        (0,),
        (max(tensors),),
        {},
    )


def test_live_bytes_by_hand() -> None:
    """A branch keeps tensor 1 alive over two operators; the input dies after the first."""
    operators = [("A", [0], [1]), ("B", [1], [2]), ("C", [1, 2], [3]), ("D", [3], [4])]
    graph = graph_of(operators, {0: 1000, 1: 100, 2: 20, 3: 3, 4: 5000})
    assert live_bytes(graph) == [1100, 120, 123, 5003]


def test_output_stays_alive() -> None:
    operators = [("A", [0], [1]), ("B", [1], [2]), ("C", [2], [3])]
    graph = graph_of(operators, {0: 1, 1: 10, 2: 100, 3: 1000})
    early = Graph("g", graph.operators, graph.tensors, (0,), (1, 3), {})
    assert live_bytes(graph) == [11, 110, 1100]
    assert live_bytes(early) == [11, 110, 1110]


@pytest.fixture(scope="module")
def keras_model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of every counted kind of layer, with figures that are added up by hand below."""
    pytest.importorskip("tensorflow")
    from keras import Input, Model, layers

    inputs = Input((9, 7, 3), batch_size=1)
    x = layers.Conv2D(8, (2, 3), strides=2, padding="same")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="valid")(x)
    x = layers.Conv2DTranspose(4, (3, 2), strides=2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = Model(inputs, layers.Dense(5)(layers.Dropout(0.5)(x)))
    # The converter drops biases that are zero.
    model.set_weights([np.full(weight.shape, 0.5) for weight in model.get_weights()])
    return model


HAND_MACS = (5 * 4 * 8) * (2 * 3 * 3) + (3 * 2 * 16) * 9 + (3 * 2 * 16) * (3 * 2 * 4) + 4 * 5
HAND_PARAMS = 8 * (2 * 3 * 3 + 1) + 16 * (9 + 1) + 4 * (3 * 2 * 16 + 1) + 5 * (4 + 1)


def test_float_tflite_by_hand(keras_model: Any) -> None:
    import tensorflow as tf

    data = tf.lite.TFLiteConverter.from_keras_model(keras_model).convert()
    measured = measure(parse_graph(data, source="float.tflite"))
    assert measured.macs == HAND_MACS
    assert measured.params == HAND_PARAMS
    assert measured.weight_bytes == 4 * HAND_PARAMS


def test_keras_by_hand(
    keras_model: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.keras"
    keras_model.save(path)
    code, out, _ = budget(capsys, path, "--json")
    assert code == 0
    (model,) = json.loads(out)["models"]
    assert model["macs"] == HAND_MACS
    assert model["params"] == HAND_PARAMS + 2 * 8  # batch norm's gamma and beta
    trainable = sum(math.prod(weight.shape) for weight in keras_model.trainable_weights)
    assert model["params"] == trainable
    # The first convolution: 9x7x3 in, 5x4x8 out; the transposed: 3x2x16 in, 6x4x4 out.
    assert model["peak_activation_bytes"] == max(9 * 7 * 3 + 5 * 4 * 8, 3 * 2 * 16 + 6 * 4 * 4)


def test_keras_mobilenet_with_any_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorflow")
    from asc_tiny.nets.mobilenet import build

    path = tmp_path / "model.keras"
    build().save(path)
    code, out, _ = budget(capsys, path, MODEL, "--json")
    assert code == 0
    report = json.loads(out)
    assert report["models"][0]["params"] == MOBILENET_TRAINABLE_PARAMS
    assert report["total"]["macs"] == 2 * MOBILENET_MACS


def test_damaged_keras(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorflow")
    path = tmp_path / "model.keras"
    path.write_bytes(b"no archive")
    code, _, err = budget(capsys, path)
    assert code == 2
    assert str(path) in err
