"""The arena of TensorFlow Lite Micro as its recorder measures it on this computer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asc_tiny.tflm.isolated import TflmProcess
from asc_tiny.util.errors import AscError

_TRIED = (0, 1)
"""Values of all inputs that are tried: an index may be 0, a divisor may not."""


def host_arena_bytes(model: bytes, source: str | Path) -> int:
    """Return the bytes that a model takes with reference kernels on this 64-bit computer.

    Pointers and structures of a microcontroller are half as large, activations the same: it needs
    less. The recorder's own notes are in it, too. The model is run, since some kernels look at
    types only then.

    Args:
        model: the .tflite file.
        source: the file named in error messages.

    Raises:
        AscError: TensorFlow Lite Micro does not run it, or the package tflite-micro is missing.
    """
    failures = []
    with TflmProcess() as process:
        for value in _TRIED:
            interpreter = process.load(model, source)
            try:
                interpreter.run(
                    [np.full(end.shape, value, np.dtype(end.dtype)) for end in interpreter.inputs]
                )
            except AscError as error:
                failures.append(error)
            else:
                return interpreter.arena_bytes
    raise failures[0]
