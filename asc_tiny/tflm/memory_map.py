"""The head of TensorFlow Lite Micro's arena as a memory map."""

from __future__ import annotations

from asc_tiny.tflite.graph import Graph
from asc_tiny.tflm.arena import head
from asc_tiny.tflm.micro_kernel import Kernels
from asc_tiny.util.memory_map import Block, MemoryMap


def memory_map(graph: Graph, kernels: Kernels = None) -> MemoryMap:
    """Return what the greedy planner puts where: activations and kernels' scratch memory.

    Args:
        graph: an int8 model.
        kernels: the reference kernels (None) or CMSIS-NN for a core.

    Raises:
        AscError: an operator whose kernel is not known.
    """
    buffers = head(graph, kernels)
    blocks = [
        Block(b.name, b.offset, b.size, b.live_range.first, b.live_range.last) for b in buffers
    ]
    kind = kernels.value if kernels else "reference kernels"
    title = f"{graph.source}, head of TensorFlow Lite Micro's arena ({kind})"
    return MemoryMap(title, blocks, [operator.title for operator in graph.operators])
