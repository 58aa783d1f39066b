"""Anybody's Keras model as integers: any inputs and outputs, and files that are not believed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny.model.model_file import load
from asc_tiny.nets import require_tensorflow
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.exit_codes import refused

require_tensorflow()

import keras  # noqa: E402
from keras import Input, Model, layers  # noqa: E402

from asc_tiny.compress import calibration  # noqa: E402
from asc_tiny.compress.keras_file import ModelInput  # noqa: E402


def small() -> Model:
    return keras.Sequential(
        [Input((10, 4)), layers.Conv1D(6, 3, activation="relu"), layers.Flatten()]
    )


def several() -> Model:
    """Two inputs whose order and shapes differ, in a dictionary, and two outputs."""
    picture, facts = Input((8, 8, 3), name="picture"), Input((5,), name="facts")
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(picture))
    y = layers.Concatenate()([x, layers.Dense(8)(facts)])
    outputs = [layers.Dense(3, activation="softmax")(y), layers.Dense(1)(y)]
    return Model({"b": picture, "a": facts}, outputs)


def subtraction() -> Model:
    """Inputs of one shape, whose order matters."""
    first, second = Input((4,), name="zeta"), Input((4,), name="alpha")
    return Model([first, second], layers.Subtract()([first, second]))


def long_memory() -> Model:
    return keras.Sequential([Input((6, 4)), layers.LSTM(5), layers.Dense(2)])


def both_ways() -> Model:
    return keras.Sequential([Input((6, 4)), layers.Bidirectional(layers.GRU(3)), layers.Dense(2)])


MODELS: dict[str, Callable[[], Model]] = {
    each.__name__: each for each in (small, several, subtraction, long_memory, both_ways)
}


def saved(make: Callable[[], Model], folder: Path) -> tuple[Path, Path]:
    """Return a .keras file and one of inputs for it."""
    keras.utils.set_random_seed(1)
    model, rng = make(), np.random.default_rng(0)
    path = folder / f"{make.__name__}.keras"
    model.save(path)
    samples = {
        tensor.name: rng.normal(size=(16, *tensor.shape[1:])).astype(np.float32)
        for tensor in model.inputs
    }
    inputs = folder / ("x.npz" if len(samples) > 1 else "x.npy")
    if len(samples) > 1:
        np.savez(inputs, **samples)
    else:
        np.save(inputs, *samples.values())
    return path, inputs


SLOW, EXHAUSTIVE = ("both_ways", "small"), ("subtraction", "long_memory")


def marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    if name in EXHAUSTIVE:
        return (pytest.mark.exhaustive,)
    return (pytest.mark.slow,) if name in SLOW else ()


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in MODELS])
def test_models_are_converted_and_verified(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, inputs = saved(MODELS[name], tmp_path)
    out = tmp_path / "m.tflite"
    assert asc_tiny("quantize", path, "--calibration", inputs, "--out", out) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("bytes, ranges set by 16 inferences")
    for line in said[1:]:
        assert float(line.split(": ")[1].split(" dB")[0]) > 20.0
    graph = load(out).graph
    ends = [graph.tensor(index) for index in (*graph.inputs, *graph.outputs)]
    assert {tensor.dtype for tensor in ends} == {"INT8"}
    model = keras.models.load_model(path)
    assert [graph.tensor(i).shape[1:] for i in graph.inputs] == [
        tuple(tensor.shape[1:]) for tensor in model.inputs
    ]
    # Names go with the inputs, so that the same file of inputs fits.
    assert asc_tiny("verify", out, "--input", inputs) == 0


@pytest.mark.slow
def test_real_values_at_the_ends_and_activations_of_16_bits(tmp_path: Path) -> None:
    path, inputs = saved(long_memory, tmp_path)
    out = tmp_path / "m.tflite"
    for options, ends in (
        (["--io", "float"], "FLOAT32"),
        (["--activations", "int16"], "INT16"),
    ):
        assert asc_tiny("quantize", path, "--calibration", inputs, "--out", out, *options) == 0
        graph = load(out).graph
        assert graph.tensor(graph.inputs[0]).dtype == graph.tensor(graph.outputs[0]).dtype == ends


def test_calibration_sets_the_ranges(tmp_path: Path) -> None:
    """From a file, or a folder of files of one inference or several."""
    path, _ = saved(small, tmp_path)
    rng, folder, out = np.random.default_rng(0), tmp_path / "inputs", tmp_path / "m.tflite"
    folder.mkdir()
    for number in range(3):
        np.save(folder / f"{number}.npy", rng.uniform(-10.0, 30.0, (10, 4)))
    np.save(folder / "more.npy", np.stack([np.full((10, 4), -10.0), np.full((10, 4), 30.0)]))
    (folder / "notes.txt").write_text("no array")
    assert asc_tiny("quantize", path, "--calibration", folder, "--out", out) == 0
    graph = load(out).graph
    source = graph.tensor(graph.inputs[0])
    assert source.scales[0] == pytest.approx(40.0 / 255.0, rel=1e-5)
    assert source.zero_points[0] == pytest.approx(-128 + 10.0 / source.scales[0], abs=1)


@pytest.mark.slow
def test_recordings_with_a_front_end(tmp_path: Path) -> None:
    from asc_tiny.audio.clips import write_wav16

    (tmp_path / "f.toml").write_text("n_mels = 16\ndeltas = false\n")
    (tmp_path / "l.txt").write_text("quiet\nloud\n")
    from asc_tiny.frontend.config import read_toml

    config = read_toml(tmp_path / "f.toml")
    x = source = Input(config.shape)
    x = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    Model(source, x).save(tmp_path / "m.keras")
    (tmp_path / "clips").mkdir()
    rng, out = np.random.default_rng(0), tmp_path / "m.tflite"
    for number in range(3):
        pcm = (rng.normal(size=config.clip_samples) * 10.0 ** (number + 1)).astype(np.int16)
        write_wav16(tmp_path / "clips" / f"{number}.wav", pcm, config.sample_rate)
    command = ["quantize", tmp_path / "m.keras", "--calibration", tmp_path / "clips", "--out", out]
    own = ["--frontend", tmp_path / "f.toml", "--labels", tmp_path / "l.txt"]
    assert asc_tiny(*command, *own) == 0
    model = load(out)
    assert model.labels == ("quiet", "loud")
    assert model.frontend and model.frontend.quantization
    assert model.frontend.quantization.scale == model.graph.tensor(model.graph.inputs[0]).scales[0]


class Own(layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs + 1.0


def with_code(path: Path) -> None:
    keras.Sequential([Input((4,)), layers.Lambda(lambda x: x * 2.0)]).save(path)


def with_own_layer(path: Path) -> None:
    keras.Sequential([Input((4,)), Own()]).save(path)


def with_unknown_size(path: Path) -> None:
    keras.Sequential([Input((None, 4)), layers.Conv1D(3, 3)]).save(path)


def with_no_inputs(path: Path) -> None:
    keras.Sequential([layers.Dense(3)]).save(path)


def with_other_bytes(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 not a model")


def with_a_program(path: Path) -> None:
    """A file whose configuration names a function of the system instead of a layer."""
    keras.Sequential([Input((4,)), layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(entries["config.json"])
    layer = config["config"]["layers"][1]
    layer.update(module="os", class_name="system", registered_name=None)
    layer["config"] = {"command": f"touch {path.with_name('started')}"}
    entries["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def with_huge_weights(path: Path) -> None:
    keras.Sequential([Input((4,)), layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    text = entries["config.json"].decode().replace('"units": 2', '"units": 2000000000000')
    entries["config.json"] = text.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


HOSTILE: dict[Callable[[Path], None], str] = {
    with_code: "holds Python code",
    with_own_layer: "Own', which Keras does not have: code of your own is not in the file",
    with_unknown_size: "has shape (?, ?, 4); give keras.Input a shape without None",
    with_no_inputs: "no functional or sequential model of known inputs",
    with_other_bytes: "not a Keras model",
    with_a_program: "'system', which Keras does not have",
    with_huge_weights: "m.keras: ",
}


QUICK = (with_code, with_a_program)


@pytest.mark.parametrize(
    "make", [pytest.param(m, marks=() if m in QUICK else pytest.mark.exhaustive) for m in HOSTILE]
)
def test_files_that_are_not_believed(
    make: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, inputs, out = tmp_path / "m.keras", tmp_path / "x.npy", tmp_path / "m.tflite"
    make(path)
    np.save(inputs, np.zeros((3, 4), np.float32))
    before = set(tmp_path.iterdir())
    said = refused(["quantize", path, "--calibration", inputs, "--out", out], capsys)
    assert said.startswith(f"asc-tiny: {path}: ") and HOSTILE[make] in said
    assert set(tmp_path.iterdir()) == before


ONE = [ModelInput("x", (1, 10, 4), "float32")]
MISFITS = {
    "shape": (np.zeros((3, 9, 4)), "must be (1, 10, 4) or (N, 10, 4)"),
    "not finite": (np.full((3, 10, 4), np.nan), "not finite"),
    "none": (np.zeros((0, 10, 4)), "holds no inputs"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_inputs_that_do_not_fit_are_a_line(name: str, tmp_path: Path) -> None:
    values, said = MISFITS[name]
    path = tmp_path / "x.npy"
    np.save(path, values)
    with pytest.raises(AscError) as caught:
        calibration.read(path, ONE)
    assert str(caught.value).startswith(str(path)) and said in str(caught.value)


def test_folders_without_inputs_are_a_line(tmp_path: Path) -> None:
    with pytest.raises(AscError, match=r"no files ending in \.npy or \.npz"):
        calibration.read(tmp_path, ONE)
    with pytest.raises(AscError, match="none: cannot read"):
        calibration.read(tmp_path / "none", ONE)


def test_of_many_inferences_some_are_taken_evenly(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.repeat(np.arange(5000.0), 40).reshape(-1, 10, 4))
    found = [int(each[0][0, 0, 0]) for each in calibration.read(path, ONE)]
    assert len(found) == calibration.MOST
    assert (found[0], found[-1]) == (0, 4999)
    assert set(np.diff(found)) <= {4, 5, 6}


def test_options_of_the_other_kind_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", tmp_path / "m.tflite"]
    for source, options, said in (
        ("m.keras", ["--data", "x"], "--data: is for a run, not for m.keras"),
        ("m.keras", ["--no-accuracy"], "--accuracy: is for a run, not for m.keras"),
        ("m.keras", [], "--calibration: is needed"),
        ("m.keras", ["--calibration", "x", "--labels", "l"], "give both or none"),
        ("run", ["--io", "float"], "--io: is for a .keras file, not for run"),
        ("run", [], "--data: is needed to quantise a run"),
    ):
        assert said in refused(["quantize", source, *out, *options], capsys)
