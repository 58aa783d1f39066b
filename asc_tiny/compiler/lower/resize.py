"""Lowers bilinear resizing, in integers with 10 fractional bits as TFLite Micro does it.

Source: TFLite Micro, ResizeBilinearInteger in kernels/internal/reference/resize_bilinear.h.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.lower.context import LoweringContext, braces
from asc_tiny.compiler.lower.upsample_fusion import check_size

_ONE = 1 << 10


def lower_resize_bilinear(ctx: LoweringContext) -> list[Stage]:
    """RESIZE_BILINEAR to any size."""
    ctx.same_quantization(ctx.input(0), ctx.output)
    check_size(ctx)
    source, target = ctx.image(ctx.input(0)), ctx.image(ctx.output)
    if source[2] != target[2]:
        ctx.error(f"{source[2]} channels into {target[2]}")
    if ctx.operator.options["align_corners"] and ctx.operator.options["half_pixel_centers"]:
        ctx.error("align_corners and half_pixel_centers exclude each other")
    factor, offset = _axis(ctx, source[0], target[0])
    view = ctx.view(ctx.input(0))
    rows = RowAccess(view, count=2, factor=factor, offset=offset, divisor=_ONE, clamps=True)
    fields = {
        "input_width": str(source[1]),
        "output_width": str(target[1]),
        "channels": str(source[2]),
        "rows": braces(factor, offset, _ONE),
        "columns": braces(*_axis(ctx, source[1], target[1]), _ONE),
    }
    return [ctx.stage("asc_resize_bilinear", fields, inputs=[rows], c_type="asc_bilinear_t")]


def _axis(ctx: LoweringContext, size: int, target: int) -> tuple[int, int]:
    """Return (factor, offset) of positions ``i * factor + offset`` in 1024ths."""
    corners = bool(ctx.operator.options["align_corners"]) and target > 1
    numerator, denominator = (size - 1, target - 1) if corners else (size, target)
    factor = (_ONE * numerator + denominator // 2) // denominator
    offset = factor // 2 - _ONE // 2 if ctx.operator.options["half_pixel_centers"] else 0
    if (target - 1) * factor + offset >= size * _ONE or factor >= 2**15:
        ctx.error(f"resizing {size} to {target} is not supported: too many pixels for 10 bits")
    return factor, offset
