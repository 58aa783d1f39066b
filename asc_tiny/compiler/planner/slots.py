"""Where the rows of a view lie, as ``asc_rolling_buffer_t`` of the runtime holds it."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.compiler.ir import BufferView
from asc_tiny.compiler.kernel_params import Array
from asc_tiny.compiler.planner.arena_allocator import ArenaPlan
from asc_tiny.compiler.planner.scheduler import Schedule


@dataclass(frozen=True)
class Slots:
    """The rows of a view, each in a slot of a rolling buffer.

    Attributes:
        constant: the array that holds the rows, None if they lie in the arena.
        offset: byte offset of the first slot, in the array or the arena.
        pitch: bytes from slot to slot.
        first: number of the slot of row 0, as if there were a slot for each row.
        count: number of slots, at least 1.
        repeat: number of rows that one slot shows, at least 1.
    """

    constant: Array | None
    offset: int
    pitch: int
    first: int
    count: int
    repeat: int

    @classmethod
    def of(cls, view: BufferView, schedule: Schedule, arena: ArenaPlan) -> Slots:
        """Return the slots of a view."""
        buffer = view.buffer
        constant = buffer.constant
        offset = 0 if constant else arena.offsets[buffer]
        slots = buffer.rows if constant else schedule.rolling_buffers[buffer].slots
        if slots == buffer.rows:
            # All of it is there: no row needs to wrap.
            return cls(constant, offset + view.start, view.pitch, 0, view.rows, view.repeat)
        first, inside = divmod(view.start, view.unit)
        count = slots * (buffer.row_bytes // view.unit)
        return cls(constant, offset + inside, view.unit, first, count, view.repeat)

    def address(self, row: int) -> int:
        """Return the byte offset of a row, in the array or the arena."""
        return self.offset + (self.first + row // self.repeat) % self.count * self.pitch
