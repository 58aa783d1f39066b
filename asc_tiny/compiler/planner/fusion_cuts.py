"""Where the order of the work changes from rows to whole tensors.

By rows nothing is stored as a whole, but rings of all layers exist until the end. Where a tensor is
made as a whole first, what was needed for it is free for the layers behind; the tensor itself moves
into the place of the input as that is used up. No cut costs instructions.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import Program
from asc_tiny.compiler.planner.arena_allocator import least_size, plan
from asc_tiny.compiler.planner.scheduler import schedule

Cuts = tuple[int, ...]
"""Stages that make all of their rows before what follows runs, by their numbers."""


def named(order: str | None, program: Program) -> Cuts:
    """Return the cuts of an order: none by ``rows``, all by ``layers``, the best without a name.

    Of a program that is too large to try many orders, the better of these two.
    """
    everywhere = tuple(range(len(program.stages)))
    if order is not None:
        return everywhere if order == "layers" else ()
    cuts, size = _improved(program) if is_searched(program) else ((), _size((), program))
    return everywhere if _size(everywhere, program, size) < size else cuts


_MOST_SEARCHED = 2**18


def is_searched(program: Program) -> bool:
    """Whether orders of a program are tried; finding one takes long if it has many rows."""
    runs = sum(stage.runs for stage in program.stages)
    return runs * len(program.stages) <= _MOST_SEARCHED


def _improved(program: Program) -> tuple[Cuts, int]:
    """Return cuts and arena after adding and removing single ones as long as that saves memory."""
    cuts: Cuts = ()
    size = _size(cuts, program)
    improves = True
    while improves:
        improves = False
        for number, stage in enumerate(program.stages):
            # What is one row is whole anyway; what is larger than the arena does not fit into it.
            if stage.output.rows == 1 or stage.output.rows * stage.output.row_size >= size:
                continue
            changed = tuple(sorted({*cuts} ^ {number}))
            smaller = _size(changed, program, size)
            if smaller < size:
                cuts, size, improves = changed, smaller, True
    return cuts, size


def _size(cuts: Cuts, program: Program, limit: int | None = None) -> int:
    """Return the bytes of the arena; those in use at a time if they reach the limit."""
    steps = schedule(program, cuts)
    least = least_size(program, steps)
    if limit is not None and least >= limit:
        return least
    return plan(program, steps, enough=least).size


def text(cuts: Cuts, program: Program) -> str:
    """Return an order for people."""
    if not cuts:
        return "rows"
    if len(cuts) == len(program.stages):
        return "layers"
    return "rows up to whole outputs of stages " + ", ".join(map(str, cuts))
