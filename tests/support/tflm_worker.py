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

    def run(self, data: bytes, samples: Sequence[np.ndarray]) -> np.ndarray | Failure:
        """Return the first outputs of a file for its only input, shape (samples, elements)."""
        try:
            interpreter = self.process.load(data, "file")
            return np.stack([interpreter.run([each])[0].ravel() for each in samples])
        except AscError as error:
            return Failure(str(error))

    def close(self) -> None:
        """End the process."""
        self.process.close()
