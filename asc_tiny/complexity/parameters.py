"""Finding the learnt values of a model."""

from __future__ import annotations

from collections.abc import Mapping

from asc_tiny.complexity.graph import ABSENT, Graph, Operator, Tensor

# Positions of the operands that may hold learnt values. For the element-wise operators these are
# batch norms that could not be folded into a convolution.
LEARNT: Mapping[str, tuple[int, ...]] = {
    "ADD": (0, 1),
    "BATCH_MATMUL": (0, 1),
    "CONV_2D": (1, 2),
    "DEPTHWISE_CONV_2D": (1, 2),
    "DIV": (0, 1),
    "EMBEDDING_LOOKUP": (1,),
    "FULLY_CONNECTED": (1, 2),
    "GATHER": (0,),
    "MUL": (0, 1),
    "PRELU": (1,),
    "SUB": (0, 1),
    "SVDF": (1, 2, 3),
    "TRANSPOSE_CONV": (1, 3),
    # Weights, peepholes, biases, projection, layer normalisation
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (*range(1, 18), *range(20, 24)),
}


def parameters(graph: Graph, operator: Operator) -> tuple[Tensor, ...]:
    """Return the constant tensors of one operator that hold learnt values."""
    positions = [i for i in LEARNT.get(operator.name, ()) if i < len(operator.inputs)]
    indices = [operator.inputs[i] for i in positions if operator.inputs[i] != ABSENT]
    tensors = [_origin(graph, graph.tensor(index)) for index in indices]
    return tuple(tensor for tensor in tensors if tensor.is_constant)


def storage(graph: Graph, tensor: Tensor) -> tuple[int, int]:
    """Return what tells the stored values of constants apart: tensors may share a buffer."""
    return (tensor.buffer, 0) if tensor.buffer else (id(graph), tensor.index + 1)


def _origin(graph: Graph, tensor: Tensor) -> Tensor:
    """Follow weights that are stored small and widened by a DEQUANTIZE operator."""
    producer = graph.producers.get(tensor.index)
    if producer is None or producer.name != "DEQUANTIZE":
        return tensor
    return next(iter(graph.input_tensors(producer)), tensor)
