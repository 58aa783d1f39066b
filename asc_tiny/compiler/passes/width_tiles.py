"""Parts of a row: the same layer on some neighbouring pixels of each row.

Kernels that slide a window along a row know where their row begins and ends only from their
constants. With others they make a part of it, from a part of the rows that they read.
"""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.compiler.ir import Part, Stage
from asc_tiny.compiler.lower.context import braces
from asc_tiny.compiler.lower.conv import upsampled_scratch

SLIDING = (
    "asc_average_pool",
    "asc_conv",
    "asc_depthwise_conv",
    "asc_max_pool",
    "asc_upsampled_conv",
)
"""Kernels that can make a part of a row."""


@dataclass(frozen=True)
class Span:
    """Pixels of a row, from the first to before the end."""

    first: int
    end: int

    @property
    def count(self) -> int:
        """Number of pixels."""
        return self.end - self.first


@dataclass(frozen=True)
class Sliding:
    """How a stage slides along its rows, as the members of its structure in C say.

    Attributes:
        width, stride, dilation, left: of the window; padding before the first pixel.
        factor: how often each pixel of the input is repeated.
    """

    width: int
    stride: int
    dilation: int
    left: int
    factor: int
    input_width: int
    input_channels: int
    output_width: int
    output_channels: int

    @classmethod
    def of(cls, stage: Stage) -> Sliding:
        """Return how one of the ``SLIDING`` kernels does."""
        fields = stage.fields
        inner = ""
        if stage.kernel == "asc_upsampled_conv":
            inner = "columns."
            window = (int(fields["width"]), 1, 1, int(fields["left"]), int(fields["factor"]))
        else:
            _, width, stride, dilation, left = _window(stage)
            window = (width, stride, dilation, left, 1)
        return cls(
            *window,
            int(fields[f"{inner}input_width"]),
            int(fields[f"{inner}input_channels"]),
            int(fields["output_width"]),
            int(fields["output_channels"]),
        )

    def read(self, written: Span) -> Span:
        """Return the pixels of the input that pixels of the output are made of."""
        first = (written.first * self.stride - self.left) // self.factor
        reach = (written.end - 1) * self.stride - self.left + (self.width - 1) * self.dilation
        return Span(max(first, 0), min(reach // self.factor + 1, self.input_width))

    def padding(self, written: Span, read: Span) -> int:
        """Return the pixels before those that are read; below 0 if the window begins in them."""
        return self.left - written.first * self.stride + read.first * self.factor


def can_be_parts(stage: Stage) -> bool:
    """Whether a stage can make its rows in parts."""
    return (
        stage.kernel in SLIDING
        and stage.output.repeat == 1
        and stage.output.rows == stage.runs
        and all(rows.view.repeat == 1 for rows in stage.inputs)
    )


def pixels_multiplied(piece: Stage | Part) -> int:
    """Return the pixels of a row that are multiplied by weights: those written, or those read."""
    return int(piece.fields.get("columns.columns", piece.fields["output_width"]))


def spans(width: int, count: int) -> list[Span]:
    """Return so many parts of a row or fewer, of even sizes: kernels take windows in pairs."""
    size = -(-width // count)
    size += size % 2
    return [Span(first, min(first + size, width)) for first in range(0, width, size)]


def part(stage: Stage, written: Span) -> tuple[Part, Span] | None:
    """Return what a stage needs to know for some pixels of each row, and the pixels it reads.

    The places are those in whole rows. None if it would read nothing.
    """
    sliding = Sliding.of(stage)
    read = sliding.read(written)
    if read.count < 1:
        return None
    left = sliding.padding(written, read)
    resized = _upsampled if stage.kernel == "asc_upsampled_conv" else _windowed
    fields, scratch = resized(stage, sliding, written.count, read.count, left)
    places = read.first * sliding.input_channels, written.first * sliding.output_channels
    return Part(fields, *places, scratch), read


def _window(stage: Stage) -> list[int]:
    """Return height, width, stride, dilation and left padding."""
    return [int(value) for value in stage.fields["window"].strip("{}").split(",")]


def _windowed(
    stage: Stage, sliding: Sliding, written: int, read: int, left: int
) -> tuple[dict[str, str], int]:
    """Return members and working memory of a part."""
    height = _window(stage)[0]
    fields = {
        **stage.fields,
        "input_width": str(read),
        "output_width": str(written),
        "window": braces(height, sliding.width, sliding.stride, sliding.dilation, left),
    }
    scratch = stage.scratch
    if "columns" in fields:
        columns = (written - 1) * sliding.stride + (sliding.width - 1) * sliding.dilation + 1
        saved = int(fields["columns"]) - columns
        scratch -= 2 * saved * int(fields["column_size"])
        fields["columns"] = str(columns)
    return fields, scratch


def _upsampled(
    stage: Stage, sliding: Sliding, written: int, read: int, left: int
) -> tuple[dict[str, str], int]:
    fields = {**stage.fields, "left": str(left), "output_width": str(written)}
    names = ("columns.input_width", "columns.output_width", "columns.columns")
    fields.update(dict.fromkeys(names, str(read)))
    return fields, stage.scratch + upsampled_scratch(fields) - upsampled_scratch(stage.fields)
