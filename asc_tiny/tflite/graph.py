"""A network as plain data: operators in execution order, and the tensors between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from asc_tiny.tflite.schema import TYPE_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT = -1
"""The tensor index that stands for an optional input that is not there, such as a bias."""

NUMPY_TYPES: Mapping[str, str] = {
    "FLOAT32": "<f4",
    "FLOAT16": "<f2",
    "FLOAT64": "<f8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "BOOL": "?",
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the graph.

    Attributes:
        index: its number in the file.
        name: as the converter wrote it.
        shape: dimensions, all known; empty for a scalar.
        dtype: name in the TFLite schema, such as ``INT8``.
        scales, zero_points: affine quantisation ``value = scale * (code - zero_point)``; empty
            when the tensor is not quantised, one entry per channel when it is per channel. The
            scales are the file's float32 values, held in double precision.
        quantized_dimension: the axis that several scales run along.
        content: the constant's values as they are stored, None for an activation.
        buffer: number of the buffer that holds them; tensors may share one.
        is_variable: whether it keeps its values from one inference to the next.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    quantized_dimension: int = 0
    content: bytes | None = None
    buffer: int = 0
    is_variable: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the tensor's values."""
        return self.content is not None

    @cached_property
    def data(self) -> NDArray[Any] | None:
        """The constant's values with the tensor's shape, read-only; None for an activation.

        Raises:
            KeyError: the elements are of a type that NumPy has not, such as INT4.
        """
        # Counting a model does without NumPy, whose import takes longer than the counting.
        import numpy as np

        if self.content is None:
            return None
        return np.frombuffer(self.content, dtype=NUMPY_TYPES[self.dtype]).reshape(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def element_bytes(self) -> int:
        """Bytes of an element, 0 where several share one, as two of INT4 do."""
        return TYPE_BITS[self.dtype] // 8

    @property
    def byte_count(self) -> int:
        """Bytes that the elements take; two INT4 share one."""
        return -(-self.size * TYPE_BITS[self.dtype] // 8)


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator: schema name, tensor indices (``ABSENT`` for a missing one) and options.

    ``options`` has the schema's field names in snake_case; ``padding`` is ``SAME`` or ``VALID``
    and ``fused_activation_function`` a name such as ``NONE``, ``RELU`` or ``RELU6``.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Number and name, as reports call it: ``3 CONV_2D``."""
        return f"{self.index} {self.name}"


@dataclass(frozen=True, eq=False)
class Graph:
    """A model: operators in execution order, tensors by index, metadata.

    Attributes:
        source: the file named in error messages.
        operators: the operators of the subgraph that an inference runs, in their order.
        tensors: the tensors of that subgraph, by index.
        inputs, outputs: indices of the tensors that it takes and gives.
        metadata: entries by name.
        others: the subgraphs after the first, which control flow may call.
    """

    source: str
    operators: tuple[Operator, ...]
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    others: tuple[Graph, ...] = ()

    def tensor(self, index: int) -> Tensor:
        """Return the tensor with this index."""
        return self.tensors[index]

    def input_tensors(self, operator: Operator) -> list[Tensor]:
        """Return an operator's inputs that are present."""
        return [self.tensors[index] for index in operator.inputs if index != ABSENT]

    @cached_property
    def producers(self) -> Mapping[int, Operator]:
        """The operator that writes each activation, by tensor index."""
        return {index: operator for operator in self.operators for index in operator.outputs}

    def quantized(self, index: int) -> Tensor | None:
        """Return the codes that a QUANTIZE makes of a tensor, None if none does."""
        operators = (each for each in self.readers.get(index, ()) if each.name == "QUANTIZE")
        return next((self.tensor(each.outputs[0]) for each in operators), None)

    @cached_property
    def readers(self) -> Mapping[int, Sequence[Operator]]:
        """The operators that read each tensor, each once, in their order."""
        found: dict[int, list[Operator]] = {}
        for operator in self.operators:
            for index in dict.fromkeys(operator.inputs):
                found.setdefault(index, []).append(operator)
        return found

    def subgraph(self, number: int) -> Graph:
        """Return a subgraph by its number in the file; this one is number 0."""
        return (self, *self.others)[number]


def called(operator: Operator) -> tuple[int, ...]:
    """Return the numbers of the subgraphs that an operator calls."""
    return tuple(
        int(value) for name, value in operator.options.items() if name.endswith("subgraph_index")
    )
