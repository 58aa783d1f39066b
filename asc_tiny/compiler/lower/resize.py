"""Lowers nearest and bilinear resizing, the latter in integers with 10 fractional bits.

Source: TFLite Micro, ResizeBilinearInteger in kernels/internal/reference/resize_bilinear.h.
"""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.compiler.ir import Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import Axis, BilinearParams, ResizeParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import EITHER, SAME, lowering, lowering_rule
from asc_tiny.compiler.lower.upsample_fusion import axis_rule, check_size, is_fused

_ONE = 1 << 10


@lowering(
    "RESIZE_BILINEAR",
    conditions=f"any size; align_corners or half_pixel_centers; {SAME}",
    inputs=(2, 2),
)
def lower_resize_bilinear(ctx: LoweringContext) -> list[Stage]:
    """RESIZE_BILINEAR to any size."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    check_size(ctx)
    source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
    if source[2] != target[2]:
        ctx.error(f"{source[2]} channels into {target[2]}")
    if ctx.options["align_corners"] and ctx.options["half_pixel_centers"]:
        ctx.error("align_corners and half_pixel_centers exclude each other")
    factor, offset = _axis(ctx, source[0], target[0])
    view = ctx.view(ctx.input(0))
    rows = RowAccess(view, count=2, factor=factor, offset=offset, divisor=_ONE, clamps=True)
    params = BilinearParams(
        input_width=source[1],
        output_width=target[1],
        channels=source[2],
        rows=Axis(factor, offset, _ONE),
        columns=Axis(*_axis(ctx, source[1], target[1]), _ONE),
    )
    return [ctx.stage("asc_resize_bilinear", params, inputs=[rows])]


def _axis(ctx: LoweringContext, size: int, target: int) -> tuple[int, int]:
    """Return (factor, offset) of positions ``i * factor + offset`` in 1024ths."""
    corners = bool(ctx.options["align_corners"]) and target > 1
    numerator, denominator = (size - 1, target - 1) if corners else (size, target)
    factor = (_ONE * numerator + denominator // 2) // denominator
    offset = factor // 2 - _ONE // 2 if ctx.options["half_pixel_centers"] else 0
    if (target - 1) * factor + offset >= size * _ONE or factor >= 2**15:
        ctx.error(f"resizing {size} to {target} is not supported: too many pixels for 10 bits")
    return factor, offset


@lowering(
    "RESIZE_NEAREST_NEIGHBOR",
    conditions=f"any size; align_corners or half_pixel_centers; {SAME}",
    inputs=(2, 2),
    signatures=EITHER,
)
def lower_resize_nearest_neighbor(ctx: LoweringContext) -> list[Stage]:
    """RESIZE_NEAREST_NEIGHBOR to any size; nothing if the convolution behind it does it."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    check_size(ctx)
    source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
    if source[2] != target[2]:
        ctx.error(f"{source[2]} channels into {target[2]}")
    if is_fused(ctx):
        return []
    factor, offset, divisor = axis_rule(ctx, source[0], target[0])
    view = ctx.view(ctx.input(0))
    params = ResizeParams(
        input_width=source[1],
        output_width=target[1],
        channels=source[2] * view.buffer.dtype.itemsize,
        columns=Axis(*axis_rule(ctx, source[1], target[1])),
    )
    repeat = target[0] // source[0]
    repeats = repeat and all(
        (y * factor + offset) // divisor == y // repeat for y in range(target[0])
    )
    if repeats and target[0] == repeat * source[0] and _is_read_by_row(ctx):
        # No row is made twice: each shows several times.
        dtype, name = view.buffer.dtype, f"t{ctx.output.index}"
        row_bytes = target[1] * target[2] * dtype.itemsize
        narrow = BufferView.of(Buffer(name, source[0], row_bytes, dtype=dtype))
        ctx.tensors.alias(ctx.output.index, replace(narrow, rows=target[0], repeat=repeat))
        return [ctx.stage("asc_resize_nearest", params, output=narrow)]
    rows = RowAccess(view, factor=factor, offset=offset, divisor=divisor, clamps=True)
    return [ctx.stage("asc_resize_nearest", params, inputs=[rows])]


def _is_read_by_row(ctx: LoweringContext) -> bool:
    """Whether nothing needs the output otherwise than row by row."""
    index = ctx.output.index
    readers = [lowering_rule.get(each.name) for each in ctx.graph.readers.get(index, ())]
    free = index not in ctx.graph.outputs and not ctx.tensors.is_placed(index)
    return (
        free and bool(readers) and all(rule is not None and rule.reads_by_row for rule in readers)
    )
