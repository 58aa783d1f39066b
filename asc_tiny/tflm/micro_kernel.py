"""One operator as TensorFlow Lite Micro prepares it, and what its kernel takes of the arena."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.tflite.graph import ABSENT, Graph, Operator
from asc_tiny.tflite.operands import OperatorView
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.structs import TYPES, UNNAMED, Abi

Kernels = Core | None
"""CMSIS-NN for a core, or None for TensorFlow Lite Micro's reference kernels."""


@dataclass(frozen=True)
class Needs:
    """What one operator takes while TensorFlow Lite Micro prepares a model.

    Attributes:
        data: bytes of what its kernel keeps, 0 for none.
        persistent: bytes of further memory that it keeps, in the order of the calls.
        scratch: bytes of scratch memory at run time, in the order of the calls.
        temporary: tensors of which a description exists during preparation.
        options: type of its options where the schema has another name or none for them;
            ``needs`` fills in the others, and leaves it empty where there are none.
        variable: the variable whose memory ``persistent`` is, which the first operator that
            assigns it takes; None for all other operators.
    """

    data: int = 0
    persistent: tuple[int, ...] = ()
    scratch: tuple[int, ...] = ()
    temporary: tuple[int, ...] = ()
    options: str = ""
    variable: tuple[str, str] | None = None


class MicroKernel(OperatorView):
    """An operator that TensorFlow Lite Micro prepares.

    Attributes:
        kernels: the kernels that TensorFlow Lite Micro is built with.
        abi: how the target lays out types.
    """

    def __init__(self, graph: Graph, operator: Operator, kernels: Kernels, abi: Abi) -> None:
        super().__init__(graph, operator)
        self.kernels = kernels
        self.abi = abi

    def size(self, name: str) -> int:
        """Return the bytes of a type in C++."""
        return (TYPES.get(name) or UNNAMED[name]).size(self.abi)

    @property
    def dtype(self) -> str:
        """The type of the first input, by which kernels choose."""
        return self.input(0).dtype

    def operands(self, *inputs: int) -> tuple[int, ...]:
        """Return the tensors of these inputs where they are present, then of the output."""
        present = (self.operator.inputs[i] for i in inputs if i < len(self.operator.inputs))
        return (*(i for i in present if i != ABSENT), self.operator.outputs[0])

    @property
    def all(self) -> tuple[int, ...]:
        """The tensors of all inputs that are present, then of the output."""
        return self.operands(*range(len(self.operator.inputs)))

    def check_result(self, *known: str) -> None:
        """Check the type of the result.

        Raises:
            AscError: it is none of ``known``, for which the kernel's memory is known.
        """
        if self.output.dtype not in known:
            raise self.error(
                f"gives {self.output.dtype}; its memory in TensorFlow Lite Micro is known for "
                f"{', '.join(known)} alone"
            )

    def check_weights(self) -> None:
        """Check that the weights are not of four bits, which kernels widen in scratch memory.

        Raises:
            AscError: they are.
        """
        if self.input(1).dtype == "INT4":
            raise self.error(
                "has weights of INT4, for which its memory in TensorFlow Lite Micro is not known"
            )
