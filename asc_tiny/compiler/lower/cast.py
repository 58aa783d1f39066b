"""Lowers CAST.

Source: TFLite Micro, micro/kernels/cast.cc.
"""

from __future__ import annotations

import itertools

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import CastParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import lowering

_CAST = ("BOOL", "FLOAT32", "INT8", "INT16", "INT32", "INT64")


@lowering(
    "CAST",
    conditions=(
        "codes as integers, whatever the scales; the lower bits of what is too large, the nearest "
        "integer of a floating-point number that is"
    ),
    types="int8, int16, int32, int64, bool or float32 to any of them",
    signatures=tuple(f"{one} -> {other}" for one, other in itertools.product(_CAST, _CAST)),
)
def lower_cast(ctx: LoweringContext) -> list[Stage]:
    """CAST of integers and floating-point numbers."""
    source, output = ctx.input(0), ctx.output
    if source.shape != output.shape:
        ctx.error(f"shape {list(source.shape)} into {list(output.shape)}")
    params = CastParams(
        size=ctx.view(output).row_elements,
        source=source.element_bytes,
        target=output.element_bytes,
        is_truth=int(output.dtype == "BOOL"),
    )
    view, target = ctx.view(source), ctx.view(output)
    rows = ctx.reshaped(view, target.rows, source.byte_count // target.rows)
    return [ctx.stage(_cast_kernel(source.dtype, output.dtype), params, inputs=[RowAccess(rows)])]


def _cast_kernel(source: str, target: str) -> str:
    if source != target and "FLOAT32" in (source, target):
        return "asc_cast_from_float" if source == "FLOAT32" else "asc_cast_to_float"
    return "asc_cast"
