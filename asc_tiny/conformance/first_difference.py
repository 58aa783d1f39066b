"""The first layer whose outputs differ from TensorFlow Lite Micro's.

The network is compiled anew with every layer's outputs among its own. Where the compiler does not
take it so, or the difference does not show, the network is cut off behind one layer after the
other, halving what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from asc_tiny.conformance.truncation import ending_with, layers
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.util.bits import differing, same
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]

Tensors = dict[int, list[AnyArray]]
"""Values in each inference, by the number of the tensor in the file."""

Compute = Callable[[ModelFile], Tensors]
"""Compiles a network and returns its outputs; raises AscError where it cannot, and a RunError if
its C code fails."""


class RunError(AscError):
    """C code that does what it must not, in the words of a sanitizer."""


@dataclass(frozen=True)
class LayerDifference:
    """Where a layer's output differs, or whose code fails.

    Attributes:
        operator: number of the operator in the file.
        title: number and name of the operator, such as ``3 CONV_2D``.
        fault: what its code does that it must not; empty if it just gives something else.
        tensor: name of the tensor that it makes.
        shape: shape of that tensor.
        elements: number of elements that differ in the first inference in which any does.
        first: position of the first of them.
        expected, found: values of that element by TensorFlow Lite Micro and by the C code.
        is_of_plan: whether the same kernels are right where the outputs of all layers are kept.
    """

    operator: int
    title: str
    fault: str = ""
    tensor: str = ""
    shape: tuple[int, ...] = ()
    elements: int = 0
    first: tuple[int, ...] = ()
    expected: float = 0.0
    found: float = 0.0
    is_of_plan: bool = False

    def __str__(self) -> str:
        shape, place = "x".join(map(str, self.shape)), ", ".join(map(str, self.first))
        differs = (
            f"{self.elements} elements of its output {shape}; at ({place}) {self.found:g}, "
            f"must be {self.expected:g}"
        )
        plan = "; the same kernels are right in another plan" if self.is_of_plan else ""
        return f"{self.title}: {self.fault or differs}{plan}"


def first_difference(model: ModelFile, wanted: Tensors, compute: Compute) -> LayerDifference | None:
    """Return the first layer whose outputs differ, None if each alone gives what it should.

    Args:
        model: a network that differs somewhere.
        wanted: the values of all tensors that layers make, by TensorFlow Lite Micro.
        compute: what runs networks on the same inferences.
    """
    graph, known = model.graph, layers(model.graph)
    try:
        made = compute(replace(model, graph=ending_with(graph, known)))
    except AscError:
        return _halving(model, known, wanted, compute)
    found = _first(graph, known, wanted, made)
    if found is None:
        found = _halving(model, known, wanted, compute)
        return found and replace(found, is_of_plan=True)
    return found


def _halving(
    model: ModelFile, known: Sequence[Operator], wanted: Tensors, compute: Compute
) -> LayerDifference | None:
    found = None
    first, last = 0, len(known)
    while first < last:
        middle = (first + last) // 2
        here = _alone(model, known[middle], wanted, compute)
        if here is None:
            first = middle + 1
        else:
            found, last = here, middle
    return found


def _alone(
    model: ModelFile, operator: Operator, wanted: Tensors, compute: Compute
) -> LayerDifference | None:
    try:
        made = compute(replace(model, graph=ending_with(model.graph, [operator])))
    except RunError as error:
        return LayerDifference(operator.index, operator.title, fault=str(error))
    except AscError:
        # Nothing says that what cannot be compiled alone differs.
        return None
    return _first(model.graph, [operator], wanted, made)


def _first(
    graph: Graph, known: Sequence[Operator], wanted: Tensors, made: Tensors
) -> LayerDifference | None:
    for operator in known:
        for index in operator.outputs:
            if index not in made or index not in wanted:
                continue
            for pair in zip(wanted[index], made[index], strict=True):
                if not same(*pair):
                    return _difference(graph, operator, index, *pair)
    return None


def _difference(
    graph: Graph,
    operator: Operator,
    index: int,
    expected: AnyArray,
    found: AnyArray,
) -> LayerDifference:
    places = differing(expected, found)
    first = tuple(int(place) for place in places[0])
    tensor = graph.tensor(index)
    return LayerDifference(
        operator=operator.index,
        title=operator.title,
        tensor=tensor.name,
        shape=tensor.shape,
        elements=len(places),
        first=first,
        expected=float(expected[first]),
        found=float(found[first]),
    )
