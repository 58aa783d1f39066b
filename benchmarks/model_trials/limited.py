"""Programs in limits of time and memory, with all that they start."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.util.child_processes import running

_PROC = Path("/proc")
_EVERY_S = 0.1


@dataclass(frozen=True)
class Limits:
    """What a program may take.

    Attributes:
        seconds: time in seconds from its start to its end.
        memory_bytes: memory in bytes of it and all that it started, together.
    """

    seconds: float
    memory_bytes: int


def run_limited(command: Sequence[str | Path], limits: Limits) -> tuple[str, str]:
    """Run a program, and end it with all that it started where it goes beyond a limit.

    A limit of the address space would not do: sanitizers reserve terabytes and use megabytes.

    Args:
        command: the program and its arguments.
        limits: what it may take.

    Returns:
        What it printed so far, and why it ended other than by itself with exit code 0: nothing,
        or a few words.
    """
    with tempfile.TemporaryFile() as printed:
        with running(command, stdout=printed.fileno(), stderr=None) as process:
            end, reason = time.monotonic() + limits.seconds, ""
            while process.poll() is None and not reason:
                if time.monotonic() > end:
                    reason = f"longer than {limits.seconds:,.0f} s"
                elif resident_bytes(process.pid) > limits.memory_bytes:
                    reason = f"more than {limits.memory_bytes / 2**20:,.0f} MiB of memory"
                else:
                    time.sleep(_EVERY_S)
            code = process.poll()
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace")
    if not reason and code:
        reason = f"exit code {code}" if code > 0 else f"signal {-code}"
    return text, reason


def resident_bytes(root: int) -> int:
    """Return the bytes of memory that a process and all that it started have in use.

    Args:
        root: number of the process.

    Returns:
        The bytes; 0 on a system that does not tell (/proc of Linux does, proc(5)).
    """
    parents, pages = {}, {}
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            # The name of the program comes in brackets and can hold any character.
            values = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        number = int(path.parent.name)
        parents[number], pages[number] = int(values[1]), int(values[21])
    family, size = {root}, 0
    while len(family) > size:
        size = len(family)
        family |= {number for number, parent in parents.items() if parent in family}
    return sum(pages.get(number, 0) for number in family) * os.sysconf("SC_PAGE_SIZE")
