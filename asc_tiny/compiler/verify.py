"""Checks after each pass: a fault of the compiler stops the generator, never a device.

``check_plan`` runs a network without its arithmetic. Each byte of the arena knows which byte of
which buffer it holds. A run must find the bytes that it reads, at the addresses that the runtime
computes, then its scratch memory and its output take theirs. So what was not written yet, what was
overwritten too early, and places that share a byte are found, however they came about.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage, WidthTile
from asc_tiny.compiler.kernel_params import (
    CHANNEL,
    ELEMENTS,
    KERNELS,
    ONCE_TYPE,
    Array,
    KernelParams,
    Struct,
)
from asc_tiny.compiler.passes.width_tiles import SlidingWindow
from asc_tiny.compiler.planner.arena_allocator import ALIGNMENT, ArenaPlan
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.slots import Slots
from asc_tiny.tflite.graph import ABSENT, Graph
from asc_tiny.util.errors import AscError

_INT16, _INT32, _UINT16 = (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (0, 2**16 - 1)
_MOST_STAGES, _MOST_RUNS, _MOST_BYTES = 4095, 2**16 - 1, 2**31 - 1

_READ_BEHIND = 3
"""Bytes behind a row that kernels may load, and ignore."""


class VerifyError(AscError):
    """What no pass may leave behind: the compiler is wrong, not the model."""


@contextmanager
def named(source: str, name: str) -> Iterator[None]:
    """Name file and pass in the message of a fault."""
    try:
        yield
    except VerifyError as error:
        raise VerifyError(
            f"{source}: fault of the compiler after pass {name}: {error}; please report it"
        ) from error


def check_graph(graph: Graph) -> None:
    """Check that every tensor is made before it is read, outputs too.

    Raises:
        VerifyError: one is not.
    """
    made = {*graph.inputs, ABSENT}
    made |= {tensor.index for tensor in graph.tensors if tensor.is_constant or tensor.is_variable}
    for operator in graph.operators:
        for index in operator.inputs:
            # What has no elements is there without being made.
            if index not in made and graph.tensor(index).size:
                raise VerifyError(f"operator {operator.index} reads tensor {index} too early")
        made |= set(operator.outputs)
    for index in graph.outputs:
        if index not in made:
            raise VerifyError(f"nothing makes output tensor {index}")


def check_stages(lowered: LoweredGraph) -> None:
    """Check that views lie inside of their buffers and parameters are those of their kernels.

    Each stage that runs a kernel has a name of its own, which its structures in C get.

    Raises:
        VerifyError: something is not as stages must be.
    """
    names = [stage.name for stage in lowered.stages if stage.kernel]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise VerifyError(f"{names.count(twice)} stages are called {twice}")
    for stage in lowered.stages:
        for view in (stage.output, *(rows.view for rows in stage.inputs)):
            _check_view(stage, view)
        if stage.kernel:
            for params in (stage.params, *(tile.params for tile in stage.tiles)):
                _check_params(stage, params)
        if stage.runs % max(1, len(stage.tiles)) or min(stage.runs, stage.rows_per_group) < 1:
            raise VerifyError(f"{stage.comment}: {stage.runs} runs in {len(stage.tiles)} tiles")
    for view in (*lowered.inputs, *lowered.outputs):
        _check_view(lowered.stages[-1], view)
    for state in lowered.states:
        if not 0 < len(state.initial or b"") <= state.size:
            raise VerifyError(
                f"state {state.name} of {state.size} bytes has no first value of them"
            )


def _check_view(stage: Stage, view: BufferView) -> None:
    end = view.begin(view.rows - 1) + view.row_bytes
    if min(view.start, view.begin(view.rows - 1)) < 0 or end > view.buffer.size:
        raise VerifyError(f"{stage.comment}: rows beyond buffer {view.buffer.name}")


def _check_params(stage: Stage, params: KernelParams) -> None:
    if type(params) is not KERNELS[stage.kernel]:
        raise VerifyError(f"{stage.comment}: parameters of another kernel than {stage.kernel}")
    for kind, array in _arrays(params):
        kinds = {ELEMENTS[CHANNEL], ONCE_TYPE} if kind == "void" else {kind}
        if array.c_type not in kinds:
            raise VerifyError(f"{stage.comment}: {array.name} is {array.c_type}, must be {kind}")


def _arrays(struct: Struct) -> Iterator[tuple[str, Array]]:
    """Yield each array of a structure with the type that its member has in C."""
    types = _array_types(type(struct))
    for name, value in struct.members():
        if isinstance(value, Array):
            yield types[name], value
        elif isinstance(value, Struct):
            yield from _arrays(value)


def _array_types(kind: type[Struct]) -> dict[str, str]:
    """Return the type in C of the elements of each member that is an array."""
    found = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for each in (hint, *get_args(hint)):
            if get_origin(each) is Annotated and get_args(each)[0] is Array:
                found[name] = get_args(each)[1]
    return found


def check_plan(compiled: Compiled) -> None:
    """Check the numbers of a plan, then run it without its arithmetic.

    Raises:
        VerifyError: a run would find other bytes than it must.
        AscError: the network is beyond what the runtime can number.
    """
    check_limits(compiled)
    check_placements(compiled.arena)
    _Machine(compiled).run()


def check_placements(arena: ArenaPlan) -> None:
    """Check that live ranges lie in the arena, and no two share a byte while both are live.

    Raises:
        VerifyError: one does not, or two do.
    """
    placements = sorted(arena.placements, key=lambda each: each.offset)
    for number, (one, offset) in enumerate(placements):
        end = offset + one.size
        if offset < 0 or end > arena.size:
            raise VerifyError(f"{one.name} ends at byte {end} of {arena.size}")
        for other, begin in itertools.islice(placements, number + 1, None):
            if begin >= end:
                break
            # Stages that take turns share one range.
            if other is not one and one.meets(other):
                raise VerifyError(f"{one.name} and {other.name} share byte {begin}")


def check_limits(compiled: Compiled) -> None:
    """Check that every number fits its member in C.

    Raises:
        AscError: one does not; the message names it and what is supported.
    """
    lowered = compiled.lowered
    counts = (
        (len(lowered.stages), _MOST_STAGES, "stages"),
        (max(stage.runs for stage in lowered.stages), _MOST_RUNS, "runs of a stage"),
        (compiled.arena.size, _MOST_BYTES, "bytes of arena"),
    )
    for count, most, name in counts:
        if count > most:
            raise AscError(f"{lowered.source}: {count:,} {name}, at most {most:,} are supported")
    for stage in lowered.stages:
        for (lowest, highest), number in _numbers(compiled, stage):
            if not lowest <= number <= highest:
                raise AscError(
                    f"{lowered.source}: {stage.comment}: needs the number {number:,}, at most "
                    f"{highest:,} is supported"
                )


def _numbers(compiled: Compiled, stage: Stage) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield the numbers of a stage, each with the range of its member in C."""
    for view in (stage.output, *(rows.view for rows in stage.inputs)):
        slots = Slots.of(view, compiled.schedule, compiled.arena)
        yield from ((_UINT16, each) for each in (slots.first, slots.count, slots.repeat))
        yield from ((_INT32, each) for each in (slots.offset, slots.pitch))
    for rows in stage.inputs:
        rule = (rows.count, rows.step, rows.factor, rows.offset, rows.divisor)
        yield from ((_INT16, each) for each in (rows.view.rows, *rule))
    for tile in stage.tiles:
        yield from ((_UINT16, each) for each in (tile.input, tile.output))
    for params in {stage.params, *(tile.params for tile in stage.tiles)}:
        yield from ((_INT32, each) for each in _integers(params))


