"""Processes of a pool end with the block that they work for."""

from __future__ import annotations

import multiprocessing
import time

import pytest

from asc_tiny.util.process_pool import pool


def test_an_interrupt_does_not_wait_for_work() -> None:
    with pytest.raises(KeyboardInterrupt), pool(1) as workers:
        assert workers.submit(abs, -1).result() == 1
        work = workers.submit(time.sleep, 1e6)
        raise KeyboardInterrupt
    assert not multiprocessing.active_children()
    assert work.done()


def test_no_process_stays_behind_a_block() -> None:
    with pool(1) as workers:
        workers.submit(abs, -2).result()
        assert workers.submit(abs, -2).result() == 2
    assert not multiprocessing.active_children()
