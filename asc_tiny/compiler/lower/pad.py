"""Lowers PAD and PADV2."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.ir import RowAccess, Stage
from asc_tiny.compiler.kernel_params import PadParams
from asc_tiny.compiler.lower.context import QUANTIZED, LoweringContext, is_image
from asc_tiny.compiler.lower.index_map import NOWHERE, lower_index_map, numbers
from asc_tiny.compiler.lower.requantization import LIMITS
from asc_tiny.compiler.lower.rule import ANY, SAME, lowering
from asc_tiny.tflite.graph import Tensor


@lowering(
    "PAD",
    conditions=f"any axis; {SAME}",
    inputs=(2, 2),
    signatures=ANY,
)
@lowering(
    "PADV2",
    conditions=f"any axis; int8 and int16: any value, else 0; {SAME}",
    inputs=(3, 3),
    signatures=ANY,
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
        _check_zero(ctx, value, ("INT8",))
        places = np.pad(numbers(source), amounts, constant_values=NOWHERE)
        return lower_index_map(ctx, places, value=value)
    _check_zero(ctx, value, QUANTIZED)
    # Kernels fill bytes, or 16-bit codes.
    unit = 1 if ctx.has_int16 else output.element_bytes
    missing = 4 - rank
    amounts = np.concatenate([np.zeros((missing, 2), np.int64), amounts])
    *_, width, channels = (*(1,) * missing, *source.shape)
    *_, output_width, output_channels = (1, 1, *output.shape)
    top, left, front = (int(a) for a in amounts[1:, 0])
    params = PadParams(
        input_width=width,
        input_channels=channels * unit,
        output_width=output_width,
        output_channels=output_channels * unit,
        left=left,
        front=front * unit,
        value=value,
    )
    rows = RowAccess(ctx.view(source), offset=-top)
    return [ctx.stage(ctx.typed("asc_pad"), params, inputs=[rows])]


def _check_zero(ctx: LoweringContext, value: int, types: Sequence[str]) -> None:
    """Check that what fills is 0, but where it may be other codes of some types."""
    if value != 0 and ctx.output.dtype not in types:
        shape, dtype = list(ctx.input(0).shape), ctx.output.dtype
        ctx.error(f"pads {shape} of {dtype} with {value}, must be 0")


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
    """Return the code that fills; any number but 0 as 1, where none can."""
    output = ctx.output
    value = ctx.quantization(output)[1] if ctx.has_codes else 0
    if ctx.optional_input(2) is not None:
        ctx.same_type(ctx.input(2), output)
        ctx.same_quantization(ctx.input(2), output)
        stated = ctx.constants(2, 1)
        value = int(stated.ravel()[0]) if ctx.has_codes else int(any(stated.tobytes()))
    if not ctx.has_codes:
        return value
    low, high = LIMITS[output.dtype]
    if not low <= value <= high:
        ctx.error(f"pads with {value}")
    return value