def _integers(value: object) -> Iterator[int]:
    """Yield all numbers of a structure."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, tuple):
        yield from value
    elif isinstance(value, Struct):
        for _, member in value.members():
            yield from _integers(member)


_NOTHING, _SCRATCH, _PARTIAL = -1, -2, -3
"""What a byte of the arena holds that is no byte of a buffer; from _PARTIAL on downwards, what a
stage has added up so far."""


class _Machine:
    """The arena while a network runs: which byte of which buffer each of its bytes holds."""

    def __init__(self, compiled: Compiled) -> None:
        self.lowered, self.schedule = compiled.lowered, compiled.schedule
        self.arena = compiled.arena
        self.bytes = np.full(self.arena.size, _NOTHING, np.int64)
        self.runs = [0] * len(self.lowered.stages)
        self._first: dict[Buffer, int] = {}
        self._next = 0
        self.kept = {state: replace(state) for state in self.lowered.states}
        self._slots: dict[BufferView, Slots] = {}
        self.tiles = max(1, *(len(stage.tiles) for stage in self.lowered.stages))

    def run(self) -> None:
        """Run all steps."""
        streams = self.lowered.progress is not None
        if not streams:
            for view in self.lowered.inputs:
                self.write_rows(view)
        progress = self.lowered.progress and BufferView.of(self.lowered.progress)
        if progress:
            self.write_rows(progress)
        for buffer in self.kept:
            begin = self.arena.offsets[buffer]
            names = self.every_name(buffer)[: len(buffer.initial or b"")]
            self.write("the caller", slice(begin, begin + len(names)), names)
        for number in self.schedule.order:
            self.step(number)
        for stage, runs in zip(self.lowered.stages, self.runs, strict=True):
            if runs != stage.runs:
                raise VerifyError(f"{stage.comment}: {runs} runs, must be {stage.runs}")
        for view in (*self.lowered.outputs, *([progress] if progress else [])):
            for row in range(view.rows):
                self.read("the caller", view, row, 0, view.row_bytes, 0)
        for buffer in self.kept:
            self.check_state(buffer)
        if self.arena.size % ALIGNMENT:
            raise VerifyError(f"arena of {self.arena.size} bytes is not aligned")

    def step(self, number: int) -> None:
        """Make a run of a stage."""
        stage, run = self.lowered.stages[number], self.runs[number]
        self.runs[number] += 1
        index = stage.tile(run)
        tile = stage.tiles[index] if stage.tiles else None
        read = [
            self.read(stage.comment, rows.view, row, *_input(rows, tile), index)
            for rows in stage.inputs
            if rows.view.buffer.constant is None
            for row in rows.read_rows(stage.row(run))
            if row is not None
        ]
        scratch = slice(0, 0)
        if stage.state is not None:
            scratch = self.update(stage, run, stage.state)
        elif stage.scratch:
            begin = self.arena.scratch[number]
            scratch = slice(begin, begin + stage.scratch)
            self.write(stage.comment, scratch, np.int64(_SCRATCH))
        self.write_output(number, run, tile, index, [*read, scratch])

    def write_output(
        self, number: int, run: int, tile: WidthTile | None, index: int, others: list[slice]
    ) -> None:
        """Write the row of a run, which may not lie where the run reads."""
        stage = self.lowered.stages[number]
        view, row = stage.output, stage.output_row(run)
        inside, size = _output(view, tile)
        begin = self.slots(view).address(row) + inside
        place = slice(begin, begin + size)
        if any(place.start < other.stop and other.start < place.stop for other in others):
            raise VerifyError(f"{stage.comment}: run {run} writes where it reads")
        partial = _PARTIAL - number
        if stage.accumulates and run and (self.bytes[place] != partial).any():
            raise VerifyError(f"{stage.comment}: run {run} finds no sums of the runs before")
        is_last = not stage.accumulates or run == stage.runs - 1
        named = replace(view, buffer=self.kept[view.buffer]) if stage.is_update else view
        made = self.names(named, row, inside, size, index) if is_last else np.int64(partial)
        self.write(stage.comment, place, made)

    def update(self, stage: Stage, run: int, state: Buffer) -> slice:
        """Let a kernel read and write what it keeps, which nobody else has written meanwhile."""
        begin, partial = self.arena.offsets[state], _PARTIAL - self.lowered.stages.index(stage)
        place = slice(begin, begin + state.size)
        found = self.every_name(state) if run == 0 else np.int64(partial)
        if (self.bytes[place] != found).any():
            raise VerifyError(f"{stage.comment}: run {run} finds another state")
        is_last = run == stage.runs - 1
        self.write(
            stage.comment,
            place,
            self.every_name(self.kept[state]) if is_last else np.int64(partial),
        )
        return place

    def check_state(self, state: Buffer) -> None:
        """Check that a state is as it was or has its new value, and not a part of both."""
        begin, size = self.arena.offsets[state], len(state.initial or b"")
        found = self.bytes[begin : begin + size]
        names = [self.every_name(each)[:size] for each in (state, self.kept[state])]
        if not any(np.array_equal(found, each) for each in names):
            raise VerifyError(f"state {state.name} is not there after an inference")

    def every_name(self, buffer: Buffer) -> Any:
        """Return the names of all bytes of a buffer."""
        view = BufferView.of(buffer).reshaped(1, buffer.size)
        return self.names(view, 0, 0, buffer.size, 0)

    def write_rows(self, view: BufferView) -> None:
        """Write all rows of a tensor that no stage makes."""
        for row in range(view.rows):
            begin = self.slots(view).address(row)
            place = slice(begin, begin + view.row_bytes)
            self.write("the caller", place, self.names(view, row, 0, view.row_bytes, 0))

    def write(self, who: str, place: slice, names: Any) -> None:
        """Write bytes of the arena."""
        if place.start < 0 or place.stop > self.arena.size:
            raise VerifyError(f"{who}: writes {place.stop} bytes of {self.arena.size}")
        self.bytes[place] = names

    def read(
        self, who: str, view: BufferView, row: int, inside: int, size: int, tile: int
    ) -> slice:
        """Check that bytes of a row are where they should be, and return where that is."""
        begin = self.slots(view).address(row) + inside
        if begin < 0 or begin + size + _READ_BEHIND > self.arena.size:
            raise VerifyError(f"{who}: reads {begin + size} bytes of {self.arena.size}")
        if (self.bytes[begin : begin + size] != self.names(view, row, inside, size, tile)).any():
            raise VerifyError(f"{who}: row {row} of {view.buffer.name} is not there to be read")
        return slice(begin, begin + size)

    def names(self, view: BufferView, row: int, inside: int, size: int, tile: int) -> Any:
        """Return the names of bytes of a row: one for each byte of a buffer, and of its tiles."""
        buffer = view.buffer
        if buffer not in self._first:
            self._first[buffer] = self._next
            self._next += buffer.size * (self.tiles if buffer.by_tile else 1)
        first = self._first[buffer] + (tile * buffer.size if buffer.by_tile else 0)
        begin = first + view.begin(row) + inside
        return np.arange(begin, begin + size)

    def slots(self, view: BufferView) -> Slots:
        """Return the slots of a view."""
        if view not in self._slots:
            self._slots[view] = Slots.of(view, self.schedule, self.arena)
        return self._slots[view]


def _input(rows: RowAccess, tile: WidthTile | None) -> tuple[int, int]:
    """Return the byte offset in a row of the bytes that a run reads, and their number."""
    if tile is None:
        return 0, rows.view.row_bytes
    sliding = SlidingWindow.of(tile.params)
    size = rows.view.buffer.dtype.itemsize
    return tile.input, sliding.input_bytes(sliding.input_width, size)


def _output(view: BufferView, tile: WidthTile | None) -> tuple[int, int]:
    """Return the byte offset in a row of the bytes that a run writes, and their number."""
    if tile is None:
        return 0, view.row_bytes
    sliding = SlidingWindow.of(tile.params)
    size = view.buffer.dtype.itemsize
    return tile.output, sliding.output_bytes(sliding.output_width, size)
