"""What TensorFlow Lite Micro's kernels make of a network's inputs, tensor by tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflm.isolated import IsolatedInterpreter, TflmProcess

AnyArray = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reference:
    """A file in TensorFlow Lite Micro, in a process of its own; inferences follow each other.

    Attributes:
        interpreter: what runs it and keeps the tensors inside.
        arena_bytes: bytes of the arena that it takes on this computer.
    """

    interpreter: IsolatedInterpreter
    arena_bytes: int

    @classmethod
    def of(cls, process: TflmProcess, model: bytes, source: str | Path) -> Reference:
        """Load a file.

        Raises:
            AscError: TensorFlow Lite Micro does not run it, or is not there.
        """
        arena_bytes = process.load(model, source).arena_bytes
        return cls(process.load(model, source, preserve_tensors=True), arena_bytes)

    def tensors(
        self, inferences: Sequence[Sequence[AnyArray]], indices: Sequence[int]
    ) -> list[list[AnyArray]]:
        """Return tensors of the network after each of several inferences from the first state on.

        Args:
            inferences: the inputs of each inference.
            indices: numbers of tensors in the file.

        Raises:
            AscError: inputs that do not fit, or a kernel fails.
        """
        self.interpreter.reset()
        found = []
        for inputs in inferences:
            self.interpreter.run(inputs)
            found.append([np.array(self.interpreter.tensor(index)) for index in indices])
        return found
