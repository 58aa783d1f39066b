"""Keeping what TensorFlow's C++ libraries print away from the user's terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import IO


def _log() -> IO[str]:
    """Return a file in memory where the system has such: a full disk must not cost the text."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("output"), "w+", encoding="utf-8", errors="replace")
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


@contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Keep what the process, C++ libraries included, writes to stdout and stderr in the block.

    Yields:
        A function that returns the text so far.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with _log() as log:

        def text() -> str:
            log.flush()
            log.seek(0)
            return log.read()

        try:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            with redirect_stdout(log), redirect_stderr(log):
                yield text
        finally:
            for descriptor, saved in enumerate(kept, start=1):
                os.dup2(saved, descriptor)
                os.close(saved)
