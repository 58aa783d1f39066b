"""Lowers bilinear resizing, in integers with 10 fractional bits as TFLite Micro does it.

Source: TFLite Micro, ResizeBilinearInteger in kernels/internal/reference/resize_bilinear.h.
"""

from __future__ import annotations

from asc_tiny.compiler.ir import Rows, Stage
from asc_tiny.compiler.lower.context import Lowering, braces
from asc_tiny.compiler.lower.upsample_fusion import check_size

_ONE = 1 << 10


def lower_resize_bilinear(to: Lowering) -> list[Stage]:
    """RESIZE_BILINEAR to any size."""
    to.same_quantization(to.input(0), to.output)
    check_size(to)
    source, target = to.image(to.input(0)), to.image(to.output)
    if source[2] != target[2]:
        to.fail(f"{source[2]} channels into {target[2]}")
    if to.operator.options["align_corners"] and to.operator.options["half_pixel_centers"]:
        to.fail("align_corners and half_pixel_centers exclude each other")
    factor, offset = _axis(to, source[0], target[0])
    view = to.view(to.input(0))
    rows = Rows(view, count=2, factor=factor, offset=offset, divisor=_ONE, clamps=True)
    fields = {
        "input_width": str(source[1]),
        "output_width": str(target[1]),
        "channels": str(source[2]),
        "rows": braces(factor, offset, _ONE),
        "columns": braces(*_axis(to, source[1], target[1]), _ONE),
    }
    return [to.stage("asc_resize_bilinear", fields, inputs=[rows], c_type="asc_bilinear_t")]


def _axis(to: Lowering, size: int, target: int) -> tuple[int, int]:
    """Return (factor, offset) of positions ``i * factor + offset`` in 1024ths."""
    corners = bool(to.operator.options["align_corners"]) and target > 1
    numerator, denominator = (size - 1, target - 1) if corners else (size, target)
    factor = (_ONE * numerator + denominator // 2) // denominator
    offset = factor // 2 - _ONE // 2 if to.operator.options["half_pixel_centers"] else 0
    if (target - 1) * factor + offset >= size * _ONE or factor >= 2**15:
        to.fail(f"resizing {size} to {target} is not supported: too many pixels for 10 bits")
    return factor, offset
