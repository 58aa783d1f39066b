"""Instructions, time and energy of a network compiled ahead of time, estimated from its graph."""

from __future__ import annotations

from typing import NamedTuple

from asc_tiny.complexity.counting import work
from asc_tiny.complexity.graph import Graph, Operator

_WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D")


class Features(NamedTuple):
    """What the instructions of an operator are estimated from.

    Attributes:
        work: multiply-accumulates, or other operations where there are none. Convolutions and
            dense layers count what the kernels compute: channels in pairs, windows in fours.
        outputs: elements of the output.
        taps: pixels of the output times pixels of a window.
        gathered: input elements under all rows of windows, as often as they are read.
        rows: of the output; the runtime makes one at a time.
    """

    work: int
    outputs: int
    taps: int
    gathered: int
    rows: int


def features(graph: Graph, operator: Operator) -> Features:
    """Return what the cost of an operator depends on.

    Raises:
        AscError: the operator's work cannot be counted.
    """
    counted = work(graph, operator)
    outputs = [graph.tensor(index) for index in operator.outputs]
    rows = max((t.shape[1] if len(t.shape) == 4 else 1 for t in outputs), default=0)
    return Features(
        work=_padded(graph, operator) or counted.macs or counted.operations,
        outputs=sum(tensor.size for tensor in outputs),
        taps=_taps(graph, operator),
        gathered=rows * _window(graph, operator)[0] * _row_size(graph, operator),
        rows=rows,
    )


def kind(graph: Graph, operator: Operator) -> str:
    """Return the name under which the costs of an operator are tabulated.

    Windows with gaps, and depthwise convolutions that make several channels of one, run through
    code of their own.
    """
    if operator.name not in _WINDOWED:
        return operator.name
    gaps = [operator.options.get(f"dilation_{axis}_factor", 1) for axis in "hw"]
    if max(gaps) > 1:
        return f"{operator.name} dilated"
    if operator.name == "DEPTHWISE_CONV_2D":
        source, result = operator.inputs[0], operator.outputs[0]
        if graph.tensor(source).shape[-1] != graph.tensor(result).shape[-1]:
            return f"{operator.name} multiplied"
    return operator.name


def _padded(graph: Graph, operator: Operator) -> int:
    """Return the products of a convolution or dense layer, those with padding zeros included."""
    if operator.name not in ("CONV_2D", "FULLY_CONNECTED"):
        return 0
    channels, *window = graph.tensor(operator.inputs[1]).shape
    height, width, depth = window if len(window) == 3 else (1, 1, window[0])
    length = _round_up(width * _round_up(height * depth, 2), 4)
    positions = graph.tensor(operator.outputs[0]).size // channels
    return positions * _round_up(channels, 2) * length


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _taps(graph: Graph, operator: Operator) -> int:
    height, width = _window(graph, operator)
    outputs = [graph.tensor(index) for index in operator.outputs]
    return sum(tensor.size // tensor.shape[-1] for tensor in outputs if tensor.shape) * (
        height * width
    )


def _window(graph: Graph, operator: Operator) -> tuple[int, int]:
    if operator.name in _WINDOWED:
        _, height, width, _ = graph.tensor(operator.inputs[1]).shape
        return height, width
    options = operator.options
    return int(options.get("filter_height", 1)), int(options.get("filter_width", 1))


def _row_size(graph: Graph, operator: Operator) -> int:
    activations = (tensor for tensor in graph.input_tensors(operator) if not tensor.is_constant)
    tensor = next(activations, None)
    if tensor is None:
        return 0
    return tensor.size // tensor.shape[1] if len(tensor.shape) == 4 else tensor.size
