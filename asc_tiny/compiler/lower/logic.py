"""Lowers LOGICAL_NOT; the operators of two truths are with those of two operands."""

from __future__ import annotations

import numpy as np

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.kernel_params import LookupParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.rule import lowering


@lowering(
    "LOGICAL_NOT", conditions="a table of 256 bytes", types="bool", signatures=("BOOL -> BOOL",)
)
def lower_logical_not(ctx: LoweringContext) -> list[Stage]:
    """LOGICAL_NOT: a function of one byte."""
    table = ctx.shared_array("table", (np.arange(-128, 128) == 0).astype(np.int8))
    params = LookupParams(size=ctx.view(ctx.output).row_elements, table=table)
    return [ctx.stage("asc_lookup", params, inputs=[ctx.like_output(ctx.input(0))])]
