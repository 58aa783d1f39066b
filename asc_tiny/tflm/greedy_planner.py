"""TensorFlow Lite Micro's greedy memory planner (memory_planner/greedy_memory_planner.cc)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from asc_tiny.tflite.liveness import LiveRange


@dataclass(frozen=True)
class BufferRequest:
    """A buffer to place: an activation or what a kernel needs while it runs.

    Attributes:
        name: for people.
        size: bytes, a multiple of the alignment.
        live_range: operators during which it exists.
        offset: offset in bytes that the file prescribes, None where the planner chooses.
    """

    name: str
    size: int
    live_range: LiveRange
    offset: int | None = None


def place(requests: Sequence[BufferRequest]) -> list[int]:
    """Return the offset of each buffer, in the order of ``requests``.

    Buffers with an offset lie there, whatever else does. Of the others the largest comes first, of
    equal ones the one that was requested last; each goes to the lowest gap between buffers that
    exist at the same time, or behind them.
    """
    order = sorted(
        range(len(requests)), key=lambda i: (requests[i].offset is None, -requests[i].size, -i)
    )
    offsets: dict[int, int] = {}
    # By operator: who of those that are placed exists there.
    present: dict[int, list[int]] = {}
    for i in order:
        wanted = requests[i]
        steps = range(wanted.live_range.first, wanted.live_range.last + 1)
        if wanted.offset is None:
            neighbors = _neighbors(requests, wanted, offsets, present)
            offsets[i] = _lowest_gap(requests, wanted.size, neighbors, offsets)
        else:
            offsets[i] = wanted.offset
        for step in steps:
            present.setdefault(step, []).append(i)
    return [offsets[i] for i in range(len(requests))]


def _lowest_gap(
    requests: Sequence[BufferRequest],
    size: int,
    neighbors: Collection[int],
    offsets: Mapping[int, int],
) -> int:
    """Return the lowest offset at which so many bytes lie beside all neighbors."""
    offset = 0
    for j in sorted(neighbors, key=offsets.__getitem__):
        if offsets[j] - offset >= size:
            break
        offset = max(offset, offsets[j] + requests[j].size)
    return offset


def _neighbors(
    requests: Sequence[BufferRequest],
    wanted: BufferRequest,
    placed: Mapping[int, int],
    present: Mapping[int, Sequence[int]],
) -> Collection[int]:
    """Return the placed buffers that exist at the same time, looked up the shorter way."""
    at_steps = [
        present[step]
        for step in range(wanted.live_range.first, wanted.live_range.last + 1)
        if step in present
    ]
    if sum(map(len, at_steps)) <= len(placed):
        return {j for at_step in at_steps for j in at_step}
    return [j for j in placed if requests[j].live_range.overlaps(wanted.live_range)]
