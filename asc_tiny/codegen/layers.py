"""A network as kernel calls with their constants: what the C templates print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from numpy.typing import NDArray

from asc_tiny.codegen.plan import Plan
from asc_tiny.codegen.quantise import activation_range
from asc_tiny.complexity.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.errors import AscError


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array in C: ``values`` of type int8_t or int32_t, 16-byte aligned on demand."""

    name: str
    c_type: str
    values: NDArray[Any]
    aligned: bool = False


@dataclass(frozen=True, eq=False)
class Layer:
    """One kernel call.

    Attributes:
        comment: operator and shapes.
        name: of the constant structure.
        kernel: function to call; its structure type is ``<kernel type>_t``.
        c_type: the structure's type.
        fields: the structure's members as C text.
        arguments: C expressions after the structure: inputs, then the output.
        arrays: constants that ``fields`` or ``arguments`` name.
    """

    comment: str
    name: str
    kernel: str
    c_type: str
    fields: Mapping[str, str]
    arguments: Sequence[str]
    arrays: Sequence[Array] = field(default_factory=tuple)


class Lowering:
    """What turning one operator into layers needs: the graph, the plan and ways to fail."""

    def __init__(self, graph: Graph, plan: Plan, operator: Operator) -> None:
        self.graph = graph
        self.plan = plan
        self.operator = operator

    def fail(self, reason: str) -> NoReturn:
        """Raise an AscError that names the file and the operator."""
        where = f"{self.graph.source}: operator {self.operator.index} ({self.operator.name})"
        raise AscError(f"{where}: {reason}")

    def input(self, position: int) -> Tensor:
        """Return the input tensor at a position, which must be present."""
        if position >= len(self.operator.inputs) or self.operator.inputs[position] == ABSENT:
            self.fail(f"input {position} is missing")
        return self.graph.tensor(self.operator.inputs[position])

    def optional_input(self, position: int) -> Tensor | None:
        """Return the input tensor at a position, None if absent."""
        present = position < len(self.operator.inputs) and self.operator.inputs[position] != ABSENT
        return self.graph.tensor(self.operator.inputs[position]) if present else None

    @property
    def output(self) -> Tensor:
        """The first output tensor."""
        return self.graph.tensor(self.operator.outputs[0])

    def constants(self, position: int, length: int | None = None) -> NDArray[Any]:
        """Return the values of a constant input."""
        data = self.input(position).data
        if data is None or (length is not None and data.size != length):
            self.fail(f"input {position} must be {length or 'a list of'} constants")
        return data

    def quantisation(self, tensor: Tensor) -> tuple[float, int]:
        """Return scale and zero point of an activation, which are one each."""
        if len(tensor.scales) != 1 or len(tensor.zero_points) != 1 or tensor.scales[0] == 0.0:
            self.fail(f"tensor {tensor.index} must have one scale above 0")
        return tensor.scales[0], tensor.zero_points[0]

    def same_quantisation(self, *tensors: Tensor) -> None:
        """Check that the operator, which only moves codes, does not have to rescale."""
        if len({self.quantisation(tensor) for tensor in tensors}) != 1:
            self.fail("input and output must have the same scale and zero point")

    def image(self, tensor: Tensor) -> tuple[int, int, int]:
        """Return (height, width, channels) of a tensor of 4 dimensions and batch 1."""
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            self.fail(f"shape {list(tensor.shape)}, must be [1, height, width, channels]")
        return tensor.shape[1], tensor.shape[2], tensor.shape[3]

    def codes(self, activation: str | None = None) -> tuple[int, int]:
        """Return the codes that the fused (or the given) activation leaves."""
        name = activation or str(self.operator.options.get("fused_activation_function", "NONE"))
        try:
            return activation_range(name, *self.quantisation(self.output))
        except ValueError as error:
            self.fail(str(error))

    def range(self, *, activation: str | None = None) -> str:
        """Return the C text of the output's ``asc_output_t``."""
        return braces(self.quantisation(self.output)[1], *self.codes(activation))

    def in_place(self, part: Tensor, whole: Tensor, start: int) -> bool:
        """Whether the plan has put ``part`` at byte ``start`` of ``whole``: nothing to copy.

        Both exist while the operator runs, so equal addresses can only be meant.
        """
        offsets = self.plan.offsets
        known = part.index in offsets and whole.index in offsets
        return known and offsets[part.index] == offsets[whole.index] + start

    def layer(
        self,
        kernel: str,
        fields: Mapping[str, str],
        *,
        inputs: Sequence[Tensor] | None = None,
        output: Tensor | None = None,
        c_type: str | None = None,
        arrays: Sequence[Array] = (),
        suffix: str = "",
        note: str = "",
    ) -> Layer:
        """Build a layer of this operator; input 0 to output 0 unless said otherwise."""
        target = output or self.output
        sources = inputs or (self.input(0),)
        shapes = ", ".join(map(shape_text, sources))
        operands = [self._operand(tensor, suffix) for tensor in (*sources, target)]
        return Layer(
            comment=f"{self.operator.index}: {self.operator.name} {shapes} -> "
            f"{shape_text(target)}{note}",
            name=f"asc_net_layer{self.operator.index}{suffix}",
            kernel=kernel,
            c_type=c_type or f"{kernel}_t",
            fields=fields,
            arguments=[address for address, _ in operands],
            arrays=[*arrays, *(array for _, array in operands if array)],
        )

    def _operand(self, tensor: Tensor, suffix: str) -> tuple[str, Array | None]:
        """Return a tensor's address in C, and the array to emit if it is constant."""
        if tensor.data is None:
            return f"arena + {self.plan.offsets[tensor.index]}", None
        if tensor.dtype != "INT8":
            self.fail(f"constant input is {tensor.dtype}, must be INT8")
        array = self.array(f"constant{tensor.index}_", "int8_t", tensor.data, suffix=suffix)
        return array.name, array

    def array(
        self,
        kind: str,
        c_type: str,
        values: NDArray[Any],
        *,
        suffix: str = "",
        aligned: bool = False,
    ) -> Array:
        """Build a constant array that belongs to this operator."""
        name = f"asc_net_{kind}{self.operator.index}{suffix}"
        return Array(name, c_type, values.ravel(), aligned)


def braces(*values: int) -> str:
    """Return a C initialiser list."""
    return "{" + ", ".join(map(str, values)) + "}"


def shape_text(tensor: Tensor) -> str:
    """Return a shape for a comment: ``1x64x9x16``."""
    return "x".join(map(str, tensor.shape)) or "scalar"
