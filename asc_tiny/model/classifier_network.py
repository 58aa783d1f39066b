"""The network of a classifier: int8 codes of features go in, int8 scores of the classes come out.

Exporters leave conversions from and to other types around such a network. A front end gives codes
and a decision takes them, so that a classifier is what lies between the conversions, whatever runs
it.
"""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.frontend.config import Quantization
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite import io_conversions
from asc_tiny.tflite.graph import Tensor
from asc_tiny.tflite.inner_file import inner_file
from asc_tiny.util.errors import AscError


def without_conversions(model_file: ModelFile) -> ModelFile:
    """Return a model whose graph leaves out the conversions at the ends of its file."""
    return replace(model_file, graph=io_conversions.without_conversions(model_file.graph))


def classifier_network(model_file: ModelFile) -> ModelFile:
    """Return a model whose graph is the network of a classifier.

    Args:
        model_file: a model, with conversions to and from int8 at its ends or without.

    Raises:
        AscError: what lies between the conversions does not take int8 codes of features, or does
            not give int8 scores of the classes.
    """
    network = without_conversions(model_file)
    quantizations(network)
    return network


def quantizations(network: ModelFile) -> tuple[Quantization, Quantization]:
    """Return the quantisations of the features and of the scores of a classifier's network.

    Args:
        network: a model whose graph leaves out conversions at its ends.

    Raises:
        AscError: it does not take int8 codes of features, or does not give int8 scores of the
            classes.
    """
    graph, path = network.graph, network.path
    for kind, indices in (("input", graph.inputs), ("output", graph.outputs)):
        if len(indices) != 1:
            names = ", ".join(graph.tensor(index).name or str(index) for index in indices)
            raise AscError(
                f"{path}: has {len(indices)} {kind}s ({names}), a classifier needs one; "
                "asc-tiny generate makes code of the network without a front end"
            )
    features, output = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    if features.dtype != "INT8":
        raise AscError(
            f"{path}: tensor {features.index}, input, is {features.dtype}, a front end gives int8 "
            "codes: a classifier must be full int8, but for a conversion at either end (asc-tiny "
            "quantize makes such a model)"
        )
    if output.dtype != "INT8":
        raise AscError(
            f"{path}: gives {output.dtype}, a classifier needs int8 scores of all classes; leave "
            "the last layer out of the model, the firmware finds the largest score"
        )
    return _quantization(network, features), _quantization(network, output)


def network_file(network: ModelFile) -> bytes:
    """Return the ``.tflite`` file of a model's graph, for who runs files.

    Args:
        network: a model whose graph leaves out conversions at its ends, or not.
    """
    return inner_file(network.data, network.graph)


def _quantization(network: ModelFile, tensor: Tensor) -> Quantization:
    where = f"{network.path}: tensor {tensor.index}"
    if not len(tensor.scales) == len(tensor.zero_points) == 1:
        raise AscError(
            f"{where} has {len(tensor.scales)} scales, a classifier's input and output need one; "
            "convert anew as full int8"
        )
    try:
        return Quantization(scale=tensor.scales[0], zero_point=tensor.zero_points[0])
    except AscError as error:
        raise AscError(f"{where}: {error}") from error
