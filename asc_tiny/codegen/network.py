"""Emits a full int8 network as C: constants, one kernel call per layer, a static arena."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from asc_tiny.codegen import movement, unweighted, weighted
from asc_tiny.codegen.identity import Identity
from asc_tiny.codegen.layers import Layer, Lowering, shape_text
from asc_tiny.codegen.plan import Plan, plan_memory
from asc_tiny.codegen.templates import banner, environment
from asc_tiny.codegen.text import float_literal, value_lines
from asc_tiny.complexity.artefact import Artefact
from asc_tiny.complexity.graph import Graph, Operator, Tensor
from asc_tiny.errors import AscError

INTERFACE_VERSION = 1
"""Of asc_net.h; must be what asc_classifier.h asks for; the C compiler checks it."""

KERNELS_VERSION = 1
"""Must equal ASC_KERNELS_VERSION in asc_kernels.h; the C compiler checks it."""

LOWERINGS: Mapping[str, Callable[[Lowering], list[Layer]]] = {
    "ADD": unweighted.lower_add,
    "AVERAGE_POOL_2D": unweighted.lower_average_pool_2d,
    "CONCATENATION": movement.lower_concatenation,
    "CONV_2D": weighted.lower_conv_2d,
    "DEPTHWISE_CONV_2D": weighted.lower_depthwise_conv_2d,
    "EXPAND_DIMS": movement.lower_rename,
    "FULLY_CONNECTED": weighted.lower_fully_connected,
    "MAX_POOL_2D": unweighted.lower_max_pool_2d,
    "MEAN": unweighted.lower_mean,
    "PAD": movement.lower_pad,
    "PADV2": movement.lower_pad,
    "QUANTIZE": unweighted.lower_quantize,
    "RELU": unweighted.lower_relu,
    "RELU6": unweighted.lower_relu6,
    "RESHAPE": movement.lower_rename,
    "RESIZE_NEAREST_NEIGHBOR": movement.lower_resize_nearest_neighbor,
    "SLICE": movement.lower_slices,
    "SOFTMAX": unweighted.lower_softmax,
    "SPLIT": movement.lower_slices,
    "SQUEEZE": movement.lower_rename,
    "STRIDED_SLICE": movement.lower_slices,
}
"""The supported operators and what turns them into kernel calls."""

# Sums over a whole tensor, such as a mean's, stay within 32 bits.
_MAX_ELEMENTS = 2**23
# What a damaged file can raise here; each operator's own checks come first.
_INCONSISTENT = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


def generate(artefact: Artefact, identity: Identity | None = None) -> dict[str, str]:
    """Return ``asc_net.h`` and ``asc_net.c``, file name to text.

    Args:
        artefact: the model.
        identity: of the classifier that it is the network of, if it is.

    Raises:
        AscError: the model is not full int8, or has an operator or option that is not supported.
    """
    check_supported_types(artefact)
    check_supported_operators(artefact)
    graph = artefact.graph
    try:
        plan = plan_memory(graph)
        layers = [layer for operator in graph.operators for layer in lower(graph, plan, operator)]
    except _INCONSISTENT as error:
        raise AscError(f"{artefact.path}: shapes and operators do not fit ({error})") from error
    values = {
        "arena_size": plan.size,
        "banner": banner(artefact),
        "hash": artefact.sha256,
        "identity": identity,
        "input": _interface(graph, plan, graph.inputs[0]),
        "interface_version": INTERFACE_VERSION,
        "kernels_version": KERNELS_VERSION,
        "layers": layers,
        "lines": value_lines,
        "output": _interface(graph, plan, graph.outputs[0]),
        "title": "Network",
    }
    templates = environment()
    names = ("asc_net.h", "asc_net.c")
    return {name: templates.get_template(f"network/{name}.j2").render(values) for name in names}


def lower(graph: Graph, plan: Plan, operator: Operator) -> list[Layer]:
    """Return the kernel calls of one operator, none if the plan leaves nothing to do.

    Raises:
        AscError: an operator or an option of one that is not supported.
    """
    return LOWERINGS[operator.name](Lowering(graph, plan, operator))


def check_supported_operators(artefact: Artefact) -> None:
    """Check that there is a kernel for every operator of a model.

    Raises:
        AscError: there is none for one; the message names it and all that are supported.
    """
    for operator in artefact.graph.operators:
        if operator.name not in LOWERINGS:
            raise AscError(
                f"{artefact.path}: operator {operator.index} is {operator.name}, supported are "
                f"{', '.join(LOWERINGS)}"
            )


def check_supported_types(artefact: Artefact) -> None:
    """Check that a model has one input and output and that all activations are int8.

    Raises:
        AscError: it has others.
    """
    graph = artefact.graph
    for tensor in map(graph.tensor, _activations(graph)):
        if tensor.dtype != "INT8":
            raise AscError(
                f"{artefact.path}: tensor {tensor.index} is {tensor.dtype}, only full int8 models "
                f"can become C (asc-tiny quantize makes one)"
            )
        if len(tensor.scales) != 1 or tensor.scales[0] <= 0.0:
            raise AscError(f"{artefact.path}: tensor {tensor.index} must have one scale above 0")
        if not 0 < tensor.size <= _MAX_ELEMENTS:
            raise AscError(
                f"{artefact.path}: tensor {tensor.index} has {tensor.size} elements, allowed are "
                f"1 to {_MAX_ELEMENTS}"
            )
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise AscError(
            f"{artefact.path}: has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, "
            f"only models with one of each can become C"
        )
    if graph.tensor(graph.outputs[0]).is_constant:
        raise AscError(f"{artefact.path}: the output is constant")


def _activations(graph: Graph) -> Iterator[int]:
    yield from graph.inputs
    for operator in graph.operators:
        yield from operator.outputs


def _interface(graph: Graph, plan: Plan, index: int) -> dict[str, Any]:
    tensor = graph.tensor(index)
    height, width, channels = _image_shape(tensor)
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "shape": shape_text(tensor),
        "size": tensor.size,
        "offset": plan.offsets[index],
        "scale": float_literal(tensor.scales[0]),
        "zero_point": tensor.zero_points[0],
    }


def _image_shape(tensor: Tensor) -> tuple[int, int, int]:
    """Return (height, width, channels); leading dimensions of 1 that are missing are added."""
    shape = (1, 1, 1, *tensor.shape)
    if tensor.size != shape[-3] * shape[-2] * shape[-1]:
        return 1, 1, tensor.size
    return shape[-3], shape[-2], shape[-1]
