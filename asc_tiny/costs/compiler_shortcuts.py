"""What the compiler leaves out or merges: for estimates, which see operators alone."""

from __future__ import annotations

from asc_tiny.compiler.lower.context import LoweringContext, TensorViews
from asc_tiny.compiler.lower.upsample_fusion import upsampling
from asc_tiny.compiler.passes.strip_io_conversions import without_conversions
from asc_tiny.costs.instructions import Shortcuts
from asc_tiny.tflite.graph import Graph


def shortcuts(graph: Graph) -> Shortcuts:
    """Return what is not done of a network that compiles, by the compiler's own rules.

    Raises:
        AscError: a resize that has no exact rule.
    """
    compiled = without_conversions(graph)
    kept = {operator.index for operator in compiled.operators}
    removed = {operator.index for operator in graph.operators} - kept
    tensors = TensorViews(compiled)
    repeats = {}
    for operator in compiled.operators:
        found = (
            upsampling(LoweringContext(tensors, operator)) if operator.name == "CONV_2D" else None
        )
        if found is not None:
            repeats[operator.index] = found.factor
            removed.add(compiled.producers[operator.inputs[0]].index)
    return Shortcuts(frozenset(removed), repeats)
