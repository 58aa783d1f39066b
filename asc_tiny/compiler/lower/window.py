"""The window of a convolution or pooling, which slides over height and width."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.compiler.ir import RowAccess
from asc_tiny.compiler.kernel_params import Window, WindowParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import same_padding

PADDED = ("padded_h", "padded_w")
"""Options of a convolution into which a PAD was folded: elements before and behind along an axis,
besides those of SAME."""


@dataclass(frozen=True)
class Window2D:
    """A window that slides over the input of an operator; ``top`` and ``left`` are padding."""

    height: int
    width: int
    stride_y: int
    stride_x: int
    dilation_y: int
    dilation_x: int
    top: int
    left: int

    @classmethod
    def of(cls, ctx: LoweringContext, height: int, width: int) -> Window2D:
        """Return the window of a convolution or pooling operator."""
        options = ctx.options
        source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
        strides = (int(options["stride_h"]), int(options["stride_w"]))
        dilations = (
            int(options.get("dilation_h_factor", 1)),
            int(options.get("dilation_w_factor", 1)),
        )
        before = []
        for axis, size in enumerate((height, width)):
            stride, dilation = strides[axis], dilations[axis]
            if stride < 1 or size < 1 or dilation < 1:
                ctx.error(f"window of {height}x{width}, strides {strides}, dilations {dilations}")
            reach = (size - 1) * dilation + 1
            same = options["padding"] == "SAME"
            more = options.get(PADDED[axis], (0, 0))
            padded = source[axis] + sum(more)
            fitting = padded if same else padded - reach + 1
            if target[axis] != -(-fitting // stride):
                ctx.error(f"output size {target[axis]} does not fit input {source[axis]}")
            own = same_padding(padded, reach, stride, target[axis]) if same else 0
            before.append(more[0] + own)
        return cls(height, width, *strides, *dilations, *before)

    def rows(self, ctx: LoweringContext) -> RowAccess:
        """Return the rows of input 0 under the window."""
        view = ctx.view(ctx.input(0))
        return RowAccess(
            view, count=self.height, step=self.dilation_y, factor=self.stride_y, offset=-self.top
        )

    def params(self, ctx: LoweringContext) -> WindowParams:
        """Return what a kernel is told of how the window slides along a row."""
        _, input_width, input_channels = ctx.image(ctx.input(0))
        _, output_width, output_channels = ctx.image(ctx.output)
        window = Window(self.height, self.width, self.stride_x, self.dilation_x, self.left)
        return WindowParams(input_width, input_channels, output_width, output_channels, window)
