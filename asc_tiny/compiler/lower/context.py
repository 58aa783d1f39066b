"""What lowering an operator needs: its operands, checked, and ways to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compiler.diagnostics import operator_error
from asc_tiny.compiler.ir import INT8, INT32, INT64, Buffer, BufferView, RowAccess, Stage
from asc_tiny.compiler.kernel_params import (
    KERNELS,
    Array,
    CopyParams,
    KernelParams,
    OutputRange,
)
from asc_tiny.compiler.lower.requantization import LIMITS, activation_range
from asc_tiny.compiler.lower.signature import ALL_INT8, Signature
from asc_tiny.compiler.lower.states import States
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.tflite.operands import OperatorView

MOST_SUM_BYTES = 4096
"""Largest scratch memory for a row of sums where rows are made as a whole, in bytes."""


MOST_EXPANDED = 2**22
"""Weights that an operator may become, zeros included: the flash of a large microcontroller."""


DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.uint8),
    "FLOAT32": np.dtype(np.float32),
    "INT8": INT8,
    "INT16": np.dtype(np.int16),
    "INT32": INT32,
    "INT64": INT64,
    "UINT8": np.dtype(np.uint8),
}
"""The element types of tensors in memory, by their names in the file; a BOOL is 0 or 1."""


STORED: Mapping[str, np.dtype[Any]] = {"FLOAT32": np.dtype(np.uint32)}
"""How constants of some types are written in C: floating-point numbers as their bits."""


QUANTIZED = ("INT8", "INT16", "UINT8")
"""Types of codes, which have a scale; the values of others are themselves."""


def is_image(tensor: Tensor) -> bool:
    """Whether a tensor is (1, height, width, channels); a batch of several is one row."""
    return len(tensor.shape) == 4 and tensor.shape[0] == 1


def geometry(tensor: Tensor) -> tuple[int, int]:
    """Return rows and elements of a row: an image has its height, all else is one row."""
    if is_image(tensor):
        return tensor.shape[1], tensor.shape[2] * tensor.shape[3]
    return 1, tensor.size


class TensorViews:
    """Where the tensors of a graph lie, as far as that is decided.

    Attributes:
        most_sums: largest scratch memory for sums, in bytes, with which a convolution resizes its
            input itself.
        tables: the tables of functions of one code, by their values: equal tables are one array.
        states: what lasts from one inference to the next.
    """

    def __init__(self, graph: Graph, most_sums: int = MOST_SUM_BYTES) -> None:
        self.graph = graph
        self.most_sums = most_sums
        self.tables: dict[bytes, Array] = {}
        self.states = States(graph)
        self._views: dict[int, BufferView] = {}
        self._parts: dict[int, tuple[int, int, int]] = {}

    def place_in(self, part: int, whole: int, first: int, offset: int) -> None:
        """Decide that a tensor lies in another, from a row and a byte offset in each row on."""
        self._parts[part] = (whole, first, offset)

    def is_placed_in(self, part: int, whole: int) -> bool:
        """Whether it was decided that a tensor lies in another."""
        return part in self._parts and self._parts[part][0] == whole

    def is_placed(self, tensor: int) -> bool:
        """Whether it is decided where a tensor lies."""
        return tensor in self._views or tensor in self._parts

    def alias(self, tensor: int, view: BufferView) -> None:
        """Let a tensor be what another view shows."""
        if not view.is_row_by_row:
            view.buffer.whole = True
        self._views[tensor] = view

    def view(self, tensor: Tensor) -> BufferView:
        """Return the rows of a tensor; memory of its own if nothing else is decided."""
        if tensor.index not in self._views:
            self._views[tensor.index] = self._placed(tensor)
        return self._views[tensor.index]

    def _placed(self, tensor: Tensor) -> BufferView:
        rows, elements = geometry(tensor)
        dtype = DTYPES[tensor.dtype]
        row_bytes = elements * dtype.itemsize
        if tensor.index in self._parts:
            whole, first, offset = self._parts[tensor.index]
            return self.view(self.graph.tensor(whole)).subview(first, rows, offset, row_bytes)
        constant = None
        if tensor.data is not None:
            values = tensor.data.ravel().view(STORED.get(tensor.dtype, dtype))
            constant = Array(f"asc_net_constant{tensor.index}", values)
        name = f"t{tensor.index}"
        return BufferView.of(Buffer(name, rows, row_bytes, constant=constant, dtype=dtype))


class LoweringContext(OperatorView):
    """One operator that becomes stages.

    Attributes:
        tensors: the views of the graph's tensors.
        signature: the element types of its operands and results.
        before, after: copies that its operands turn out to need, around its own stages.
    """

    def __init__(
        self, tensors: TensorViews, operator: Operator, signature: Signature = ALL_INT8
    ) -> None:
        super().__init__(tensors.graph, operator)
        self.tensors = tensors
        self.signature = signature
        self.before: list[Stage] = []
        self.after: list[Stage] = []

    def error(self, reason: str) -> NoReturn:
        """Raise an AscError that names the file, the operator and the layer."""
        raise operator_error(self.graph, self.operator, reason)

    def constants(self, position: int, length: int | None = None) -> NDArray[Any]:
        """Return the values of a constant input."""
        data = self.input(position).data
        if data is None or (length is not None and data.size != length):
            self.error(
                f"input {position} must be {length or 'a list of'} constants; computed ones are "
                f"not supported"
            )
        return data

    def integers(
        self, position: int, length: int | None = None, types: Sequence[str] = ("INT32",)
    ) -> list[int]:
        """Return a constant list such as axes; types other than those mean nothing to a kernel."""
        tensor = self.input(position)
        if tensor.dtype not in types:
            self.error(f"input {position} is {tensor.dtype}, must be {' or '.join(types)}")
        return [int(value) for value in self.constants(position, length).ravel()]

    def check_expanded(self, weights: int) -> None:
        """Check the number of weights that those of the file become, before they do."""
        if weights > MOST_EXPANDED:
            self.error(
                f"becomes {weights:,} weights with strides or groups as filters of their own, "
                f"at most {MOST_EXPANDED:,} are supported"
            )

    def quantization(self, tensor: Tensor) -> tuple[float, int]:
        """Return scale and zero point of an activation, which are one each."""
        # The converter gives a constant factor that is 0 no scale above 0.
        is_zero = bool(tensor.scales) and tensor.scales[0] == 0.0
        allows_zero = tensor.is_constant and self.name == "MUL"
        if len(tensor.scales) != 1 or len(tensor.zero_points) != 1 or is_zero > allows_zero:
            self.error(
                f"tensor {tensor.index} must have one scale above 0; convert anew as full int8"
            )
        # A softmax of 16 bits may have one, which is quantised to other types.
        if tensor.dtype == "INT16" and tensor.zero_points[0] != 0 and self.name != "QUANTIZE":
            self.error(f"tensor {tensor.index} is INT16, its zero point must be 0")
        return tensor.scales[0], tensor.zero_points[0]

    def same_quantization(self, *tensors: Tensor) -> None:
        """Check that the operator, which only moves codes, does not have to rescale."""
        has_scales = any(tensor.scales for tensor in tensors)
        if not has_scales or all(tensor.dtype not in QUANTIZED for tensor in tensors):
            return
        if len({self.quantization(tensor) for tensor in tensors}) != 1:
            self.error(
                "input and output must have the same scale and zero point; put a QUANTIZE between"
            )

    def same_type(self, tensor: Tensor, other: Tensor) -> None:
        """Check that two tensors have elements of one type."""
        if tensor.dtype != other.dtype:
            self.error(f"tensor {tensor.index} is {tensor.dtype}, must be {other.dtype}")

    def image(self, tensor: Tensor) -> tuple[int, int, int]:
        """Return (height, width, channels) of a tensor of 4 dimensions and batch 1."""
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            self.error(
                f"shape {list(tensor.shape)}, must be [1, height, width, channels]; "
                f"convert the model with batch size 1"
            )
        return tensor.shape[1], tensor.shape[2], tensor.shape[3]

    def codes(self, activation: str | None = None) -> tuple[int, int]:
        """Return the codes that the fused (or the given) activation leaves."""
        name = activation or str(self.options.get("fused_activation_function", "NONE"))
        try:
            quantization = self.quantization(self.output)
            return activation_range(name, *quantization, LIMITS[self.output.dtype])
        except ValueError as error:
            self.error(str(error))

    def range(self, *, activation: str | None = None, narrow: int = 0) -> OutputRange:
        """Return the codes of the output; ``narrow`` is as ``OutputRange`` has it."""
        low, high = self.codes(activation)
        clamps = (low, high) != LIMITS[self.output.dtype]
        return OutputRange(
            zero_point=self.quantization(self.output)[1],
            minimum=low,
            maximum=high,
            clamps=int(clamps),
            narrow=narrow,
        )

    def view(self, tensor: Tensor) -> BufferView:
        """Return the rows of a tensor."""
        if tensor.is_constant:
            self._check_constant(tensor)
        return self.tensors.view(tensor)

    def _check_constant(self, tensor: Tensor) -> None:
        """Check that a constant which a kernel reads has the type of one of its places."""
        inputs = self.operator.inputs
        places = [n for n, index in enumerate(inputs) if index == tensor.index] or [0]
        allowed = [self.signature.operand(place) for place in places]
        if tensor.dtype not in allowed:
            self.error(f"constant input is {tensor.dtype}, must be {' or '.join(allowed)}")

    def reshaped(self, view: BufferView, rows: int, row_bytes: int) -> BufferView:
        """Return the bytes of a tensor as other rows, which may need all of it at once.

        A part of another tensor whose rows do not follow each other is copied before.
        """
        if (view.rows, view.row_bytes) == (rows, row_bytes):
            return view
        return _as_rows(view if view.is_contiguous else self.copied(view), rows, row_bytes)

    def reshaped_output(self, view: BufferView, rows: int, row_bytes: int) -> BufferView:
        """Return where to write a tensor as other rows; it may be copied into place afterwards."""
        if (view.rows, view.row_bytes) == (rows, row_bytes):
            return view
        if view.is_contiguous:
            return _as_rows(view, rows, row_bytes)
        own = self._own(view)
        self.after.append(self._copy(own, view))
        return _as_rows(own, rows, row_bytes)

    def copied(self, view: BufferView) -> BufferView:
        """Return a copy of a tensor in memory of its own."""
        own = self._own(view)
        self.before.append(self._copy(view, own))
        return own

    def _own(self, view: BufferView) -> BufferView:
        number = len(self.before) + len(self.after)
        name = f"copy{self.operator.index}_{number}"
        return BufferView.of(Buffer(name, view.rows, view.row_bytes, dtype=view.buffer.dtype))

    def _copy(self, source: BufferView, target: BufferView) -> Stage:
        suffix = f"_copy{len(self.before) + len(self.after)}"
        return self.copy_rows(RowAccess(source), target, suffix)

    def copy_rows(self, source: RowAccess, target: BufferView, suffix: str = "") -> Stage:
        """Return a stage that copies rows as they are."""
        size = source.view.row_bytes
        params = CopyParams(rows=1, size=size, output_offset=0, output_stride=size)
        return self.stage("asc_copy", params, inputs=[source], output=target, suffix=suffix)

    def rows(self, tensor: Tensor) -> RowAccess:
        """Return a tensor as a stage reads it that makes row y from row y."""
        return RowAccess(self.view(tensor))

    def like_output(self, tensor: Tensor) -> RowAccess:
        """Return an operand in the rows of the output, which has the same number of elements."""
        target = self.view(self.output)
        row_bytes = tensor.byte_count // target.rows
        return RowAccess(self.reshaped(self.view(tensor), target.rows, row_bytes))

    @property
    def has_codes(self) -> bool:
        """Whether the output has codes with a scale, and no integers or truths."""
        return self.output.dtype in QUANTIZED

    @property
    def has_int16(self) -> bool:
        """Whether the output has 16-bit codes."""
        return self.output.dtype == "INT16"

    def typed(self, kernel: str) -> str:
        """Return the name of a kernel for the codes of the output: those of int8 have no suffix."""
        return f"{kernel}_s16" if self.has_int16 else kernel

    def stage(
        self,
        kernel: str,
        params: KernelParams,
        *,
        inputs: Sequence[RowAccess] | None = None,
        output: Tensor | BufferView | None = None,
        runs: int | None = None,
        macs: int = 0,
        suffix: str = "",
        note: str = "",
        state: Buffer | None = None,
    ) -> Stage:
        """Build a stage: input 0 to output 0, row by row, unless said otherwise."""
        target = output if output is not None else self.output
        view = self.view(target) if isinstance(target, Tensor) else target
        shapes = ", ".join(shape_text(self.graph.tensor(index)) for index in self._activations())
        number, name = self.operator.index, self.operator.name
        result = shape_text(self.output) if self.operator.outputs else "variable"
        assert type(params) is KERNELS[kernel]
        return Stage(
            operator=number,
            title=f"{number} {name}",
            comment=f"{number}: {name} {shapes} -> {result}{note}",
            name=f"asc_net_layer{number}{suffix}",
            kernel=kernel,
            params=params,
            inputs=tuple(inputs) if inputs is not None else (self.rows(self.input(0)),),
            output=view,
            runs=view.rows if runs is None else runs,
            macs=macs,
            state=state,
        )

    def state(self, *positions: int) -> Buffer:
        """Return the memory of variable tensors that this operator changes, one after the other.

        TensorFlow Lite Micro sets them to the zero point of int8, and to 0 of other types.
        """
        initial = b""
        for position in positions:
            tensor = self.input(position)
            if not tensor.is_variable:
                self.error(f"input {position} must be a variable tensor, which keeps the state")
            if len(self.graph.readers[tensor.index]) > 1 or tensor.index in self.graph.outputs:
                self.error(f"the state in input {position} is read by other operators, too")
            zero = self.quantization(tensor)[1] if tensor.dtype == "INT8" else 0
            initial += bytes([zero & 0xFF]) * tensor.byte_count
        name = f"state{self.operator.index}"
        return Buffer(name, 1, len(initial), whole=True, initial=initial)

    def _activations(self) -> list[int]:
        return [
            index
            for index in self.operator.inputs
            if index != ABSENT and not self.graph.tensor(index).is_constant
            if self.graph.tensor(index).dtype != "RESOURCE"
        ]

    def array(self, kind: str, values: NDArray[Any], *, weights: bool = False) -> Array:
        """Build a constant array that belongs to this operator, of one of ``ELEMENTS``."""
        return Array(f"asc_net_{kind}{self.operator.index}", values.ravel(), weights)

    def shared_array(self, kind: str, values: NDArray[Any]) -> Array:
        """Build a constant array, or return that of an earlier operator with the same bytes."""
        return self.tensors.tables.setdefault(values.tobytes(), self.array(kind, values))


def _as_rows(view: BufferView, rows: int, row_bytes: int) -> BufferView:
    same = view.reshaped(rows, row_bytes)
    same.buffer.whole = same.buffer.whole or not same.is_row_by_row
    return same


def shape_text(tensor: Tensor) -> str:
    """Return a shape for a comment: ``1x64x9x16``."""
    return "x".join(map(str, tensor.shape)) or "scalar"
