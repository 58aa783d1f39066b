"""Quantisation: int8 scores follow the float network, and the file carries its metadata."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from asc_tiny import __version__, nets
from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli.main import main
from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.frontend.reference import quantize as codes_of
from asc_tiny.model import model_file
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256
from support import trained
from support.recipes import RECIPE

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

import keras
import tensorflow as tf

from asc_tiny.compress import quantize
from asc_tiny.compress.quantize_run import calibration_clips
from asc_tiny.model import metadata_writer
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.train.loop import train
from asc_tiny.train.run import Run
from asc_tiny.train.training_data import input_quantization

CONFIG = FrontEndConfig(n_mels=16)
LABELS = ("a", "b", "c")


class Features:
    """Stands in for a FeatureSet."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def batches(self, size):
        for start in range(0, len(self.values), size):
            yield self.values[start : start + size]


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    level = rng.normal(-8, 3, (40, 1, 1, 1))
    return (level + rng.normal(0, 1, (40, *CONFIG.shape))).astype(np.float32)


@pytest.fixture(scope="module")
def model(features):
    """A network with random weights whose scores differ from clip to clip."""
    keras.utils.set_random_seed(0)
    network = nets.build("mobilenet", CONFIG.shape, len(LABELS), dropout=0.0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # What 300 equal batches come to with the usual 0.99.
            layer.momentum = 0.05
    network(features, training=True)
    head = network.get_layer("classify")
    head.kernel.assign(6 * head.kernel)
    return network


@pytest.fixture(scope="module")
def folder(synthetic, tmp_path_factory):
    return trained.copied(synthetic, tmp_path_factory.mktemp("quantize"))


@pytest.fixture(scope="module")
def cache_folder(folder):
    """The cache of the features that all commands of this module take."""
    (folder / trained.CACHE).rename(folder / "asc-tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def recipe_path(folder):
    return folder / trained.RECIPE_FILE


@pytest.fixture(scope="module")
def run(folder, cache_folder):
    """A run on the synthetic data set; tests must not change it."""
    return Run(folder / trained.RUN)


@pytest.fixture(scope="module")
def converted(model, features):
    return quantize.quantize(model, features)


@pytest.fixture(scope="module")
def complete(converted):
    return quantize.with_metadata(
        converted,
        config=CONFIG,
        labels=LABELS,
        network="mobilenet",
        provenance={"recipe_sha256": "0" * 64},
    )


def test_int8_scores_follow_the_float_network(model, features, converted):
    interpreter = Interpreter(converted, "model")
    output = interpreter.output_quantization
    codes = [codes_of(clip, interpreter.input_quantization) for clip in features.astype(np.float64)]
    scores = np.array([interpreter.run(code) for code in codes], np.float64)
    scores = (scores - output.zero_point) * output.scale
    wanted = model(features).numpy()
    assert wanted.std(axis=0).max() > 0.03, "the network must tell clips apart"
    assert np.abs(scores - wanted).max() < 0.1
    assert np.abs(scores - wanted).mean() < 0.02


def test_softmax_output_has_the_fixed_quantization(converted):
    # TFLite's quantisation specification: softmax gives scale 1/256, zero point -128.
    assert Interpreter(converted, "model").output_quantization == Quantization(
        scale=1 / 256, zero_point=-128
    )


def test_input_quantization_is_the_one_training_rounds_to(features, converted):
    trained = input_quantization(Features(features))
    converted_to = Interpreter(converted, "model").input_quantization
    assert converted_to.scale == pytest.approx(trained.scale, rel=1e-6)
    assert converted_to.zero_point == trained.zero_point


def test_everything_is_int8_per_channel_with_batch_one(converted):
    interpreter = tf.lite.Interpreter(model_content=converted)
    for tensor in interpreter.get_tensor_details():
        assert tensor["dtype"] in (np.int8, np.int32), tensor["name"]
    assert interpreter.get_input_details()[0]["shape"].tolist() == [1, *CONFIG.shape]
    expand = [
        tensor
        for tensor in interpreter.get_tensor_details()
        if tensor["shape"].tolist() == [96, 1, 1, 16]
    ]
    assert len(expand[0]["quantization_parameters"]["scales"]) == 96
    assert set(expand[0]["quantization_parameters"]["zero_points"]) == {0}


def test_weights_are_those_of_the_network_with_batch_norm_folded(model, converted):
    """The projection has no activation: kernel * gamma / sqrt(variance + epsilon)."""
    norm = model.get_layer("project_norm")
    gamma, _, _, variance = norm.get_weights()
    folded = model.get_layer("project").get_weights()[0][0, 0] * (
        gamma / np.sqrt(variance + norm.epsilon)
    )
    interpreter = tf.lite.Interpreter(model_content=converted)
    (tensor,) = (
        t for t in interpreter.get_tensor_details() if t["shape"].tolist() == [16, 1, 1, 96]
    )
    scales = tensor["quantization_parameters"]["scales"]
    stored = interpreter.get_tensor(tensor["index"])[:, 0, 0] * scales[:, None]
    assert np.all(np.abs(stored - folded.T) <= 0.5001 * scales[:, None])


# A command that is given twice says so, too.
@pytest.mark.slow
def test_same_input_gives_the_same_bytes(model, features, converted, complete):
    again = quantize.quantize(model, features)
    assert again == converted
    document = {
        "config": CONFIG,
        "labels": LABELS,
        "network": "mobilenet",
        "provenance": {"recipe_sha256": "0" * 64},
    }
    assert quantize.with_metadata(again, **document) == complete


def test_metadata_is_read_back_without_tensorflow(complete, converted, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(complete)
    read = model_file.load(path)
    quantization = Interpreter(converted, "model").input_quantization
    assert read.frontend == CONFIG.quantized(quantization.scale, quantization.zero_point)
    assert read.labels == LABELS
    assert read.network == "mobilenet"
    assert read.provenance == {"recipe_sha256": "0" * 64, "tool_version": __version__}


def test_metadata_leaves_the_network_as_it_was(converted, complete, features):
    first, second = Interpreter(converted, "first"), Interpreter(complete, "second")
    assert second.arena_bytes == first.arena_bytes
    for clip in features[:5].astype(np.float64):
        codes = codes_of(clip, first.input_quantization)
        np.testing.assert_array_equal(first.run(codes), second.run(codes))


def test_metadata_is_replaced_not_added(complete):
    once = metadata_writer.embed(complete, {"labels": ["x"]})
    assert (
        metadata_writer.embed(metadata_writer.embed(complete, {"labels": ["y"]}), {"labels": ["x"]})
        == once
    )
    assert once.count(b"asc_tiny") == 1
    assert b'{"labels":["x"],"schema":1}' in once


def test_buffers_stay_aligned(complete):
    """Kernels read int32 biases in place: 16-byte alignment, as the TFLite schema asks."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.Model.GetRootAs(complete, 0)
    seen = 0
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if buffer.DataLength():
            field = buffer._tab.Offset(4)
            assert buffer._tab.Vector(field) % 16 == 0
            seen += 1
    assert seen > 20


def test_an_operator_that_tflm_lacks_is_named():
    inputs = keras.Input((8, 8, 4))
    network = keras.Model(inputs, keras.layers.UpSampling2D(2)(inputs))
    with pytest.raises(AscError, match="operator TILE is not one that TensorFlow Lite Micro runs"):
        quantize.quantize(network, np.ones((2, 8, 8, 4), np.float32))


def test_features_of_another_shape_are_refused(model, features):
    with pytest.raises(AscError, match=r"representative features of shape \(40, 16, 30, 3\)"):
        quantize.quantize(model, features[:, :, :30])


def test_front_end_and_labels_must_fit(converted):
    with pytest.raises(AscError, match=r"2 labels for a model with 3 outputs"):
        quantize.with_metadata(
            converted, config=CONFIG, labels=("a", "b"), network="mobilenet", provenance={}
        )
    with pytest.raises(AscError, match=r"shape \(32, 36, 3\), the model takes \(16, 36, 3\)"):
        quantize.with_metadata(
            converted,
            config=FrontEndConfig(n_mels=32),
            labels=LABELS,
            network="mobilenet",
            provenance={},
        )


@pytest.mark.parametrize("data", [b"", b"not a model at all", b"\x20\x00\x00\x00TFL3" + bytes(40)])
def test_a_file_that_is_no_model_is_named(data):
    with pytest.raises(AscError, match=r"^broken.tflite: "):
        Interpreter(data, "broken.tflite")


def test_a_float_model_is_refused():
    inputs = keras.Input((4,), batch_size=1)
    network = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    data = tf.lite.TFLiteConverter.from_keras_model(network).convert()
    with pytest.raises(AscError, match=r"float.tflite: input is float32, must be int8"):
        Interpreter(data, "float.tflite")


def test_calibration_takes_the_clips_with_the_extremes():
    values = np.zeros((50, 2, 2, 1), np.float32)
    values[7], values[31] = -9.0, 9.0
    assert calibration_clips(Features(values), 5).tolist() == [0, 7, 12, 24, 31, 36, 49]
    assert calibration_clips(Features(values), 99).tolist() == list(range(50))


def test_run_to_file(run, recipe_path, synthetic, tmp_path, capsys):
    """quantize and evaluate as a user calls them; all provenance hashes recomputed."""
    dataset = Dataset.load(synthetic)
    out = tmp_path / "model.tflite"
    with pytest.raises(SystemExit) as ended:
        main(["quantize", str(run.root), "--data", str(synthetic), "--out", str(out)])
    assert ended.value.code == 0
    report = capsys.readouterr().out
    assert f"{out}: {out.stat().st_size} bytes, input scale" in report
    rows = {line.split()[0]: line.split()[1:] for line in report.splitlines()[1:]}
    assert set(rows) == {"split", "float", "int8", "int8_integer_frontend"}
    assert rows["float"][0] == f"{run.info().evaluate_accuracy:.4f}"
    assert all(math.isfinite(float(rows[name][1])) for name in ("float", "int8"))

    read = model_file.load(out)
    assert read.labels == dataset.labels
    assert read.frontend.n_mels == 16
    assert read.provenance == {
        "tool_version": __version__,
        "recipe": recipes.load(recipe_path).content,
        "recipe_sha256": sha256(RECIPE.encode()),
        "dataset_fingerprint": dataset.fingerprint(),
        "parent_sha256": sha256(run.model_path.read_bytes()),
    }
    first = out.read_bytes()
    assert quantized(run, synthetic, out, capsys)[0] == 0
    assert out.read_bytes() == first, "with and without --no-accuracy"

    with pytest.raises(SystemExit):
        main(["evaluate", str(run.model_path), "--data", str(synthetic), "--json"])
    values = json.loads(capsys.readouterr().out)
    assert values["schema"] == 1
    assert f"{values['results']['float']['accuracy']:.4f}" == rows["float"][0]


def test_another_dataset_is_refused(run, tmp_path):
    from asc_tiny.audio.synth import write_synthetic
    from asc_tiny.compress.quantize_run import quantize_run

    write_synthetic(tmp_path / "other", seed=2, clips_per_class=4)
    with pytest.raises(AscError, match="was trained on a data set with fingerprint"):
        quantize_run(run, Dataset.load(tmp_path / "other"))


def int8_weights(path):
    """Return the codes of all weights of a file, by the names of their tensors."""
    interpreter = tf.lite.Interpreter(str(path))
    return {
        tensor["name"]: interpreter.get_tensor(tensor["index"]).tobytes()
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] == np.int8 and len(tensor["quantization_parameters"]["scales"]) > 1
    }


def quantized(run, synthetic, out, capsys, *options):
    arguments = ["quantize", str(run.root), "--data", str(synthetic), "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--no-accuracy", *options])
    return ended.value.code, capsys.readouterr()


def test_options_of_the_command(run, synthetic, tmp_path, capsys):
    """Calibration, fine-tuning and the report of layers, and what the file says of them."""
    plain, tuned = tmp_path / "plain.tflite", tmp_path / "tuned.tflite"
    report = tmp_path / "layers.json"
    options = ["--calibration", "all", "--report", str(report)]
    assert quantized(run, synthetic, plain, capsys, *options)[0] == 0
    document = json.loads(report.read_text())
    layers = [layer["layer"] for layer in document["layers"]]
    assert document["clips"] == len(Dataset.load(synthetic).split("evaluate"))
    assert {"first_relu", "point2_relu", "pool", "scores"} <= set(layers)
    # The synthetic set has fewer clips than the default takes.
    assert model_file.load(plain).provenance["calibration_clips"] == 18
    options = ["--calibration", "2", "--finetune", "1"]
    assert quantized(run, synthetic, tuned, capsys, *options)[0] == 0
    provenance = model_file.load(tuned).provenance
    assert provenance["calibration_clips"] in (2, 3, 4)
    assert provenance["finetune_epochs"] == 1
    # Calibration gives scales to activations and leaves weights alone.
    assert int8_weights(tuned) != int8_weights(plain)
    code, printed = quantized(run, synthetic, tuned, capsys, "--calibration", "0")
    assert code == 2
    assert '--calibration 0: allowed: 1 or more, or "all"' in printed.err


@pytest.mark.parametrize(("int8", "advised"), [(0.75, False), (0.745, False), (0.74, True)])
def test_fine_tuning_is_advised_above_half_a_point(
    synthetic, tmp_path, capsys, monkeypatch, int8, advised
):
    from asc_tiny.cli import quantize as cli
    from asc_tiny.compress import quantize_run
    from asc_tiny.evaluation.evaluate import metrics

    clips = Dataset.load(synthetic).clips[:1]
    one = metrics(np.ones((1, 1)), clips, (clips[0].scene,))

    def result(accuracy):
        return replace(one, overall=replace(one.overall, accuracy=accuracy))

    found = {"float": result(0.75), "int8": result(int8), "int8_integer_frontend": result(int8)}
    monkeypatch.setattr(cli, "accuracies", lambda *_: found)
    monkeypatch.setattr(cli, "size_line", lambda _: "size")
    monkeypatch.setattr(quantize_run, "quantize_run", lambda *_, **__: b"model")
    out = tmp_path / "m.tflite"
    with pytest.raises(SystemExit) as ended:
        main(["quantize", str(tmp_path), "--data", str(synthetic), "--out", str(out)])
    assert ended.value.code == 0
    assert ("int8 loses 1.0 points: try --finetune" in capsys.readouterr().err) == advised


@pytest.mark.slow
def test_a_run_on_integer_features_is_quantized_on_them(
    recipe_path, synthetic, tmp_path, monkeypatch, cache_folder
):
    """Calibration, fine-tuning and the report of layers see what the codes stand for."""
    from asc_tiny.compress import quantize_run

    dataset = Dataset.load(synthetic)
    run = train(recipes.load(recipe_path, features="fixed"), dataset, tmp_path / "run", epochs=1)
    seen = {}

    def tuned(model, features, quantization, **_):
        seen["fine-tuning"] = features.take(np.arange(len(features)))

    def converted(model, clips):
        seen["calibration"] = np.stack(list(clips))
        return quantize.quantize(model, clips)

    def errors(model, data, x):
        seen["report"] = x
        return []

    monkeypatch.setattr(quantize_run, "finetune", tuned)
    monkeypatch.setattr(quantize_run, "quantize", converted)
    monkeypatch.setattr(quantize_run, "layer_errors", errors)
    file = quantize_run.quantize_run(run, dataset, finetune_epochs=1)
    quantize_run.error_report(run, dataset, file)
    quantization = run.info().frontend.quantization
    assert set(seen) == {"fine-tuning", "calibration", "report"}
    for name, x in seen.items():
        codes = x.astype(np.float64) / quantization.scale + quantization.zero_point
        np.testing.assert_allclose(codes, np.rint(codes), atol=1e-4, err_msg=name)
    found = Interpreter(file, "model").input_quantization
    assert found.scale == pytest.approx(quantization.scale, rel=1e-6)
    assert found.zero_point == quantization.zero_point
