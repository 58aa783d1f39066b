"""Emits a full int8 network as C: constants, stages, the order of their runs, an arena."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from asc_tiny.compiler.diagnostics import not_supported
from asc_tiny.compiler.lower.registry import LOWERINGS
from asc_tiny.compiler.passes import strip_io_conversions
from asc_tiny.compiler.planner.planner import Compiled, Options, choose
from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import banner, environment
from asc_tiny.firmware.fingerprints import Identity
from asc_tiny.firmware.network import interface
from asc_tiny.firmware.network.c_values import values
from asc_tiny.model.model_file import Artefact
from asc_tiny.tflite.graph import ABSENT, Tensor
from asc_tiny.util.errors import AscError

KERNELS_VERSION = 3
"""Must equal ASC_KERNELS_VERSION in asc_kernels.h; the C compiler checks it."""

# Sums over a whole tensor, such as a mean's, stay within 32 bits.
_MAX_ELEMENTS = 2**23


DEFAULT = Options()
"""As little memory as possible."""


@functools.lru_cache(maxsize=8)
def compile_network(artefact: Artefact, options: Options = DEFAULT) -> Compiled:
    """Run all passes over a model.

    Raises:
        AscError: the model is not full int8, has an operator or option that is not supported, or
            does not fit the memory that the options allow.
    """
    artefact = without_conversions(artefact)
    check_supported_types(artefact)
    check_supported_operators(artefact)
    _check_variables(artefact)
    return choose(artefact.graph, options)


def generate(
    artefact: Artefact, identity: Identity | None = None, options: Options = DEFAULT
) -> dict[str, str]:
    """Return ``asc_net.h`` and ``asc_net.c``, file name to text.

    Args:
        artefact: the model.
        identity: of the classifier that it is the network of, if it is.
        options: of the planner.

    Raises:
        AscError: as ``compile_network``.
    """
    artefact = without_conversions(artefact)
    compiled = compile_network(artefact, options)
    context: dict[str, Any] = {
        **values(artefact.graph, compiled.program, compiled.schedule, compiled.plan),
        "banner": banner(artefact),
        "hash": artefact.sha256,
        "identity": identity,
        "interface_version": interface.VERSION,
        "kernels_version": KERNELS_VERSION,
        "lines": value_lines,
        "title": "Network",
    }
    templates = environment()
    names = ("asc_net.h", "asc_net.c")
    return {name: templates.get_template(f"network/{name}.j2").render(context) for name in names}


def without_conversions(artefact: Artefact) -> Artefact:
    """Return a model without conversions of its input and output from and to other types."""
    return replace(artefact, graph=strip_io_conversions.without_conversions(artefact.graph))


def check_supported_operators(artefact: Artefact) -> None:
    """Check that there is a kernel for every operator of a model.

    Raises:
        AscError: there is none for one; the message names it and its layer.
    """
    for operator in artefact.graph.operators:
        if operator.name not in LOWERINGS:
            raise not_supported(artefact.graph, operator)


def check_supported_types(artefact: Artefact) -> None:
    """Check that a model has one input and output and that all activations are int8.

    Raises:
        AscError: it has others.
    """
    graph = artefact.graph
    if graph.others:
        raise AscError(
            f"{artefact.path}: has {1 + len(graph.others)} subgraphs, only models with one can "
            f"become C; leave out loops and branches"
        )
    _check_ends(artefact)
    for index in graph.inputs:
        _check_type(artefact, graph.tensor(index), "input")
    for operator in graph.operators:
        for index in operator.outputs:
            made_by = f"output of operator {operator.index} ({operator.name})"
            _check_type(artefact, graph.tensor(index), made_by)


def _check_ends(artefact: Artefact) -> None:
    graph = artefact.graph
    for kind, indices in (("input", graph.inputs), ("output", graph.outputs)):
        if len(indices) != 1:
            names = ", ".join(graph.tensor(index).name or str(index) for index in indices)
            raise AscError(
                f"{artefact.path}: has {len(indices)} {kind}s ({names}), only models with one can "
                f"become C; concatenate them in the model"
            )
    if graph.tensor(graph.outputs[0]).is_constant:
        raise AscError(f"{artefact.path}: the output is constant")


def _check_variables(artefact: Artefact) -> None:
    """Check that no operator uses what stays from one inference to the next."""
    for operator in artefact.graph.operators:
        for index in (*operator.inputs, *operator.outputs):
            if index != ABSENT and artefact.graph.tensor(index).is_variable:
                raise AscError(
                    f"{artefact.path}: tensor {index} of operator {operator.index} "
                    f"({operator.name}) keeps its values between inferences, which is not supported"
                )


def _check_type(artefact: Artefact, tensor: Tensor, role: str) -> None:
    where = f"{artefact.path}: tensor {tensor.index}, {role},"
    if tensor.dtype != "INT8":
        raise AscError(
            f"{where} is {tensor.dtype}, only full int8 models can become C (asc-tiny quantize "
            f"makes one)"
        )
    if len(tensor.scales) != 1 or len(tensor.zero_points) != 1 or tensor.scales[0] <= 0.0:
        raise AscError(
            f"{where} must have one scale above 0 and one zero point; convert anew as full int8"
        )
    if not 0 < tensor.size <= _MAX_ELEMENTS:
        raise AscError(f"{where} has {tensor.size} elements, allowed are 1 to {_MAX_ELEMENTS}")
