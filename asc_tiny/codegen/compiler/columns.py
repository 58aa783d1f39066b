"""Columns: a convolution that makes its rows in parts needs less working memory.

Its kernel brings the pixels under a row of windows side by side as 16-bit values. A part of the row
needs fewer of them at a time; those under windows of two parts are brought there twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from asc_tiny.codegen.compiler.lowering import braces
from asc_tiny.codegen.compiler.program import Program, Stage


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
    if stage.kernel != "asc_conv" or stage.output.repeat != 1:
        return 0
    width = int(stage.fields["output_width"])
    last = (width - 1) * _window(stage)[2] - _window(stage)[4]
    return width if last < int(stage.fields["input_width"]) else 0


def _window(stage: Stage) -> list[int]:
    """Return height, width, stride, dilation and left padding."""
    return [int(value) for value in stage.fields["window"].strip("{}").split(",")]


def parts(stage: Stage, size: int) -> list[Stage]:
    """Return the stages that make so many columns each; with 0 the stage itself."""
    if size == 0:
        return [stage]
    width = int(stage.fields["output_width"])
    firsts = range(0, width, size)
    return [_part(stage, first, min(size, width - first)) for first in firsts]


def _part(stage: Stage, first: int, count: int) -> Stage:
    """Return a stage that makes ``count`` columns of each row."""
    height, width, stride, dilation, left = _window(stage)
    fields = {name: int(stage.fields[name]) for name in _SIZES}
    begin = first * stride - left
    skipped, padding = max(begin, 0), max(-begin, 0)
    columns = (count - 1) * stride + (width - 1) * dilation + 1
    saved = 2 * (fields["columns"] - columns) * fields["column_size"]
    inside = fields["input_width"] - skipped
    (rows,) = stage.inputs
    source = replace(
        rows.view,
        start=rows.view.start + skipped * fields["input_channels"],
        row_size=inside * fields["input_channels"],
    )
    output = replace(
        stage.output,
        start=stage.output.start + first * fields["output_channels"],
        row_size=count * fields["output_channels"],
    )
    return replace(
        stage,
        comment=f"{stage.comment}, columns {first} to {first + count - 1}",
        name=f"{stage.name}_{first}",
        fields={
            **stage.fields,
            "input_width": str(inside),
            "output_width": str(count),
            "columns": str(columns),
            "window": braces(height, width, stride, dilation, padding),
        },
        inputs=[replace(rows, view=source)],
        output=output,
        scratch=stage.scratch - saved,
        scales=(),
        work=stage.work * count // fields["output_width"],
        windows=count,
    )


_SIZES = (
    "input_width",
    "input_channels",
    "output_width",
    "output_channels",
    "columns",
    "column_size",
)
