"""Samples to an image through a pipe, which it reads as a file."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from asc_tiny.errors import AscError
from asc_tiny.frontend.reference import Samples
from asc_tiny.targets.image import pcm_bytes

_POLL_S = 0.01


def make_pipe(path: Path) -> None:
    """Make a named pipe.

    Raises:
        AscError: the system has none.
    """
    try:
        os.mkfifo(path)
    except (AttributeError, OSError) as error:
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
    """

    def __init__(
        self, process: subprocess.Popen[Any], pipe: Path, blocks: Iterable[Samples], *, rate: int
    ) -> None:
        super().__init__(daemon=True)
        self.error: Exception | None = None
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

    def _open(self) -> int | None:
        """Open the pipe once the program has; None if it ends before."""
        while self._process.poll() is None:
            with suppress(OSError):
                handle = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
                os.set_blocking(handle, True)
                return handle
            time.sleep(_POLL_S)
        return None

    def _write(self, stream: FileIO) -> None:
        sent, begun = 0, time.monotonic()
        for block in self._blocks:
            sent += len(block)
            if self._rate:
                time.sleep(max(0.0, begun + sent / self._rate - time.monotonic()))
            data = memoryview(pcm_bytes(block))
            while data:
                data = data[stream.write(data) :]
