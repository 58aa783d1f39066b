"""Lowers PAD and PADV2."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import PadParams
from asc_tiny.compiler.lower.context import LoweringContext, is_image
from asc_tiny.compiler.lower.index_map import NOWHERE, lower_index_map, numbers
from asc_tiny.compiler.lower.requantization import LIMITS
from asc_tiny.compiler.lower.rule import EITHER, SAME, lowering
from asc_tiny.tflite.graph import Tensor


@lowering(
    "PAD",
    conditions=f"any axis; {SAME}",
    inputs=(2, 2),
    signatures=EITHER,
)
@lowering(
    "PADV2",
    conditions=f"any axis, any value; {SAME}",
    inputs=(3, 3),
    signatures=EITHER,
)
def lower_pad(ctx: LoweringContext) -> list[Stage]:
    """PAD and PADV2 along all dimensions but a batch of images."""
    source, output = ctx.input(0), ctx.output
    ctx.same_quantization(source, output)
    rank = len(source.shape)
    amounts = np.array(ctx.integers(1, 2 * rank), np.int64).reshape(rank, 2)
    padded = tuple(int(n) + int(sum(a)) for n, a in zip(source.shape, amounts, strict=True))
    if padded != output.shape:
        ctx.error(f"pads to {list(padded)}, the output is {list(output.shape)}")
    value = _value(ctx)
    if amounts.min() < 0:
        ctx.error(f"paddings {amounts.tolist()} of {list(source.shape)}")
    if not _pads_rows(source, amounts):
        if output.dtype != "INT8" and value != 0:
            ctx.error(f"pads {list(source.shape)} of {output.dtype} with {value}, must be 0")
        places = np.pad(numbers(source), amounts, constant_values=NOWHERE)
        return lower_index_map(ctx, places, value=value)
    missing = 4 - rank
    amounts = np.concatenate([np.zeros((missing, 2), np.int64), amounts])
    *_, width, channels = (*(1,) * missing, *source.shape)
    *_, output_width, output_channels = (1, 1, *output.shape)
    top, left, front = (int(a) for a in amounts[1:, 0])
    params = PadParams(
        input_width=width,
        input_channels=channels,
        output_width=output_width,
        output_channels=output_channels,
        left=left,
        front=front,
        value=value,
    )
    rows = RowAccess(ctx.view(source), offset=-top)
    return [ctx.stage(ctx.typed("asc_pad"), params, inputs=[rows])]


def _pads_rows(source: Tensor, amounts: NDArray[np.int64]) -> bool:
    """Whether rows are padded: those of an image, or one row of what has two axes with values."""
    if is_image(source):
        return not amounts[0].any()
    outer = len(source.shape) - 2
    return (
        len(source.shape) < 4
        and math.prod(source.shape[: max(outer, 0)]) == 1
        and not amounts[: max(outer, 0)].any()
    )


def _value(ctx: LoweringContext) -> int:
    """Return the code that fills."""
    output = ctx.output
    value = ctx.quantization(output)[1]
    if ctx.optional_input(2) is not None:
        ctx.same_type(ctx.input(2), output)
        ctx.same_quantization(ctx.input(2), output)
        value = int(ctx.constants(2, 1).ravel()[0])
    low, high = LIMITS[output.dtype]
    if not low <= value <= high:
        ctx.error(f"pads with {value}")
    return value
