"""Emits the network as C++ around TensorFlow Lite Micro's interpreter, with the model as an array.

All members of an ensemble share one ``MicroAllocator``, hence the memory for activations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from asc_tiny.compiler import diagnostics
from asc_tiny.firmware.c.escape import c_string
from asc_tiny.firmware.c.prefix import rename
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.firmware.network import interface, model_array
from asc_tiny.firmware.network.tflm_arena import (
    arena_size,
    main_graphs,
    model_files,
    operator_names,
    operators,
    variable_count,
)
from asc_tiny.model.ensemble import Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import ABSENT, Graph
from asc_tiny.tflite.ops import VELA, custom_name
from asc_tiny.tflm.options import DEFAULT, TflmOptions
from asc_tiny.tflm.resolver import method, reads_absent_bias
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError

_TYPES: Mapping[str, str] = {
    "BFLOAT16": "kTfLiteBFloat16",
    "BOOL": "kTfLiteBool",
    "COMPLEX64": "kTfLiteComplex64",
    "FLOAT16": "kTfLiteFloat16",
    "FLOAT32": "kTfLiteFloat32",
    "FLOAT64": "kTfLiteFloat64",
    "INT4": "kTfLiteInt4",
    "INT8": "kTfLiteInt8",
    "INT16": "kTfLiteInt16",
    "INT32": "kTfLiteInt32",
    "INT64": "kTfLiteInt64",
    "UINT8": "kTfLiteUInt8",
    "UINT16": "kTfLiteUInt16",
    "UINT32": "kTfLiteUInt32",
    "UINT64": "kTfLiteUInt64",
}
"""TensorFlow Lite Micro's names of types of inputs and outputs."""


def generate(
    model: Model, fingerprints: Fingerprints | None = None, options: TflmOptions = DEFAULT
) -> dict[str, str]:
    """Return ``asc_net.h``, ``asc_net.cc`` and each network's ``asc_model<number>.[ch]``.

    Args:
        model: network or ensemble.
        fingerprints: fingerprints of the classifier whose network it is, None for a network alone.
        options: the arena's size and custom operators, as the user gives them.

    Raises:
        AscError: an operator that TensorFlow Lite Micro does not run, or an arena that is neither
            known nor given.
    """
    check_operators(model, options)
    files: dict[str, str] = {}
    for name, model_file in zip(_names(model), model_files(model), strict=True):
        for file, text in model_array.generate(model_file).items():
            files[_rename(file, name)] = _rename(text, name)
    values = {**_values(model, options), "fingerprints": fingerprints}
    return {**files, **render_files(values, "network/asc_net.h", "tflm/asc_net.cc")}


def check_operators(model: Model, options: TflmOptions = DEFAULT) -> None:
    """Check that TensorFlow Lite Micro, or the user, has a kernel for every operator of a model.

    Raises:
        AscError: there is none for one; one has an operand that its kernel reads though it is
            absent; an end is of a type that C has not; or the user gives a kernel that no operator
            of the model needs.
    """
    used = [name for each in operator_names(model) if (name := custom_name(each)) is not None]
    unused = next((each.name for each in options.operators if each.name not in used), None)
    if unused is not None:
        there = ", ".join(map(printable, used)) or "none"
        raise AscError(
            f"--tflm-op {unused}: is no custom operator of {model.path}, which has: {there}"
        )
    given = {each.name for each in options.operators}
    for graph, operator in operators(model):
        if custom_name(operator.name) in given:
            continue
        if method(operator.name) is None:
            raise diagnostics.not_run_by_tflm(graph, operator)
        if reads_absent_bias(operator.name) and ABSENT in operator.inputs:
            raise diagnostics.operator_error(
                graph,
                operator,
                "has an input that is absent, which TensorFlow Lite Micro reads all the same; "
                "leave it out",
            )
    for graph in main_graphs(model):
        _check_ends(graph)


