"""Tiles: chains of layers that make their rows part by part, so that no row between them exists.

A tile is one layer or several, each of which alone reads the one before. Its rows are made in
parts: the last layer makes some neighbouring pixels, for which those before make the pixels that it
reads and no others, on demand. What neighbouring parts both read is made twice, and so are rows
that two windows of the last layer have in common: that costs instructions and saves the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from asc_tiny.compiler.ir import Part, Program, Rows, Stage, Storage, View
from asc_tiny.compiler.passes.width_tiles import (
    Sliding,
    can_be_parts,
    part,
    pixels_multiplied,
    spans,
)

_MOST_ROW_BYTES = 2**16 - 1


@dataclass(frozen=True)
class Tile:
    """Layers that run part by part.

    Attributes:
        stages: numbers in the program, each reads the one before.
        parts: of a row.
    """

    stages: tuple[int, ...]
    parts: int = 1


def tiled(program: Program, tiles: Sequence[Tile]) -> Program | None:
    """Return a program with tiles that share no stage, None if a part would read nothing."""
    chains = {tile.stages[-1]: tile for tile in tiles}
    inside = {number for tile in tiles for number in tile.stages[:-1]}
    stages: list[Stage] = []
    for number, stage in enumerate(program.stages):
        if number in inside:
            continue
        tile = chains.get(number)
        made = [stage] if tile is None else _tile(program, tile)
        if made is None:
            return None
        stages += made
    return replace(program, stages=stages)


def joints(program: Program) -> list[tuple[int, int]]:
    """Return the pairs of stages that can be neighbours in a tile, the reader second."""
    writers: dict[Storage, list[int]] = {}
    readers: dict[Storage, list[int]] = {}
    for number, stage in enumerate(program.stages):
        writers.setdefault(stage.output.storage, []).append(number)
        for storage in dict.fromkeys(rows.view.storage for rows in stage.inputs):
            readers.setdefault(storage, []).append(number)
    pairs = []
    for number, stage in enumerate(program.stages):
        storage = stage.output.storage
        reading = readers.get(storage, [])
        is_alone = writers[storage] == [number] and len(reading) == 1
        is_inner = is_alone and not storage.whole and storage is not program.output.storage
        if is_inner and can_be_tile(stage) and _reads_all(program.stages[reading[0]], stage):
            pairs.append((number, reading[0]))
    return pairs


def can_be_tile(stage: Stage) -> bool:
    """Whether a stage alone can make its rows in parts."""
    views = [stage.output, *(rows.view for rows in stage.inputs)]
    return can_be_parts(stage) and max(view.row_size for view in views) <= _MOST_ROW_BYTES


def _reads_all(reader: Stage, stage: Stage) -> bool:
    """Whether a stage slides over the rows of another."""
    if not can_be_tile(reader) or len(reader.inputs) != 1:
        return False
    rows = reader.inputs[0]
    same = (rows.view.start, rows.view.rows, rows.view.row_size, rows.view.pitch) == (
        stage.output.start,
        stage.output.rows,
        stage.output.row_size,
        stage.output.pitch,
    )
    return same and rows.divisor == 1 and not rows.clamps


def _tile(program: Program, tile: Tile) -> list[Stage] | None:
    """Return the stages of a tile."""
    chain = [program.stages[number] for number in tile.stages]
    parts = _parts(chain, tile.parts)
    if parts is None:
        return None
    last = len(chain) - 1
    made = _Chain(chain, parts)
    made.append(last, _Made(chain[last].runs), "", chain[last].output)
    return None if made.reads_nothing else made.stages


def _parts(chain: Sequence[Stage], count: int) -> list[list[Part]] | None:
    """Return the parts of every layer, those that the last one's parts need."""
    parts: list[list[Part]] = [[] for _ in chain]
    for span in spans(Sliding.of(chain[-1]).output_width, count):
        for place in range(len(chain) - 1, -1, -1):
            found = part(chain[place], span)
            if found is None:
                return None
            own, span = found
            # Rows between layers begin with the part.
            parts[place].append(
                replace(
                    own,
                    input=own.input if place == 0 else 0,
                    output=own.output if place == len(chain) - 1 else 0,
                )
            )
    return parts


@dataclass(frozen=True)
class _Made:
    """The rows that a copy of a layer makes: ``n * factor + offset`` for n below ``count``.

    So many rows ``together`` are one row of the layer behind.
    """

    count: int
    factor: int = 1
    offset: int = 0
    together: int = 1


class _Chain:
    """The layers of a tile, of which copies are made for the rows that the last one reads."""

    def __init__(self, layers: Sequence[Stage], parts: Sequence[Sequence[Part]]) -> None:
        self.layers = layers
        self.parts = parts
        self.stages: list[Stage] = []
        self.reads_nothing = False

    def append(self, place: int, made: _Made, suffix: str, output: View) -> None:
        """Add a copy of a layer that makes certain rows, after what it needs."""
        layer, parts = self.layers[place], self.parts[place]
        if place == 0:
            inputs = [_moved(rows, made) for rows in layer.inputs]
        else:
            inputs = list(self.needed(place, made, suffix))
        share = sum(map(pixels_multiplied, parts)) / pixels_multiplied(layer)
        self.stages.append(
            replace(
                layer,
                comment=layer.comment + (f", in {len(parts)} parts" if len(parts) > 1 else ""),
                name=f"{layer.name}{suffix}",
                fields=parts[0].fields,
                inputs=inputs,
                output=output,
                runs=made.count * len(parts),
                scratch=max(each.scratch for each in parts),
                scales=(),
                work=int(layer.work * made.count / layer.runs * share),
                windows=min(layer.windows, pixels_multiplied(parts[0])),
                on_demand=place < len(self.layers) - 1,
                parts=parts if len(parts) > 1 else (),
                together=made.together,
            )
        )

    def needed(self, place: int, made: _Made, suffix: str) -> Iterator[Rows]:
        """Add the layer before for the rows that a layer reads, and yield them."""
        (rows,) = self.layers[place].inputs
        before = self.layers[place - 1]
        is_whole = made == _Made(self.layers[place].runs) and (rows.step, rows.offset) == (1, 0)
        if is_whole and rows.count == rows.factor and made.count * rows.count <= before.runs:
            # No row is read twice.
            own = _Made(made.count * rows.count, together=rows.count)
            view = self.memory(place - 1, own.count, suffix)
            self.append(place - 1, own, suffix, view)
            yield replace(rows, view=view)
            return
        for k in range(rows.count):
            factor = made.factor * rows.factor
            offset = made.offset * rows.factor + rows.offset + k * rows.step
            inside = [n for n in range(made.count) if 0 <= n * factor + offset < before.runs]
            if not inside:
                self.reads_nothing = True
                return
            own = _Made(len(inside), factor, inside[0] * factor + offset)
            view = self.memory(place - 1, own.count, f"{suffix}_{k}")
            self.append(place - 1, own, f"{suffix}_{k}", view)
            yield Rows(view, offset=-inside[0])

    def memory(self, place: int, rows: int, suffix: str) -> View:
        """Return memory for the parts of a layer's rows."""
        layer = self.layers[place]
        channels = Sliding.of(layer).output_channels
        pixels = max(int(each.fields["output_width"]) for each in self.parts[place])
        name = f"{layer.output.storage.name}{suffix}"
        return View.of(Storage(name, rows, pixels * channels, in_parts=True))


def _moved(rows: Rows, made: _Made) -> Rows:
    """Return what a layer reads that makes certain rows."""
    return replace(
        rows, factor=rows.factor * made.factor, offset=rows.offset + made.offset * rows.factor
    )
