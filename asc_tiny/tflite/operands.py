"""An operator in its graph, with checked access to its operands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.util.console_text import shortened
from asc_tiny.util.errors import AscError


class OperatorView:
    """An operator in its graph, with checked access to its operands.

    Rules about operators take one, or a subclass of it that knows more of its surroundings.

    Attributes:
        graph: the graph that the operator is in.
        operator: the operator.
    """

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator

    @property
    def name(self) -> str:
        """The operator's name in the schema."""
        return self.operator.name

    @property
    def options(self) -> Mapping[str, Any]:
        """The operator's options by their names."""
        return self.operator.options

    def error(self, reason: str) -> AscError:
        """Return the error that names file and operator."""
        return AscError(
            f"{self.graph.source}: operator {self.operator.index} ({self.name}) {shortened(reason)}"
        )

    def input(self, position: int, *, dimensions: int | None = None) -> Tensor:
        """Return an input that must be there.

        Args:
            position: the position of the input, from 0.
            dimensions: how many dimensions it must have, with at least one element in all; any
                shape if it is None.

        Raises:
            AscError: it is absent, or has another shape.
        """
        tensor = self.optional_input(position)
        if tensor is None:
            raise self.error(f"has no input {position}")
        if dimensions is not None and (len(tensor.shape) != dimensions or tensor.size == 0):
            raise self.error(
                f"has input {position} of shape {list(tensor.shape)}, {dimensions} dimensions are "
                f"needed"
            )
        return tensor

    def optional_input(self, position: int) -> Tensor | None:
        """Return an input, None where it is absent."""
        inputs = self.operator.inputs
        present = position < len(inputs) and inputs[position] != ABSENT
        return self.graph.tensor(inputs[position]) if present else None

    @property
    def inputs(self) -> list[Tensor]:
        """The inputs that are present."""
        return self.graph.input_tensors(self.operator)

    @property
    def output(self) -> Tensor:
        """The first output.

        Raises:
            AscError: there is none.
        """
        if not self.operator.outputs:
            raise self.error("has no output")
        return self.graph.tensor(self.operator.outputs[0])

    @property
    def outputs(self) -> list[Tensor]:
        """All outputs."""
        return [self.graph.tensor(index) for index in self.operator.outputs]
