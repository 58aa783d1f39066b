"""Emits a full int8 network as C: constants, stages, the order of their runs, an arena."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from asc_tiny.compiler.compiled import Compiled
from asc_tiny.compiler.diagnostics import NotCompiledError, not_supported, operator_error
from asc_tiny.compiler.lower.context import DTYPES
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.compiler.lower.signature import Signature
from asc_tiny.compiler.options import AS_IS, INT8_CODES, STREAMING, Options
from asc_tiny.compiler.passes import strip_io_conversions
from asc_tiny.compiler.passes.constant_folding import fold_constants
from asc_tiny.compiler.passes.float_islands import without_float_islands
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.firmware.network import interface
from asc_tiny.firmware.network.c_values import values
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor, called
from asc_tiny.tflite.ops import Family, row
from asc_tiny.tflm.resolver import custom_name
from asc_tiny.util.errors import AscError

KERNELS_VERSION = 4
"""Must equal ASC_KERNELS_VERSION in asc_kernels.h; the C compiler checks it."""

# Sums over a whole tensor, such as a mean's, stay within 32 bits.
_MAX_ELEMENTS = 2**23

_MOST_NAMED = 4
"""Signatures that a message names."""


DEFAULT = Options()
"""As little memory as possible."""


def compile_network(model_file: ModelFile, options: Options = DEFAULT) -> Compiled:
    """Run all passes over a model; the latest results are kept.

    Raises:
        AscError: the model is not full int8, has an operator or option that is not supported, or
            does not fit the memory that the options allow.
    """
    # The cache would take a call without options for another one than a call with the default.
    return _compiled(model_file, options)


@functools.lru_cache(maxsize=8)
def _compiled(model_file: ModelFile, options: Options) -> Compiled:
    model_file = without_conversions(model_file, options.io)
    folded = fold_constants(model_file.graph)
    graph = without_float_islands(folded.graph)
    model_file = replace(model_file, graph=graph)
    check_supported_types(model_file)
    check_supported_operators(model_file)
    _check_variables(model_file)
    if options.schedule == STREAMING:
        _check_streaming(model_file)
    compiled = compile_graph(graph, options)
    return replace(compiled, folded=folded.titles, io=options.io)


def _check_streaming(model_file: ModelFile) -> None:
    """Check that columns of one int8 input lead to one output."""
    graph = model_file.graph
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise AscError(
            f"{model_file.path}: has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, "
            f"--schedule streaming needs one of each"
        )
    if graph.tensor(graph.inputs[0]).dtype != "INT8":
        raise _type_error(
            model_file, graph.tensor(graph.inputs[0]), "--schedule streaming needs INT8"
        )


def generate(
    model_file: ModelFile, fingerprints: Fingerprints | None = None, options: Options = DEFAULT
) -> dict[str, str]:
    """Return ``asc_net.h`` and ``asc_net.c``, file name to text.

    Args:
        model_file: the model.
        fingerprints: fingerprints of the classifier whose network it is, None for a network alone.
        options: the options of the compiler.

    Raises:
        AscError: the same as ``compile_network`` raises.
    """
    return emit(model_file, compile_network(model_file, options), fingerprints)


def emit(
    model_file: ModelFile, compiled: Compiled, fingerprints: Fingerprints | None = None
) -> dict[str, str]:
    """Return ``asc_net.h`` and ``asc_net.c`` of a network that is compiled, file name to text.

    Args:
        model_file: the model.
        compiled: the network that ``compile_network`` made of it.
        fingerprints: hashes of the classifier that it is the network of, None for none.
    """
    model_file = without_conversions(model_file, compiled.io)
    context: dict[str, Any] = {
        **values(model_file.graph, compiled.lowered, compiled.schedule, compiled.arena),
        "banner": banner(model_file),
        "hash": model_file.sha256,
        "fingerprints": fingerprints,
        "interface_version": interface.VERSION,
        "kernels_version": KERNELS_VERSION,
        "lines": value_lines,
        "title": "Network",
    }
    return render_files(context, "network/asc_net.h", "network/asc_net.c")


def without_conversions(model_file: ModelFile, io: str = INT8_CODES) -> ModelFile:
    """Return a model without conversions of its inputs and outputs from and to other types.

    Args:
        model_file: the model.
        io: as in ``Options``; with ``as-is`` the model stays the same.
    """
    if io == AS_IS:
        return model_file
    return replace(model_file, graph=strip_io_conversions.without_conversions(model_file.graph))


def without_constants(model_file: ModelFile) -> ModelFile:
    """Return a model without operators whose results are known."""
    return replace(model_file, graph=without_float_islands(fold_constants(model_file.graph).graph))


def check_supported_operators(model_file: ModelFile) -> None:
    """Check that there is a kernel for every operator of a model.

    Raises:
        AscError: there is none for one; the message names it and its layer.
    """
    for operator in model_file.graph.operators:
        if lowering_rule.get(operator.name) is None:
            raise not_supported(model_file.graph, operator)


def check_supported_types(model_file: ModelFile) -> None:
    """Check that every operator has a kernel for the types that it takes and gives.

    Operators without any kernel are left to ``check_supported_operators``, but custom ones.

    Raises:
        AscError: one has not or is a custom operator, or the model has several subgraphs or tensors
            of a size that no kernel takes.
    """
    graph = model_file.graph
    _check_subgraphs(model_file)
    # First of all: types around it are what they are because of it.
    for operator in graph.operators:
        if custom_name(operator.name) is not None:
            raise not_supported(graph, operator)
    for index in graph.inputs:
        tensor = graph.tensor(index)
        if tensor.dtype not in DTYPES:
            raise _type_error(model_file, tensor, f"allowed are {', '.join(sorted(DTYPES))}")
        _check_tensor(model_file, tensor)
    for operator in graph.operators:
        rule = lowering_rule.get(operator.name)
        if rule is not None and rule.signature(graph, operator) is None:
            raise _no_signature(model_file, operator, rule.signatures)
        for index in operator.outputs:
            _check_tensor(model_file, graph.tensor(index))


def _check_subgraphs(model_file: ModelFile) -> None:
    """Check that all subgraphs but the first give variables their first values."""
    graph = model_file.graph
    calls = []
    for operator in graph.operators:
        if operator.name == "CALL_ONCE":
            calls.append(operator)
        elif row(operator.name).family is Family.CONTROL:
            raise not_supported(graph, operator)
    others = len(graph.others) - len({number for each in calls for number in called(each)})
    if others:
        raise AscError(
            f"{model_file.path}: has {others} subgraphs that no operator calls; leave them out"
        )


def _no_signature(
    model_file: ModelFile, operator: Operator, signatures: Sequence[Signature]
) -> AscError:
    """Return the error that names the first tensor of a type that an operator does not take."""
    graph = model_file.graph
    computed = [
        graph.tensor(index)
        for index in (*operator.inputs, *operator.outputs)
        if index != ABSENT and not graph.tensor(index).is_constant
    ]
    known = {dtype for each in signatures for dtype in (*each.operands, *each.results)}
    if not computed:
        return operator_error(graph, operator, "neither takes nor gives a tensor that is computed")
    tensor = next((each for each in computed if each.dtype not in known), computed[0])
    if tensor.dtype == "FLOAT32":
        reason = "only full int8 models can become C (asc-tiny quantize makes one of a .keras file)"
        return _type_error(model_file, tensor, reason)
    allowed = " or ".join(_nearest(graph, operator, signatures))
    reason = f"with which operator {operator.index} ({operator.name}) does not compute: {allowed}"
    return _type_error(model_file, tensor, reason)


def _nearest(graph: Graph, operator: Operator, signatures: Sequence[Signature]) -> list[str]:
    """Return the signatures that have most types of an operator, as texts for a message."""
    agreements = [each.agreement(graph, operator) for each in signatures]
    nearest = [
        str(each)
        for each, agreement in zip(signatures, agreements, strict=True)
        if agreement == max(agreements)
    ]
    more = len(nearest) - _MOST_NAMED
    return nearest if more <= 0 else [*nearest[:_MOST_NAMED], f"{more} others"]


def _type_error(model_file: ModelFile, tensor: Tensor, reason: str) -> AscError:
    return NotCompiledError(f"{_where(model_file, tensor)} is {tensor.dtype}, {reason}")


def _where(model_file: ModelFile, tensor: Tensor) -> str:
    """Return file and tensor, and what makes the tensor."""
    maker = model_file.graph.producers.get(tensor.index)
    role = f"output of operator {maker.index} ({maker.name})" if maker else "input"
    return f"{model_file.path}: tensor {tensor.index}, {role},"


def _check_variables(model_file: ModelFile) -> None:
    """Check that only an operator whose state it is uses a variable tensor."""
    for operator in model_file.graph.operators:
        rule = lowering_rule.get(operator.name)
        states = rule.states if rule else ()
        others = [index for n, index in enumerate(operator.inputs) if n not in states]
        for index in (*others, *operator.outputs):
            if index != ABSENT and model_file.graph.tensor(index).is_variable:
                raise NotCompiledError(
                    f"{model_file.path}: tensor {index} of operator {operator.index} "
                    f"({operator.name}) keeps its values between inferences, which is not supported"
                )


def _check_tensor(model_file: ModelFile, tensor: Tensor) -> None:
    """Check scale and size of a tensor that is computed."""
    where = _where(model_file, tensor)
    # Codes without a scale can be moved; rules whose operators compute ask for one.
    if tensor.dtype == "INT8" and tensor.scales and not _has_one_scale(tensor):
        raise NotCompiledError(
            f"{where} must have one scale above 0 and one zero point; convert anew as full int8"
        )
    if not 0 < tensor.size <= _MAX_ELEMENTS:
        raise NotCompiledError(
            f"{where} has {tensor.size} elements, allowed are 1 to {_MAX_ELEMENTS}"
        )


def _has_one_scale(tensor: Tensor) -> bool:
    return len(tensor.scales) == len(tensor.zero_points) == 1 and tensor.scales[0] > 0.0
