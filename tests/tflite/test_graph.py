"""Reading .tflite files: against TensorFlow Lite's own view, and damaged in every way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest

from asc_tiny.model.model_file import load
from asc_tiny.tflite.graph import ABSENT
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support.commands import refused as refused_command
from support.paths import MODEL


def rewritten(change: Callable[[Any], None], *, identifier: bytes = b"TFL3") -> bytes:
    """The model with a change made to its object tree."""
    schema = pytest.importorskip("tflite_micro.tensorflow.lite.micro.python.schema_py_generated")
    model = schema.ModelT.InitFromPackedBuf(MODEL.read_bytes(), 0)
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=identifier)
    return bytes(builder.Output())


def with_metadata(content: bytes) -> bytes:
    def change(model: Any) -> None:
        entry = next(entry for entry in model.metadata if entry.name == b"asc_tiny")
        model.buffers[entry.buffer].data = np.frombuffer(content, dtype=np.uint8)

    return rewritten(change)


def refused(data: bytes) -> str:
    with pytest.raises(AscError) as caught:
        parse_graph(data, source="file.tflite")
    message = str(caught.value)
    assert message.startswith("file.tflite: ")
    assert "\n" not in message
    return message


def test_agrees_with_tensorflow_lite() -> None:
    tf = pytest.importorskip("tensorflow")
    interpreter = tf.lite.Interpreter(model_path=str(MODEL))
    interpreter.allocate_tensors()
    graph = load(MODEL).graph
    for details in interpreter.get_tensor_details():
        if details["index"] >= len(graph.tensors):
            continue  # scratch tensors of that interpreter
        tensor = graph.tensor(details["index"])
        assert tensor.name == details["name"]
        assert tensor.shape == tuple(details["shape"])
        assert tensor.dtype == np.dtype(details["dtype"]).name.upper()
        quantization = details["quantization_parameters"]
        assert np.array_equal(np.float32(tensor.scales), quantization["scales"])
        assert np.array_equal(tensor.zero_points, quantization["zero_points"])
        if len(tensor.scales) > 1:
            assert tensor.quantized_dimension == quantization["quantized_dimension"]
        assert tensor.element_bytes == np.dtype(details["dtype"]).itemsize
        if tensor.is_constant:
            assert np.array_equal(tensor.data, interpreter.get_tensor(tensor.index))
    operators = interpreter._get_ops_details()
    for operator, details in zip(graph.operators, operators, strict=False):
        assert operator.name == details["op_name"]
        assert list(operator.inputs) == list(details["inputs"])
        assert list(operator.outputs) == list(details["outputs"])
    assert graph.inputs == (interpreter.get_input_details()[0]["index"],)
    assert graph.outputs == (interpreter.get_output_details()[0]["index"],)


def test_options_of_the_mobilenet() -> None:
    graph = load(MODEL).graph
    strides = [
        (op.options["stride_h"], op.options["padding"], op.options["fused_activation_function"])
        for op in graph.operators
        if op.name == "DEPTHWISE_CONV_2D"
    ]
    assert strides == [(2, "SAME", "RELU"), (2, "SAME", "RELU"), (1, "SAME", "RELU")]
    (concatenation,) = (op for op in graph.operators if op.name == "CONCATENATION")
    assert concatenation.options["axis"] == 1


def test_metadata_of_an_model_file() -> None:
    model_file = load(MODEL)
    assert model_file.frontend is not None
    assert model_file.frontend.shape == (256, 36, 3)
    assert model_file.labels is not None
    assert len(model_file.labels) == model_file.graph.tensor(model_file.graph.outputs[0]).size


def test_foreign_model_has_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "foreign.tflite"
    path.write_bytes(rewritten(lambda model: setattr(model, "metadata", None)))
    model_file = load(path)
    assert model_file.frontend is None
    assert model_file.labels is None
    assert model_file.provenance == {}
    assert len(model_file.graph.operators) == 20


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"schema": 2}', "has schema 2, this version reads 1"),
        (b"{}", "has schema None"),
        (b"[]", "must be a JSON object"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"schema": 1, "labels": ["a", "a"]}', "a class twice"),
        (b'{"schema": 1, "labels": [1]}', "list of class names"),
        (b'{"schema": 1, "frontend": {"n_mels": 3}}', "n_mels"),
        (b'{"schema": 1, "frontend": {"mels": 64}}', "unknown key mels"),
        (b'{"schema": 1, "provenance": 3}', "provenance"),
        (b'{"schema": 1, "network": 3}', "network"),
    ],
)
def test_bad_metadata(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(with_metadata(content))
    with pytest.raises(AscError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert reason in str(caught.value)


def test_metadata_padded_with_zeros(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(with_metadata(json.dumps({"schema": 1, "labels": ["a"]}).encode() + b"\0\0"))
    assert load(path).labels == ("a",)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"PK\x03\x04" + b"\0" * 64, b"\0" * 100])
def test_other_files(content: bytes) -> None:
    assert "identifier TFL3 is missing" in refused(content)


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("model.keras", b"PK\x03\x04" + b"\0" * 64, "asc-tiny quantize makes one of it"),
        ("model.H5", b"\x89HDF\r\n\x1a\n", "save the model as .keras"),
        ("model.onnx", b"\x08\x07\x12\x07pytorch", "docs/how_to/other_models.md"),
        ("model.cc", b"const unsigned char g_model[] = {", "it holds C code"),
        ("model.tflite", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_other_files_that_people_have(
    name: str, content: bytes, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for command in (("verify", path), ("generate", path, "--out", tmp_path / "firmware")):
        line = refused_command(capsys, *command)
        assert f"{path}: not a .tflite file (identifier TFL3 is missing); " in line
        assert advice in line


def test_wrong_identifier() -> None:
    data = rewritten(lambda model: None, identifier=b"TFL2")
    assert "identifier TFL3 is missing" in refused(data)


def test_several_subgraphs() -> None:
    def double(model: Any) -> None:
        model.subgraphs = model.subgraphs * 2

    graph = parse_graph(rewritten(double), source="file.tflite")
    assert len(graph.others) == 1
    assert len(graph.others[0].operators) == len(graph.operators)


@pytest.mark.parametrize("signature", [[1, -1, 36, 3], [-1, 256, -1, 3], [-1, 256, 36]])
def test_unknown_dimensions(signature: list[int]) -> None:
    def loosen(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[0]
        tensor.shapeSignature = np.array(signature, dtype=np.int32)

    assert f"unknown dimensions {signature}; only the batch" in refused(rewritten(loosen))


def test_data_behind_the_flatbuffer() -> None:
    """Converters store large models with their buffers after the tree; offsets lead there."""
    weights = np.arange(216, dtype=np.int8)
    size = len(rewritten(lambda model: None)) + 4096

    def move(model: Any) -> None:
        index = next(t.buffer for t in model.subgraphs[0].tensors if list(t.shape) == [8, 3, 3, 3])
        model.buffers[index].data = None
        model.buffers[index].offset = size
        model.buffers[index].size = len(weights)

    data = rewritten(move).ljust(size, b"\0")
    graph = parse_graph(data + weights.tobytes(), source="file.tflite")
    moved = [t for t in graph.tensors if t.shape == (8, 3, 3, 3) and t.data is not None]
    assert any(np.array_equal(t.data.ravel(), weights) for t in moved)
    assert "damaged" in refused(data + weights.tobytes()[:-1])


def break_operator(field: str, value: list[int]) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[0].operators[2], field, value)


@pytest.mark.parametrize(
    "change",
    [
        break_operator("inputs", [10_000]),
        break_operator("inputs", [-2]),
        break_operator("inputs", [51]),
        break_operator("outputs", []),
        break_operator("outputs", [ABSENT]),
        break_operator("outputs", [0]),
        break_operator("outputs", [1]),
        break_operator("opcodeIndex", 500),
        lambda model: setattr(model.subgraphs[0].tensors[3], "buffer", 5000),
        lambda model: setattr(model.subgraphs[0].tensors[3], "type", 77),
        lambda model: setattr(model.subgraphs[0], "operators", []),
        lambda model: setattr(model.subgraphs[0], "inputs", []),
        lambda model: setattr(model.subgraphs[0], "outputs", []),
    ],
)
def test_broken_references(change: Callable[[Any], None]) -> None:
    refused(rewritten(change))


def test_truncated_anywhere() -> None:
    data = MODEL.read_bytes()
    complete = 0
    for size in [*range(0, 200), *range(200, len(data), 97)]:
        try:
            parse_graph(data[:size], source="file.tflite")
        except AscError as error:
            assert "\n" not in str(error)
        else:
            complete += 1
    assert complete <= 3


def test_flipped_bytes_never_crash() -> None:
    data = MODEL.read_bytes()
    rng = np.random.default_rng(0)
    damaged = 0
    for _ in range(400):
        changed = bytearray(data)
        for position in rng.integers(8, len(data), 8):
            changed[position] = rng.integers(256)
        try:
            parse_graph(bytes(changed), source="file.tflite")
        except AscError as error:
            damaged += 1
            assert "\n" not in str(error)
    assert damaged > 100
