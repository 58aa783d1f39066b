"""The order in which stages make rows, and what of each storage exists when.

Rows are made on demand: before a stage runs, every row that it reads is made, which asks for the
rows before. So each storage holds no more rows than its readers still need. Nothing is computed
twice. At a cut, a stage makes all of its rows before what follows runs; cuts everywhere are the
order of an interpreter, layer by layer. Where the input comes row by row, every stage makes what
the rows so far allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from asc_tiny.codegen.compiler.program import Program, Stage, Storage, View


@dataclass(frozen=True, eq=False)
class Extent:
    """How much of a storage exists, and when.

    Attributes:
        rows: of the ring that holds it: row r lies at place ``r % rows``.
        first, last: steps of the schedule, both included; the input exists from step 0 on.
        lives: the same for each row, if all have places of their own.
        periods: parts of that time in which any row exists, apart from each other.
    """

    rows: int
    first: int
    last: int
    lives: Sequence[tuple[int, int]]
    periods: Sequence[tuple[int, int]]


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


class _Scheduler:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.order: list[int] = []
        self.runs = [0] * len(program.stages)
        self.writers: dict[Storage, list[int]] = {}
        for number, stage in enumerate(program.stages):
            self.writers.setdefault(stage.output.storage, []).append(number)
        self._makers: dict[tuple[View, int], list[tuple[int, int]]] = {}
        self._needs: dict[int, tuple[int, list[tuple[View, int]]]] = {}
        self._due: dict[tuple[int, int], int] = {}
        self.written: dict[Storage, dict[int, list[int]]] = {}
        self.read: dict[Storage, dict[int, int]] = {}

    def schedule(self, cuts: Sequence[int]) -> Schedule:
        output = self.program.output
        for whole in [*(self.program.stages[number].output for number in cuts), output]:
            for row in range(whole.rows):
                self.make(whole, row)
        # What does not reach the output still runs: the graph asks for it.
        for number, stage in enumerate(self.program.stages):
            while self.runs[number] < stage.runs:
                for view, row in self.needs(number):
                    self.make(view, row)
                self.run(number)
        return self.finished()

    def schedule_hops(self) -> Schedule:
        stages = self.program.stages
        front_end = len(stages) - 1
        hops = []
        for hop in range(stages[front_end].runs):
            hops.append(len(self.order))
            self.run(front_end)
            for number in reversed(range(front_end)):
                while self.runs[number] < stages[number].runs and self.due(number) <= hop:
                    for view, row in self.needs(number):
                        self.make(view, row)
                    self.run(number)
        return replace(self.finished(), hops=hops)

    def due(self, number: int) -> int:
        """Return the row of the input with which the next run of a stage becomes possible."""
        front_end = len(self.program.stages) - 1
        wanted = [(number, self.runs[number])]
        while wanted:
            stage, run = wanted[-1]
            before = [(stage, run - 1)] if run > 0 else []
            for view, row in self.needs_of(stage, run):
                before += [maker for maker in self.makers(view, row) if maker[1] >= 0]
            missing = [each for each in before if each not in self._due and each[0] != front_end]
            if missing:
                wanted += missing
                continue
            rows = [r if n == front_end else self._due[n, r] for n, r in before]
            self._due[stage, run] = max(rows, default=0)
            wanted.pop()
        return self._due[number, self.runs[number]]

    def finished(self) -> Schedule:
        output = self.program.output
        end = len(self.order) - 1
        reads = self.read.setdefault(output.storage, {})
        reads.update(dict.fromkeys(range(output.storage.rows), end))
        storages = dict.fromkeys(stage.output.storage for stage in self.program.stages)
        storages[self.program.input.storage] = None
        extents = {storage: self.extent(storage) for storage in storages}
        if self.program.state is not None:
            extents[self.program.state] = Extent(1, 0, end, [(0, end)], [(0, end)])
        return Schedule(tuple(self.order), extents)

    def make(self, view: View, row: int) -> None:
        """Run stages until a row is complete."""
        wanted = [(view, row)]
        while wanted:
            number = self.pending(*wanted[-1])
            if number is None:
                wanted.pop()
                continue
            missing = next(
                (need for need in self.needs(number) if self.pending(*need) is not None), None
            )
            if missing is None:
                self.run(number)
            else:
                wanted.append(missing)

    def pending(self, view: View, row: int) -> int | None:
        """Return a stage that must still run before a row is complete."""
        for number, last in self.makers(view, row):
            if self.runs[number] <= last:
                return number
        return None

    def makers(self, view: View, row: int) -> list[tuple[int, int]]:
        """Return the stages that write bytes of a row, each with the last run that does."""
        if (view, row) not in self._makers:
            writers = self.writers.get(view.storage, ())
            self._makers[view, row] = [
                (number, _last_run(self.program.stages[number], view, row)) for number in writers
            ]
        return self._makers[view, row]

    def needs(self, number: int) -> list[tuple[View, int]]:
        """Return the rows that the next run of a stage reads."""
        run = self.runs[number]
        if self._needs.get(number, (-1, []))[0] != run:
            self._needs[number] = (run, self.needs_of(number, run))
        return self._needs[number][1]

    def needs_of(self, number: int, run: int) -> list[tuple[View, int]]:
        """Return the rows that a run of a stage reads."""
        return [
            (rows.view, row)
            for rows in self.program.stages[number].inputs
            if rows.view.storage.constant is None
            for row in rows.of(run)
            if row is not None
        ]

    def run(self, number: int) -> None:
        stage, step = self.program.stages[number], len(self.order)
        for view, row in self.needs(number):
            reads = self.read.setdefault(view.storage, {})
            reads.update(dict.fromkeys(view.storage_rows(row), step))
        written = self.written.setdefault(stage.output.storage, {})
        for place in stage.output.storage_rows(stage.output_row(self.runs[number])):
            written.setdefault(place, []).append(step)
        self.order.append(number)
        self.runs[number] += 1

    def extent(self, storage: Storage) -> Extent:
        read, written = self.read.get(storage, {}), self.written.get(storage, {})
        first = min((steps[0] for steps in written.values()), default=0)
        last = max([first, *read.values(), *(steps[-1] for steps in written.values())])
        rows = storage.rows if not written or storage.whole else _ring(written, read)
        lives = [_life(written.get(row, ()), read.get(row, 0)) for row in range(storage.rows)]
        return Extent(rows, first, last, lives if rows == storage.rows else [], _joined(lives))


def _joined(lives: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the steps of all lives as periods apart from each other."""
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


def _last_run(stage: Stage, view: View, row: int) -> int:
    """Return the last run of a stage that writes bytes of a row, -1 if none does."""
    output = stage.output
    begin = view.begin(row)
    end = begin + view.row_size
    if output.rows != stage.runs:
        is_met = output.start < end and begin < output.start + output.row_size
        return stage.runs - 1 if is_met else -1
    # The last row that begins before the end, if it reaches beyond the beginning
    last = min(stage.runs - 1, (end - 1 - output.start) // output.pitch)
    return (
        last if last >= 0 and output.start + last * output.pitch + output.row_size > begin else -1
    )


def _ring(written: Mapping[int, Sequence[int]], read: Mapping[int, int]) -> int:
    """Return how many places a ring of rows needs so that none is overwritten before its last use.

    Row r lies at place r modulo the ring's size: rows that exist together must differ by less.
    """
    last = {row: max(steps[-1], read.get(row, -1)) for row, steps in written.items()}
    rows = sorted(written)
    size = 1
    for index, row in enumerate(rows):
        for later in rows[index + size :]:
            if written[later][0] <= last[row] and written[row][0] <= last[later]:
                size = max(size, later - row + 1)
    return size
