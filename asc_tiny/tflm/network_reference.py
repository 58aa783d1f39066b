"""TensorFlow Lite Micro's kernels as the reference of a network inside of conversions.

Code may leave out the conversions at a model's ends, and take and give the codes between them. The
kernels run the whole model: its inputs are values that convert to these codes, and the codes that
it gives are read from within. Where some codes have no such value, the file is run without its
conversions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.model.classifier_network import network_file
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import NUMPY_TYPES, Tensor
from asc_tiny.tflite.inner_file import ends
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.interpreter import NetworkInterpreter

AnyArray = NDArray[Any]
Inference = Sequence[AnyArray]
"""The inputs, or the outputs, of one inference, in the order of the file."""


def kernels(model_file: ModelFile) -> Callable[[Sequence[Inference]], list[list[AnyArray]]] | None:
    """Return TensorFlow Lite Micro's kernels as a function, None without the package.

    Args:
        model_file: the model; its graph has the inputs and outputs that the network's code has.

    Returns:
        A function from inferences that follow each other, from the first state on, to the outputs
        of each.

    Raises:
        AscError: a network that TensorFlow Lite Micro does not run.
    """
    if find_spec("tflite_micro") is None:
        return None
    graph, source, data = model_file.graph, str(model_file.path), model_file.data
    whole = parse_graph(data, source=source, is_interpreted=True)
    pairs = [
        (graph.tensor(inner), whole.tensor(outer))
        for inner, outer in zip(graph.inputs, whole.inputs, strict=True)
    ]
    if not all(_reaches_all_codes(*pair) for pair in pairs):
        data = network_file(model_file)
        pairs = [(inner, inner) for inner, _ in pairs]
    is_inside = graph.outputs != ends(data)[1]
    network = NetworkInterpreter(data, model_file.path, preserve_tensors=is_inside)

    def outputs(given: Sequence[AnyArray]) -> list[AnyArray]:
        found = network.run(given)
        if is_inside:
            found = [np.array(network.tensor(index)) for index in graph.outputs]
        return [
            values.reshape(graph.tensor(index).shape)
            for values, index in zip(found, graph.outputs, strict=True)
        ]

    def run(inferences: Sequence[Inference]) -> list[list[AnyArray]]:
        network.reset()
        return [
            outputs([_before(*each) for each in zip(pairs, inputs, strict=True)])
            for inputs in inferences
        ]

    return run


def is_inside(model_file: ModelFile) -> bool:
    """Return whether the graph of a model leaves out conversions at the ends of its file."""
    return (model_file.graph.inputs, model_file.graph.outputs) != ends(model_file.data)


def _reaches_all_codes(inner: Tensor, outer: Tensor) -> bool:
    """Return whether each code of a network's input has a value of the model's that becomes it."""
    if inner.index == outer.index or outer.dtype == "FLOAT32":
        return True
    if not len(outer.scales) == len(outer.zero_points) == 1 or outer.scales[0] > inner.scales[0]:
        return False
    limits = np.iinfo(np.dtype(NUMPY_TYPES[outer.dtype]))
    lowest, highest = _outer_codes(inner, outer, np.array([-128, 127]))
    return bool(limits.min <= lowest and highest <= limits.max)


def _outer_codes(inner: Tensor, outer: Tensor, codes: AnyArray) -> NDArray[np.float64]:
    """Return the codes of a model's input that stand for the same values as codes inside."""
    real = inner.scales[0] * (codes.astype(np.float64) - inner.zero_points[0])
    found: NDArray[np.float64] = np.round(real / outer.scales[0]) + outer.zero_points[0]
    return found


def _before(pair: tuple[Tensor, Tensor], codes: AnyArray) -> AnyArray:
    """Return the values of a model's input that convert to codes of the network inside.

    Args:
        pair: the network's input, and the model's, which reaches all codes.
        codes: values of the network's input.
    """
    inner, outer = pair
    if inner.index == outer.index:
        return codes
    dtype = np.dtype(NUMPY_TYPES[outer.dtype])
    if dtype.kind == "f":
        real = inner.scales[0] * (codes.astype(np.float64) - inner.zero_points[0])
        return real.astype(dtype)
    return _outer_codes(inner, outer, codes).astype(dtype)
