"""Cascades: chains of layers that make width tiles of their rows, so that no row lies between them.

A cascade is one layer or several, each of which alone reads the layer before. The last layer makes
a width tile, some neighbouring pixels of a row; for it the layers before make the pixels that it
reads and no others, on demand. Pixels that two neighbouring tiles read are made twice, and so are
rows that two windows of the last layer have in common: a cascade costs instructions and saves the
memory of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage, WidthTile
from asc_tiny.compiler.passes.width_tiles import (
    SlidingWindow,
    can_be_tiled,
    pixel_ranges,
    pixels_multiplied,
    tileable,
    width_tile,
)

_MOST_ROW_BYTES = 2**16 - 1


@dataclass(frozen=True)
class Cascade:
    """Layers that run tile by tile.

    Attributes:
        stages: numbers of the stages in the lowered graph; each reads the one before.
        tiles: number of width tiles of a row, at least 1.
    """

    stages: tuple[int, ...]
    tiles: int = 1


def with_cascades(lowered: LoweredGraph, cascades: Sequence[Cascade]) -> LoweredGraph | None:
    """Return a graph with cascades that share no stage, None if a tile would read nothing."""
    chains = {cascade.stages[-1]: cascade for cascade in cascades}
    inside = {number for cascade in cascades for number in cascade.stages[:-1]}
    stages: list[Stage] = []
    for number, stage in enumerate(lowered.stages):
        if number in inside:
            continue
        cascade = chains.get(number)
        made = [stage] if cascade is None else _cascade_stages(lowered, cascade)
        if made is None:
            return None
        stages += made
    return replace(lowered, stages=stages)


def cascadable_pairs(lowered: LoweredGraph) -> list[tuple[int, int]]:
    """Return the pairs of stages that can be neighbours in a cascade, the reader second."""
    writers: dict[Buffer, list[int]] = {}
    readers: dict[Buffer, list[int]] = {}
    for number, stage in enumerate(lowered.stages):
        writers.setdefault(stage.output.buffer, []).append(number)
        for buffer in dict.fromkeys(rows.view.buffer for rows in stage.inputs):
            readers.setdefault(buffer, []).append(number)
    kept = {view.buffer for view in lowered.outputs}
    pairs = []
    for number, stage in enumerate(lowered.stages):
        buffer = stage.output.buffer
        reading = readers.get(buffer, [])
        is_alone = writers[buffer] == [number] and len(reading) == 1
        is_inner = is_alone and not buffer.whole and buffer not in kept
        if is_inner and can_cascade(stage) and _reads_all(lowered.stages[reading[0]], stage):
            pairs.append((number, reading[0]))
    return pairs


def can_cascade(stage: Stage) -> bool:
    """Whether a stage can be a cascade by itself."""
    views = [stage.output, *(rows.view for rows in stage.inputs)]
    return can_be_tiled(stage) and max(view.row_bytes for view in views) <= _MOST_ROW_BYTES


def _reads_all(reader: Stage, stage: Stage) -> bool:
    """Whether a stage slides over the rows of another."""
    if not can_cascade(reader) or len(reader.inputs) != 1:
        return False
    rows = reader.inputs[0]
    same = (rows.view.start, rows.view.rows, rows.view.row_bytes, rows.view.pitch) == (
        stage.output.start,
        stage.output.rows,
        stage.output.row_bytes,
        stage.output.pitch,
    )
    return same and rows.divisor == 1 and not rows.clamps


def _cascade_stages(lowered: LoweredGraph, cascade: Cascade) -> list[Stage] | None:
    """Return the stages of a cascade, None if a tile would read nothing."""
    chain = [lowered.stages[number] for number in cascade.stages]
    tiles = _width_tiles(chain, cascade.tiles)
    if tiles is None:
        return None
    last = len(chain) - 1
    made = _CascadeBuilder(chain, tiles)
    made.append(last, _MadeRows(chain[last].runs), "", chain[last].output)
    return None if made.reads_nothing else made.stages


def _width_tiles(chain: Sequence[Stage], count: int) -> list[list[WidthTile]] | None:
    """Return the width tiles of every layer: those that the tiles of the last layer need."""
    tiles: list[list[WidthTile]] = [[] for _ in chain]
    for span in pixel_ranges(SlidingWindow.of(chain[-1].params).output_width, count):
        for place in range(len(chain) - 1, -1, -1):
            found = width_tile(chain[place], span)
            if found is None:
                return None
            own, span = found
            # Rows between layers begin with the tile.
            tiles[place].append(
                replace(
                    own,
                    input=own.input if place == 0 else 0,
                    output=own.output if place == len(chain) - 1 else 0,
                )
            )
    return tiles


@dataclass(frozen=True)
class _MadeRows:
    """The rows that a copy of a layer makes: ``n * factor + offset`` for n below ``count``.

    Attributes:
        count: number of rows, at least 1.
        factor, offset: the rule for the number of each row.
        rows_per_group: number of these rows that make one row of the layer behind.
    """

    count: int
    factor: int = 1
    offset: int = 0
    rows_per_group: int = 1


class _CascadeBuilder:
    """The layers of a cascade, of which copies are made for the rows that the last one reads."""

    def __init__(self, layers: Sequence[Stage], tiles: Sequence[Sequence[WidthTile]]) -> None:
        self.layers = layers
        self.tiles = tiles
        self.stages: list[Stage] = []
        self.reads_nothing = False

    def append(self, place: int, made: _MadeRows, suffix: str, output: BufferView) -> None:
        """Add a copy of a layer that makes certain rows, after the stages that it reads."""
        layer, tiles = self.layers[place], self.tiles[place]
        if place == 0:
            inputs = [_moved(rows, made) for rows in layer.inputs]
        else:
            inputs = list(self.needed(place, made, suffix))
        share = sum(pixels_multiplied(tile.params) for tile in tiles) / pixels_multiplied(
            layer.params
        )
        self.stages.append(
            replace(
                layer,
                comment=layer.comment + (f", in {len(tiles)} parts" if len(tiles) > 1 else ""),
                name=f"{layer.name}{suffix}",
                params=tiles[0].params,
                inputs=inputs,
                output=output,
                runs=made.count * len(tiles),
                macs=int(layer.macs * made.count / layer.runs * share),
                on_demand=place < len(self.layers) - 1,
                tiles=tiles if len(tiles) > 1 else (),
                rows_per_group=made.rows_per_group,
            )
        )

    def needed(self, place: int, made: _MadeRows, suffix: str) -> Iterator[RowAccess]:
        """Add copies of the layer before for the rows that a layer reads, and yield these rows."""
        (rows,) = self.layers[place].inputs
        before = self.layers[place - 1]
        is_whole = made == _MadeRows(self.layers[place].runs) and (rows.step, rows.offset) == (1, 0)
        if is_whole and rows.count == rows.factor and made.count * rows.count <= before.runs:
            # No row is read twice.
            own = _MadeRows(made.count * rows.count, rows_per_group=rows.count)
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
            own = _MadeRows(len(inside), factor, inside[0] * factor + offset)
            view = self.memory(place - 1, own.count, f"{suffix}_{k}")
            self.append(place - 1, own, f"{suffix}_{k}", view)
            yield RowAccess(view, offset=-inside[0])

    def memory(self, place: int, rows: int, suffix: str) -> BufferView:
        """Return a view of a new buffer for the tiles of rows of a layer."""
        layer = self.layers[place]
        channels, dtype = SlidingWindow.of(layer.params).output_channels, layer.output.buffer.dtype
        pixels = max(tileable(tile.params).output_width for tile in self.tiles[place])
        name = f"{layer.output.buffer.name}{suffix}"
        row_bytes = pixels * channels * dtype.itemsize
        return BufferView.of(Buffer(name, rows, row_bytes, by_tile=True, dtype=dtype))


def _moved(rows: RowAccess, made: _MadeRows) -> RowAccess:
    """Return the rows that a layer reads which makes certain rows."""
    return replace(
        rows, factor=rows.factor * made.factor, offset=rows.offset + made.offset * rows.factor
    )
