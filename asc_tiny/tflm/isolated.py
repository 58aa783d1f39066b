"""TensorFlow Lite Micro in a process of its own, which a hostile file may crash or hang.

The process that serves runs this module as a program. Both sides send messages: the length of a
header, the header in JSON, the bytes that it describes. Nothing in an answer is believed further
than arrays of numbers can be, since the file may have overwritten the memory of who sends it.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflm.interpreter import EndTensor, NetworkInterpreter
from asc_tiny.util.child_processes import running
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]

SECONDS = 120.0
"""What loading a file or a run may take."""
_MEMORY_BYTES = 3 << 30
_MOST_ANSWER_BYTES = 1 << 30
_MOST_MESSAGE = 300


class CrashError(AscError):
    """The process ended or hung; the next file needs another."""


class TflmProcess:
    """Loads and runs files one after the other, in a fresh process after a crash.

    A context manager; at its end the process ends.

    Args:
        seconds: limit in seconds of loading a file, and of a run.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> TflmProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process = None
        self._stack.close()

    def load(
        self, model: bytes, source: str | Path, *, preserve_tensors: bool = False
    ) -> IsolatedInterpreter:
        """Return the interpreter of a file; the one before can no longer be used.

        Args:
            model, source, preserve_tensors: as ``NetworkInterpreter`` takes them.

        Raises:
            AscError: as ``NetworkInterpreter`` raises it; a CrashError if the process ends.
        """
        request = {"call": "load", "source": str(source), "preserve_tensors": preserve_tensors}
        header, _ = self.ask(source, request, [np.frombuffer(model, np.uint8)])
        return IsolatedInterpreter(self, source, header)

    def ask(
        self, source: str | Path, request: Mapping[str, Any], arrays: Sequence[AnyArray] = ()
    ) -> tuple[Mapping[str, Any], list[AnyArray]]:
        """Send a request and return the answer.

        Raises:
            AscError: what the other side raised; a CrashError if it ends or hangs.
        """
        if self._process is None:
            self._process = self._started()
        process = self._process
        assert process.stdin and process.stdout
        try:
            _send(process.stdin, request, arrays)
            reader = _Deadline(process.stdout, time.monotonic() + self._seconds)
            header, found = _receive(reader.read, _MOST_ANSWER_BYTES)
        except TimeoutError:
            self.close()
            raise CrashError(
                f"{source}: TensorFlow Lite Micro takes longer than {self._seconds:g} s"
            ) from None
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            self.close()
            raise CrashError(f"{source}: TensorFlow Lite Micro crashes on it") from None
        if "error" in header:
            raise AscError(" ".join(str(header["error"]).split())[:_MOST_MESSAGE])
        return header, found

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", __name__]
        return self._stack.enter_context(
            running(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        )


class IsolatedInterpreter:
    """A ``NetworkInterpreter`` in another process; attributes and methods are the same."""

    def __init__(
        self, process: TflmProcess, source: str | Path, described: Mapping[str, Any]
    ) -> None:
        self._process, self._source = process, source
        self.inputs = _ends(described["inputs"])
        self.outputs = _ends(described["outputs"])
        self.arena_bytes = int(described["arena_bytes"])

    def run(self, inputs: Sequence[AnyArray]) -> list[AnyArray]:
        """Return the outputs for inputs of the shapes and types of ``self.inputs``."""
        _, outputs = self._process.ask(self._source, {"call": "run"}, inputs)
        return outputs

    def reset(self) -> None:
        """Forget what earlier runs left."""
        self._process.ask(self._source, {"call": "reset"})

    def tensor(self, index: int, subgraph: int = 0) -> AnyArray:
        """Return a tensor inside of the network after a run."""
        request = {"call": "tensor", "index": index, "subgraph": subgraph}
        return self._process.ask(self._source, request)[1][0]


class _Deadline:
    """Reads from a pipe until a time."""

    def __init__(self, stream: IO[bytes], end: float) -> None:
        self._descriptor, self._end = stream.fileno(), end

    def read(self, size: int) -> bytes:
        """Return so many bytes.

        Raises:
            TimeoutError: they do not come in time.
            EOFError: the other side has closed the pipe.
        """
        found = bytearray()
        while len(found) < size:
            left = self._end - time.monotonic()
            if not select.select([self._descriptor], [], [], max(0.0, left))[0]:
                raise TimeoutError
            piece = os.read(self._descriptor, min(size - len(found), 1 << 20))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)


def _ends(described: Any) -> tuple[EndTensor, ...]:
    return tuple(
        EndTensor(
            tuple(map(int, each["shape"])),
            str(each["dtype"]),
            tuple(map(float, each["scales"])),
            tuple(map(int, each["zero_points"])),
        )
        for each in described
    )


def _send(stream: IO[bytes], header: Mapping[str, Any], arrays: Sequence[AnyArray] = ()) -> None:
    kept = [np.asarray(each, order="C") for each in arrays]
    described = [{"dtype": each.dtype.str, "shape": each.shape} for each in kept]
    text = json.dumps({**header, "arrays": described}).encode()
    stream.write(struct.pack("<I", len(text)) + text)
    for each in kept:
        stream.write(each.tobytes())
    stream.flush()


def _receive(read: Any, most: int) -> tuple[Mapping[str, Any], list[AnyArray]]:
    (size,) = struct.unpack("<I", read(4))
    if size > most:
        raise ValueError("a header that is too long")
    header = json.loads(read(size))
    arrays = []
    for each in header["arrays"]:
        dtype, shape = np.dtype(str(each["dtype"])), tuple(map(int, each["shape"]))
        count = int(np.prod(shape, dtype=np.float64))
        if dtype.hasobject or min(shape, default=0) < 0 or count * dtype.itemsize > most:
            raise ValueError("no array of numbers")
        data = read(count * dtype.itemsize)
        arrays.append(np.frombuffer(data, dtype).reshape(shape))
    return header, arrays


def _limit_memory() -> None:
    """Keep a hostile file from taking the memory of the machine, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _serve() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    # Nothing that the interpreter prints may come between the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_memory()
    interpreter: NetworkInterpreter | None = None
    while True:
        try:
            request, arrays = _receive(lambda size: _exactly(sys.stdin.buffer, size), sys.maxsize)
        except EOFError:
            return
        try:
            if request["call"] == "load":
                interpreter = None
                interpreter = NetworkInterpreter(
                    arrays[0].tobytes(),
                    request["source"],
                    preserve_tensors=request["preserve_tensors"],
                )
                _send(answers, _described(interpreter))
                continue
            assert interpreter is not None
            _send(answers, {}, _answer(interpreter, request, arrays))
        except (AscError, MemoryError) as error:
            _send(answers, {"error": str(error) or "TensorFlow Lite Micro: out of memory"})


def _described(interpreter: NetworkInterpreter) -> dict[str, Any]:
    return {
        "inputs": [vars(each) for each in interpreter.inputs],
        "outputs": [vars(each) for each in interpreter.outputs],
        "arena_bytes": interpreter.arena_bytes,
    }


def _answer(
    interpreter: NetworkInterpreter, request: Mapping[str, Any], arrays: Sequence[AnyArray]
) -> list[AnyArray]:
    if request["call"] == "run":
        return interpreter.run(arrays)
    if request["call"] == "tensor":
        return [interpreter.tensor(request["index"], request["subgraph"])]
    interpreter.reset()
    return []


if __name__ == "__main__":
    _serve()
