"""Folds PAD into the convolutions that read it.

Converters write a PAD before a convolution whose padding is not that of SAME, such as one of stride
2 from PyTorch or Keras. It adds the zero point around an image, as the window of a convolution does
by itself: without the PAD nothing is copied.
"""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.compiler.lower.window import PADDED
from asc_tiny.tflite.graph import Graph, Operator

_Amounts = tuple[tuple[int, int], tuple[int, int]]
"""Rows above and below an image, and pixels left and right of each row."""


def fold_padding(graph: Graph) -> Graph:
    """Return a graph without PAD before convolutions; the same graph if there is none."""
    folded: dict[int, tuple[int, _Amounts]] = {}
    left: list[Operator] = []
    for operator in graph.operators:
        amounts = _amounts(graph, operator)
        if amounts is not None and _is_folded(graph, operator, amounts):
            folded[operator.outputs[0]] = operator.inputs[0], amounts
        elif operator.inputs and operator.inputs[0] in folded:
            source, amounts = folded[operator.inputs[0]]
            options = {**operator.options, **dict(zip(PADDED, amounts, strict=True))}
            left.append(replace(operator, inputs=(source, *operator.inputs[1:]), options=options))
        else:
            left.append(operator)
    return replace(graph, operators=tuple(left)) if folded else graph


def _amounts(graph: Graph, operator: Operator) -> _Amounts | None:
    """Return how a PAD surrounds an int8 image with its zero point, None for all else."""
    if operator.name != "PAD" or len(operator.inputs) != 2 or len(operator.outputs) != 1:
        return None
    source, amounts = map(graph.tensor, operator.inputs)
    output = graph.tensor(operator.outputs[0])
    is_image = source.dtype == output.dtype == "INT8" and len(source.shape) == 4
    if not is_image or source.is_constant or amounts.dtype != "INT32" or amounts.data is None:
        return None
    if (source.scales, source.zero_points) != (output.scales, output.zero_points):
        return None
    if amounts.shape != (4, 2) or amounts.data.min() < 0 or amounts.data[[0, 3]].any():
        return None
    padded = zip(source.shape, amounts.data.sum(axis=1).tolist(), strict=True)
    if tuple(size + more for size, more in padded) != output.shape:
        return None
    (top, bottom), (left, right) = amounts.data[1:3].tolist()
    return (top, bottom), (left, right)


def _is_folded(graph: Graph, operator: Operator, amounts: _Amounts) -> bool:
    """Whether only convolutions read a PAD whose windows reach as far beyond the border."""
    (index,) = operator.outputs
    readers = graph.readers.get(index, ())
    return (
        bool(readers)
        and index not in graph.outputs
        and all(_can_pad(graph, reader, index, amounts) for reader in readers)
    )


def _can_pad(graph: Graph, reader: Operator, index: int, amounts: _Amounts) -> bool:
    """Whether an operator is a convolution that can pad its input, by at most half its window."""
    is_convolution = reader.name in ("CONV_2D", "DEPTHWISE_CONV_2D")
    if not is_convolution or reader.inputs[0] != index or reader.inputs.count(index) > 1:
        return False
    weights = graph.tensor(reader.inputs[1])
    if reader.options["padding"] != "VALID" or len(weights.shape) != 4:
        return False
    dilations = [reader.options.get(f"dilation_{each}_factor", 1) for each in "hw"]
    sizes = zip(weights.shape[1:3], dilations, amounts, strict=True)
    return all(max(both) <= (size - 1) * dilation // 2 for size, dilation, both in sizes)
