"""Turns images by 90 degrees: time becomes the height, so that rows are columns of the features.

The compiler's stages make rows. A front end gives columns: a network that is to compute while they
come has height and width of all its images exchanged, with windows, strides, axes and weights
accordingly. Sums are the same integers in another order, so no value changes. Where an operator
cannot be turned, its inputs are turned back, and the network goes on as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.util.errors import AscError

_EXCHANGED = (0, 2, 1, 3)
_AXIS = {1: 2, 2: 1}
_PAIRS = (
    ("stride_h", "stride_w"),
    ("dilation_h_factor", "dilation_w_factor"),
    ("filter_height", "filter_width"),
)
_MASKS = ("begin_mask", "end_mask", "shrink_axis_mask")


def turned(graph: Graph) -> Graph:
    """Return the network with height and width of its images exchanged, its input's first.

    Raises:
        AscError: the input is no image.
    """
    shape = graph.tensor(graph.inputs[0]).shape
    if len(shape) != 4 or shape[0] != 1:
        raise AscError(
            f"{graph.source}: input shape {list(shape)}, --schedule time needs "
            f"[1, bands, columns, channels]"
        )
    return _Turning(graph).graph()


class _Turning:
    """One graph that is being turned.

    Attributes:
        is_turned: the activations whose height and width are exchanged.
    """

    def __init__(self, source: Graph) -> None:
        self.source = source
        self.tensors = list(source.tensors)
        self.operators: list[Operator] = []
        self.is_turned: set[int] = set()
        self._back: dict[int, int] = {}

    def graph(self) -> Graph:
        """Return the turned graph."""
        self.turn(self.source.inputs[0])
        for operator in self.source.operators:
            changed = self.rule(operator)
            if changed is None:
                inputs = tuple(map(self.turned_back, operator.inputs))
                self.operators.append(replace(operator, inputs=inputs))
                continue
            self.operators.append(changed)
            for index in operator.outputs:
                if len(self.source.tensor(index).shape) == 4:
                    self.turn(index)
        outputs = tuple(map(self.turned_back, self.source.outputs))
        return replace(
            self.source,
            tensors=tuple(self.tensors),
            operators=tuple(self.operators),
            outputs=outputs,
        )

    def rule(self, operator: Operator) -> Operator | None:
        """Return the operator on turned tensors, None if it cannot be or has none."""
        rule = _RULES.get(operator.name)
        activations = [index for index in operator.inputs if self.is_activation(index)]
        images = [index for index in activations if len(self.source.tensor(index).shape) == 4]
        is_possible = images and all(index in self.is_turned for index in images)
        return rule(self, operator) if rule is not None and is_possible else None

    def is_activation(self, index: int) -> bool:
        """Whether an input is there and computed."""
        return index != ABSENT and not self.source.tensor(index).is_constant

    def turn(self, index: int) -> None:
        """Exchange height and width of an activation."""
        tensor = self.tensors[index]
        self.tensors[index] = replace(tensor, shape=_exchanged(tensor.shape))
        self.is_turned.add(index)

    def turned_back(self, index: int) -> int:
        """Return a tensor in its own shape."""
        if index not in self.is_turned:
            return index
        if index not in self._back:
            source = self.source.tensor(index)
            self._back[index] = self.tensor(replace(source, name=f"{source.name} turned back"))
            order = self.constant(np.array(_EXCHANGED, np.int32), "INT32")
            # Others keep their numbers in the file.
            number = len(self.source.operators) + len(self._back)
            outputs = (self._back[index],)
            self.operators.append(Operator(number, "TRANSPOSE", (index, order), outputs, {}))
        return self._back[index]

    def tensor(self, tensor: Tensor) -> int:
        """Add a tensor and return its number."""
        self.tensors.append(replace(tensor, index=len(self.tensors)))
        return len(self.tensors) - 1

    def constant(self, values: NDArray[Any], dtype: str, like: Tensor | None = None) -> int:
        """Add a constant, quantised like another, and return its number."""
        content = np.ascontiguousarray(values).tobytes()
        base = like or Tensor(0, "", (), dtype)
        return self.tensor(replace(base, shape=values.shape, dtype=dtype, content=content))

    def data(self, index: int) -> tuple[NDArray[Any], Tensor] | None:
        """Return the values of a constant, None if it is computed."""
        tensor = self.source.tensor(index)
        return None if tensor.data is None else (tensor.data, tensor)

    def replaced(self, operator: Operator, position: int, values: NDArray[Any]) -> Operator:
        """Return an operator with other values of a constant input."""
        tensor = self.source.tensor(operator.inputs[position])
        inputs = list(operator.inputs)
        inputs[position] = self.constant(values, tensor.dtype, tensor)
        return replace(operator, inputs=tuple(inputs))


_Rule = Callable[[_Turning, Operator], Operator | None]


def _exchanged(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in _EXCHANGED)


def _same(_: _Turning, operator: Operator) -> Operator:
    return operator


def _with_options(operator: Operator) -> Operator:
    options = dict(operator.options)
    for height, width in _PAIRS:
        if height in options:
            options[height], options[width] = options[width], options[height]
    return replace(operator, options=options)


def _window(_: _Turning, operator: Operator) -> Operator:
    return _with_options(operator)


def _weighted(to: _Turning, operator: Operator) -> Operator | None:
    found = to.data(operator.inputs[1])
    if found is None or found[0].ndim != 4:
        return None
    return to.replaced(_with_options(operator), 1, found[0].transpose(_EXCHANGED))


def _transpose_conv(to: _Turning, operator: Operator) -> Operator | None:
    changed, found = _weighted(to, operator), to.data(operator.inputs[0])
    if changed is None or found is None or found[0].size != 4:
        return None
    return to.replaced(changed, 0, found[0].ravel()[list(_EXCHANGED)])


def _elementwise(to: _Turning, operator: Operator) -> Operator | None:
    """Operands of fewer dimensions are images of height 1, and of width 1 if possible."""
    changed = operator
    for position, index in enumerate(operator.inputs):
        shape = to.source.tensor(index).shape
        if index in to.is_turned or all(size == 1 for size in shape[:-1]):
            continue
        found = to.data(index)
        if found is None or len(shape) > 4:
            return None
        image = found[0].reshape((1,) * (4 - len(shape)) + shape)
        changed = to.replaced(changed, position, image.transpose(_EXCHANGED))
    is_image = len(to.source.tensor(operator.outputs[0]).shape) == 4
    return changed if is_image else None


def _axis_option(to: _Turning, operator: Operator) -> Operator | None:
    axis = int(operator.options["axis"]) % 4
    if any(index not in to.is_turned for index in operator.inputs):
        return None
    return replace(operator, options={**operator.options, "axis": _AXIS.get(axis, axis)})


def _axes(position: int) -> _Rule:
    """A rule for operators with a constant list of axes as an input."""

    def rule(to: _Turning, operator: Operator) -> Operator | None:
        found = to.data(operator.inputs[position])
        if found is None:
            return None
        axes = [int(axis) % 4 for axis in found[0].ravel()]
        changed = np.array([_AXIS.get(axis, axis) for axis in axes], found[0].dtype)
        return to.replaced(operator, position, changed.reshape(found[0].shape))

    return rule


def _reduced(to: _Turning, operator: Operator) -> Operator | None:
    """What keeps both of height and width must keep them as an image; axes stay neighbours."""
    found = to.data(operator.inputs[1])
    output = to.source.tensor(operator.outputs[0]).shape
    if found is None:
        return None
    axes = {int(axis) % 4 for axis in found[0].ravel()}
    height = to.source.tensor(operator.inputs[0]).shape[1]
    if {2, 3} <= axes and 1 not in axes and height > 1:
        return None
    return _axes(1)(to, operator) if len(output) == 4 or axes & {1, 2} else None


def _by_axis(*positions: int) -> _Rule:
    """A rule for operators whose constants have an entry, or a row, for each dimension."""

    def rule(to: _Turning, operator: Operator) -> Operator | None:
        changed = operator
        for position in positions:
            found = to.data(operator.inputs[position])
            if found is None or found[0].size % 4:
                return None
            rows = found[0].reshape(4, -1)[list(_EXCHANGED)]
            changed = to.replaced(changed, position, rows.reshape(found[0].shape))
        return changed

    return rule


def _strided_slice(to: _Turning, operator: Operator) -> Operator | None:
    options = dict(operator.options)
    if options["shrink_axis_mask"] or options["ellipsis_mask"] or options["new_axis_mask"]:
        return None
    for mask in _MASKS:
        bits = [int(options[mask]) >> axis & 1 for axis in _EXCHANGED]
        options[mask] = sum(bit << axis for axis, bit in enumerate(bits))
    return _by_axis(1, 2, 3)(to, replace(operator, options=options))


def _resized(to: _Turning, operator: Operator) -> Operator | None:
    found = to.data(operator.inputs[1])
    return None if found is None else to.replaced(operator, 1, found[0].ravel()[::-1])


def _dense(to: _Turning, operator: Operator) -> Operator | None:
    """On pixels."""
    source, output = (to.source.tensor(i[0]).shape for i in (operator.inputs, operator.outputs))
    depth = to.source.tensor(operator.inputs[1]).shape[-1]
    return (
        operator if len(output) == 4 and source[:3] == output[:3] and source[3] == depth else None
    )


_RULES: Mapping[str, _Rule] = {
    "ABS": _same,
    "ADD": _elementwise,
    "AVERAGE_POOL_2D": _window,
    "CONCATENATION": _axis_option,
    "CONV_2D": _weighted,
    "DEPTHWISE_CONV_2D": _weighted,
    "ELU": _same,
    "FULLY_CONNECTED": _dense,
    "HARD_SWISH": _same,
    "LEAKY_RELU": _same,
    "LOGISTIC": _same,
    "MAXIMUM": _elementwise,
    "MAX_POOL_2D": _window,
    "MEAN": _reduced,
    "MINIMUM": _elementwise,
    "MUL": _elementwise,
    "PAD": _by_axis(1),
    "PADV2": _by_axis(1),
    "PRELU": _elementwise,
    "QUANTIZE": _same,
    "REDUCE_MAX": _reduced,
    "RELU": _same,
    "RELU6": _same,
    "RESIZE_BILINEAR": _resized,
    "RESIZE_NEAREST_NEIGHBOR": _resized,
    "SLICE": _by_axis(1, 2),
    "SOFTMAX": _same,
    "SPLIT": _axes(0),
    "SPLIT_V": _axes(2),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _elementwise,
    "SUM": _reduced,
    "TANH": _same,
    "TRANSPOSE_CONV": _transpose_conv,
}
"""What turns an operator; all others stay as they are."""
