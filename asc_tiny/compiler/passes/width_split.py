"""Width split: a convolution that makes width tiles of its rows needs less scratch memory.

Its kernel gathers the pixels under a row of windows side by side as 16-bit values (im2col). A tile
of the row needs fewer of them at a time; pixels under windows of two tiles are gathered twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.compiler.ir import LoweredGraph, Stage
from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.passes.width_tiles import PixelRange, SlidingWindow, can_be_tiled, width_tile


def split_width(lowered: LoweredGraph, chosen: Mapping[int, int]) -> LoweredGraph:
    """Return a graph in which some stages are split into one stage for each width tile.

    Args:
        lowered: a graph whose stages make whole rows.
        chosen: pixels of a tile by the number of the stage, which ``splittable_width`` allows.
    """
    stages: list[Stage] = []
    for number, stage in enumerate(lowered.stages):
        stages += split_stage(stage, chosen.get(number, 0))
    return replace(lowered, stages=stages)


def last_splits(lowered: LoweredGraph, chosen: Mapping[int, int]) -> list[int]:
    """Return, for each stage, the number of its last tile in what ``split_width`` returns."""
    counts = [
        len(split_stage(stage, chosen.get(number, 0)))
        for number, stage in enumerate(lowered.stages)
    ]
    return [end - 1 for end in itertools.accumulate(counts)]


def splittable_width(stage: Stage) -> int:
    """Return the pixels of a row of a stage that can be split, 0 for other stages."""
    if not isinstance(stage.params, ConvParams) or not can_be_tiled(stage):
        return 0
    width = SlidingWindow.of(stage.params).output_width
    return width if width_tile(stage, PixelRange(width - 1, width)) else 0


def split_stage(stage: Stage, size: int) -> list[Stage]:
    """Return the stages that make ``size`` pixels of each row; with 0 the stage itself."""
    if size == 0:
        return [stage]
    width = SlidingWindow.of(stage.params).output_width
    return [
        _split(stage, PixelRange(first, min(first + size, width)))
        for first in range(0, width, size)
    ]


def _split(stage: Stage, written: PixelRange) -> Stage:
    """Return a stage that makes some pixels of each row."""
    found = width_tile(stage, written)
    assert found is not None
    own, read = found
    sliding = SlidingWindow.of(stage.params)
    (rows,) = stage.inputs
    source = replace(
        rows.view,
        start=rows.view.start + own.input,
        row_bytes=sliding.input_bytes(read.count, rows.view.buffer.dtype.itemsize),
    )
    output = replace(
        stage.output,
        start=stage.output.start + own.output,
        row_bytes=sliding.output_bytes(written.count, stage.output.buffer.dtype.itemsize),
    )
    return replace(
        stage,
        comment=f"{stage.comment}, columns {written.first} to {written.end - 1}",
        name=f"{stage.name}_{written.first}",
        params=own.params,
        inputs=[replace(rows, view=source)],
        output=output,
        macs=stage.macs * written.count // sliding.output_width,
    )
