"""TensorFlow Lite Micro in a process of its own, which a hostile file may crash or hang."""

from __future__ import annotations

import os
import pickle
import resource
import select
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

MEMORY = 2**31
_ARENA = 2**26


@dataclass(frozen=True)
class Failure:
    """Why there is no output: what TensorFlow Lite Micro said, or that it crashed."""

    reason: str


class Worker:
    """Runs files one by one, in a fresh process after a crash."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, data: bytes, samples: Sequence[np.ndarray]) -> np.ndarray | Failure:
        """Return the outputs of a file for int8 inputs, shape (samples, elements)."""
        if self.process is None:
            self.process = self._started()
        process = self.process
        assert process.stdin and process.stdout
        try:
            _send(process.stdin, (data, [np.ascontiguousarray(each) for each in samples]))
            ready, _, _ = select.select([process.stdout], [], [], self.seconds)
            answer = _receive(process.stdout) if ready else "hangs"
            result = Failure(answer) if isinstance(answer, str) else answer
        except (EOFError, OSError, struct.error):
            result = Failure("crashes")
        if isinstance(result, Failure) and result.reason in ("hangs", "crashes"):
            self.close()
        assert isinstance(result, (np.ndarray, Failure))
        return result

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(Path(__file__))]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _send(stream: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value)
    stream.write(struct.pack("<Q", len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    (size,) = struct.unpack("<Q", stream.read(8))
    return pickle.loads(stream.read(size))


def _serve() -> None:
    from tflite_micro import runtime

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    said = tempfile.TemporaryFile()  # noqa: SIM115
    # What the interpreter prints says why it fails.
    os.dup2(said.fileno(), 1)
    os.dup2(said.fileno(), 2)
    while True:
        try:
            data, samples = _receive(sys.stdin.buffer)
        except struct.error:
            return
        os.ftruncate(said.fileno(), 0)
        os.lseek(said.fileno(), 0, os.SEEK_SET)
        try:
            interpreter = runtime.Interpreter.from_bytes(data, arena_size=_ARENA)
            outputs = []
            for sample in samples:
                interpreter.set_input(sample, 0)
                interpreter.invoke()
                outputs.append(np.asarray(interpreter.get_output(0)).ravel().copy())
            result: Any = np.stack(outputs)
        except Exception as error:
            os.lseek(said.fileno(), 0, os.SEEK_SET)
            text = os.read(said.fileno(), 2000).decode("utf-8", "replace")
            result = f"refuses: {' '.join(f'{error} {text}'.split())[:300]}"
        _send(answers, result)


if __name__ == "__main__":
    _serve()
