"""Bad input: one clear line on stderr, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.cli.main import COMMANDS, main
from support.commands import asc_tiny, refused
from support.paths import MODEL, ROOT

CLIP = sorted((ROOT / "models" / "clips").glob("*.flac"))[0]


@pytest.fixture(scope="module")
def keras_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A float .tflite and an int8 one with an operator that no runtime has."""
    tf = pytest.importorskip("tensorflow")
    keras = pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("models")
    inputs = keras.Input((8, 8, 1), batch_size=1)
    outputs = keras.ops.top_k(keras.layers.Conv2D(2, 3)(inputs), k=1)[0]
    network = keras.Model(inputs, outputs)

    def convert(int8: bool) -> bytes:
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        if int8:
            generator = np.random.default_rng(0)
            samples = generator.normal(size=(8, 1, 8, 8, 1)).astype(np.float32)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([sample] for sample in samples)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        data = converter.convert()
        assert isinstance(data, bytes)
        return data

    paths = {"float": folder / "float.tflite", "top": folder / "top.tflite"}
    paths["float"].write_bytes(convert(int8=False))
    paths["top"].write_bytes(convert(int8=True))
    (folder / "frontend.toml").write_text(
        "sample_rate = 8000\nclip_samples = 1792\nn_fft = 256\nhop = 256\n"
        "n_mels = 16\nf_max = 4000.0\ndeltas = false\n"
    )
    return paths


@pytest.mark.parametrize("size", [0, 3, 7, 100, 5000, 20000])
@pytest.mark.parametrize("command", ["budget", "generate"])
def test_truncated_model(
    command: str, size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "cut.tflite"
    model.write_bytes(MODEL.read_bytes()[:size])
    arguments = [model] if command == "budget" else [model, "--out", tmp_path / "out"]
    line = refused(capsys, command, *arguments)
    assert str(model) in line
    assert not (tmp_path / "out").exists()


def test_missing_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "budget", tmp_path / "none.tflite")
    assert f"{tmp_path / 'none.tflite'}: cannot read: No such file" in line


def test_float_model(
    keras_models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"class {i}\n" for i in range(72)))
    frontend = tmp_path / "frontend.toml"
    frontend.write_text(
        "sample_rate = 8000\nclip_samples = 1800\nn_fft = 256\nhop = 256\n"
        "n_mels = 16\nf_max = 4000.0\ndeltas = false\n"
    )
    for extra in ([], ["--frontend", frontend, "--labels", labels]):
        line = refused(capsys, "generate", keras_models["float"], "--out", tmp_path / "out", *extra)
        assert str(keras_models["float"]) in line
        assert not (tmp_path / "out").exists()


def test_unsupported_operator(
    keras_models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "generate", keras_models["top"], "--out", tmp_path / "out")
    assert str(keras_models["top"]) in line
    assert "TOPK_V2" in line
    assert "docs/reference/supported_ops.md" in line
    assert "take the largest in your own code" in line
    assert "--runtime tflm" not in line
    assert not (tmp_path / "out").exists()
    line = refused(capsys, "generate", keras_models["top"], "--out", tmp_path, "--runtime", "tflm")
    assert "TensorFlow Lite Micro has no kernel" in line


def test_runtime_that_takes_the_model_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tflite_micro")
    from support.tflm_networks import ends_of_many_types

    model = tmp_path / "ends.tflite"
    model.write_bytes(ends_of_many_types().data)
    line = refused(capsys, "generate", model, "--out", tmp_path / "out")
    assert line.endswith("; --runtime tflm takes the model")
    options = ["--runtime", "tflm", "--project", "sources"]
    assert asc_tiny("generate", model, "--out", tmp_path / "out", *options) == 0


@pytest.mark.parametrize("option", ["--tflm-arena=1000", "--tflm-op=A=a.h"])
def test_options_of_the_other_runtime(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "generate", MODEL, "--out", tmp_path / "out", option)
    assert f"{option.split('=')[0]}: is for --runtime tflm" in line


