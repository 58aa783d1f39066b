"""TensorFlow Lite Micro's kernels as the reference of a network inside of conversions.

Code may leave out the conversions at a model's ends, and take and give the codes between them. The
kernels run the whole model: its inputs are values that convert to these codes, and the codes that
it gives are read from within.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import NUMPY_TYPES, Tensor
from asc_tiny.tflite.inner_file import ends
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.interpreter import NetworkInterpreter
from asc_tiny.util.errors import AscError

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
        AscError: a network that TensorFlow Lite Micro does not run, or inputs that no value of the
            model's converts to.
    """
    if find_spec("tflite_micro") is None:
        return None
    graph, source = model_file.graph, str(model_file.path)
    whole = parse_graph(model_file.data, source=source, is_interpreted=True)
    pairs = [
        (graph.tensor(inner), whole.tensor(outer))
        for inner, outer in zip(graph.inputs, whole.inputs, strict=True)
    ]
    is_inside = graph.outputs != whole.outputs
    network = NetworkInterpreter(model_file.data, model_file.path, preserve_tensors=is_inside)

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
            outputs([_before(model_file, *each) for each in zip(pairs, inputs, strict=True)])
            for inputs in inferences
        ]

    return run


def is_inside(model_file: ModelFile) -> bool:
    """Return whether the graph of a model leaves out conversions at the ends of its file."""
    return (model_file.graph.inputs, model_file.graph.outputs) != ends(model_file.data)


def _before(model_file: ModelFile, pair: tuple[Tensor, Tensor], codes: AnyArray) -> AnyArray:
    """Return the values of a model's input that convert to codes of the network inside.

    Args:
        model_file: the model.
        pair: the network's input, and the model's.
        codes: values of the network's input.
    """
    inner, outer = pair
    if inner.index == outer.index:
        return codes
    real = inner.scales[0] * (codes.astype(np.float64) - inner.zero_points[0])
    dtype = np.dtype(NUMPY_TYPES[outer.dtype])
    if dtype.kind == "f":
        return real.astype(dtype)
    if outer.scales[0] > inner.scales[0]:
        raise AscError(
            f"{model_file.path}: tensor {outer.index}, input, has coarser codes than the network "
            "inside, so that there is no reference for all of these"
        )
    limits = np.iinfo(dtype)
    found = np.round(real / outer.scales[0]) + outer.zero_points[0]
    return np.clip(found, limits.min, limits.max).astype(dtype)
