"""The order in which stages make rows, and what of each storage exists when.

Rows are made on demand: before a stage runs, every row that it reads is made, which asks for the
rows before. So each storage holds no more rows than its readers still need. Nothing is computed
twice. At a cut, a stage makes all of its rows before what follows runs; cuts everywhere are the
order of an interpreter, layer by layer. Where the input comes row by row, every stage makes what
the rows so far allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from asc_tiny.compiler.ir import Program, Stage, Storage, View


@dataclass(frozen=True, eq=False)
class Extent:
    """How much of a storage exists, and when.

    Attributes:
        rows: of the ring that holds it: row r lies at place ``r % rows``.
        first, last: steps of the schedule, both included; the input exists from step 0 on.
        lives: the same for each row, if all have places of their own.
        places: of each place of the ring, the parts of that time in which it holds a row.
    """

    rows: int
    first: int
    last: int
    lives: Sequence[tuple[int, int]]
    places: Sequence[Sequence[tuple[int, int]]]


@dataclass(frozen=True, eq=False)
class Schedule:
    """The order of the work.

    Attributes:
        order: the stage of each step, by its number in the program.
        extents: of every storage that is not constant.
        hops: the step with which each row of the input comes, if they come one by one.
    """

    order: Sequence[int]
    extents: dict[Storage, Extent]
    hops: Sequence[int] = ()


def schedule(program: Program, cuts: Sequence[int] = ()) -> Schedule:
    """Find the order for a program whose stages are in the order of the graph.

    Args:
        program: the stages.
        cuts: numbers of stages that make all of their rows first, ascending.
    """
    return _Scheduler(program).schedule(cuts)


def schedule_hops(program: Program) -> Schedule:
    """Find the order for a program whose input comes row by row.

    With each row all stages make what can be made, the last of them first, so that it asks for what
    it needs.
    """
    return _Scheduler(program).schedule_hops()


_Run = tuple[int, int]
"""A stage and its run."""


class _Scheduler:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.order: list[int] = []
        self.runs = [0] * len(program.stages)
        self.writers: dict[Storage, list[int]] = {}
        for number, stage in enumerate(program.stages):
            self.writers.setdefault(stage.output.storage, []).append(number)
        self._makers: dict[tuple[View, int, int], list[_Run]] = {}
        self._before: dict[_Run, list[_Run]] = {}
        self._due: dict[_Run, int] = {}
        self.written: dict[Storage, dict[int, list[int]]] = {}
        self.read: dict[Storage, dict[int, int]] = {}

    def schedule(self, cuts: Sequence[int]) -> Schedule:
        output = self.program.output
        for whole in [*(self.program.stages[number].output for number in cuts), output]:
            for row in range(whole.rows):
                for maker in self.makers(whole, row, 0):
                    self.complete(*maker)
        # What does not reach the output still runs: the graph asks for it.
        for number, stage in enumerate(self.program.stages):
            self.complete(number, stage.runs - 1)
        return self.finished()

    def schedule_hops(self) -> Schedule:
        stages = self.program.stages
        front_end = len(stages) - 1
        eager = [n for n in reversed(range(front_end)) if not stages[n].on_demand]
        hops = []
        for hop in range(stages[front_end].runs):
            hops.append(len(self.order))
            self.run(front_end)
            for number in eager:
                while self.runs[number] < stages[number].runs and self.due(number) <= hop:
                    self.complete(number, self.runs[number])
        return replace(self.finished(), hops=hops)

    def due(self, number: int) -> int:
        """Return the row of the input with which the next run of a stage becomes possible."""
        front_end = len(self.program.stages) - 1
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
        output = self.program.output
        end = len(self.order) - 1
        reads = self.read.setdefault(output.storage, {})
        reads.update(dict.fromkeys(range(output.storage.rows), end))
        storages = dict.fromkeys(stage.output.storage for stage in self.program.stages)
        storages[self.program.input.storage] = None
        extents = {storage: self.extent(storage) for storage in storages}
        if self.program.state is not None:
            extents[self.program.state] = Extent(1, 0, end, [(0, end)], [[(0, end)]])
        return Schedule(tuple(self.order), extents)

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
            part = self.program.stages[number].part(run)
            self._before[number, run] = [
                maker
                for view, row in self.needs(number, run)
                for maker in self.makers(view, row, part)
                if maker[1] >= 0
            ]
        return self._before[number, run]

    def makers(self, view: View, row: int, part: int) -> list[_Run]:
        """Return the stages that write bytes of a row, or of a part, each with the last run."""
        part = part if view.storage.in_parts else -1
        if (view, row, part) not in self._makers:
            self._makers[view, row, part] = [
                (number, _last_run(self.program.stages[number], view, row, part))
                for number in self.writers.get(view.storage, ())
            ]
        return self._makers[view, row, part]

    def needs(self, number: int, run: int) -> list[tuple[View, int]]:
        """Return the rows that a run of a stage reads."""
        stage = self.program.stages[number]
        return [
            (rows.view, row)
            for rows in stage.inputs
            if rows.view.storage.constant is None
            for row in rows.of(stage.row(run))
            if row is not None
        ]

    def run(self, number: int) -> None:
        stage, run, step = self.program.stages[number], self.runs[number], len(self.order)
        for view, row in self.needs(number, run):
            reads = self.read.setdefault(view.storage, {})
            reads.update(dict.fromkeys(view.storage_rows(row), step))
        written = self.written.setdefault(stage.output.storage, {})
        for place in stage.output.storage_rows(stage.output_row(run)):
            written.setdefault(place, []).append(step)
        self.order.append(number)
        self.runs[number] += 1

    def extent(self, storage: Storage) -> Extent:
        read, written = self.read.get(storage, {}), self.written.get(storage, {})
        first = min((steps[0] for steps in written.values()), default=0)
        last = max([first, *read.values(), *(steps[-1] for steps in written.values())])
        rows = storage.rows if not written or storage.whole else _ring(written, read)
        lives = [_life(written.get(row, ()), read.get(row, 0)) for row in range(storage.rows)]
        shares: list[list[tuple[int, int]]] = [[] for _ in range(rows)]
        for row in written:
            shares[row % rows].append(lives[row])
        places = [joined(share) for share in shares]
        return Extent(rows, first, last, lives if rows == storage.rows else [], places)


def joined(lives: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return steps from first to last each, as periods apart from each other."""
    periods: list[tuple[int, int]] = []
    for first, last in sorted(lives):
        if periods and first <= periods[-1][1] + 1:
            periods[-1] = (periods[-1][0], max(periods[-1][1], last))
        else:
            periods.append((first, last))
    return periods


def _life(written: Sequence[int], read: int) -> tuple[int, int]:
    """Return the first and the last step of a row; one that no stage writes is there at once."""
    first = written[0] if written else 0
    return first, max([first, read, *written])


def _last_run(stage: Stage, view: View, row: int, part: int) -> int:
    """Return the last run of a stage that writes bytes of a row, or of a part, -1 if none does."""
    output = stage.output
    begin = view.begin(row)
    end = begin + view.row_size
    if stage.accumulates:
        is_met = output.start < end and begin < output.start + output.row_size
        return stage.runs - 1 if is_met else -1
    # The last row that begins before the end, if it reaches beyond the beginning
    last = min(output.rows - 1, (end - 1 - output.start) // output.pitch)
    if last < 0 or output.start + last * output.pitch + output.row_size <= begin:
        return -1
    return stage.run(last, part if part >= 0 else max(len(stage.parts), 1) - 1)


def _ring(written: Mapping[int, Sequence[int]], read: Mapping[int, int]) -> int:
    """Return how many places a ring of rows needs so that none is overwritten before its last use.

    Row r lies at place r modulo the ring's size: rows that exist together must differ by less.
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
