"""Files whose fields contradict each other: refused at once, in one line, by every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.cli.main import main
from asc_tiny.firmware.network import compiled, tflm
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.field_mutations import packed, unpacked
from support.graph_batch import model_file
from support.hand_made_files import ONE, image, numbers, refused, transposed, weights
from support.tflite_builder import Builder, Value


def zero_point(value: int, dtype: str, *, last: bool) -> bytes:
    builder = Builder()
    x, y = image(builder, 1, 4), image(builder, 1, 4)
    odd = image(builder, 1, 4, zero_point=value, dtype=dtype)
    builder.operator("QUANTIZE", [x if last else odd], [odd if last else y])
    return builder.finish([x if last else odd], [odd if last else y])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("dtype", "lowest", "highest"),
    [("INT8", -128, 127), ("UINT8", 0, 255), ("INT16", -32768, 32767)],
)
def test_zero_points_are_codes_of_their_type(
    dtype: str, lowest: int, highest: int, last: bool
) -> None:
    for value in (lowest, highest):
        parse_graph(zero_point(value, dtype, last=last), source="model.tflite")
    for value in (lowest - 1, highest + 1, 2**31, -(2**62), 2**62):
        reason = f"zero point {value}, {dtype} allows {lowest} to {highest}"
        assert reason in refused(zero_point(value, dtype, last=last))


Change = Callable[[Any], None]
"""Changes a ``ModelT`` in place."""


def dense(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4), image(b, 1, 3)
    kernel, bias = weights(b, 3, 4), b.constant(np.zeros(3, np.int32), [0.05 * 0.02])
    b.operator("FULLY_CONNECTED", [x, kernel, bias], [y])
    return x, y


def convolution(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4, 4, 2), image(b, 1, 4, 4, 3)
    kernel, bias = weights(b, 3, 2, 2, 2), b.constant(np.zeros(3, np.int32), [0.05 * 0.02])
    options = {"dilationHFactor": 1, "dilationWFactor": 1, **ONE}
    b.operator("CONV_2D", [x, kernel, bias], [y], **options)
    return x, y


def rectified(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4), image(b, 1, 4)
    b.operator("RELU", [x], [y])
    return x, y


def expanded(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4, 3), image(b, 1, 1, 4, 3)
    b.operator("EXPAND_DIMS", [x, numbers(b, 1)], [y])
    return x, y


def squeezed(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 1, 4, 1), image(b, 1, 4, 1)
    b.operator("SQUEEZE", [x], [y], squeezeDims=[1])
    return x, y


def averaged(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4, 3), image(b, 1, 3)
    b.operator("MEAN", [x, numbers(b, 1)], [y])
    return x, y


def averaged_twice(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4, 2, 3), image(b, 1, 4, 3)
    b.operator("MEAN", [x, numbers(b, 2)], [y])
    return x, y


def halved(b: Builder) -> tuple[Value, Value]:
    x, y, other = image(b, 1, 6, 6), image(b, 1, 3, 6), image(b, 1, 3, 6)
    b.operator("SPLIT", [numbers(b, 1), x], [y, other], numSplits=2)
    return x, y


def packed_twice(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 2), image(b, 1, 2, 2)
    b.operator("PACK", [x, x], [y], valuesCount=2, axis=1)
    return x, y


def unpacked_once(b: Builder) -> tuple[Value, Value]:
    x, y, other = image(b, 1, 2, 3), image(b, 1, 3), image(b, 1, 3)
    b.operator("UNPACK", [x], [y, other], num=2, axis=1)
    return x, y


def strided(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 6, 4), image(b, 1, 4)
    bounds = [numbers(b, 0, 2, 0), numbers(b, 1, 3, 4), numbers(b, 1, 1, 1)]
    b.operator("STRIDED_SLICE", [x, *bounds], [y], shrinkAxisMask=2)
    return x, y


def reordered(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4, 3), image(b, 1, 3, 4)
    b.operator("TRANSPOSE", [x, numbers(b, 0, 2, 1)], [y])
    return x, y


def cut(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4, 3), image(b, 1, 2, 3)
    b.operator("SLICE", [x, numbers(b, 0, 1, 0), numbers(b, 1, 2, 3)], [y])
    return x, y


def padded(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 4), image(b, 1, 6)
    amounts = b.constant(np.array([[0, 0], [1, 1]], np.int32))
    value = b.constant(np.array(3, np.int8), [0.05])
    b.operator("PADV2", [x, amounts, value], [y])
    return x, y


def resized(b: Builder) -> tuple[Value, Value]:
    x, y = image(b, 1, 2, 2, 1), image(b, 1, 3, 3, 1)
    b.operator("RESIZE_BILINEAR", [x, numbers(b, 3, 3)], [y])
    return x, y


def tensor(number: int, **fields: Any) -> Change:
    """Change fields of a tensor, those of its quantisation too."""

    def change(model: Any) -> None:
        changed = model.subgraphs[0].tensors[number]
        for name, value in fields.items():
            setattr(changed if hasattr(changed, name) else changed.quantization, name, value)

    return change


def operator(**fields: Any) -> Change:
    """Change fields of the first operator, those of its options too."""

    def change(model: Any) -> None:
        changed = model.subgraphs[0].operators[0]
        for name, value in fields.items():
            setattr(changed if hasattr(changed, name) else changed.builtinOptions, name, value)

    return change


def content(number: int, *values: int) -> Change:
    """Change what a constant of int32 holds."""

    def change(model: Any) -> None:
        buffer = model.buffers[model.subgraphs[0].tensors[number].buffer]
        buffer.data = np.frombuffer(np.array(values, np.int32).tobytes(), np.uint8)

    return change


def elsewhere(number: int) -> Change:
    """Give a constant a second content: where a file of more than 2 GiB has it."""

    def change(model: Any) -> None:
        buffer = model.buffers[model.subgraphs[0].tensors[number].buffer]
        buffer.offset, buffer.size = 8, len(buffer.data)

    return change


def small_steps(model: Any) -> None:
    """Clamp the first operator to 6, which its output has no 32 bits for."""
    graph = model.subgraphs[0]
    graph.operators[0].builtinOptions.fusedActivationFunction = 3
    graph.tensors[graph.operators[0].outputs[0]].quantization.scale = [1e-10]


LIES: list[tuple[Callable[[Builder], tuple[Value, Value]], Change, str]] = [
    # Everything that TensorFlow Lite Micro refuses, or computes otherwise than shapes say
    (averaged, tensor(2, type=9, shape=[4]), "input 1 is INT8, must be INT32"),
    (averaged, tensor(2, isVariable=True), "tensor 2 is a constant and a variable"),
    (averaged_twice, tensor(1, shape=[1, 3, 4]), "states the output [1, 3, 4]"),
    (convolution, small_steps, "too small for the fused activation RELU6"),
    (convolution, operator(inputs=[0, 2, 3, 3]), "4 inputs, must be 2 to 3"),
    (convolution, operator(inputs=[0, 2, -1]), "the bias is absent; leave it out"),
    (convolution, tensor(2, zeroPoint=None), "weights must be quantised with zero point 0"),
    (convolution, tensor(2, zeroPoint=[1]), "weights must be quantised with zero point 0"),
    (convolution, tensor(1, zeroPoint=None), "must have one scale above 0 and one zero point"),
    (cut, tensor(3, shape=[3, 1]), "has input 2 of shape [3, 1], 1 dimensions are needed"),
    (dense, elsewhere(2), "has contents in two places"),
    (dense, operator(customOptions=[1]), "options of a custom operator"),
    (dense, operator(intermediates=[0]), "has intermediate tensors"),
    (dense, tensor(1, shape=[3, 1]), "states the output [3, 1] for 3 units"),
    (dense, tensor(3, scale=[0.5]), "the bias has the scale 0.5"),
    (expanded, content(2, 2), "states the output"),
    (expanded, content(2, 5), "has the axis 5"),
    (expanded, tensor(2, type=9, shape=[4]), "input 1 is INT8, must be INT32"),
    (expanded, tensor(2, shape=[1, 1]), "the axis has the shape [1, 1]"),
    (halved, tensor(1, shape=[1, 6, 3]), "splits"),
    (halved, tensor(2, shape=[1]), "splits"),
    (packed_twice, operator(axis=0), "states the output"),
    (packed_twice, operator(axis=-4), "has the axis -4"),
    (padded, tensor(3, scale=[0.25]), "same scale and zero point"),
    (padded, tensor(3, type=6), "is BOOL, must be INT8"),
    (rectified, operator(inputs=[0, 0]), "2 inputs, must be 1"),
    (rectified, operator(inputs=[]), "has no input 0"),
    (rectified, operator(outputs=[]), ""),
    (rectified, tensor(0, isVariable=True), "keeps its values between inferences"),
    (rectified, tensor(0, shape=[1] * 40 + [-1]), "41 dimensions"),
    (resized, tensor(2, shape=[1, 2]), "size has the shape"),
    (squeezed, operator(squeezeDims=[2]), "leaves out the axes"),
    (squeezed, operator(squeezeDims=[3]), "states the output"),
    (squeezed, operator(squeezeDims=[]), "states the output"),
    (squeezed, operator(squeezeDims=[7]), "has the axis 7"),
    (strided, tensor(3, shape=[1, 3]), "has input 2 of shape [1, 3], 1 dimensions are needed"),
    (strided, content(4, 1, -1, 1), "takes one element of axis 1"),
    (strided, operator(beginMask=2), "takes one element of axis 1"),
    (reordered, tensor(2, shape=[1, 3]), "has input 1 of shape [1, 3], 1 dimensions are needed"),
    (unpacked_once, operator(axis=2), "unpacks"),
]


@pytest.mark.parametrize(("build", "change", "reason"), LIES)
def test_lies(build: Callable[[Builder], tuple[Value, Value]], change: Change, reason: str) -> None:
    builder = Builder()
    source, last = build(builder)
    y = image(builder, *last.shape)
    builder.operator("RELU", [last], [y])
    data = builder.finish([source], [y])
    compiled.generate(model_file(data, "model.tflite"))
    model = unpacked(data)
    change(model)
    with pytest.raises(AscError) as caught:
        compiled.generate(model_file(packed(model), "model.tflite"))
    assert reason in str(caught.value)
    assert str(caught.value).startswith("model.tflite: ")
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 400


def test_a_bias_that_is_absent_crashes_no_firmware() -> None:
    builder = Builder()
    x, y = convolution(builder)
    model = unpacked(builder.finish([x], [y]))
    operator(inputs=[0, 2, -1])(model)
    with pytest.raises(AscError, match=r"operator 0 \(CONV_2D, .*has an input that is absent"):
        tflm.generate(model_file(packed(model), "model.tflite"))


@pytest.mark.parametrize("command", ["budget", "generate", "generate --runtime tflm"])
def test_every_command_refuses(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    hostile = {
        "stride": transposed((4, 3), (2, 33_554_434)),
        "zero": zero_point(2**31, "INT8", last=False),
    }
    for name, data in hostile.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(data)
        out = ["--memory"] if command == "budget" else ["--out", str(folder)]
        with pytest.raises(SystemExit) as stop:
            main([*command.split(), str(path), *out])
        said = capsys.readouterr().err
        assert stop.value.code == 2
        assert said.count("\n") == 1
        assert f"{name}.tflite: " in said
    assert not folder.exists()
