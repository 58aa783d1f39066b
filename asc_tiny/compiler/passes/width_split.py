"""Columns: a convolution that makes its rows in parts needs less working memory.

Its kernel brings the pixels under a row of windows side by side as 16-bit values. A part of the row
needs fewer of them at a time; those under windows of two parts are brought there twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.compiler.ir import Program, Stage
from asc_tiny.compiler.passes.width_tiles import Sliding, Span, can_be_parts, part


def in_columns(program: Program, chosen: Mapping[int, int]) -> Program:
    """Return a program in which stages make their rows in parts, each a stage of its own.

    Args:
        program: its stages make whole rows.
        chosen: columns of a part by the stage's number, of stages that ``most_columns`` allows.
    """
    stages: list[Stage] = []
    for number, stage in enumerate(program.stages):
        stages += parts(stage, chosen.get(number, 0))
    return Program(program.source, stages, program.input, program.output)


def last_parts(program: Program, chosen: Mapping[int, int]) -> list[int]:
    """Return, for each stage, the number of its last part in what ``in_columns`` returns."""
    counts = [
        len(parts(stage, chosen.get(number, 0))) for number, stage in enumerate(program.stages)
    ]
    return [end - 1 for end in itertools.accumulate(counts)]


def most_columns(stage: Stage) -> int:
    """Return the columns of a stage that can make its rows in parts, 0 of others."""
    if stage.kernel != "asc_conv" or not can_be_parts(stage):
        return 0
    width = Sliding.of(stage).output_width
    return width if part(stage, Span(width - 1, width)) else 0


def parts(stage: Stage, size: int) -> list[Stage]:
    """Return the stages that make so many columns each; with 0 the stage itself."""
    if size == 0:
        return [stage]
    width = Sliding.of(stage).output_width
    return [_part(stage, Span(first, min(first + size, width))) for first in range(0, width, size)]


def _part(stage: Stage, written: Span) -> Stage:
    """Return a stage that makes some columns of each row."""
    found = part(stage, written)
    assert found is not None
    own, read = found
    sliding = Sliding.of(stage)
    (rows,) = stage.inputs
    source = replace(
        rows.view,
        start=rows.view.start + own.input,
        row_size=read.count * sliding.input_channels,
    )
    output = replace(
        stage.output,
        start=stage.output.start + own.output,
        row_size=written.count * sliding.output_channels,
    )
    return replace(
        stage,
        comment=f"{stage.comment}, columns {written.first} to {written.end - 1}",
        name=f"{stage.name}_{written.first}",
        fields=own.fields,
        inputs=[replace(rows, view=source)],
        output=output,
        scratch=own.scratch,
        scales=(),
        work=stage.work * written.count // sliding.output_width,
        windows=written.count,
    )
