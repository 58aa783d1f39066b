"""The order in which stages make rows, and which rows of each buffer exist when.

Rows are made on demand: before a stage runs, every row that it reads is made, which asks for the
rows before. So each buffer holds no more rows than its readers still need. Nothing is computed
twice. At a fusion cut, a stage makes all of its rows before what follows runs; cuts everywhere are
the order of an interpreter, layer by layer. Where the input is streamed, every stage makes what the
rows so far allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, Stage


@dataclass(frozen=True, eq=False)
class RollingBuffer:
    """How many rows of a buffer exist at the same time, and when.

    Attributes:
        slots: number of slots: row r lies in slot ``r % slots``.
        first, last: first and last step of the schedule at which the buffer is live; inputs are
            live from step 0 on.
        row_periods: first and last step of each row if all rows have slots of their own, else
            empty.
        slot_periods: the periods of steps in which each slot holds a row.
    """

    slots: int
    first: int
    last: int
    row_periods: Sequence[tuple[int, int]]
    slot_periods: Sequence[Sequence[tuple[int, int]]]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The order of the work.

    Attributes:
        order: the number of the stage of each step.
        rolling_buffers: the rolling buffer of every buffer that is not constant.
        column_steps: the step with which each row of a streamed input comes, else empty.
    """

    order: Sequence[int]
    rolling_buffers: dict[Buffer, RollingBuffer]
    column_steps: Sequence[int] = ()


def schedule(lowered: LoweredGraph, cuts: Sequence[int] = ()) -> Schedule:
    """Find the order for a graph whose stages are in the order of the file.

    Args:
        lowered: the stages.
        cuts: numbers of the stages that make all of their rows first, ascending.
    """
    return _Scheduler(lowered).schedule(cuts)


def schedule_streaming(lowered: LoweredGraph) -> Schedule:
    """Find the order for a graph whose input is streamed.

    With each row all stages make what can be made, the last of them first, so that it asks for what
    it needs.
    """
    return _Scheduler(lowered).schedule_streaming()


_Run = tuple[int, int]
"""A stage and its run."""


class _Scheduler:
    def __init__(self, lowered: LoweredGraph) -> None:
        self.lowered = lowered
        self.order: list[int] = []
        self.runs = [0] * len(lowered.stages)
        self.writers: dict[Buffer, list[int]] = {}
        for number, stage in enumerate(lowered.stages):
            # What is read of a state is there already.
            if not stage.is_update:
                self.writers.setdefault(stage.output.buffer, []).append(number)
        self.updates = self.updates_of_states()
        self._makers: dict[tuple[BufferView, int, int], list[_Run]] = {}
        self._before: dict[_Run, list[_Run]] = {}
        self._due: dict[_Run, int] = {}
        self.written: dict[Buffer, dict[int, list[int]]] = {}
        self.read: dict[Buffer, dict[int, int]] = {}

    def schedule(self, cuts: Sequence[int]) -> Schedule:
        cut = [self.lowered.stages[number].output for number in cuts]
        for whole in [*cut, *self.lowered.outputs]:
            for row in range(whole.rows):
                for maker in self.makers(whole, row, 0):
                    self.complete(*maker)
        # What does not reach the output still runs: the graph asks for it.
        for number, stage in enumerate(self.lowered.stages):
            self.complete(number, stage.runs - 1)
        return self.finished()

    def schedule_streaming(self) -> Schedule:
        stages = self.lowered.stages
        front_end = len(stages) - 1
        eager = [n for n in reversed(range(front_end)) if not stages[n].on_demand]
        column_steps = []
        for column in range(stages[front_end].runs):
            column_steps.append(len(self.order))
            self.run(front_end)
            for number in eager:
                while self.runs[number] < stages[number].runs and self.due(number) <= column:
                    self.complete(number, self.runs[number])
        return replace(self.finished(), column_steps=column_steps)

    def due(self, number: int) -> int:
        """Return the number of the input row that makes the next run of a stage possible."""
        front_end = len(self.lowered.stages) - 1
        asked = (number, self.runs[number])
        wanted = [] if asked in self._due else [asked]
        while wanted:
            stage, run = wanted[-1]
            before = self.before(stage, run)
            before = [(stage, run - 1), *before] if run > 0 else before
            missing = [each for each in before if each not in self._due and each[0] != front_end]
            if missing:
                wanted += missing
                continue
            rows = [row if maker == front_end else self._due[maker, row] for maker, row in before]
            self._due[stage, run] = max(rows, default=0)
            wanted.pop()
        return self._due[asked]

    def finished(self) -> Schedule:
        end = len(self.order) - 1
        for output in self.lowered.outputs:
            reads = self.read.setdefault(output.buffer, {})
            reads.update(dict.fromkeys(range(output.buffer.rows), end))
        buffers = dict.fromkeys(stage.output.buffer for stage in self.lowered.stages)
        buffers |= dict.fromkeys(view.buffer for view in self.lowered.inputs)
        rolling_buffers = {buffer: self.rolling_buffer(buffer) for buffer in buffers}
        for state in self.lowered.states:
            periods = [[(0, end)]] * state.rows
            rolling_buffers[state] = RollingBuffer(state.rows, 0, end, [], periods)
        if self.lowered.state is not None:
            rolling_buffers[self.lowered.state] = RollingBuffer(1, 0, end, [(0, end)], [[(0, end)]])
        return Schedule(tuple(self.order), rolling_buffers)

    def complete(self, number: int, run: int) -> None:
        """Run stages until one has done a run of its own."""
        wanted = [(number, run)]
        while wanted:
            number, run = wanted[-1]
            if self.runs[number] > run:
                wanted.pop()
                continue
            before = self.before(number, self.runs[number])
            missing = next((each for each in before if self.runs[each[0]] <= each[1]), None)
            if missing is None:
                self.run(number)
            else:
                wanted.append(missing)

    def before(self, number: int, run: int) -> list[_Run]:
        """Return the runs of others that a run needs."""
        if (number, run) not in self._before:
            tile = self.lowered.stages[number].tile(run)
            self._before[number, run] = [
                maker
                for view, row in self.needs(number, run)
                for maker in self.makers(view, row, tile)
                if maker[1] >= 0
            ]
        return self._before[number, run]

    def makers(self, view: BufferView, row: int, tile: int) -> list[_Run]:
        """Return the stages that write bytes of a row or of a tile, each with its last run."""
        tile = tile if view.buffer.by_tile else -1
        if (view, row, tile) not in self._makers:
            self._makers[view, row, tile] = [
                (number, _last_run(self.lowered.stages[number], view, row, tile))
                for number in self.writers.get(view.buffer, ())
            ]
        return self._makers[view, row, tile]

    def needs(self, number: int, run: int) -> list[tuple[BufferView, int]]:
        """Return the rows that a run of a stage reads."""
        stage = self.lowered.stages[number]
        return [
            (rows.view, row)
            for rows in stage.inputs
            if rows.view.buffer.constant is None
            for row in rows.read_rows(stage.row(run))
            if row is not None
        ]

    def run(self, number: int) -> None:
        stage, run, step = self.lowered.stages[number], self.runs[number], len(self.order)
        for view, row in self.needs(number, run):
            reads = self.read.setdefault(view.buffer, {})
            reads.update(dict.fromkeys(view.buffer_rows(row), step))
        written = self.written.setdefault(stage.output.buffer, {})
        for place in stage.output.buffer_rows(stage.output_row(run)):
            written.setdefault(place, []).append(step)
        self.order.append(number)
        self.runs[number] += 1
        if self.runs[number] == stage.runs:
            self.update(number)

    def updates_of_states(self) -> dict[int, set[int]]:
        """Return what each stage that gives a state its new value waits for.

        The stages that read the old value, and those that make the new one.
        """
        updates: dict[int, set[int]] = {}
        for number, stage in enumerate(self.lowered.stages):
            if stage.is_update:
                readers = {
                    other
                    for other, each in enumerate(self.lowered.stages)
                    if any(rows.view.buffer is stage.output.buffer for rows in each.inputs)
                }
                makers = {
                    maker
                    for rows in stage.inputs
                    for maker in self.writers.get(rows.view.buffer, ())
                }
                updates[number] = (readers | makers) - {number}
        return updates

    def update(self, done: int) -> None:
        """Give states their new value that waited for a stage last of all."""
        for number, waits in self.updates.items():
            waits.discard(done)
            if not waits:
                while self.runs[number] < self.lowered.stages[number].runs:
                    self.run(number)

    def rolling_buffer(self, buffer: Buffer) -> RollingBuffer:
        read, written = self.read.get(buffer, {}), self.written.get(buffer, {})
        first = min((steps[0] for steps in written.values()), default=0)
        last = max([first, *read.values(), *(steps[-1] for steps in written.values())])
        slots = buffer.rows if not written or buffer.whole else _slots(written, read)
        row_periods = [_life(written.get(row, ()), read.get(row, 0)) for row in range(buffer.rows)]
        shares: list[list[tuple[int, int]]] = [[] for _ in range(slots)]
        for row in written:
            shares[row % slots].append(row_periods[row])
        slot_periods = [joined(share) for share in shares]
        if slots < buffer.rows:
            row_periods = []
        return RollingBuffer(slots, first, last, row_periods, slot_periods)


