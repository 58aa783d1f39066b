"""Front end and labels in models of other makers: which bytes change, and what fits."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest

from asc_tiny import __version__, api
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import metadata_writer
from asc_tiny.model.model_file import load
from asc_tiny.tflite.verifier import check_structure
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256
from support.commands import asc_tiny, refused
from support.paths import MODEL
from support.tflite_builder import Builder, schema

runtime = pytest.importorskip("tflite_micro").runtime

FRONTEND = """
sample_rate = 8000
clip_samples = 8000
n_fft = 256
hop = 256
n_mels = 16
f_max = 4000.0
deltas = false
"""
SHAPE = (16, 32, 1)
LABELS = ("wind", "rain", "a street")
ENDS = ("INT8", "FLOAT32", "UINT8")


def foreign(ends: str = "INT8", *, shape: tuple[int, ...] = SHAPE, batch: int = 1) -> bytes:
    """A network of one convolution; an end that is no int8 gets a conversion, as converters do.

    Args:
        ends: type of input and output.
        shape: shape of the input without the batch.
        batch: batch of the signature, -1 for any.
    """
    builder = Builder()
    x, y = builder.activation((1, *shape), 0.1, 3), builder.activation((1, 1, 1, 3), 0.5, -4)
    weights = np.random.default_rng(1).integers(-127, 128, (3, *shape), np.int8)
    kernel = builder.constant(weights, [0.01] * 3)
    bias = builder.constant(np.array([900, -900, 0], np.int32), [0.001] * 3)
    source, result = x, y
    if ends != "INT8":
        zero = {"UINT8": 131, "FLOAT32": 0}[ends]
        source = builder.activation(x.shape, 0.1, zero, ends)
        result = builder.activation(y.shape, 0.5, zero - 7 if zero else 0, ends)
        if ends == "FLOAT32":
            for value in (source, result):
                builder.graph.tensors[value.index].quantization = None
        builder.operator("QUANTIZE", [source], [x])
    options = {"padding": "VALID", "strideW": 1, "strideH": 1}
    builder.operator("CONV_2D", [x, kernel, bias], [y], **options)
    if ends != "INT8":
        builder.operator("DEQUANTIZE" if ends == "FLOAT32" else "QUANTIZE", [y], [result])
    builder.graph.tensors[source.index].shapeSignature = [batch, *shape]
    return builder.finish([source], [result])


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "f.toml").write_text(FRONTEND)
    (tmp_path / "l.txt").write_text("\n".join(LABELS))
    return {"frontend": tmp_path / "f.toml", "labels": tmp_path / "l.txt"}


def unpacked(data: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))


def plain(value: Any) -> Any:
    """What the flatbuffers library reads of an object, for comparison."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {k: plain(v) for k, v in vars(value).items()} if hasattr(value, "__dict__") else value


def outputs(data: bytes, dtype: str) -> list[bytes]:
    """What TensorFlow Lite Micro's kernels make of inputs."""
    interpreter = runtime.Interpreter.from_bytes(data)
    rng = np.random.default_rng(5)
    found = []
    for _ in range(5):
        values = rng.integers(0, 255, (1, *SHAPE))
        values = values * 0.1 - 13 if dtype == "FLOAT32" else values - 128 * (dtype == "INT8")
        interpreter.set_input(values.astype(dtype.lower()), 0)
        interpreter.invoke()
        found.append(interpreter.get_output(0).tobytes())
    return found


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("batch", [1, -1])
def test_the_network_computes_what_it_did(
    ends: str, batch: int, given: dict[str, Path], tmp_path: Path
) -> None:
    data = foreign(ends, batch=batch)
    model, out = tmp_path / "m.tflite", tmp_path / "complete.tflite"
    model.write_bytes(data)
    done = api.attach(model, out, **given)
    assert done.labels == LABELS
    assert done.frontend is not None and done.frontend.shape == SHAPE
    quantization = done.frontend.quantization
    # The codes are those of the network, behind the conversion from another type.
    assert quantization is not None and quantization.zero_point == 3
    assert quantization.scale == np.float32(0.1)
    assert outputs(out.read_bytes(), ends) == outputs(data, ends)


@pytest.mark.parametrize("ends", ENDS)
def test_every_command_needs_that_file_alone(
    ends: str, given: dict[str, Path], tmp_path: Path
) -> None:
    model, out = tmp_path / "m.tflite", tmp_path / "complete.tflite"
    model.write_bytes(foreign(ends))
    api.attach(model, out, **given)
    texts = []
    for source, options in ((model, given), (out, {})):
        folder = tmp_path / source.stem
        api.generate(source, folder, project="sources", **options)
        names = (source.name, load(source).sha256, load(source).sha256[:8])
        files = {path.name: path.read_text() for path in sorted(folder.iterdir())}
        # The record of provenance has the hash as bytes.
        del files["asc_provenance.c"]
        for name in names:
            files = {path: text.replace(name, "") for path, text in files.items()}
        texts.append(files)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("ends", ENDS)