def test_unknown_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "generate", MODEL, "--out", tmp_path / "out", "--board", "toaster")
    assert "toaster" in line
    assert "mps2-an386" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("prefix", ["int", "9lives", "Asc", "a-b", ""])
def test_bad_prefix(prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "generate", MODEL, "--out", tmp_path / "out", "--prefix", prefix)
    assert "--prefix" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("project", ["cmake", "sources"])
def test_output_that_cannot_be_written(
    project: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    for out in (blocker, blocker / "below", Path("/proc/asc-tiny")):
        line = refused(capsys, "generate", MODEL, "--out", out, "--project", project)
        assert str(out) in line
    assert blocker.read_text() == "in the way"


def test_output_folder_with_other_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    line = refused(capsys, "generate", MODEL, "--out", tmp_path)
    assert "is not empty" in line
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("command", ["build", "run", "verify", "bench"])
def test_folder_without_a_project(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = ["--wav", CLIP] if command == "run" else []
    assert "asc-tiny.json" in refused(capsys, command, tmp_path, *extra)


def test_project_that_is_not_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["generate", str(MODEL), "--out", str(tmp_path / "firmware")])
    line = refused(capsys, "run", tmp_path / "firmware", "--wav", CLIP)
    assert "asc-tiny build" in line


def test_damaged_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("{", "[]", '{"schema": 1}', '{"schema": 9}'):
        (tmp_path / "asc-tiny.json").write_text(text)
        assert "asc-tiny.json" in refused(capsys, "build", tmp_path)


def test_wrong_rate_and_resampling(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wav = tmp_path / "slow.wav"
    soundfile.write(wav, np.zeros(16000, np.int16), 16000)
    out = tmp_path / "x.npy"
    line = refused(capsys, "features", wav, "--model", MODEL, "--out", out)
    assert str(wav) in line
    assert "16000 Hz" in line
    assert "44100 Hz" in line
    assert "--resample" in line
    assert not out.exists()
    with pytest.raises(SystemExit) as stop:
        arguments = ["features", wav, "--model", MODEL, "--out", out, "--resample"]
        main([str(argument) for argument in arguments])
    assert stop.value.code == 0
    assert np.load(out).shape == (256, 36, 3)


@pytest.mark.parametrize("count", [0, 100])
def test_empty_and_short_audio(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = tmp_path / "short.wav"
    soundfile.write(wav, np.zeros(count, np.int16), 44100)
    line = refused(capsys, "features", wav, "--model", MODEL, "--out", tmp_path / "x.npy")
    assert str(wav) in line
    assert not (tmp_path / "x.npy").exists()


def test_audio_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wav = tmp_path / "text.wav"
    wav.write_text("no audio")
    line = refused(capsys, "features", wav, "--model", MODEL, "--out", tmp_path / "x.npy")
    assert str(wav) in line


def test_24_bit_audio_is_rounded_to_16(tmp_path: Path) -> None:
    pcm = soundfile.read(CLIP, dtype="int16")[0].astype(np.int32)
    wavs = {"PCM_16": tmp_path / "16.wav", "PCM_24": tmp_path / "24.wav"}
    soundfile.write(wavs["PCM_16"], pcm.astype(np.int16), 44100, subtype="PCM_16")
    soundfile.write(wavs["PCM_24"], (pcm << 16) + (100 << 8), 44100, subtype="PCM_24")
    arrays = []
    for wav in wavs.values():
        out = wav.with_suffix(".npy")
        with pytest.raises(SystemExit) as stop:
            main(["features", str(wav), "--model", str(MODEL), "--out", str(out)])
        assert stop.value.code == 0
        arrays.append(np.load(out))
    assert arrays[0].dtype == np.int8
    assert np.array_equal(*arrays)


def test_json_errors_are_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["budget", str(tmp_path / "none.tflite"), "--json"])
    assert stop.value.code == 2
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert "none.tflite" in document["error"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "Usage: asc-tiny" in capsys.readouterr().out


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert "toast" in refused(capsys, "toast")
