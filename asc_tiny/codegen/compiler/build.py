"""From a graph to stages: every operator by its own rule, every assumption checked by name."""

from __future__ import annotations

from asc_tiny.codegen.compiler import movement
from asc_tiny.codegen.compiler.lowering import Lowering, Tensors
from asc_tiny.codegen.compiler.operators import LOWERINGS
from asc_tiny.codegen.compiler.program import Program, Stage
from asc_tiny.complexity.graph import Graph
from asc_tiny.errors import AscError

# What a damaged file can raise here; each operator's own checks come first.
_UNLIMITED = 2**31

_INCONSISTENT = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


def build(graph: Graph, *, whole_input: bool = True) -> Program:
    """Return the stages of a graph, whose input is there as a whole or comes row by row.

    In the second case stages will make their rows in parts where that saves memory.

    Raises:
        AscError: an operator or an option of one that is not supported, or shapes that do not fit.
    """
    try:
        return _build(graph, whole_input)
    except _INCONSISTENT as error:
        raise AscError(f"{graph.source}: shapes and operators do not fit ({error})") from error


def _build(graph: Graph, whole_input: bool) -> Program:
    tensors = Tensors(graph) if whole_input else Tensors(graph, most_sums=_UNLIMITED)
    source = tensors.view(graph.tensor(graph.inputs[0]))
    source.storage.whole = whole_input
    # From the last operator on, so that a concatenation within another is placed first.
    for operator in reversed(graph.operators):
        if operator.name == "CONCATENATION":
            movement.join_inputs(tensors, operator)
    stages: list[Stage] = []
    for operator in graph.operators:
        lowering = Lowering(tensors, operator)
        own = LOWERINGS[operator.name](lowering)
        stages += [*lowering.before, *own, *lowering.after]
    output = tensors.view(graph.tensor(graph.outputs[0]))
    if not output.is_contiguous:
        # Whoever reads the output expects its values side by side.
        output = lowering.copied(output)
        stages.append(lowering.before[-1])
    if not stages:
        raise AscError(f"{graph.source}: no operator computes or copies anything")
    output.storage.whole = True
    return Program(graph.source, stages, source, output)
