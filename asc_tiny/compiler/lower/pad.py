"""Lowers PAD and PADV2."""

from __future__ import annotations

import numpy as np

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import PadParams
from asc_tiny.compiler.lower.context import LoweringContext
from asc_tiny.compiler.lower.requantization import LIMITS
from asc_tiny.compiler.lower.rule import EITHER, SAME, lowering


@lowering(
    "PAD",
    conditions=f"any axis but the batch of an image; {SAME}",
    inputs=(2, 2),
    signatures=EITHER,
)
@lowering(
    "PADV2",
    conditions=f"any axis but the batch of an image, any value; {SAME}",
    inputs=(3, 3),
    signatures=EITHER,
)
def lower_pad(ctx: LoweringContext) -> list[Stage]:
    """PAD and PADV2 along all dimensions but a batch of images."""
    source, output = ctx.input(0), ctx.output
    ctx.same_quantization(source, output)
    rank = len(source.shape)
    if rank > 4 or (rank == 4 and source.shape[0] != 1):
        ctx.error(f"shape {list(source.shape)}, must be an image or have at most 3 dimensions")
    amounts = np.array(ctx.integers(1, 2 * rank), np.int64).reshape(rank, 2)
    padded = tuple(int(n) + int(sum(a)) for n, a in zip(source.shape, amounts, strict=True))
    if padded != output.shape:
        ctx.error(f"pads to {list(padded)}, the output is {list(output.shape)}")
    missing = 4 - rank
    amounts = np.concatenate([np.zeros((missing, 2), np.int64), amounts])
    _, height, width, channels = (*(1,) * missing, *source.shape)
    is_one_row = rank < 4
    if amounts.min() < 0 or amounts[0].any() or (is_one_row and (height > 1 or amounts[1].any())):
        ctx.error(f"paddings {amounts[missing:].tolist()} of {list(source.shape)}")
    *_, output_width, output_channels = (1, 1, *output.shape)
    value = ctx.quantization(output)[1]
    if ctx.optional_input(2) is not None:
        ctx.same_type(ctx.input(2), output)
        ctx.same_quantization(ctx.input(2), output)
        value = int(ctx.constants(2, 1).ravel()[0])
    low, high = LIMITS[output.dtype]
    if not low <= value <= high:
        ctx.error(f"pads with {value}")
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
