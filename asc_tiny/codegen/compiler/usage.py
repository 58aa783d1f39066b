"""What of a plan lies in the arena when, and where its peak is."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.codegen.compiler.choose import Compiled
from asc_tiny.codegen.compiler.memory import live_bytes


@dataclass(frozen=True)
class Life:
    """Bytes of the arena from one step to another, both included."""

    name: str
    offset: int
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Peak:
    """The first step at which most bytes exist, and the stage that runs then."""

    step: int
    stage: int
    bytes_: int


def lives(compiled: Compiled) -> list[Life]:
    """Return what lies in the arena, by offset and first step."""
    blocks = dict.fromkeys(compiled.plan.blocks)
    return sorted(
        (Life(each.name, offset, each.size, each.first, each.last) for each, offset in blocks),
        key=lambda life: (life.offset, life.first, life.name),
    )


def usage(compiled: Compiled) -> list[int]:
    """Return, per step, the bytes that exist."""
    blocks = dict.fromkeys(block for block, _ in compiled.plan.blocks)
    return live_bytes(list(blocks), len(compiled.schedule.order))


def peak(compiled: Compiled) -> Peak:
    """Return the peak."""
    live = usage(compiled)
    most = max(live)
    step = live.index(most)
    return Peak(step, compiled.schedule.order[step], most)
