"""Processes that work in parallel and end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from asc_tiny.util.interrupts import SIGNALS


@contextmanager
def pool(workers: int) -> Iterator[Executor]:
    """Yield processes for work; what they have not begun at the end of the block is dropped.

    If the block ends with an error or an interrupt, what they are doing is dropped, too.
    """
    others = set(multiprocessing.active_children())
    # A forked process would inherit locks that TensorFlow's threads hold, and hang.
    spawn = multiprocessing.get_context("spawn")
    # With it starts the process that keeps account of semaphores.
    with interrupts_blocked():
        made = ProcessPoolExecutor(workers, spawn, initializer=_begin)
    try:
        yield made
    except BaseException:
        # A training would keep whoever pressed Ctrl-C waiting for minutes. All that is done here
        # may be killed at any moment.
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        raise
    finally:
        made.shutdown(cancel_futures=True)


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Leave Ctrl-C and the like to this process: those that start in the block never see them.

    Windows has no masks of signals.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Have this process draw nothing, and end when its parent does, also when that is killed."""
    # Bars of several processes would overwrite each other.
    os.environ["TQDM_DISABLE"] = "1"
    threading.Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
