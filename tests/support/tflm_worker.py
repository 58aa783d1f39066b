"""TensorFlow Lite Micro on many files that may crash or hang it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asc_tiny.tflm.isolated import TflmProcess
from asc_tiny.util.errors import AscError


@dataclass(frozen=True)
class Failure:
    """Why there is no output: what TensorFlow Lite Micro said, or that it crashed."""

    reason: str


class Worker:
    """Runs files one by one, in a fresh process after a crash."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.process = TflmProcess(seconds)

    def run(
        self, data: bytes, samples: Sequence[Sequence[np.ndarray]]
    ) -> list[np.ndarray] | Failure:
        """Return the outputs of a file for the inputs of some inferences.

        Returns:
            An array of shape (samples, elements) for each output.
        """
        try:
            interpreter = self.process.load(data, "file")
            made = [interpreter.run(list(each)) for each in samples]
            return [
                np.stack([each.ravel() for each in output]) for output in zip(*made, strict=True)
            ]
        except AscError as error:
            return Failure(str(error))

    def close(self) -> None:
        """End the process."""
        self.process.close()