def joined(row_periods: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return periods of steps, with those that touch each other as one."""
    periods: list[tuple[int, int]] = []
    for first, last in sorted(row_periods):
        if periods and first <= periods[-1][1] + 1:
            periods[-1] = (periods[-1][0], max(periods[-1][1], last))
        else:
            periods.append((first, last))
    return periods


def _life(written: Sequence[int], read: int) -> tuple[int, int]:
    """Return the first and the last step of a row; a row that no stage writes is there at once."""
    first = written[0] if written else 0
    return first, max([first, read, *written])


def _last_run(stage: Stage, view: BufferView, row: int, tile: int) -> int:
    """Return the last run of a stage that writes bytes of a row, or of a tile, -1 if none does."""
    output = stage.output
    begin = view.begin(row)
    end = begin + view.row_bytes
    if stage.accumulates:
        is_met = output.start < end and begin < output.start + output.row_bytes
        return stage.runs - 1 if is_met else -1
    # The last row that begins before the end, if it reaches beyond the beginning
    last = min(output.rows - 1, (end - 1 - output.start) // output.pitch)
    if last < 0 or output.start + last * output.pitch + output.row_bytes <= begin:
        return -1
    return stage.run(last, tile if tile >= 0 else max(len(stage.tiles), 1) - 1)


def _slots(written: Mapping[int, Sequence[int]], read: Mapping[int, int]) -> int:
    """Return the number of slots with which no row is overwritten before its last use.

    Row r lies in slot r modulo this number: rows that exist together must differ by less.
    """
    last = {row: max(steps[-1], read.get(row, -1)) for row, steps in written.items()}
    rows = sorted(written)
    firsts = [written[row][0] for row in rows]
    # Where rows are written one after the other, those that are written later need no look.
    is_ordered = firsts == sorted(firsts)
    size = 1
    for index, row in enumerate(rows):
        for place in range(index + size, len(rows)):
            later = rows[place]
            if is_ordered and firsts[place] > last[row]:
                break
            if written[later][0] <= last[row] and written[row][0] <= last[later]:
                size = max(size, later - row + 1)
    return size
