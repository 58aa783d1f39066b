"""TensorFlow Lite Micro's kernels here: any inputs and outputs, state, tensors inside, failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.tflm.interpreter import EndTensor, Interpreter, NetworkInterpreter
from asc_tiny.tflm.isolated import CrashError, TflmProcess
from asc_tiny.util.errors import AscError
from support.bare_networks import with_state
from support.field_mutations import packed, unpacked
from support.tflite_builder import Builder

INT8 = {"scale": 0.5, "zero_point": 0}


def two_ends() -> bytes:
    """Return a file of inputs float32 and int8, whose outputs are their sum and its parts."""
    b = Builder()
    x, y = b.activation((1, 4), 1.0, 0, "FLOAT32"), b.activation((1, 4), **INT8)
    codes, total, above, least = (b.activation((1, 4), **INT8) for _ in range(4))
    values = b.activation((1, 4), 1.0, 0, "FLOAT32")
    b.operator("QUANTIZE", [x], [codes])
    b.operator("ADD", [codes, y], [total])
    b.operator("RELU", [total], [above])
    b.operator("MINIMUM", [above, y], [least])
    b.operator("DEQUANTIZE", [total], [values])
    return b.finish([x, y], [values, least])


def custom() -> bytes:
    model = unpacked(two_ends())
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 32
    model.operatorCodes[0].customCode = "Mine"
    return packed(model)


@pytest.fixture(scope="module")
def process() -> Iterator[TflmProcess]:
    with TflmProcess(30.0) as process:
        yield process


@pytest.fixture(params=["here", "isolated"])
def load(request: pytest.FixtureRequest, process: TflmProcess) -> Any:
    return NetworkInterpreter if request.param == "here" else process.load


X = np.array([[1.0, -2.0, 3.0, 60.0]], np.float32)
Y = np.array([[4, 4, -10, 100]], np.int8)
# Codes are halves: the sum of 2 and 4 is 6; that of 120 and 100 is beyond 127.
TOTAL = np.array([[6, 0, -4, 127]])


def test_inputs_and_outputs_of_different_types(load: Any) -> None:
    interpreter = load(two_ends(), "two.tflite")
    assert interpreter.inputs == (
        EndTensor((1, 4), "float32", (1.0,), (0,)),
        EndTensor((1, 4), "int8", (0.5,), (0,)),
    )
    assert [each.dtype for each in interpreter.outputs] == ["float32", "int8"]
    values, least = interpreter.run([X, Y])
    assert values.dtype == np.float32
    assert values.tolist() == (TOTAL / 2).tolist()
    assert least.tolist() == np.minimum(np.maximum(TOTAL, 0), Y).tolist()
    assert interpreter.arena_bytes > 0


def test_tensors_inside(load: Any) -> None:
    interpreter = load(two_ends(), "two.tflite", preserve_tensors=True)
    interpreter.run([X, Y])
    assert interpreter.tensor(2).tolist() == [[2, -4, 6, 120]]
    assert interpreter.tensor(3).tolist() == TOTAL.tolist()
    assert interpreter.tensor(4).tolist() == np.maximum(TOTAL, 0).tolist()
    with pytest.raises(AscError, match=r"^two\.tflite: the interpreter preserves no tensors$"):
        load(two_ends(), "two.tflite").tensor(3)


def test_state_stays_until_it_is_reset(load: Any) -> None:
    interpreter = load(with_state(), "state.tflite")
    values = [interpreter.run([np.array([[x]], np.int8)])[0].item() for x in (10, 20, 30)]
    assert values == [10, 30, 50]
    interpreter.reset()
    assert interpreter.run([np.array([[30]], np.int8)])[0].item() == 30


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([X], "two.tflite: 1 inputs, must be 2"),
        ([X, X], "two.tflite: input 1 of shape (1, 4) and type float32, must be (1, 4) and int8"),
        ([X[0], Y], "two.tflite: input 0 of shape (4,) and type float32, must be (1, 4) and"),
    ],
)
def test_inputs_that_do_not_fit(inputs: list[np.ndarray], said: str, load: Any) -> None:
    with pytest.raises(AscError) as caught:
        load(two_ends(), "two.tflite").run(inputs)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "m.tflite: not a TFLite file"),
        (two_ends()[:200], "m.tflite: TensorFlow Lite Micro refuses it: "),
        (custom(), "m.tflite: has a custom operator, which the package tflite-micro does not know"),
    ],
    ids=["empty", "cut", "custom"],
)
def test_files_that_are_refused(data: bytes, said: str, load: Any) -> None:
    with pytest.raises(AscError) as caught:
        load(data, "m.tflite")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_crash_is_a_line_and_the_next_file_runs(process: TflmProcess) -> None:
    model = unpacked(two_ends())
    model.subgraphs[0].operators[0].inputs = [2**27]
    with pytest.raises(CrashError, match=r"^hostile: TensorFlow Lite Micro crashes on it$"):
        process.load(packed(model), "hostile").run([X, Y])
    assert process.load(two_ends(), "two.tflite").run([X, Y])[1].shape == (1, 4)


def test_what_takes_too_long_is_ended() -> None:
    with TflmProcess(0.0) as process, pytest.raises(CrashError, match="takes longer than 0 s"):
        process.load(two_ends(), "slow")


def test_one_clip_at_a_time_needs_int8_ends() -> None:
    with pytest.raises(AscError, match=r"^two\.tflite: input is float32, must be int8$"):
        Interpreter(two_ends(), "two.tflite")
    interpreter = Interpreter(with_state(), "state.tflite")
    assert interpreter.input_shape == (1,)
    assert interpreter.run(np.array([5], np.int8)).tolist() == [5]
