"""An operator in its graph, with checked access to its operands."""

from __future__ import annotations

from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.util.console_text import shortened
from asc_tiny.util.errors import AscError


class Call:
    """An operator in its graph, with checked access to its operands.

    Attributes:
        graph: the graph that the operator is in.
        operator: the operator.
        model: the graph of the whole file, which knows the subgraphs that control flow calls.
        callers: numbers of the subgraphs that are being counted.
    """

    def __init__(
        self,
        graph: Graph,
        operator: Operator,
        model: Graph | None = None,
        callers: tuple[int, ...] = (0,),
    ) -> None:
        self.graph = graph
        self.operator = operator
        self.model = model or graph
        self.callers = callers

    def fail(self, reason: str) -> AscError:
        """Return the error that names file and operator."""
        operator = self.operator
        return AscError(
            f"{self.graph.source}: operator {operator.index} ({operator.name}) {shortened(reason)}"
        )

    def input(self, position: int, *, dimensions: int | None = None) -> Tensor:
        """Return an input that must be there, of so many dimensions.

        Raises:
            AscError: it is not.
        """
        inputs = self.operator.inputs
        if position >= len(inputs) or inputs[position] == ABSENT:
            raise self.fail(f"has no input {position}")
        tensor = self.graph.tensor(inputs[position])
        if dimensions is not None and (len(tensor.shape) != dimensions or tensor.size == 0):
            raise self.fail(
                f"has input {position} of shape {list(tensor.shape)}, {dimensions} dimensions are "
                f"needed"
            )
        return tensor

    def optional(self, position: int) -> Tensor | None:
        """Return an input that may be absent."""
        inputs = self.operator.inputs
        present = position < len(inputs) and inputs[position] != ABSENT
        return self.graph.tensor(inputs[position]) if present else None

    @property
    def output(self) -> Tensor:
        """The first output.

        Raises:
            AscError: there is none.
        """
        if not self.operator.outputs:
            raise self.fail("has no output")
        return self.graph.tensor(self.operator.outputs[0])

    @property
    def output_bytes(self) -> int:
        """Bytes of all outputs."""
        return sum(self.graph.tensor(index).byte_count for index in self.operator.outputs)