def test_a_board_has_the_scores_of_the_whole_file(
    ends: str, given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reference runs the conversions, too, and knows the codes between them."""
    model, out = tmp_path / "m.tflite", tmp_path / "complete.tflite"
    model.write_bytes(foreign(ends))
    api.attach(model, out, **given)
    folder = tmp_path / "firmware"
    assert asc_tiny("generate", out, "--board", "host", "--out", folder) == 0
    expected = (folder / "asc" / "asc_selftest_expected.h").read_text()
    assert "ASC_SELFTEST_HAS_SCORES 1" in expected
    assert asc_tiny("build", folder) == 0
    capsys.readouterr()
    assert asc_tiny("verify", folder, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reference"] == "TensorFlow Lite Micro" and len(found["clips"]) > 5


@pytest.mark.parametrize("change", ["coarser", "no scale", "out of reach"])
def test_codes_that_no_value_converts_to(
    change: str, given: dict[str, Path], tmp_path: Path
) -> None:
    """The firmware never converts: its reference is the int8 network without the conversions."""
    plain, model = tmp_path / "plain.tflite", tmp_path / "m.tflite"
    plain.write_bytes(foreign())
    changed = unpacked(foreign("UINT8"))
    source = changed.subgraphs[0].tensors[changed.subgraphs[0].inputs[0]]
    if change == "no scale":
        source.quantization = None
    elif change == "coarser":
        source.quantization.scale = [0.7]
    else:
        source.quantization.zeroPoint = [0]
    model.write_bytes(packed(changed))
    expected = []
    for path in (plain, model):
        folder = tmp_path / path.stem
        api.generate(path, folder, project="sources", **given)
        text = (folder / "asc_selftest_expected.h").read_text()
        assert "ASC_SELFTEST_HAS_SCORES 1" in text
        expected.append(text.split("HAS_SCORES 1")[1])
    assert expected[0] == expected[1]


@pytest.mark.parametrize("ends", ENDS)
def test_what_the_file_holds_stays(ends: str, given: dict[str, Path], tmp_path: Path) -> None:
    model, out = tmp_path / "m.tflite", tmp_path / "complete.tflite"
    model.write_bytes(foreign(ends))
    data = api.attach(model, out, **given).data
    assert data.endswith(model.read_bytes())
    before, after = plain(unpacked(model.read_bytes())), plain(unpacked(data))
    entry = after.pop("metadata")[-1]
    assert before.pop("metadata") is None
    assert bytes(after["buffers"].pop(entry["buffer"])["data"]).startswith(b'{"frontend":{')
    assert before == after


def test_other_metadata_stays(tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(foreign())
    (tmp_path / "l.txt").write_text("\n".join(f"scene {number}" for number in range(10)))
    done = api.attach(MODEL, tmp_path / "o.tflite", labels=tmp_path / "l.txt")
    before, after = unpacked(MODEL.read_bytes()), unpacked(done.data)
    names = [entry.name for entry in before.metadata]
    assert len(names) == 3 and sorted(entry.name for entry in after.metadata) == sorted(names)
    assert [code.version for code in after.operatorCodes] == [
        code.version for code in before.operatorCodes
    ]
    known = load(MODEL)
    assert done.frontend == known.frontend and done.network == known.network
    assert done.provenance == {
        **known.provenance,
        "attached_by": __version__,
        "attached_to_sha256": known.sha256,
    }


def test_attached_again_nothing_is_left_of_the_first(
    given: dict[str, Path], tmp_path: Path
) -> None:
    model, twice, once = (tmp_path / f"{name}.tflite" for name in ("m", "twice", "once"))
    model.write_bytes(foreign())
    (tmp_path / "others.txt").write_text("one\ntwo\nthree")
    first = api.attach(model, twice, **given)
    assert metadata_writer.original(first.data) == model.read_bytes()
    second = api.attach(twice, twice, labels=tmp_path / "others.txt")
    api.attach(model, once, frontend=given["frontend"], labels=tmp_path / "others.txt")
    assert second.data == once.read_bytes()
    assert second.labels == ("one", "two", "three")
    assert second.provenance["attached_to_sha256"] == sha256(model.read_bytes())


def test_contents_behind_the_flatbuffer_move_with_it() -> None:
    """Large models hold their constants there, by their distance from the start of the file."""
    model = unpacked(foreign())
    contents = {}
    for number, buffer in enumerate(model.buffers):
        if buffer.data is not None and len(buffer.data):
            contents[number] = bytes(buffer.data)
            buffer.data, buffer.offset, buffer.size = None, 1 << 20, len(contents[number])
    size = len(packed(model))
    behind = b""
    for number, content in contents.items():
        model.buffers[number].offset = size + len(behind)
        behind += content + bytes(-len(content) % 16)
    data = metadata_writer.embed(packed(model) + behind, {"labels": ["x"]})
    assert contents
    check_structure(data)
    for number, content in contents.items():
        buffer = unpacked(data).buffers[number]
        assert data[buffer.offset : buffer.offset + buffer.size] == content
    assert metadata_writer.original(data) == packed(model) + behind


def packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_constants_stay_aligned() -> None:
    """Kernels read int32 in place: 16-byte alignment, as the TFLite schema asks."""
    data = metadata_writer.embed(MODEL.read_bytes(), {"labels": ["x" * 5]})
    model = schema.Model.GetRootAs(data)
    places = [
        buffer._tab.Vector(buffer._tab.Offset(4))
        for buffer in map(model.Buffers, range(model.BuffersLength()))
        if buffer.DataLength()
    ]
    assert len(places) > 20 and not any(place % 16 for place in places)


def test_a_front_that_lies_is_part_of_the_file() -> None:
    """Who believed it would take another network out of the file than its readers see."""
    data = metadata_writer.embed(foreign(), {"labels": ["x"]})
    size = len(data) - len(foreign())
    forged = bytearray(data[:size] + foreign(shape=(4, 4, 1)))
    assert metadata_writer.original(data) == foreign()
    assert metadata_writer.original(bytes(forged)) == bytes(forged)
    for wrong in (0, 7, size - 16, size + 16, len(data), 2**32 - 1):
        other = bytearray(data)
        place = data.index(struct.pack("<I", size), 8)
        struct.pack_into("<I", other, place, wrong)
        assert metadata_writer.original(bytes(other)) == bytes(other)
        assert metadata_writer.original(bytes(other[: place + 2])) == bytes(other[: place + 2])


def test_shown(given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = tmp_path / "m.tflite", tmp_path / "complete.tflite"
    model.write_bytes(foreign())
    options = [f"--{name}={path}" for name, path in given.items()]
    assert asc_tiny("attach", model, *options, "--out", out, "--json") == 0
    written = json.loads(capsys.readouterr().out)
    assert asc_tiny("attach", "--show", out, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == written
    assert shown["schema"] == 1 and shown["labels"] == list(LABELS)
    assert FrontEndConfig.from_dict(shown["frontend"]).shape == SHAPE
    assert shown["sha256"] == sha256(out.read_bytes())
    assert asc_tiny("attach", "--show", model) == 0
    text = capsys.readouterr().out
    assert "labels      none\n" in text and "frontend    none\n" in text
    assert asc_tiny("attach", "--show", out) == 0
    text = capsys.readouterr().out
    assert "labels      wind, rain, a street\n" in text
    assert "frontend    sample_rate = 8000\n            clip_samples = 8000\n" in text


@pytest.mark.parametrize(
    ("make", "missing", "message"),
    [
        (lambda: foreign(shape=(32, 16, 1)), "", "input shape (32, 16, 1), the front end gives"),
        (lambda: foreign(), "labels", "holds no labels; give --labels FILE"),
        (lambda: foreign(), "frontend", "holds no front end; give --frontend FILE.toml"),
        (lambda: b"\x1c\0\0\0TFL3" + bytes(40), "", "damaged .tflite file"),
        (lambda: b"[[member]]", "", "not a .tflite file"),
    ],
)
def test_what_does_not_fit_is_refused(
    make: Any,
    missing: str,
    message: str,
    given: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, out = tmp_path / "m.tflite", tmp_path / "o.tflite"
    model.write_bytes(make())
    options = [f"--{name}={path}" for name, path in given.items() if name != missing]
    line = refused(capsys, "attach", model, *options, "--out", out)
    assert line.startswith(f"asc-tiny: {model}: ") and message in line
    assert not out.exists()


def test_labels_of_another_number_are_refused(
    given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(foreign("FLOAT32"))
    given["labels"].write_text("one\ntwo")
    with pytest.raises(AscError, match=r"m\.tflite: 3 outputs, but 2 labels$"):
        api.attach(model, tmp_path / "o.tflite", **given)


def test_networks_that_are_no_classifiers_are_refused(
    given: dict[str, Path], tmp_path: Path
) -> None:
    builder = Builder()
    x, y, z = (builder.activation((1, *SHAPE), 0.1, 0) for _ in range(3))
    builder.operator("ADD", [x, y], [z])
    floating = Builder()
    a, b = (floating.activation((1, *SHAPE), 0.1, 0, "FLOAT32") for _ in range(2))
    floating.operator("RELU", [a], [b])
    for data, message in (
        (builder.finish([x, y], [z]), r"has 2 inputs \(t0, t1\), a classifier needs one"),
        (floating.finish([a], [b]), "tensor 0, input, is FLOAT32, a front end gives int8 codes"),
    ):
        model = tmp_path / "m.tflite"
        model.write_bytes(data)
        with pytest.raises(AscError, match=message):
            api.attach(model, tmp_path / "o.tflite", **given)


def test_options_that_say_nothing_are_refused(
    given: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = f"--labels={given['labels']}"
    assert "nothing to attach" in refused(capsys, "attach", MODEL, "--out", tmp_path / "o.tflite")
    assert "--out: is needed" in refused(capsys, "attach", MODEL, labels)
    ensemble = MODEL.with_name("ensemble1_esc10.toml")
    assert "an ensemble; --show is for" in refused(capsys, "attach", ensemble, "--show")
    assert "--labels: is not for --show" in refused(capsys, "attach", MODEL, labels, "--show")
