"""From a graph to stages: every operator by its own rule, every assumption checked by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from asc_tiny.codegen.compiler import (
    elementwise,
    lookup,
    movement,
    reduction,
    resizing,
    transposed,
    unweighted,
    weighted,
)
from asc_tiny.codegen.compiler.lowering import Lowering, Tensors
from asc_tiny.codegen.compiler.program import Program, Stage
from asc_tiny.complexity.graph import Graph
from asc_tiny.errors import AscError

LOWERINGS: Mapping[str, Callable[[Lowering], list[Stage]]] = {
    "ADD": elementwise.lower_add,
    "AVERAGE_POOL_2D": unweighted.lower_average_pool_2d,
    "CONCATENATION": movement.lower_concatenation,
    "CONV_2D": weighted.lower_conv_2d,
    "DEPTHWISE_CONV_2D": weighted.lower_depthwise_conv_2d,
    "EXPAND_DIMS": movement.lower_rename,
    "FULLY_CONNECTED": weighted.lower_fully_connected,
    "HARD_SWISH": lookup.lower_hard_swish,
    "LEAKY_RELU": lookup.lower_leaky_relu,
    "LOGISTIC": lookup.lower_logistic,
    "MAXIMUM": elementwise.lower_maximum,
    "MAX_POOL_2D": unweighted.lower_max_pool_2d,
    "MEAN": reduction.lower_mean,
    "MINIMUM": elementwise.lower_minimum,
    "MUL": elementwise.lower_mul,
    "PAD": movement.lower_pad,
    "PADV2": movement.lower_pad,
    "PRELU": elementwise.lower_prelu,
    "QUANTIZE": unweighted.lower_quantize,
    "REDUCE_MAX": reduction.lower_reduce_max,
    "RELU": unweighted.lower_relu,
    "RELU6": unweighted.lower_relu6,
    "RESHAPE": movement.lower_rename,
    "RESIZE_BILINEAR": resizing.lower_resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": movement.lower_resize_nearest_neighbor,
    "SLICE": movement.lower_slices,
    "SOFTMAX": unweighted.lower_softmax,
    "SPLIT": movement.lower_slices,
    "SPLIT_V": movement.lower_slices,
    "SQUEEZE": movement.lower_rename,
    "STRIDED_SLICE": movement.lower_slices,
    "SUB": elementwise.lower_sub,
    "SUM": reduction.lower_sum,
    "TANH": lookup.lower_tanh,
    "TRANSPOSE": movement.lower_transpose,
    "TRANSPOSE_CONV": transposed.lower_transpose_conv,
}
"""The supported operators and what turns them into stages."""

# What a damaged file can raise here; each operator's own checks come first.
_INCONSISTENT = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


def build(graph: Graph) -> Program:
    """Return the stages of a graph.

    Raises:
        AscError: an operator or an option of one that is not supported, or shapes that do not fit.
    """
    try:
        return _build(graph)
    except _INCONSISTENT as error:
        raise AscError(f"{graph.source}: shapes and operators do not fit ({error})") from error


def _build(graph: Graph) -> Program:
    tensors = Tensors(graph)
    source = tensors.view(graph.tensor(graph.inputs[0]))
    source.storage.whole = True
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
