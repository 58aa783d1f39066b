"""Lines for tests: to a program on this computer, clean or noisy; and a small model to talk to."""

from __future__ import annotations

import os
import random
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.device.line import LineLostError
from support.commands import asc_tiny
from support.ensemble_models import small
from support.patience import PATIENCE_S

LABELS = ("quiet", "loud", "neither")
FRONTEND = FrontEndConfig(
    sample_rate=8000, clip_samples=4000, n_fft=256, hop=256, n_mels=16, f_max=4000.0
)
SANITISED = "-fsanitize=address,undefined -fno-sanitize-recover=all"


def small_model(path: Path) -> Path:
    """Write a network of a few thousand multiplications, for half-second clips at 8 kHz."""
    return small(path, LABELS, filters=4, width=3.0, frontend=FRONTEND)


def make(model: Path, folder: Path, board: str, *options: object) -> targets.Project:
    """Generate and build a project."""
    assert asc_tiny("generate", model, "--out", folder, "--board", board, *options) == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder)


class PipeLine:
    """A line to a program's standard input and output.

    Args:
        process: the program.
        error_rate: share of the bytes that are changed, in both directions.
    """

    def __init__(self, process: subprocess.Popen[bytes], *, error_rate: float = 0.0) -> None:
        self.name = "the program"
        self.changed = 0
        self._process = process
        self._error_rate = error_rate
        self._random = random.Random(7)

    def read(self, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        if not select.select([handle], [], [], timeout_s)[0]:
            return b""
        data = os.read(handle, 4096)
        if not data:
            raise LineLostError("the program ended")
        return self._noisy(data)

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(self._noisy(data))
            self._process.stdin.flush()
        except OSError as error:
            raise LineLostError("the program ended") from error

    def close(self) -> None:
        pass

    def _noisy(self, data: bytes) -> bytes:
        noisy = bytearray(data)
        for i in range(len(noisy)):
            if self._random.random() < self._error_rate:
                noisy[i] ^= self._random.randrange(1, 256)
                self.changed += 1
        return bytes(noisy)


@contextmanager
def serving(project: targets.Project, *, error_rate: float = 0.0) -> Iterator[PipeLine]:
    """Run a host project's image, and give its line."""
    process = subprocess.Popen(
        [project.image, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield PipeLine(process, error_rate=error_rate)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
