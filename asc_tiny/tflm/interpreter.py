"""TensorFlow Lite Micro's kernels on the host: the reference for int8 scores."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import Quantization
from asc_tiny.util.captured_output import captured_output
from asc_tiny.util.errors import AscError

Int8Array = NDArray[np.int8]

_ARENA_BYTES = 64 << 20
_MISSING = re.compile(r"Didn't find op for builtin opcode '(\w+)'")
_TOTAL = re.compile(r"Arena allocation total (\d+) bytes")


class Interpreter:
    """Runs an int8 model clip by clip with TensorFlow Lite Micro's reference kernels.

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
        try:
            from tflite_micro import runtime
        except ImportError as error:
            missing = "tflite-micro is not installed: pip install 'asc-tiny[train]'"
            raise AscError(missing) from error
        if model[4:8] != b"TFL3":
            raise AscError(f"{source}: not a TFLite file")
        with captured_output() as log:
            try:
                self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)
            # The package parses the file in Python first: a damaged one can raise anything.
            except Exception as error:
                raise AscError(f"{source}: {_reason(log(), error)}") from error
            self._interpreter.print_allocations()
            totals = _TOTAL.findall(log())
        if not totals:
            raise AscError(f"{source}: TensorFlow Lite Micro tells no arena; is a disk full?")
        self.arena_bytes = int(totals[-1])
        try:
            details = self._interpreter.get_input_details(0)
            result = self._interpreter.get_output_details(0)
        except (TypeError, RuntimeError) as error:
            raise AscError(f"{source}: has no input or no output") from error
        self.input_shape = tuple(int(size) for size in details["shape"][1:])
        self.input_quantization = _quantization(details, source, "input")
        self.output_quantization = _quantization(result, source, "output")

    def run(self, codes: Int8Array) -> Int8Array:
        """Return the int8 output, shape (outputs,), for the codes of one clip (``input_shape``)."""
        self._interpreter.set_input(codes[None], 0)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_output(0), np.int8).reshape(-1)


def _reason(log: str, error: Exception) -> str:
    missing = _MISSING.findall(log)
    if missing:
        return f"operator {missing[0]} is not one that TensorFlow Lite Micro runs"
    lines = [line for line in log.splitlines() if line.strip()]
    return f"TensorFlow Lite Micro refuses it: {lines[-1] if lines else error}"


def _quantization(details: dict[str, Any], source: str | Path, side: str) -> Quantization:
    dtype = np.dtype(details["dtype"])
    if dtype != np.int8:
        raise AscError(f"{source}: {side} is {dtype.name}, must be int8")
    if details["shape"][0] != 1:
        raise AscError(f"{source}: {side} has batch {details['shape'][0]}, must be 1")
    parameters = details["quantization_parameters"]
    return Quantization(
        scale=float(parameters["scales"][0]), zero_point=int(parameters["zero_points"][0])
    )
