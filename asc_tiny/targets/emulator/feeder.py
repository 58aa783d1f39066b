"""Samples to an image through a pipe, which it reads as a file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from asc_tiny.frontend.arrays import Samples
from asc_tiny.targets.image.image import pcm_bytes
from asc_tiny.util.errors import AscError

_POLL_S = 0.01
_PIECE = 16384


def make_pipe(path: Path) -> None:
    """Make a named pipe.

    Raises:
        AscError: the system has none.
    """
    if sys.platform == "win32":
        raise AscError(f"{path}: no named pipe can be made here")
    try:
        os.mkfifo(path)
    except OSError as error:
        raise AscError(f"{path}: no named pipe can be made here ({error})") from None


class Feeder(threading.Thread):
    """Writes samples to a named pipe until they or the program that reads it end.

    Args:
        process: the program.
        pipe: made by ``make_pipe``.
        blocks: samples in pieces of any length.
        rate: samples per second if they are to come no faster than they were recorded, else 0.

    Attributes:
        error: what ``blocks`` raised, for whoever waits for the program.
        sent: samples that the program has been handed.
        complete: whether these are all.
        waits: whether ``blocks`` has none yet, such as those of a microphone.
    """

    def __init__(
        self, process: subprocess.Popen[Any], pipe: Path, blocks: Iterable[Samples], *, rate: int
    ) -> None:
        super().__init__(daemon=True)
        self.error: Exception | None = None
        self.sent = 0
        self.complete = False
        self.waits = False
        self._process = process
        self._pipe = pipe
        self._blocks = blocks
        self._rate = rate

    def run(self) -> None:
        """Write all blocks."""
        handle = self._open()
        if handle is None:
            return
        try:
            with FileIO(handle, "wb") as stream:
                self._write(stream)
        except BrokenPipeError:
            # The program has gone; its exit code tells why.
            pass
        except Exception as error:
            self.error = error

    def finish(self) -> None:
        """Wait for the end of the thread once its program has ended; not for further samples."""
        while self.is_alive() and not self.waits:
            self.join(_POLL_S)

    def _open(self) -> int | None:
        """Open the pipe once the program has; None if it ends before."""
        if sys.platform == "win32":
            return None
        while self._process.poll() is None:
            with suppress(OSError):
                handle = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
                os.set_blocking(handle, True)
                return handle
            time.sleep(_POLL_S)
        return None

    def _write(self, stream: FileIO) -> None:
        begun = time.monotonic()
        for block in self._taken():
            if self._rate:
                due = begun + (self.sent + len(block)) / self._rate
                time.sleep(max(0.0, due - time.monotonic()))
            for start in range(0, len(block), _PIECE):
                piece = block[start : start + _PIECE]
                data = memoryview(pcm_bytes(piece))
                while data:
                    data = data[stream.write(data) :]
                self.sent += len(piece)
        self.complete = True

    def _taken(self) -> Iterator[Samples]:
        blocks = iter(self._blocks)
        while True:
            self.waits = True
            try:
                block = next(blocks, None)
            finally:
                self.waits = False
            if block is None:
                return
            yield block
