"""Parts of a work are the same whoever does them."""

from __future__ import annotations

import os

import pytest

from asc_tiny.util import parallel
from asc_tiny.util.errors import AscError


def test_processes_give_what_this_one_does() -> None:
    parts = [(2, power) for power in range(20)]
    with parallel.executor(1) as none, parallel.executor(2) as pool:
        assert none is None and pool is not None
        here = dict(parallel.completed(none, pow, parts, what="x"))
        there = dict(parallel.completed(pool, pow, parts, what="x"))
        assert here == there == {power: 2**power for power in range(20)}
        killed = parallel.completed(pool, os._exit, [(9,)], what="evaluate")
        with pytest.raises(AscError, match="evaluate: a process was killed, is there enough"):
            list(killed)
