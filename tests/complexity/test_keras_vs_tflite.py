"""A Keras model and its conversion, layer by layer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.cli.main import main
from asc_tiny.complexity.keras_vs_tflite import Row, compare
from asc_tiny.complexity.report import LayerComplexity, ModelComplexity, measure
from asc_tiny.tflite.reader import parse_graph, read_graph
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml
from support.paths import MODELS

pytest.importorskip("tensorflow")

from asc_tiny import nets
from asc_tiny.complexity.keras import measure_keras, measure_model


def released(name: str) -> tuple[Any, ModelComplexity]:
    pruned = read_toml(MODELS / "mini_segnet_filters.toml") if name == "mini_segnet" else None
    model = nets.build(name, (256, 36, 3), 10, dropout=0.2, filters=pruned)
    return model, measure(read_graph(MODELS / f"{name}_esc10.tflite"))


@pytest.mark.parametrize(
    ("name", "macs", "params"),
    [("mobilenet", 3_972_224, (7_946, 7_210)), ("mini_segnet", 19_466_240, (46_232, 45_944))],
)
@pytest.mark.parametrize("with_names", [True, False])
def test_released_networks_agree(
    name: str, macs: int, params: tuple[int, int], with_names: bool
) -> None:
    model, tflite = released(name)
    keras = measure_model(model, source=name)
    if not with_names:
        layers = tuple(replace(layer, name="x") for layer in tflite.layers)
        tflite = replace(tflite, layers=layers)
    rows = compare(keras, tflite)
    assert all(row.agrees for row in rows)
    assert all(row.macs[0] == row.macs[1] for row in rows)
    for side, measured in enumerate((keras, tflite)):
        assert sum(row.macs[side] for row in rows) == measured.macs == macs
        assert sum(row.params[side] for row in rows) == measured.params == params[side]
    # Every layer and every operator is in one row.
    assert sum(len(row.layers) for row in rows) == len(keras.layers)
    assert sum(len(row.operators) for row in rows) == len(tflite.layers)
    # A batch norm leaves nothing but what was the bias: gamma and beta of each filter go.
    norms = sum(layer.params for layer in keras.layers if layer.name.endswith("_norm"))
    assert params[0] - params[1] == norms == sum(row.folded for row in rows)


@pytest.mark.parametrize("name", ["mobilenet", "mini_segnet"])
def test_other_work_is_that_of_the_operators(name: str) -> None:
    """Pools, means and softmax the same on both sides; what moves, too. The rest is fused."""
    model, tflite = released(name)
    compared = 0
    for row in compare(measure_model(model, source=name), tflite):
        if any(operator.macs for operator in row.operators) or not row.operators:
            continue
        layers, operators = row.layers, row.operators
        assert sum(x.operations for x in layers) == sum(x.operations for x in operators)
        assert sum(x.moved_bytes for x in layers) == sum(x.moved_bytes for x in operators)
        compared += 1
    assert compared >= 7


def test_work_of_keras_layers_by_hand() -> None:
    from keras import Input, Model, layers, ops

    inputs = Input((8, 6, 4), batch_size=1)
    x = layers.BatchNormalization()(inputs)  # 2 x 192
    x = layers.LeakyReLU()(x)  # 192
    y = layers.AveragePooling2D(2)(x)  # 48 outputs of 4 values
    z = layers.UpSampling2D(2, interpolation="bilinear")(y)  # 7 x 192
    x = layers.Add()([x, z, z])  # 2 x 192
    x = layers.Concatenate()([x, ops.tanh(x)])  # 192; 384 bytes
    x = layers.Activation("softmax")(layers.GlobalMaxPooling2D()(x))  # 384; 4 x 8
    measured = measure_model(Model(inputs, x), source="by hand")
    assert measured.operations == 2 * 192 + 192 + 48 * 4 + 7 * 192 + 2 * 192 + 192 + 384 + 32
    assert measured.moved_bytes == 384
    assert measured.macs == 0


def test_frozen_weights_of_keras_layers_count() -> None:
    """What another training has learnt costs as much: a backbone, what LoRA adds to, a norm."""
    from keras import Input, Model, layers

    inputs = Input((8, 6, 4), batch_size=1)
    x = layers.BatchNormalization()(inputs)  # gamma and beta of 4 channels, no statistics
    x = layers.Normalization(mean=[0.5] * 4, variance=[2.0] * 4)(x)
    x = layers.Conv2D(5, 3)(x)  # 4 x 9 x 5 + 5
    x = layers.Dense(7, name="tuned")(x)  # 5 x 7 + 7
    model = Model(inputs, x)
    model.trainable = False
    adapted = layers.Normalization()
    adapted.adapt(np.arange(8.0).reshape(1, 1, 2, 4))
    assert measure_model(model, source="file").params == 8 + 185 + 42
    model.get_layer("tuned").trainable = True
    model.get_layer("tuned").enable_lora(2)
    assert measure_model(model, source="file").params == 8 + 185 + 42 + (5 + 7) * 2
    model = Model(inputs, adapted(inputs))
    assert measure_model(model, source="file").params == 0


def test_arrays_in_keras_operations_count(tmp_path: Path) -> None:
    from keras import Input, Model, ops

    inputs = Input((8, 6, 4), batch_size=1)
    factors = np.ones((6, 4), np.float32)
    x = ops.maximum(inputs * factors + np.ones(4, np.int32), -factors) * factors
    x = ops.concatenate([x, np.zeros((1, 2, 6, 4), np.float32)], axis=1)
    x = ops.reshape(x * 0.5, (10, 24))
    model = Model(inputs, x)
    assert measure_model(model, source="file").params == 24 + 4 + 24 + 48
    # The file holds the array that is used twice twice.
    model.save(tmp_path / "file.keras")
    assert measure_keras(tmp_path / "file.keras").params == 24 + 4 + 24 + 24 + 48


def test_sequential_models(tmp_path: Path) -> None:
    from keras import Input, Sequential, layers

    parts = [layers.Conv2D(5, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    Sequential([Input((8, 6, 4)), *parts]).save(tmp_path / "file.keras")
    measured = measure_keras(tmp_path / "file.keras")
    assert [layer.params for layer in measured.layers] == [4 * 9 * 5 + 5, 10, 0]
    assert measured.macs == 8 * 6 * 9 * 4 * 5
    with pytest.raises(AscError, match="x: not a functional or sequential Keras model of known"):
        measure_model(Sequential([layers.Dense(2)]), source="x")


def test_keras_is_not_imported_before_its_messages_are_caught() -> None:
    text = "import sys, asc_tiny.complexity.keras as _; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_activations_that_are_layers() -> None:
    from keras import Input, Model, layers

    inputs = Input((8,), batch_size=1)
    x = layers.Activation(layers.LeakyReLU())(inputs)
    model = Model(inputs, layers.Activation(layers.Softmax())(x))
    assert measure_model(model, source="file").operations == 8 + 4 * 8


def test_keras_layer_without_a_rule_is_refused() -> None:
    from keras import Input, Model, layers

    inputs = Input((8, 6), batch_size=1)
    model = Model(inputs, layers.LSTM(3, name="memory")(inputs))
    with pytest.raises(AscError, match="file: layer memory is LSTM, whose work cannot be counted"):
        measure_model(model, source="file")


def layer(op: str, params: int, macs: int, channels: int = 8) -> LayerComplexity:
    return LayerComplexity(op.lower(), op, (1, 4, 4, channels), params, macs, params, 0)


def test_what_is_not_explained_does_not_agree() -> None:
    convolution, norm = layer("Conv2D", 80, 1000), layer("BatchNormalization", 16, 0)
    assert Row((convolution, norm), (layer("CONV_2D", 80, 1000),)).agrees
    other_work = Row((convolution, norm), (layer("CONV_2D", 80, 1001),))
    assert not other_work.agrees and "MACS DIFFER" in other_work.note
    more = Row((convolution, norm), (layer("CONV_2D", 81, 1000),))
    assert (more.agrees, more.unexplained) == (False, 1)
    assert "+1 PARAMETERS NOT EXPLAINED" in more.note
    without_norm = Row((convolution,), (layer("CONV_2D", 88, 1000),))
    assert not without_norm.agrees


def test_numbers_of_a_formula_and_what_is_not_trained_are_explained() -> None:
    product = replace(layer("MUL", 1, 0), numbers=1)
    alone = Row((layer("Softsign", 0, 0),), (product,))
    assert alone.agrees and alone.note == "numbers of a formula, +1"
    assert not Row((layer("Softsign", 0, 0),), (layer("MUL", 1, 0),)).agrees
    given = replace(layer("Normalization", 0, 0), untrained=16)
    operators = (layer("SUB", 8, 0), layer("MUL", 8, 0))
    assert Row((given,), operators).note == "not trained, +16"
    assert not Row((given,), (*operators, layer("ADD", 8, 0))).agrees


@pytest.mark.parametrize("kind", ["hard_sigmoid", "softsign", "rescaling", "normalization"])
def test_constants_of_activations_and_rescalings_agree(kind: str) -> None:
    """The converter writes numbers of formulas and statistics as constants, like weights."""
    from keras import Input, Model, layers

    from support.network_models import quantized

    made = {
        "rescaling": lambda: layers.Rescaling([0.1, 0.2, 0.4, 0.3], [1.0, -2.0, 3.0, 0.5]),
        "normalization": lambda: layers.Normalization(
            mean=[0.1, -0.2, 0.3, 0.6], variance=[1.0, 2.0, 0.5, 0.7]
        ),
    }
    inputs = Input((5, 4, 4), batch_size=1)
    x = layers.MaxPooling2D(2)(inputs)
    x = (made.get(kind) or (lambda: layers.Activation(kind)))()(x)
    model = Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
    tflite = measure(parse_graph(quantized(model), source="m.tflite"))
    rows = compare(measure_model(model, source="m.keras"), tflite)
    assert all(row.agrees for row in rows), [row.note for row in rows]
    constants = {"hard_sigmoid": 0, "softsign": 1, "rescaling": 8, "normalization": 8}
    assert tflite.params - sum(row.params[0] for row in rows) == constants[kind]


def test_bias_that_comes_or_goes() -> None:
    norm = layer("BatchNormalization", 16, 0)
    offset = Row((layer("Conv2D", 72, 1000), norm), (layer("CONV_2D", 80, 1000),))
    assert offset.agrees and "bias takes the offset, +8" in offset.note
    dropped = Row((layer("Conv2D", 80, 1000),), (layer("CONV_2D", 72, 1000),))
    assert dropped.agrees and "bias is zero and left out, -8" in dropped.note


def test_batch_norm_that_cannot_be_folded(tmp_path: Path) -> None:
    """Before a convolution with padding it stays, as a product and a sum."""
    import tensorflow as tf
    from keras import Input, Model, layers

    inputs = Input((8, 8, 3), batch_size=1)
    x = layers.ReLU()(layers.BatchNormalization()(inputs))
    x = layers.BatchNormalization()(layers.Conv2D(5, 3, padding="same", use_bias=False)(x))
    model = Model(inputs, layers.Softmax()(layers.Flatten()(x)))
    model.set_weights([np.random.default_rng(0).uniform(0.5, 1.5, w.shape) for w in model.weights])
    data = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    rows = compare(
        measure_model(model, source="keras"), measure(parse_graph(data, source="m.tflite"))
    )
    assert all(row.agrees for row in rows), [row.note for row in rows]
    assert sum(row.macs[0] for row in rows) == 8 * 8 * 5 * 27


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, _ = released("mobilenet")
    model.save(tmp_path / "model.keras")

    def run(tflite: str, *options: str) -> tuple[int, str]:
        paths = (str(tmp_path / "model.keras"), str(MODELS / f"{tflite}_esc10.tflite"))
        with pytest.raises(SystemExit) as stop:
            main(["budget", *paths, "--compare", *options])
        assert isinstance(stop.value.code, int)
        return stop.value.code, capsys.readouterr().out

    code, out = run("mobilenet")
    assert code == 0
    assert out.splitlines()[-1] == "Keras and TFLite agree"
    code, out = run("mini_segnet", "--json")
    assert code == 3
    assert json.loads(out)["agrees"] is False
