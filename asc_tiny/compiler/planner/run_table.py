"""What each run of each stage reads and writes, and which runs must come before it.

All of it follows from the stages alone, so that a table serves every order that is tried. Rows of
buffers have numbers of their own in it, those of one buffer after those of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, Stage

Run = tuple[int, int]
"""The number of a stage and the number of its run."""

_WHOLE_ROW = -1
"""Stands for the number of a width tile."""
_NONE = -1
"""Stands for the number of a run."""


class RunTable:
    """The runs of a graph.

    Args:
        lowered: the stages.

    Attributes:
        lowered: the stages.
        writers: numbers of the stages that write a buffer, without those that give a state its new
            value: what is read of a state is there already.
        rows: the numbers that the rows of each buffer have in this table.
        before: for each stage and each of its runs, the runs of other stages that it needs.
        reads, writes: for each stage and each of its runs, the rows that it reads and writes.
    """

    def __init__(self, lowered: LoweredGraph) -> None:
        self.lowered = lowered
        self.writers: dict[Buffer, list[int]] = {}
        for number, stage in enumerate(lowered.stages):
            if not stage.is_update:
                self.writers.setdefault(stage.output.buffer, []).append(number)
        self._makers: dict[tuple[BufferView, int, int], list[Run]] = {}
        self.rows: dict[Buffer, range] = {}
        self.before: list[list[Sequence[Run]]] = []
        self.reads: list[list[Sequence[int]]] = []
        for stage in lowered.stages:
            self._add(stage)
        self.writes = [self._written(stage) for stage in lowered.stages]
        for view in (*lowered.inputs, *lowered.outputs):
            self._numbers(view.buffer)

    @property
    def row_count(self) -> int:
        """Number of rows of all buffers."""
        return sum(map(len, self.rows.values()))

    def makers(self, view: BufferView, row: int, tile: int) -> list[Run]:
        """Return the stages that write bytes of a row or of a tile, each with its last run."""
        asked = view, row, tile if view.buffer.by_tile else _WHOLE_ROW
        found = self._makers.get(asked)
        if found is None:
            stages = self.lowered.stages
            writers = self.writers.get(view.buffer, ())
            runs = [(number, _last_run(stages[number], *asked)) for number in writers]
            found = self._makers[asked] = [each for each in runs if each[1] != _NONE]
        return found

    def _add(self, stage: Stage) -> None:
        """Add what the runs of a stage need and read."""
        accesses = [each for each in stage.inputs if each.view.buffer.constant is None]
        read = [self._read(each.view) for each in accesses]
        befores: list[Sequence[Run]] = []
        reads: list[Sequence[int]] = []
        for run in range(stage.runs):
            y, tile = stage.row(run), stage.tile(run)
            before: list[Run] = []
            places: list[int] = []
            for access, of_row in zip(accesses, read, strict=True):
                for row in access.read_rows(y):
                    if row is None:
                        continue
                    places += of_row[row]
                    before += self.makers(access.view, row, tile)
            befores.append(_without_repetition(before))
            reads.append(places)
        self.before.append(befores)
        self.reads.append(reads)

    def _read(self, view: BufferView) -> list[range]:
        """Return the rows of the buffer that each row of a view lies in."""
        numbers = self._numbers(view.buffer)
        return [_part(numbers, view.buffer_rows(row)) for row in range(view.rows)]

    def _written(self, stage: Stage) -> list[Sequence[int]]:
        numbers, output = self._numbers(stage.output.buffer), stage.output
        return [
            _part(numbers, output.buffer_rows(stage.output_row(run))) for run in range(stage.runs)
        ]

    def _numbers(self, buffer: Buffer) -> range:
        if buffer not in self.rows:
            first = self.row_count
            self.rows[buffer] = range(first, first + buffer.rows)
        return self.rows[buffer]


def _part(numbers: range, rows: range) -> range:
    assert rows.stop <= len(numbers), "a row behind its buffer"
    return numbers[rows.start : rows.stop]


def _without_repetition(runs: Iterable[Run]) -> list[Run]:
    """Return runs without those that the next one of the same stage asks for as well."""
    found: list[Run] = []
    for number, run in runs:
        if found and found[-1][0] == number:
            found[-1] = number, max(run, found[-1][1])
        else:
            found.append((number, run))
    return found


def _last_run(stage: Stage, view: BufferView, row: int, tile: int) -> int:
    """Return the last run of a stage that writes bytes of a row, or of a tile, -1 if none does."""
    output = stage.output
    begin = view.begin(row)
    end = begin + view.row_bytes
    if stage.accumulates:
        is_met = output.start < end and begin < output.start + output.row_bytes
        return stage.runs - 1 if is_met else _NONE
    # The last row that begins before the end, if it reaches beyond the beginning
    last = min(output.rows - 1, (end - 1 - output.start) // output.pitch)
    if last < 0 or output.start + last * output.pitch + output.row_bytes <= begin:
        return _NONE
    return stage.run(last, max(len(stage.tiles), 1) - 1 if tile == _WHOLE_ROW else tile)
