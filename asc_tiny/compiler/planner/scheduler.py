"""The order in which stages make rows, and which rows of each buffer exist when.

Rows are made on demand: before a stage runs, every row that it reads is made, which asks for the
rows before. So each buffer holds no more rows than its readers still need. Nothing is computed
twice. At a fusion cut, a stage makes all of its rows before what follows runs; cuts everywhere are
the order of an interpreter, layer by layer. Where the input is streamed, every stage makes what the
rows so far allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asc_tiny.compiler.ir import Buffer, LoweredGraph
from asc_tiny.compiler.planner.run_table import Run, RunTable


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
    return Scheduler(lowered).schedule(cuts)


def schedule_streaming(lowered: LoweredGraph) -> Schedule:
    """Find the order for a graph whose input is streamed.

    With each row all stages make what can be made, the last of them first, so that it asks for what
    it needs.
    """
    return Scheduler(lowered).schedule_streaming()


class Scheduler:
    """Orders of one graph.

    Args:
        lowered: the stages, in the order of the file.
    """

    def __init__(self, lowered: LoweredGraph) -> None:
        self.lowered = lowered
        self._table = RunTable(lowered)

    def schedule(self, cuts: Sequence[int] = ()) -> Schedule:
        """Find the order.

        Args:
            cuts: numbers of the stages that make all of their rows first, ascending.
        """
        order = _Order(self._table)
        stages = self.lowered.stages
        cut = [stages[number].output for number in cuts]
        for whole in [*cut, *self.lowered.outputs]:
            for row in range(whole.rows):
                for maker in self._table.makers(whole, row, 0):
                    order.complete(*maker)
        # What does not reach the output still runs: the graph asks for it.
        for number, stage in enumerate(stages):
            order.complete(number, stage.runs - 1)
        return Schedule(tuple(order.steps), _rolling_buffers(self._table, order.steps))

    def schedule_streaming(self) -> Schedule:
        """Find the order for an input that is streamed."""
        order = _Order(self._table)
        stages = self.lowered.stages
        front_end = len(stages) - 1
        eager = [n for n in reversed(range(front_end)) if not stages[n].on_demand]
        column_steps = []
        for column in range(stages[front_end].runs):
            column_steps.append(len(order.steps))
            order.run(front_end)
            for number in eager:
                while order.runs[number] < stages[number].runs and order.due(number) <= column:
                    order.complete(number, order.runs[number])
        buffers = _rolling_buffers(self._table, order.steps)
        return Schedule(tuple(order.steps), buffers, column_steps)


class _Order:
    """An order that grows step by step.

    Attributes:
        steps: the number of the stage of each step.
        runs: how often each stage has run.
    """

    def __init__(self, table: RunTable) -> None:
        self.steps: list[int] = []
        self.runs = [0] * len(table.lowered.stages)
        self._stages = table.lowered.stages
        self._before = table.before
        self._due: dict[Run, int] = {}
        self._updates = _updates_of_states(table)

    def complete(self, number: int, run: int) -> None:
        """Run stages until one has done a run of its own."""
        wanted, runs = [(number, run)], self.runs
        while wanted:
            number, run = wanted[-1]
            if runs[number] > run:
                wanted.pop()
                continue
            for each in self._before[number][runs[number]]:
                if runs[each[0]] <= each[1]:
                    wanted.append(each)
                    break
            else:
                self.run(number)

    def run(self, number: int) -> None:
        """Let a stage run once."""
        self.steps.append(number)
        self.runs[number] += 1
        if self.runs[number] == self._stages[number].runs:
            self._update(number)

    def due(self, number: int) -> int:
        """Return the number of the input row that makes the next run of a stage possible."""
        front_end = len(self._stages) - 1
        asked = (number, self.runs[number])
        wanted = [] if asked in self._due else [asked]
        while wanted:
            stage, run = wanted[-1]
            before = self._before[stage][run]
            before = [(stage, run - 1), *before] if run > 0 else before
            missing = [each for each in before if each not in self._due and each[0] != front_end]
            if missing:
                wanted += missing
                continue
            rows = [row if maker == front_end else self._due[maker, row] for maker, row in before]
            self._due[stage, run] = max(rows, default=0)
            wanted.pop()
        return self._due[asked]

    def _update(self, done: int) -> None:
        """Give states their new value that waited for a stage last of all."""
        for number, waits in self._updates.items():
            waits.discard(done)
            if not waits:
                while self.runs[number] < self._stages[number].runs:
                    self.run(number)


def _updates_of_states(table: RunTable) -> dict[int, set[int]]:
    """Return what each stage that gives a state its new value waits for.

    The stages that read the old value, and those that make the new one.
    """
    updates: dict[int, set[int]] = {}
    stages = table.lowered.stages
    for number, stage in enumerate(stages):
        if stage.is_update:
            readers = {
                other
                for other, each in enumerate(stages)
                if any(rows.view.buffer is stage.output.buffer for rows in each.inputs)
            }
            makers = {
                maker for rows in stage.inputs for maker in table.writers.get(rows.view.buffer, ())
            }
            updates[number] = (readers | makers) - {number}
    return updates


_NEVER = -1


@dataclass(eq=False)
class _RowSteps:
    """The steps at which rows are used, by their numbers in a ``RunTable``; -1 for never.

    Attributes:
        first_write, last_write, last_read: the first or last such step of each row.
    """

    first_write: list[int]
    last_write: list[int]
    last_read: list[int]

    @classmethod
    def of(cls, table: RunTable, order: Sequence[int]) -> _RowSteps:
        """Return the steps of all rows by an order."""
        count = table.row_count
        found = cls([_NEVER] * count, [_NEVER] * count, [_NEVER] * count)
        first, last, read = found.first_write, found.last_write, found.last_read
        stages = zip(table.reads, table.writes, strict=True)
        runs = [iter(zip(*each, strict=True)) for each in stages]
        for step, number in enumerate(order):
            reads, writes = next(runs[number])
            for row in reads:
                read[row] = step
            for row in writes:
                last[row] = step
                if first[row] == _NEVER:
                    first[row] = step
        for output in table.lowered.outputs:
            for row in table.rows[output.buffer]:
                read[row] = len(order) - 1
        return found

    def part(self, rows: range) -> _RowSteps:
        """Return those of the rows of a buffer."""
        part = slice(rows.start, rows.stop)
        return _RowSteps(self.first_write[part], self.last_write[part], self.last_read[part])

    def row_period(self, row: int) -> tuple[int, int]:
        """Return the first and the last step of a row; what no stage writes is there at once."""
        first = max(self.first_write[row], 0)
        return first, max(first, self.last_write[row], self.last_read[row])


def _rolling_buffers(table: RunTable, order: Sequence[int]) -> dict[Buffer, RollingBuffer]:
    """Return the rolling buffer of every buffer that is not constant."""
    lowered, steps, end = table.lowered, _RowSteps.of(table, order), len(order) - 1
    buffers = dict.fromkeys(stage.output.buffer for stage in lowered.stages)
    buffers |= dict.fromkeys(view.buffer for view in lowered.inputs)
    found = {buffer: _rolling_buffer(buffer, steps.part(table.rows[buffer])) for buffer in buffers}
    for state in lowered.states:
        found[state] = RollingBuffer(state.rows, 0, end, [], [[(0, end)]] * state.rows)
    if lowered.progress is not None:
        found[lowered.progress] = RollingBuffer(1, 0, end, [(0, end)], [[(0, end)]])
    return found


def _rolling_buffer(buffer: Buffer, steps: _RowSteps) -> RollingBuffer:
    written = [row for row, first in enumerate(steps.first_write) if first != _NEVER]
    first = min((steps.first_write[row] for row in written), default=0)
    last = max(first, *steps.last_write, *steps.last_read)
    slots = buffer.rows if not written or buffer.whole else _slots(written, steps)
    row_periods = [steps.row_period(row) for row in range(buffer.rows)]
    shares: list[list[tuple[int, int]]] = [[] for _ in range(slots)]
    for row in written:
        shares[row % slots].append(row_periods[row])
    slot_periods = [joined(share) for share in shares]
    return RollingBuffer(
        slots, first, last, row_periods if slots == buffer.rows else [], slot_periods
    )


def joined(row_periods: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return periods of steps, with those that touch each other as one."""
    periods: list[tuple[int, int]] = []
    for first, last in sorted(row_periods):
        if periods and first <= periods[-1][1] + 1:
            periods[-1] = (periods[-1][0], max(periods[-1][1], last))
        else:
            periods.append((first, last))
    return periods


def _slots(written: Sequence[int], steps: _RowSteps) -> int:
    """Return the number of slots with which no row is overwritten before its last use.

    Row r lies in slot r modulo this number: rows that exist together must differ by less.

    Args:
        written: the rows that are written, ascending.
        steps: the steps at which rows are used.
    """
    firsts = [steps.first_write[row] for row in written]
    lasts = [max(steps.last_write[row], steps.last_read[row]) for row in written]
    # Where rows are written one after the other, those that are written later need no look.
    is_ordered = firsts == sorted(firsts)
    size = 1
    for index, row in enumerate(written):
        for place in range(index + size, len(written)):
            if is_ordered and firsts[place] > lasts[index]:
                break
            if firsts[place] <= lasts[index] and firsts[index] <= lasts[place]:
                size = max(size, written[place] - row + 1)
    return size
