"""Telling a program that works from one that has got stuck, however busy this computer is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

WORK_S = 300.0
"""Processor time after which a program must have got on: billions of emulated instructions."""

IDLE_S = 120.0
"""Time after which one must that hardly uses any: it waits for what never comes."""

_SOME_WORK_S = 1.0
_LOOK_S = 0.5


class Watch(AbstractContextManager["Watch"]):
    """Kills a program that does not get on any more.

    Args:
        process: the program.
        progress: returns what differs whenever the program has got on, None if it has to end now.

    Attributes:
        stuck: whether it was killed.
    """

    def __init__(self, process: subprocess.Popen[Any], progress: Callable[[], object]) -> None:
        self.stuck = False
        self._process = process
        self._progress = progress
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        before, at_progress = self._progress(), self._work_s()
        work, worked = at_progress, time.monotonic()
        while not self._done.wait(_LOOK_S):
            progress, used, now = self._progress(), self._work_s(), time.monotonic()
            if progress != before:
                before, at_progress, worked = progress, used, now
            if used - work > _SOME_WORK_S:
                work, worked = used, now
            late = used - at_progress > WORK_S or now - worked > IDLE_S
            if late or progress is None:
                self.stuck = True
                self._process.kill()
                return

    def _work_s(self) -> float:
        """Return the processor time of the program; where the system does not tell, that passed."""
        if sys.platform == "win32":
            return time.monotonic()
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic()
        user, system = map(int, fields[11:13])
        return (user + system) / os.sysconf("SC_CLK_TCK")
