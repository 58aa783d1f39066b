"""The operators that become C: the rule that lowers each, and what docs/supported_ops.md says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.lower import (
    activation,
    binary,
    concat,
    conv,
    depth_space,
    depthwise,
    fully_connected,
    lut,
    pad,
    pool,
    reduce,
    reshape,
    resize,
    slice,
    softmax,
    transpose,
    transpose_conv,
)
from asc_tiny.compiler.lower.context import LoweringContext

BY_ROW = "row by row"
VIEW = "view"
WHOLE = "whole map"


@dataclass(frozen=True)
class Rule:
    """An operator's lowering, in code and in words.

    Attributes:
        lower: makes stages of it.
        conditions: what must hold besides int8 activations of one scale each.
        memory: how much of its input must exist: a window of rows, all of it, or nothing new.
        types: of activations and constants.
        dsp: what cores with the DSP extension run specially, empty if nothing.
        inputs: fewest and most operands.
        outputs: most results.
    """

    lower: Callable[[LoweringContext], list[Stage]]
    conditions: str
    memory: str = BY_ROW
    dsp: str = ""
    types: str = "int8"
    inputs: tuple[int, int] = (1, 1)
    outputs: int = 1


_MANY = 2**15

_FUSED = "any fused activation of RELU, RELU6, RELU_N1_TO_1"
_WEIGHTS = "constant weights with zero point 0, one scale in all or one per channel"
_WEIGHTED = "int8, bias int32"
_SAME = "input and output of one quantisation"
_BROADCAST = "either operand constant or broadcast along axes that are neighbours; 4 dimensions"
_SLICED = f"constant bounds; {_SAME}"
_WINDOWED = f"batch 1; any window, stride, padding; {_FUSED}"
_VIEW_OR_COPY = f"{VIEW}; copied where the values are not side by side"
_OTHER_ROWS = f"{VIEW} of the {WHOLE} where the rows become others; copied as SLICE is"

RULES: Mapping[str, Rule] = {
    "ABS": Rule(lut.lower_abs, "any quantisation; a table of 256 bytes"),
    "ADD": Rule(binary.lower_add, f"{_BROADCAST}; {_FUSED}", inputs=(2, 2)),
    "AVERAGE_POOL_2D": Rule(pool.lower_average_pool_2d, f"{_WINDOWED}; {_SAME}"),
    "CONCATENATION": Rule(
        concat.lower_concatenation,
        f"any axis; no fused activation; {_SAME}",
        f"{VIEW}: inputs are written in place; copied where they are needed elsewhere too",
        inputs=(1, _MANY),
    ),
    "CONV_2D": Rule(
        conv.lower_conv_2d,
        f"{_WINDOWED}; any dilation; groups, which save nothing; {_WEIGHTS}",
        dsp="pairs of windows and filters",
        types=_WEIGHTED,
        inputs=(2, 3),
    ),
    "DEPTH_TO_SPACE": Rule(depth_space.lower_depth_to_space, f"batch 1; {_SAME}"),
    "DEPTHWISE_CONV_2D": Rule(
        depthwise.lower_depthwise_conv_2d,
        f"{_WINDOWED}; any dilation and multiplier; {_WEIGHTS}",
        dsp="four channels at once where the multiplier is 1",
        types=_WEIGHTED,
        inputs=(2, 3),
    ),
    "ELU": Rule(lut.lower_elu, "any quantisation; a table of 256 bytes"),
    "EXPAND_DIMS": Rule(reshape.lower_expand_dims, _SAME, _OTHER_ROWS, inputs=(2, 2)),
    "FULLY_CONNECTED": Rule(
        fully_connected.lower_fully_connected,
        f"{_FUSED}; {_WEIGHTS}",
        "row by row on rows, else all of the input",
        dsp="pairs of filters",
        types=_WEIGHTED,
        inputs=(2, 3),
    ),
    "HARD_SWISH": Rule(lut.lower_hard_swish, "a table of 256 bytes"),
    "LEAKY_RELU": Rule(lut.lower_leaky_relu, "any slope; a table of 256 bytes"),
    "LOGISTIC": Rule(
        lut.lower_logistic, "output of scale 1/256, zero point -128; a table of 256 bytes"
    ),
    "MAXIMUM": Rule(binary.lower_maximum, f"{_BROADCAST}; {_SAME}", inputs=(2, 2)),
    "MAX_POOL_2D": Rule(
        pool.lower_max_pool_2d, f"{_WINDOWED}; {_SAME}", dsp="four channels at once"
    ),
    "MEAN": Rule(
        reduce.lower_mean,
        "axes that are neighbours",
        f"{BY_ROW}, into sums if the height goes; {WHOLE} if the height stays but not as rows",
        inputs=(2, 2),
    ),
    "MINIMUM": Rule(binary.lower_minimum, f"{_BROADCAST}; {_SAME}", inputs=(2, 2)),
    "MUL": Rule(
        binary.lower_mul,
        f"{_BROADCAST}; {_FUSED}",
        "row by row; by a gate that depends on the whole map (squeeze and excite), the whole map",
        inputs=(2, 2),
    ),
    "PACK": Rule(concat.lower_pack, f"any axis; {_SAME}", f"{WHOLE}: copied", inputs=(1, _MANY)),
    "PAD": Rule(pad.lower_pad, f"any axis but the batch of an image; {_SAME}", inputs=(2, 2)),
    "PADV2": Rule(
        pad.lower_pad,
        f"any axis but the batch of an image, any value; {_SAME}",
        inputs=(3, 3),
    ),
    "PRELU": Rule(binary.lower_prelu, _BROADCAST, inputs=(2, 2)),
    "QUANTIZE": Rule(
        activation.lower_quantize,
        "int8 to int8; at the ends of the network from or to any type, where it is left out",
    ),
    "REDUCE_MAX": Rule(
        reduce.lower_reduce_max, f"axes that are neighbours; {_SAME}", "as MEAN", inputs=(2, 2)
    ),
    "RELU": Rule(activation.lower_relu, "any quantisation"),
    "RELU6": Rule(activation.lower_relu6, _SAME),
    "RESHAPE": Rule(reshape.lower_reshape, _SAME, _OTHER_ROWS, inputs=(1, 2)),
    "RESIZE_BILINEAR": Rule(
        resize.lower_resize_bilinear,
        f"any size; align_corners or half_pixel_centers; {_SAME}",
        inputs=(2, 2),
    ),
    "RESIZE_NEAREST_NEIGHBOR": Rule(
        resize.lower_resize_nearest_neighbor,
        f"any size; align_corners or half_pixel_centers; {_SAME}",
        inputs=(2, 2),
    ),
    "SLICE": Rule(slice.lower_slices, _SLICED, _VIEW_OR_COPY, inputs=(3, 3)),
    "SOFTMAX": Rule(
        softmax.lower_softmax,
        "over the last axis, up to 511 classes; output of scale 1/256, zero point -128",
    ),
    "SPACE_TO_DEPTH": Rule(depth_space.lower_space_to_depth, f"batch 1; {_SAME}"),
    "SPLIT": Rule(slice.lower_slices, _SLICED, _VIEW_OR_COPY, inputs=(2, 2), outputs=_MANY),
    "SPLIT_V": Rule(slice.lower_slices, _SLICED, _VIEW_OR_COPY, inputs=(3, 3), outputs=_MANY),
    "SQUEEZE": Rule(reshape.lower_reshape, _SAME, _OTHER_ROWS),
    "STRIDED_SLICE": Rule(
        slice.lower_slices,
        f"any steps, no new axes or ellipsis; {_SLICED}",
        _VIEW_OR_COPY,
        inputs=(4, 4),
    ),
    "SUB": Rule(binary.lower_sub, f"{_BROADCAST}; {_FUSED}", inputs=(2, 2)),
    "SUM": Rule(reduce.lower_sum, "axes that are neighbours", "as MEAN", inputs=(2, 2)),
    "TANH": Rule(lut.lower_tanh, "output of scale 1/128, zero point 0; a table of 256 bytes"),
    "TRANSPOSE": Rule(
        transpose.lower_transpose,
        f"up to 4 dimensions; {_SAME}",
        f"{VIEW} where only dimensions of 1 move, else {WHOLE}",
        inputs=(2, 2),
    ),
    "TRANSPOSE_CONV": Rule(
        transpose_conv.lower_transpose_conv,
        f"batch 1; any window, stride, padding; {_FUSED}; {_WEIGHTS}",
        dsp="as CONV_2D",
        types=_WEIGHTED,
        inputs=(3, 4),
    ),
    "UNPACK": Rule(slice.lower_slices, _SAME, _VIEW_OR_COPY, outputs=_MANY),
}
"""The supported operators."""

LOWERINGS: Mapping[str, Callable[[LoweringContext], list[Stage]]] = {
    name: rule.lower for name, rule in RULES.items()
}
"""What turns each operator into stages."""
