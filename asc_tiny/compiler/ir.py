"""The intermediate form: stages that make rows, and the storages in which rows lie.

A tensor is rows of bytes: an image of (height, width, channels) has `height` rows, anything else
is one row. A stage reads rows of one or several tensors and writes one row; convolutions and their
kin read a window of rows. That a layer needs only some rows at a time is what lets a network run in
a fraction of the memory of its tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array in C.

    ``weights`` are aligned to 16 bytes; those of type int8_t are in fours, which cores read in
    different orders.
    """

    name: str
    c_type: str
    values: NDArray[Any]
    weights: bool = False


@dataclass(eq=False)
class Storage:
    """Memory of a tensor, or of several that lie in one another.

    Attributes:
        name: for people.
        rows, row_size: how it is written; sizes are in bytes.
        whole: all rows must exist at the same time.
        in_parts: of each row, there is the part that is being worked on.
        constant: the array that holds it, None if it is computed.
    """

    name: str
    rows: int
    row_size: int
    whole: bool = False
    in_parts: bool = False
    constant: Array | None = None

    @property
    def size(self) -> int:
        """Bytes of all rows."""
        return self.rows * self.row_size


@dataclass(frozen=True, eq=False)
class View:
    """A tensor as rows in a storage.

    Attributes:
        storage: where it lies.
        start: byte of the first row in the storage, as if all of its rows existed.
        rows, row_size: how the tensor is read.
        pitch: bytes from one row to the next.
        repeat: how often each row shows, one after the other.
    """

    storage: Storage
    start: int
    rows: int
    row_size: int
    pitch: int
    repeat: int = 1

    @classmethod
    def of(cls, storage: Storage) -> View:
        """Return all of a storage, row by row."""
        return cls(storage, 0, storage.rows, storage.row_size, storage.row_size)

    @property
    def is_row_by_row(self) -> bool:
        """Whether each row lies in one row of the storage, at the same places in all of them."""
        size, unit = self.storage.row_size, self.unit
        return size % unit == 0 and self.start % unit + self.row_size <= unit

    @property
    def is_contiguous(self) -> bool:
        """Whether the rows follow each other without gaps."""
        return self.rows == 1 or (self.pitch == self.row_size and self.repeat == 1)

    @property
    def unit(self) -> int:
        """Bytes between the places of a ring that holds the rows."""
        return self.storage.row_size if self.rows == 1 else self.pitch

    def begin(self, row: int) -> int:
        """Return the byte of the storage that a row begins at."""
        return self.start + row // self.repeat * self.pitch

    def part(self, first: int, rows: int, offset: int, row_size: int) -> View:
        """Return the rows from ``first`` on, of each ``row_size`` bytes from ``offset`` on."""
        start = self.start + first * self.pitch + offset
        return View(self.storage, start, rows, row_size, self.pitch)

    def reshaped(self, rows: int, row_size: int) -> View:
        """Return the same bytes as other rows; they must be contiguous."""
        return View(self.storage, self.start, rows, row_size, row_size)

    def storage_rows(self, row: int) -> range:
        """Return the rows of the storage that a row lies in."""
        begin = self.begin(row)
        size = self.storage.row_size
        return range(begin // size, (begin + self.row_size - 1) // size + 1)


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a view that a stage reads for its row y.

    They are ``(y * factor + offset) // divisor + k * step`` for k = 0 to count - 1. Those below 0
    or behind the view are padding; if ``clamps``, the first and the last row stand for them.
    """

    view: View
    count: int = 1
    step: int = 1
    factor: int = 1
    offset: int = 0
    divisor: int = 1
    clamps: bool = False

    def of(self, y: int) -> list[int | None]:
        """Return the rows that row y reads, None for padding."""
        first = (y * self.factor + self.offset) // self.divisor
        rows = [first + k * self.step for k in range(self.count)]
        if self.clamps:
            rows = [min(max(row, 0), self.view.rows - 1) for row in rows]
        return [row if 0 <= row < self.view.rows else None for row in rows]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of each row of a stage.

    Attributes:
        fields: members of the structure in C for it.
        input, output: bytes from the beginning of the rows.
        scratch: bytes of working memory.
    """

    fields: Mapping[str, str]
    input: int
    output: int
    scratch: int


@dataclass(eq=False)
class Stage:
    """One layer's work on a row.

    Attributes:
        comment: operator and shapes.
        name: of the constant structure in C.
        kernel: the C function, without the prefix ``asc_``.
        fields: members of the structure as C text.
        inputs: what it reads.
        output: what it writes, a row at a time.
        runs: how often it runs; each run writes a row, a part of one, or adds to the only one.
        arrays: constants that ``fields`` name.
        scratch: bytes of working memory.
        scratch_row: of them, bytes that a row takes.
        scales: fields that are proportional to the rows that a run makes, if that may be several.
        work: multiply-accumulates of all runs.
        windows: that a run multiplies by the weights.
        on_demand: it runs only when another stage needs its rows.
        parts: of a row, if each is made in a run of its own.
        together: rows of which the first part is made before the second.
    """

    comment: str
    name: str
    kernel: str
    c_type: str
    fields: Mapping[str, str]
    inputs: Sequence[Rows]
    output: View
    runs: int
    arrays: Sequence[Array] = ()
    scratch: int = 0
    scratch_row: int = 0
    scales: Sequence[str] = ()
    work: int = 0
    windows: int = 0
    on_demand: bool = False
    parts: Sequence[Part] = ()
    together: int = 1

    @property
    def accumulates(self) -> bool:
        """Whether all runs go to the only row."""
        return self.output.rows * max(1, len(self.parts)) != self.runs

    def row(self, run: int) -> int:
        """Return the row that a run is for."""
        if not self.parts:
            return run
        group, place = divmod(run, len(self.parts) * self.together)
        return group * self.together + place % self.together

    def part(self, run: int) -> int:
        """Return the part of the row that a run makes."""
        return run // self.together % len(self.parts) if self.parts else 0

    def run(self, row: int, part: int) -> int:
        """Return the run that makes a part of a row."""
        group, place = divmod(row, self.together)
        return (group * max(1, len(self.parts)) + part) * self.together + place

    def output_row(self, run: int) -> int:
        """Return the row that a run writes."""
        return 0 if self.accumulates else self.row(run)


@dataclass(eq=False)
class Program:
    """A network as stages.

    Attributes:
        source: the file named in error messages.
        stages: in the order of the graph.
        input, output: of the network; they exist as a whole, but for an input that comes row by
            row.
        state: what stays from one row of the input to the next, if they come one by one. Then the
            last stage is the front end, which makes them.
    """

    source: str
    stages: Sequence[Stage]
    input: View
    output: View
    state: Storage | None = None