def options_of(member: ModelFile, options: TflmOptions) -> TflmOptions:
    """Return the options of an ensemble's member: without kernels that it has no operator for."""
    used = {custom_name(name) for name in operator_names(member)}
    kept = tuple(each for each in options.operators if each.name in used)
    return replace(options, operators=kept)


def takes(model: Model) -> bool:
    """Whether TensorFlow Lite Micro runs a model, as far as this computer can tell."""
    try:
        check_operators(model)
        arena_size(model)
    except AscError:
        return False
    return True


def _check_ends(graph: Graph) -> None:
    """Check that C has a type for each input and output."""
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensor(index)
        if not interface.has_c_type(tensor):
            raise AscError(
                f"{graph.source}: tensor {index}, an input or output, is {tensor.dtype}, which has "
                f"no type in C; let the model begin and end with numbers of 8, 16, 32 or 64 bits"
            )


def _names(model: Model) -> list[str]:
    """Return the name of each network's array."""
    if isinstance(model, ModelFile):
        return ["asc_model"]
    return [f"asc_model{number}" for number in range(len(model.members))]


def _rename(text: str, name: str) -> str:
    return rename(rename(text, "asc_model(?=[_.])", name), "ASC_MODEL(?=_)", name.upper())


def _values(model: Model, options: TflmOptions) -> dict[str, Any]:
    """Return what the templates print."""
    graphs = main_graphs(model)
    arena = arena_size(model, options)
    values = {
        "arena": arena,
        "arena_size": arena.size,
        "arena_size_64": arena.size_64,
        "banner": banner(model),
        "hash": model.sha256,
        "headers": options.headers,
        "interface_version": interface.VERSION,
        "is_for_npu": VELA in map(custom_name, operator_names(model)),
        "least": arena.least,
        "least_64": arena.least_64,
        "needs": arena.needs,
        "operators": _calls(model, options),
        "ready": f"{int(model.sha256[:8], 16) | 1:08X}",
        "states": [graph for graph in graphs if has_state(graph)],
    }
    members = [
        {
            "model": name,
            "inputs": [_end(graph, index) for index in graph.inputs],
            "outputs": [_end(graph, index) for index in graph.outputs],
            "variables": variable_count(graph),
        }
        for name, graph in zip(_names(model), graphs, strict=True)
    ]
    if isinstance(model, ModelFile):
        return {
            **values,
            **interface.of_graph(graphs[0]),
            "members": [{"number": 0, "hash": model.sha256, **members[0]}],
            "title": "Network",
        }
    shared = interface.of_ensemble(model)
    pairs = zip(shared["members"], members, strict=True)
    shared |= interface.ends([shared["input"]], [shared["output"]])
    return {**values, **shared, "members": [{**one, **other} for one, other in pairs]}


def _end(graph: Graph, index: int) -> dict[str, Any]:
    """Return the type and the bytes of an input or output."""
    tensor = graph.tensor(index)
    return {"type": _TYPES[tensor.dtype], "bytes": tensor.byte_count}


def _calls(model: Model, options: TflmOptions) -> list[str]:
    """Return the call in C++ that adds each operator to the resolver."""
    given = {each.name: each.function for each in options.operators}
    calls = []
    for name in operator_names(model):
        function = given.get(custom_name(name) or "")
        if function is None:
            calls.append(f"{method(name)}()")
        else:
            literal = c_string(custom_name(name) or "")
            calls.append(f"AddCustom({literal}, registration({function}()))")
    return calls


def has_state(graph: Graph) -> bool:
    """Whether a network keeps something from one run to the next.

    Custom operators may; of Vela's, which is all of a network, none does.
    """
    parts = (graph, *graph.others)
    return any(tensor.is_variable for each in parts for tensor in each.tensors) or any(
        operator.name == "VAR_HANDLE" or (custom_name(operator.name) or VELA) != VELA
        for each in parts
        for operator in each.operators
    )
