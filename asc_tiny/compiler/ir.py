"""The intermediate form: stages that make rows, and the buffers in which rows lie.

A tensor is rows of bytes: an image of (height, width, channels) has `height` rows, anything else
is one row. A stage reads rows of one or several tensors and writes one row; kernels with a window
read several rows. That a layer needs only some rows at a time is what lets a network run in
a fraction of the memory of its tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asc_tiny.compiler.kernel_params import (
    ONCE,
    TWICE_KERNELS,
    Array,
    KernelParams,
    OutputRange,
)

INT8, INT32, INT64 = np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)


@dataclass(eq=False)
class Buffer:
    """Memory of a tensor, or of several that lie in one another.

    Attributes:
        name: a name for reports.
        rows: number of rows that are written.
        row_bytes: bytes of a row.
        whole: whether all rows must exist at the same time.
        by_tile: whether the buffer holds only that width tile of each row which is being made.
        constant: the array that holds the values, None if they are computed.
        dtype: the type of the elements.
        initial: the bytes before the first inference of what lasts from one inference to the next:
            all of it, or its begin; None for all else.
    """

    name: str
    rows: int
    row_bytes: int
    whole: bool = False
    by_tile: bool = False
    constant: Array | None = None
    dtype: np.dtype[Any] = INT8
    initial: bytes | None = None

    @property
    def is_state(self) -> bool:
        """Whether it lasts from one inference to the next."""
        return self.initial is not None

    @property
    def size(self) -> int:
        """Bytes of all rows."""
        return self.rows * self.row_bytes


@dataclass(frozen=True, eq=False)
class BufferView:
    """A tensor as rows in a buffer.

    Attributes:
        buffer: the buffer that holds the tensor.
        start: byte offset of the first row in the buffer, as if all rows of the buffer existed.
        rows: number of rows that are read.
        row_bytes: bytes of a row that are read.
        pitch: bytes from the begin of a row to the begin of the next.
        repeat: number of times that each row is seen, one after the other, at least 1.
    """

    buffer: Buffer
    start: int
    rows: int
    row_bytes: int
    pitch: int
    repeat: int = 1

    @classmethod
    def of(cls, buffer: Buffer) -> BufferView:
        """Return a view of all rows of a buffer."""
        return cls(buffer, 0, buffer.rows, buffer.row_bytes, buffer.row_bytes)

    @property
    def row_elements(self) -> int:
        """Number of elements of a row."""
        return self.row_bytes // self.buffer.dtype.itemsize

    @property
    def is_row_by_row(self) -> bool:
        """Whether each row lies in one row of the buffer, at the same offset in all of them."""
        size, unit = self.buffer.row_bytes, self.unit
        return size % unit == 0 and self.start % unit + self.row_bytes <= unit

    @property
    def is_contiguous(self) -> bool:
        """Whether the rows follow each other without gaps."""
        return self.rows == 1 or (self.pitch == self.row_bytes and self.repeat == 1)

    @property
    def unit(self) -> int:
        """Bytes between the slots of a rolling buffer that holds the rows."""
        return self.buffer.row_bytes if self.rows == 1 else self.pitch

    def begin(self, row: int) -> int:
        """Return the byte offset in the buffer at which a row begins."""
        return self.start + row // self.repeat * self.pitch

    def subview(self, first: int, rows: int, offset: int, row_bytes: int) -> BufferView:
        """Return some rows from ``first`` on, of each ``row_bytes`` bytes from ``offset`` on."""
        start = self.start + first * self.pitch + offset
        return BufferView(self.buffer, start, rows, row_bytes, self.pitch)

    def reshaped(self, rows: int, row_bytes: int) -> BufferView:
        """Return the same bytes as other rows; they must be contiguous."""
        return BufferView(self.buffer, self.start, rows, row_bytes, row_bytes)

    def buffer_rows(self, row: int) -> range:
        """Return the rows of the buffer that a row lies in."""
        begin = self.begin(row)
        size = self.buffer.row_bytes
        return range(begin // size, (begin + self.row_bytes - 1) // size + 1)


@dataclass(frozen=True, eq=False)
class RowAccess:
    """Which rows of a view a stage reads for its row y: an affine rule.

    The rows are ``(y * factor + offset) // divisor + k * step`` for k = 0 to count - 1. Rows below
    0 or behind the view are padding; with ``clamps``, the first and the last row stand for them.

    Attributes:
        view: the view whose rows are read.
        count: number of rows that are read, at least 1.
        step: distance of these rows, in rows.
        factor, offset, divisor: the rule for the first row; the divisor is at least 1.
        clamps: whether rows outside of the view are replaced by the nearest row of it.
    """

    view: BufferView
    count: int = 1
    step: int = 1
    factor: int = 1
    offset: int = 0
    divisor: int = 1
    clamps: bool = False

    def read_rows(self, y: int) -> list[int | None]:
        """Return the numbers of the rows that row y reads, None for padding."""
        first = (y * self.factor + self.offset) // self.divisor
        rows = [first + k * self.step for k in range(self.count)]
        if self.clamps:
            rows = [min(max(row, 0), self.view.rows - 1) for row in rows]
        return [row if 0 <= row < self.view.rows else None for row in rows]


@dataclass(frozen=True, eq=False)
class WidthTile:
    """Neighbouring pixels of each row of a stage, which a run of their own makes.

    Attributes:
        params: the parameters of the kernel for these pixels.
        input: byte offset of the pixels in the rows that are read.
        output: byte offset of the pixels in the row that is written.
    """

    params: KernelParams
    input: int
    output: int


@dataclass(eq=False)
class Stage:
    """A kernel of one layer, which makes a row of its output in each run.

    Attributes:
        operator: number of the operator in the file, None for the front end and for copies of
            outputs.
        title: number and name of the operator, for people.
        comment: operator and shapes, for people.
        name: the name of the constant structure in C.
        kernel: the name of the C function, empty for the front end.
        params: the parameters of the kernel; with width tiles, those of the first.
        inputs: the rows that a run reads, of each operand.
        output: the view that is written.
        runs: number of runs of an inference; each writes a row or a width tile of one, or adds to
            the only row.
        macs: multiply-accumulates of all runs.
        on_demand: whether it runs only when another stage needs its rows.
        tiles: the width tiles of a row if each is made in a run of its own, else empty.
        rows_per_group: number of rows whose first tile is made before their second, at least 1.
        state: what the kernel keeps from run to run and from inference to inference, in place of
            scratch memory, None if nothing.
        is_update: whether it gives a state the value for the next inference, which nobody reads in
            this one.
    """

    operator: int | None
    title: str
    comment: str
    name: str
    kernel: str
    params: KernelParams
    inputs: Sequence[RowAccess]
    output: BufferView
    runs: int
    macs: int = 0
    on_demand: bool = False
    tiles: Sequence[WidthTile] = ()
    rows_per_group: int = 1
    state: Buffer | None = None
    is_update: bool = False

    @property
    def function(self) -> str:
        """The name of the C function: the kernel's, or that of its form for layers that cannot be
        rounded once."""
        rounding = getattr(self.params, "range", None)
        is_twice = isinstance(rounding, OutputRange) and rounding.narrow != ONCE
        return f"{self.kernel}_twice" if is_twice and self.kernel in TWICE_KERNELS else self.kernel

    @property
    def arrays(self) -> list[Array]:
        """The constant arrays of the kernel."""
        return list(self.params.arrays())

    @property
    def scratch(self) -> int:
        """Bytes of scratch memory that a run needs, 0 if none."""
        return max([self.params.scratch_bytes, *(each.params.scratch_bytes for each in self.tiles)])

    @property
    def accumulates(self) -> bool:
        """Whether all runs add to the only row."""
        return self.output.rows * max(1, len(self.tiles)) != self.runs

    def row(self, run: int) -> int:
        """Return the number of the row that a run reads for."""
        if not self.tiles:
            return run
        group, slot = divmod(run, len(self.tiles) * self.rows_per_group)
        return group * self.rows_per_group + slot % self.rows_per_group

    def tile(self, run: int) -> int:
        """Return the number of the width tile that a run makes, 0 if it makes a whole row."""
        return run // self.rows_per_group % len(self.tiles) if self.tiles else 0

    def run(self, row: int, tile: int) -> int:
        """Return the number of the run that makes a width tile of a row."""
        group, slot = divmod(row, self.rows_per_group)
        return (group * max(1, len(self.tiles)) + tile) * self.rows_per_group + slot

    def output_row(self, run: int) -> int:
        """Return the number of the row that a run writes."""
        return 0 if self.accumulates else self.row(run)


@dataclass(eq=False)
class LoweredGraph:
    """A network as stages.

    Attributes:
        source: the name of the file, for error messages.
        stages: the stages in the order of the graph.
        inputs, outputs: the views of the network's inputs and outputs, in the order of the file;
            all exist as a whole, but for an input that is streamed. An output may be a view of what
            another output or an input shows.
        progress: the buffer that says, from one row of a streamed input to the next, how far each
            stage is; None if the input is not streamed. With it, the last stage stands for the
            front end, which makes the rows of the input.
    """

    source: str
    stages: Sequence[Stage]
    inputs: tuple[BufferView, ...]
    outputs: tuple[BufferView, ...]
    progress: Buffer | None = None

    @property
    def states(self) -> list[Buffer]:
        """The buffers that last from one inference to the next, in the order of their use."""
        found: dict[Buffer, None] = {}
        for stage in self.stages:
            views = [*(rows.view for rows in stage.inputs), stage.output]
            own = [stage.state] if stage.state is not None else []
            found |= dict.fromkeys([*(view.buffer for view in views if view.buffer.is_state), *own])
        return list(found)
