"""Time-major layout: time becomes the height of all images, so that rows are feature columns.

Stages make rows, a front end gives columns. So a network whose input is streamed gets height and
width of its images transposed, with windows, strides, axes and weights accordingly. Sums are the
same integers in another order, so no value changes. Where an operator has no time-major form, its
inputs are transposed back, and the network goes on as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.lower.window import PADDED
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.tflite.ops import Family, OpRules
from asc_tiny.util.errors import AscError

_TRANSPOSED = (0, 2, 1, 3)
_AXIS = {1: 2, 2: 1}
_PAIRS = (
    ("stride_h", "stride_w"),
    ("dilation_h_factor", "dilation_w_factor"),
    ("filter_height", "filter_width"),
    PADDED,
)
_MASKS = ("begin_mask", "end_mask", "shrink_axis_mask")


def to_time_major(graph: Graph) -> Graph:
    """Return the network in time-major layout: height and width of its images are transposed.

    Raises:
        AscError: the input is no image.
    """
    shape = graph.tensor(graph.inputs[0]).shape
    if len(shape) != 4 or shape[0] != 1:
        raise AscError(
            f"{graph.source}: input shape {list(shape)}, --schedule streaming needs "
            f"[1, bands, columns, channels]"
        )
    return _TimeMajorRewriter(graph).graph()


class _TimeMajorRewriter:
    """A graph that becomes time-major.

    Attributes:
        is_time_major: numbers of the activations whose height and width are transposed.
    """

    def __init__(self, source: Graph) -> None:
        self.source = source
        self.tensors = list(source.tensors)
        self.operators: list[Operator] = []
        self.is_time_major: set[int] = set()
        self._restored: dict[int, int] = {}

    def graph(self) -> Graph:
        """Return the time-major graph."""
        self.transpose_shape(self.source.inputs[0])
        for operator in self.source.operators:
            changed = self.rule(operator)
            if changed is None:
                inputs = tuple(map(self.restored, operator.inputs))
                self.operators.append(replace(operator, inputs=inputs))
                continue
            self.operators.append(changed)
            for index in operator.outputs:
                if len(self.source.tensor(index).shape) == 4:
                    self.transpose_shape(index)
        outputs = tuple(map(self.restored, self.source.outputs))
        return replace(
            self.source,
            tensors=tuple(self.tensors),
            operators=tuple(self.operators),
            outputs=outputs,
        )

    def rule(self, operator: Operator) -> Operator | None:
        """Return the operator on time-major tensors, None if it has no such form or tensors."""
        rule = time_major_rule.get(operator.name)
        activations = [index for index in operator.inputs if self.is_activation(index)]
        images = [index for index in activations if len(self.source.tensor(index).shape) == 4]
        is_possible = images and all(index in self.is_time_major for index in images)
        return rule(self, operator) if rule is not None and is_possible else None

    def is_activation(self, index: int) -> bool:
        """Whether an input is there and computed."""
        return index != ABSENT and not self.source.tensor(index).is_constant

    def transpose_shape(self, index: int) -> None:
        """Transpose height and width in the shape of an activation."""
        tensor = self.tensors[index]
        self.tensors[index] = replace(tensor, shape=_transposed(tensor.shape))
        self.is_time_major.add(index)

    def restored(self, index: int) -> int:
        """Return the number of a tensor in its own layout, which a TRANSPOSE makes if needed."""
        if index not in self.is_time_major:
            return index
        if index not in self._restored:
            source = self.source.tensor(index)
            self._restored[index] = self.tensor(
                replace(source, name=f"{source.name} transposed back")
            )
            order = self.constant(np.array(_TRANSPOSED, np.int32), "INT32")
            # Others keep their numbers in the file, of which folding may have taken some away.
            last = max(operator.index for operator in self.source.operators)
            number = last + 1 + len(self._restored)
            outputs = (self._restored[index],)
            self.operators.append(Operator(number, "TRANSPOSE", (index, order), outputs, {}))
        return self._restored[index]

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


_Rule = Callable[[_TimeMajorRewriter, Operator], Operator | None]


def _transposed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(shape[axis] for axis in _TRANSPOSED)


def _turned(axis: int) -> int:
    """Return the number of an axis in the other layout; what is no axis is refused later."""
    return _AXIS.get(axis % 4, axis % 4) if -4 <= axis < 4 else axis


def _same(_: _TimeMajorRewriter, operator: Operator) -> Operator:
    return operator


def _with_options(operator: Operator) -> Operator:
    options = dict(operator.options)
    for height, width in _PAIRS:
        if height in options:
            options[height], options[width] = options[width], options[height]
    return replace(operator, options=options)


def _window(_: _TimeMajorRewriter, operator: Operator) -> Operator:
    return _with_options(operator)


def _elementwise(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    """Operands of fewer dimensions are images of height 1, and of width 1 if possible."""
    changed = operator
    for position, index in enumerate(operator.inputs):
        shape = rewriter.source.tensor(index).shape
        if index in rewriter.is_time_major or all(size == 1 for size in shape[:-1]):
            continue
        found = rewriter.data(index)
        if found is None or len(shape) > 4:
            return None
        image = found[0].reshape((1,) * (4 - len(shape)) + shape)
        changed = rewriter.replaced(changed, position, image.transpose(_TRANSPOSED))
    is_image = len(rewriter.source.tensor(operator.outputs[0]).shape) == 4
    return changed if is_image else None


def _axes(position: int) -> _Rule:
    """A rule for operators with a constant list of axes as an input."""

    def rule(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
        found = rewriter.data(operator.inputs[position])
        if found is None:
            return None
        changed = np.array([_turned(int(axis)) for axis in found[0].ravel()], found[0].dtype)
        return rewriter.replaced(operator, position, changed.reshape(found[0].shape))

    return rule


def _reduced(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    """What keeps both of height and width must keep them as an image; axes stay neighbours."""
    found = rewriter.data(operator.inputs[1])
    output = rewriter.source.tensor(operator.outputs[0]).shape
    if found is None:
        return None
    axes = {int(axis) % 4 for axis in found[0].ravel()}
    height = rewriter.source.tensor(operator.inputs[0]).shape[1]
    if {2, 3} <= axes and 1 not in axes and height > 1:
        return None
    return _axes(1)(rewriter, operator) if len(output) == 4 or axes & {1, 2} else None


def _resized(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    found = rewriter.data(operator.inputs[1])
    return None if found is None else rewriter.replaced(operator, 1, found[0].ravel()[::-1])


time_major_rule: OpRules[_Rule] = OpRules(
    {
        Family.UNARY: _same,
        Family.BINARY: _elementwise,
        Family.COMPARISON: _elementwise,
        Family.WINDOW: _window,
        Family.REDUCTION: _reduced,
        Family.RESIZE: _resized,
    }
)
"""What makes the time-major form of an operator; all others stay as they are."""

time_major_rule("SPLIT")(_axes(0))
time_major_rule("SPLIT_V")(_axes(2))
time_major_rule("CUMSUM")(_axes(1))


@time_major_rule("CONV_2D", "DEPTHWISE_CONV_2D")
def _weighted(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    found = rewriter.data(operator.inputs[1])
    if found is None or found[0].ndim != 4:
        return None
    return rewriter.replaced(_with_options(operator), 1, found[0].transpose(_TRANSPOSED))


@time_major_rule("TRANSPOSE_CONV")
def _transpose_conv(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    changed, found = _weighted(rewriter, operator), rewriter.data(operator.inputs[0])
    if changed is None or found is None or found[0].size != 4:
        return None
    return rewriter.replaced(changed, 0, found[0].ravel()[list(_TRANSPOSED)])


@time_major_rule("CONCATENATION")
def _axis_option(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    if any(index not in rewriter.is_time_major for index in operator.inputs):
        return None
    axis = _turned(int(operator.options["axis"]))
    return replace(operator, options={**operator.options, "axis": axis})


def _by_axis(*positions: int) -> _Rule:
    """A rule for operators whose constants have an entry, or a row, for each dimension."""

    def rule(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
        changed = operator
        for position in positions:
            found = rewriter.data(operator.inputs[position])
            if found is None or found[0].size % 4:
                return None
            rows = found[0].reshape(4, -1)[list(_TRANSPOSED)]
            changed = rewriter.replaced(changed, position, rows.reshape(found[0].shape))
        return changed

    return rule


time_major_rule("PAD", "PADV2")(_by_axis(1))
time_major_rule("SLICE")(_by_axis(1, 2))


@time_major_rule("STRIDED_SLICE")
def _strided_slice(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    options = dict(operator.options)
    if options["shrink_axis_mask"] or options["ellipsis_mask"] or options["new_axis_mask"]:
        return None
    for mask in _MASKS:
        bits = [int(options[mask]) >> axis & 1 for axis in _TRANSPOSED]
        options[mask] = sum(bit << axis for axis, bit in enumerate(bits))
    return _by_axis(1, 2, 3)(rewriter, replace(operator, options=options))


@time_major_rule("FULLY_CONNECTED")
def _dense(rewriter: _TimeMajorRewriter, operator: Operator) -> Operator | None:
    """Dense layers on pixels."""
    source, output = (
        rewriter.source.tensor(i[0]).shape for i in (operator.inputs, operator.outputs)
    )
    depth = rewriter.source.tensor(operator.inputs[1]).shape[-1]
    return (
        operator if len(output) == 4 and source[:3] == output[:3] and source[3] == depth else None
    )
