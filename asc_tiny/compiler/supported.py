"""Which networks the compiler takes: operators, types, subgraphs, variables, sizes of tensors.

What holds of one operator alone, such as its shapes and options, its lowering checks.
"""

from __future__ import annotations

from collections.abc import Sequence

from asc_tiny.compiler.diagnostics import NotCompiledError, not_supported, operator_error
from asc_tiny.compiler.lower.context import DTYPES
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.compiler.lower.signature import Signature
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor, called
from asc_tiny.tflite.ops import Family, custom_name, row
from asc_tiny.util.errors import AscError

# Sums over a whole tensor, such as a mean's, stay within 32 bits.
_MOST_ELEMENTS = 2**23

_MOST_NAMED = 4
"""Signatures that a message names."""


def check_supported(graph: Graph) -> None:
    """Check that the compiler has kernels for all of a graph.

    Raises:
        AscError: it has none for an operator or for a type that one takes or gives, or a subgraph,
            a variable or a size is not supported. The message names operator or tensor.
    """
    check_types(graph)
    for operator in graph.operators:
        if lowering_rule.get(operator.name) is None:
            raise not_supported(graph, operator)
    _check_variables(graph)


def check_counts(graph: Graph) -> None:
    """Check the numbers of operands and results of operators, before passes take some away.

    Raises:
        AscError: an operator has others than its kernel takes and gives.
    """
    for operator in graph.operators:
        rule = lowering_rule.get(operator.name)
        if rule is not None:
            rule.check_counts(graph, operator)


def check_streaming(graph: Graph) -> None:
    """Check that columns of one int8 input lead to one output.

    Raises:
        AscError: they do not.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise AscError(
            f"{graph.source}: has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, "
            f"--schedule streaming needs one of each"
        )
    source = graph.tensor(graph.inputs[0])
    if source.dtype != "INT8":
        raise _type_error(graph, source, "--schedule streaming needs INT8")


def check_types(graph: Graph) -> None:
    """Check that every operator has a kernel for the types that it takes and gives.

    Operators without any kernel are left to ``check_supported``, but custom ones.

    Raises:
        AscError: one has not or is a custom operator, or the model has several subgraphs or tensors
            of a size that no kernel takes.
    """
    _check_subgraphs(graph)
    # First of all: types around it are what they are because of it.
    for operator in graph.operators:
        if custom_name(operator.name) is not None:
            raise not_supported(graph, operator)
    for index in graph.inputs:
        tensor = graph.tensor(index)
        if tensor.dtype not in DTYPES:
            raise _type_error(graph, tensor, f"allowed are {', '.join(sorted(DTYPES))}")
        _check_tensor(graph, tensor)
    for operator in graph.operators:
        rule = lowering_rule.get(operator.name)
        if rule is not None and rule.signature(graph, operator) is None:
            raise _no_signature(graph, operator, rule.signatures)
        for index in operator.outputs:
            _check_tensor(graph, graph.tensor(index))


def _check_subgraphs(graph: Graph) -> None:
    """Check that all subgraphs but the first give variables their first values."""
    calls = []
    for operator in graph.operators:
        if operator.name == "CALL_ONCE":
            calls.append(operator)
        elif row(operator.name).family is Family.CONTROL:
            raise not_supported(graph, operator)
    others = len(graph.others) - len({number for each in calls for number in called(each)})
    if others:
        raise AscError(
            f"{graph.source}: has {others} subgraphs that no operator calls; leave them out"
        )


def _no_signature(graph: Graph, operator: Operator, signatures: Sequence[Signature]) -> AscError:
    """Return the error that names the first tensor of a type that an operator does not take."""
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
        return _type_error(graph, tensor, reason)
    allowed = " or ".join(_nearest(graph, operator, signatures))
    reason = f"with which operator {operator.index} ({operator.name}) does not compute: {allowed}"
    return _type_error(graph, tensor, reason)


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


def _type_error(graph: Graph, tensor: Tensor, reason: str) -> AscError:
    return NotCompiledError(f"{_where(graph, tensor)} is {tensor.dtype}, {reason}")


def _where(graph: Graph, tensor: Tensor) -> str:
    """Return file and tensor, and what makes the tensor."""
    maker = graph.producers.get(tensor.index)
    role = f"output of operator {maker.index} ({maker.name})" if maker else "input"
    return f"{graph.source}: tensor {tensor.index}, {role},"


def _check_variables(graph: Graph) -> None:
    """Check that only an operator whose state it is uses a variable tensor."""
    for operator in graph.operators:
        rule = lowering_rule.get(operator.name)
        states = rule.states if rule else ()
        others = [index for n, index in enumerate(operator.inputs) if n not in states]
        for index in (*others, *operator.outputs):
            if index != ABSENT and graph.tensor(index).is_variable:
                raise NotCompiledError(
                    f"{graph.source}: tensor {index} of operator {operator.index} "
                    f"({operator.name}) keeps its values between inferences, which is not supported"
                )


def _check_tensor(graph: Graph, tensor: Tensor) -> None:
    """Check scale and size of a tensor that is computed."""
    where = _where(graph, tensor)
    # Codes without a scale can be moved; rules whose operators compute ask for one.
    if tensor.dtype == "INT8" and tensor.scales and not _has_one_scale(tensor):
        raise NotCompiledError(
            f"{where} must have one scale above 0 and one zero point; convert anew as full int8"
        )
    if not 0 < tensor.size <= _MOST_ELEMENTS:
        raise NotCompiledError(
            f"{where} has {tensor.size} elements, allowed are 1 to {_MOST_ELEMENTS}"
        )


def _has_one_scale(tensor: Tensor) -> bool:
    return len(tensor.scales) == len(tensor.zero_points) == 1 and tensor.scales[0] > 0.0
