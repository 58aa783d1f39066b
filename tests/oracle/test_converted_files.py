"""Files as converters write them: measured and compiled as TensorFlow Lite Micro runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest

from asc_tiny.cli.main import main
from asc_tiny.complexity.report import measure
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import load
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support.network_models import CNetwork, TflmNetwork, inputs
from support.paths import FILES, MODELS
from support.tflite_builder import Builder, schema

pytest.importorskip("tflite_micro")

FILES = FILES / "converted"

# Parameters and MACs by hand
COUNTS = {
    # Any batch: shape [1, 8], signature [-1, 8]; a dense layer of 8 to 4 without bias
    "dynamic_batch": (32, 32),
    # Biases with scales along the axis 3 that they do not have: 3x3x4 + 4, 6x3x3x4 + 6, 6x4 values
    "bias_axis": (40 + 222 + 24, 16 * 16 * (36 + 216) + 24),
    # Vectors of 8-byte numbers at odd multiples of 4: 8x3x3x4 + 8, four vectors of 8, 8x4
    "misaligned": (296 + 32 + 32, 36 * 288 + 32),
}


@pytest.mark.parametrize("name", COUNTS)
def test_measured_and_compiled_as_tflm_runs_it(name: str, tmp_path: Path) -> None:
    model_file = load(FILES / f"{name}.tflite")
    measured = measure(model_file.graph)
    assert (measured.params, measured.macs) == COUNTS[name]
    emitted, reference = CNetwork(model_file, tmp_path), TflmNetwork(model_file.data)
    shape = model_file.graph.tensor(model_file.graph.inputs[0]).shape
    for values in inputs(shape, 30):
        assert np.array_equal(emitted.run(values), reference.run(values))


def loosened(data: bytes, axis: int = 0, tensors: slice = slice(None)) -> bytes:
    """Return a model whose tensors have a signature with an unknown size."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    for tensor in model.subgraphs[0].tensors[tensors]:
        if tensor.shape is not None and len(tensor.shape) > axis:
            tensor.shapeSignature = np.array(tensor.shape, np.int32)
            tensor.shapeSignature[axis] = -1
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_every_command_takes_a_model_of_any_batch(tmp_path: Path) -> None:
    data = (MODELS / "mobilenet_esc10.tflite").read_bytes()
    texts = []
    for name, content in (("one", data), ("any", loosened(data))):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(content)
        with pytest.raises(SystemExit) as stop:
            main(["generate", str(path), "--project", "sources", "--out", str(tmp_path / name)])
        assert stop.value.code == 0
        text = (tmp_path / name / "asc_net.c").read_text()
        sha256 = load(path).sha256
        texts.append(text.replace(path.name, "").replace(sha256, "").replace(sha256[:8], ""))
    assert texts[0] == texts[1]


def relu(shape: tuple[int, ...]) -> bytes:
    builder = Builder()
    x, y = (builder.activation(shape, 0.1, 0) for _ in range(2))
    builder.operator("RELU", [x], [y])
    return builder.finish([x], [y])


def sliced() -> bytes:
    """Return a model that slices at a place and to a size which it computes."""
    builder = Builder()
    x, y = (builder.activation((1, 5), 0.1, 0) for _ in range(2))
    begin, size = (builder._tensor((2,), "INT32", None, [], []) for _ in range(2))
    builder.operator("SLICE", [x, begin, size], [y])
    return builder.finish([x, begin, size], [y])


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (loosened(relu((1, 5, 3)), axis=1), [1, -1, 3]),
        (loosened(relu((5,))), [-1]),
        # The result of something that depends on values: the input is known.
        (loosened(sliced(), tensors=slice(1, 2)), [-1, 5]),
    ],
)
def test_a_shape_that_is_unknown_is_refused(data: bytes, shape: list[int]) -> None:
    with pytest.raises(AscError, match="has unknown dimensions") as caught:
        parse_graph(data, source="file.tflite")
    assert f"{shape}; only the batch may be any, convert" in str(caught.value)


def test_a_shape_that_follows_from_known_ones_is_known() -> None:
    """Converters leave sizes of results open that their inputs determine."""
    graph = parse_graph(loosened(relu((1, 5)), tensors=slice(1, 2)), source="file.tflite")
    assert graph.tensor(graph.outputs[0]).shape == (1, 5)


def test_what_vela_made_is_named() -> None:
    """Its operators read memory that no operator writes, which is no damage."""
    builder = Builder()
    x, y, scratch = (builder.activation((1, 5), 0.1, 0) for _ in range(3))
    builder.operator("CUSTOM", [scratch, x], [y])
    builder.model.operatorCodes[0].customCode = b"ethos-u"
    with pytest.raises(AscError, match=r"compiled by Vela for an Ethos-U NPU.*file that Vela was"):
        parse_graph(builder.finish([x], [y]), source="file.tflite")


def scaled(shape: tuple[int, ...], scales: int, axis: int) -> Any:
    builder = Builder()
    x, y = (builder.activation((1, 3), 0.1, 0) for _ in range(2))
    data = np.zeros(shape, np.int8)
    builder.operator("MUL", [x, builder.constant(data, [0.1] * scales, axis=axis)], [y])
    graph = parse_graph(builder.finish([x], [y]), source="file.tflite")
    return graph.tensors[2]


def test_axes_of_scales() -> None:
    """An axis means something only where there are several scales and dimensions."""
    assert scaled((3,), 3, 3).quantized_dimension == 0
    assert scaled((1, 3), 1, 7).quantized_dimension == 0
    assert scaled((1, 3), 3, 1).quantized_dimension == 1
    for axis in (2, -1):
        with pytest.raises(AscError, match=f"tensor 2: scales along axis {axis}"):
            scaled((1, 3), 3, axis)
    with pytest.raises(AscError, match="3 scales for"):
        scaled((1, 3), 3, 0)


def flatten_of_any_batch() -> bytes:
    """Return a model whose RESHAPE takes a shape that SHAPE, STRIDED_SLICE and PACK compute."""
    b = Builder()
    x, y, flat = (b.activation(shape, 0.1, 3) for shape in ((1, 4, 6, 2), (1, 4, 6, 2), (1, 48)))
    shape, batch, target = (b._tensor(each, "INT32", None, [], []) for each in ((4,), (), (2,)))
    zero, one = (b.constant(np.array([value], np.int32)) for value in (0, 1))
    b.operator("RELU", [x], [y])
    b.operator("SHAPE", [y], [shape], outType="INT32")
    b.operator("STRIDED_SLICE", [shape, zero, one, one], [batch], shrinkAxisMask=1)
    b.operator("PACK", [batch, b.constant(np.int32(48))], [target], valuesCount=2, axis=0)
    b.operator("RESHAPE", [y, target], [flat])
    return b.finish([x], [flat])


def test_shapes_that_are_computed_from_shapes(tmp_path: Path) -> None:
    data = loosened(flatten_of_any_batch())
    path = tmp_path / "flatten.tflite"
    path.write_bytes(data)
    model_file = load(path)
    emitted, reference = CNetwork(model_file, tmp_path), TflmNetwork(data)
    for values in inputs((1, 4, 6, 2), 4):
        assert np.array_equal(emitted.run(values), reference.run(values))
    assert compile_network(model_file).folded == ("1 SHAPE", "2 STRIDED_SLICE", "3 PACK")
