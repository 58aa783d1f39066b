"""Lowers variables: VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE."""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.lower.context import DTYPES, LoweringContext, geometry
from asc_tiny.compiler.lower.rule import VIEW, lowering

_NOTHING = "nothing"
_TYPES = "any"


@lowering(
    "CALL_ONCE",
    conditions="a subgraph that assigns constants to variables, before they are used",
    memory=f"{_NOTHING}: the values are known before",
    types="any",
    inputs=(0, 0),
    outputs=0,
    signatures=(" -> ",),
)
@lowering(
    "VAR_HANDLE",
    conditions="-",
    memory=_NOTHING,
    types="resource",
    inputs=(0, 0),
    signatures=(" -> RESOURCE",),
)
def lower_nothing(ctx: LoweringContext) -> list[Stage]:
    """VAR_HANDLE and CALL_ONCE, of which nothing is left when the network runs."""
    for tensor in ctx.outputs:
        if tensor.size != 1:
            ctx.error(f"a handle has the shape {list(tensor.shape)}, must be a scalar")
    return []


@lowering(
    "READ_VARIABLE",
    conditions="a variable to which a value is assigned",
    memory=f"{VIEW} of the value that was assigned last",
    types=_TYPES,
    is_view=True,
    signatures=tuple(f"RESOURCE -> {dtype}" for dtype in DTYPES),
)
def lower_read_variable(ctx: LoweringContext) -> list[Stage]:
    """READ_VARIABLE: a view of what the variable holds at this place of the graph."""
    rows, elements = geometry(ctx.output)
    row_bytes = elements * ctx.output.element_bytes
    value = ctx.tensors.states.value(ctx.input(0).index, rows, row_bytes)
    ctx.tensors.alias(ctx.output.index, ctx.reshaped(value, rows, row_bytes))
    return []


@lowering(
    "ASSIGN_VARIABLE",
    conditions="a value of the variable's size",
    memory=f"{VIEW}; copied to the variable's memory when nobody reads its old value any more",
    types=_TYPES,
    inputs=(2, 2),
    outputs=0,
    signatures=tuple(f"RESOURCE {dtype} -> " for dtype in DTYPES),
)
def lower_assign_variable(ctx: LoweringContext) -> list[Stage]:
    """ASSIGN_VARIABLE: from here on, what reads the variable reads the value."""
    states = ctx.tensors.states
    variable = states.named[ctx.input(0).index]
    value = ctx.view(ctx.input(1))
    if value.buffer.is_state:
        # Another variable's old value, which may be overwritten first.
        value = ctx.copied(value)
    states.values[variable] = value
    if variable in states.memory:
        target = states.memory[variable].reshaped(value.rows, value.row_bytes)
        update = ctx.copy_rows(RowAccess(value), target, "_kept")
        states.updates[variable] = replace(update, is_update=True)
    return []
