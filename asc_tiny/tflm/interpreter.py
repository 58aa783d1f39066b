"""TensorFlow Lite Micro's kernels on the host: the reference for what a network computes.

A hostile file may crash the interpreter, and the process with it: ``isolated`` runs the same in a
process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import Quantization
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflite.variables import stateful_operator
from asc_tiny.util.captured_output import captured_output
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]
Int8Array = NDArray[np.int8]

_ARENA_BYTES = 64 << 20
# All tensors lie side by side: none takes the place of one that is done with.
_PRESERVING_ARENA_BYTES = 512 << 20
_MISSING = re.compile(r"Didn't find op for builtin opcode '(\w+)'")
_CUSTOM = "Failed to get registration from op code CUSTOM"
_TOTAL = re.compile(r"Arena allocation total (\d+) bytes")


@dataclass(frozen=True)
class EndTensor:
    """An input or output of a network.

    Attributes:
        shape: dimensions with the batch; empty for a scalar.
        dtype: NumPy's name of the type of the elements, such as ``int8`` or ``float32``.
        scales, zero_points: quantisation of the codes, empty without one; several are per channel.
    """

    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()


class NetworkInterpreter:
    """Runs a network of any inputs and outputs with TensorFlow Lite Micro's reference kernels.

    Attributes:
        inputs, outputs: what it takes and gives, in the order of the file.
        arena_bytes: what TensorFlow Lite Micro allocates on this 64-bit host; a 32-bit target
            needs less. 0 with ``preserve_tensors``.

    Args:
        model: the file.
        source: name of the file in messages.
        preserve_tensors: whether ``tensor`` can tell values inside of the network.

    Raises:
        AscError: not a model, an operator that TensorFlow Lite Micro does not run, or the package
            tflite-micro is missing.
    """

    def __init__(self, model: bytes, source: str | Path, *, preserve_tensors: bool = False) -> None:
        self._model, self._source = model, source
        self._preserves = preserve_tensors
        if model[4:8] != b"TFL3":
            raise AscError(f"{source}: not a TFLite file")
        with captured_output() as log:
            try:
                self._interpreter = self._prepared()
            # The package parses the file in Python first: a damaged one can raise anything.
            except Exception as error:
                if isinstance(error, AscError):
                    raise
                raise AscError(f"{source}: {_refusal(log(), error)}") from error
            self.arena_bytes = 0 if preserve_tensors else self._allocated(log)
            self.inputs = self._ends(self._interpreter.get_input_details)
            self.outputs = self._ends(self._interpreter.get_output_details)

    def _prepared(self) -> Any:
        try:
            from tflite_micro import runtime
        except ImportError as error:
            missing = "tflite-micro is not installed: pip install 'asc-tiny[verify]'"
            raise AscError(missing) from error
        config = runtime.InterpreterConfig
        if self._preserves:
            kind, arena = config.kPreserveAllTensors, _PRESERVING_ARENA_BYTES
        else:
            kind, arena = config.kAllocationRecording, _ARENA_BYTES
        return runtime.Interpreter.from_bytes(
            self._model, arena_size=arena, intrepreter_config=kind
        )

    def _allocated(self, log: Callable[[], str]) -> int:
        self._interpreter.print_allocations()
        totals = _TOTAL.findall(log())
        if not totals:
            raise AscError(f"{self._source}: TensorFlow Lite Micro tells no arena; is a disk full?")
        return int(totals[-1])

    def _ends(self, details: Callable[[int], dict[str, Any]]) -> tuple[EndTensor, ...]:
        """Return what there is until the interpreter says that there is no more."""
        found: list[EndTensor] = []
        while True:
            try:
                found.append(_end_tensor(details(len(found))))
            except (IndexError, TypeError, RuntimeError, SystemError):
                return tuple(found)
            except ValueError as error:
                raise AscError(f"{self._source}: {error}") from error

    def run(self, inputs: Sequence[AnyArray]) -> list[AnyArray]:
        """Return the outputs for inputs of the shapes and types of ``self.inputs``.

        Raises:
            AscError: inputs of other shapes or types, or a kernel fails.
        """
        self._check(inputs)
        with captured_output() as log:
            try:
                for number, values in enumerate(inputs):
                    self._interpreter.set_input(np.ascontiguousarray(values), number)
                self._interpreter.invoke()
                return [
                    np.asarray(self._interpreter.get_output(number)).reshape(output.shape)
                    for number, output in enumerate(self.outputs)
                ]
            except (TypeError, ValueError, RuntimeError) as error:
                said = _last_line(log(), error)
                raise AscError(
                    f"{self._source}: TensorFlow Lite Micro fails while it runs: {said}"
                ) from error

    def reset(self) -> None:
        """Forget what earlier runs left: variables are as after the first preparation.

        The interpreter's own reset does not repeat what CALL_ONCE initialises.
        """
        with captured_output():
            self._interpreter = self._prepared()

    def tensor(self, index: int, subgraph: int = 0) -> AnyArray:
        """Return a tensor inside of the network after a run.

        Args:
            index: number of the tensor in the file, one that an operator writes.
            subgraph: number of its subgraph.

        Raises:
            AscError: tensors are not preserved.
        """
        if not self._preserves:
            raise AscError(f"{self._source}: the interpreter preserves no tensors")
        found = self._interpreter.GetTensor(index, subgraph)
        return np.asarray(found["tensor_data"])

    def _check(self, inputs: Sequence[AnyArray]) -> None:
        if len(inputs) != len(self.inputs):
            raise AscError(f"{self._source}: {len(inputs)} inputs, must be {len(self.inputs)}")
        for number, (given, wanted) in enumerate(zip(inputs, self.inputs, strict=True)):
            if given.shape != wanted.shape or given.dtype != np.dtype(wanted.dtype):
                raise AscError(
                    f"{self._source}: input {number} of shape {given.shape} and type "
                    f"{given.dtype}, must be {wanted.shape} and {wanted.dtype}"
                )


class Interpreter:
    """Runs an int8 model of one input and output, clip by clip.

    Clips have nothing to do with each other: what a model keeps is forgotten before each.

    Attributes:
        input_shape: shape of one input without the batch.
        input_quantization: scale and zero point of the model's only input.
        output_quantization: scale and zero point of its only output.
        arena_bytes: what TensorFlow Lite Micro allocates on this 64-bit host; a 32-bit target
            needs less.

    Raises:
        AscError: not a model, not int8 with batch 1, an operator that TensorFlow Lite Micro
            does not run, or the package tflite-micro is missing.
    """

    def __init__(self, model: bytes, source: str | Path) -> None:
        self._network = NetworkInterpreter(model, source)
        self.arena_bytes = self._network.arena_bytes
        if not self._network.inputs or not self._network.outputs:
            raise AscError(f"{source}: has no input or no output")
        first = self._network.inputs[0]
        self.input_quantization = _quantization(first, source, "input")
        self.output_quantization = _quantization(self._network.outputs[0], source, "output")
        self.input_shape = first.shape[1:]
        self._keeps = stateful_operator(parse_graph(model, source=str(source))) is not None

    def run(self, codes: Int8Array) -> Int8Array:
        """Return the int8 output, shape (outputs,), for the codes of one clip (``input_shape``)."""
        if self._keeps:
            self._network.reset()
        return np.asarray(self._network.run([codes[None]])[0], np.int8).reshape(-1)


def _refusal(log: str, error: Exception) -> str:
    missing = _MISSING.findall(log)
    if missing:
        return f"operator {missing[0]} is not one that TensorFlow Lite Micro runs"
    if _CUSTOM in log:
        return "has a custom operator, which the package tflite-micro does not know"
    return f"TensorFlow Lite Micro refuses it: {_last_line(log, error)}"


def _last_line(log: str, error: Exception) -> str:
    lines = [line.strip() for line in (*str(error).splitlines(), *log.splitlines())]
    return next((line for line in reversed(lines) if line), type(error).__name__)


def _end_tensor(details: dict[str, Any]) -> EndTensor:
    parameters = details["quantization_parameters"]
    return EndTensor(
        shape=tuple(int(size) for size in details["shape"]),
        dtype=np.dtype(details["dtype"]).name,
        scales=tuple(float(scale) for scale in parameters["scales"]),
        zero_points=tuple(int(point) for point in parameters["zero_points"]),
    )


def _quantization(end: EndTensor, source: str | Path, side: str) -> Quantization:
    if end.dtype != "int8":
        raise AscError(f"{source}: {side} is {end.dtype}, must be int8")
    if end.shape[:1] != (1,):
        batch = end.shape[0] if end.shape else "no size"
        raise AscError(f"{source}: {side} has batch {batch}, must be 1")
    if not end.scales or not end.zero_points:
        raise AscError(f"{source}: {side} has no scale")
    return Quantization(scale=end.scales[0], zero_point=end.zero_points[0])
