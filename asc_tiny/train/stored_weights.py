"""Weights of layers in files of networks: Keras' archives, HDF5, TensorFlow Lite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny import nets
from asc_tiny.nets.network import StoredWeights
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.tflite.reader import read_graph
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

Array = NDArray[np.float32]

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def read(path: Path, model: Any) -> StoredWeights:
    """Return the weights of layers by their names, each layer's in the order of ``get_weights``.

    Args:
        path: ``.keras``, ``.h5`` or ``.tflite`` file.
        model: the network that they are for: a ``.tflite`` file has no layers of its own.

    Raises:
        AscError: it is missing, damaged, or of another kind.
    """
    kinds: dict[str, Callable[[], StoredWeights]] = {
        ".keras": lambda: _of_model(nets.load(path)),
        ".h5": lambda: _of_hdf5(path),
        ".tflite": lambda: _of_tflite(read_graph(path), model),
    }
    if path.suffix not in kinds:
        raise AscError(f"{path}: not a file of weights, allowed: {', '.join(kinds)}")
    return kinds[path.suffix]()


def _of_model(model: Any) -> StoredWeights:
    found: StoredWeights = {}
    for layer in model.layers:
        # A backbone may be a layer itself.
        found |= _of_model(layer) if hasattr(layer, "layers") else {layer.name: layer.get_weights()}
    return found


def _of_hdf5(path: Path) -> StoredWeights:
    """Read a whole model's or a weights' file as Keras 2 and Keras 3 write them."""
    import h5py

    read_bytes(path)
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            found = dict(_named_layers(root) if "layer_names" in root.attrs else _vars_layers(root))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise AscError(f"{path}: not Keras weights in HDF5: {error}") from error
    return found


def _named_layers(root: Any) -> Iterator[tuple[str, list[Array]]]:
    """Yield what Keras 2 writes: the weights of a model that is a layer stand in one list."""
    for name in map(_text, root.attrs["layer_names"]):
        layers: dict[str, list[Array]] = {}
        for weight in map(_text, root[name].attrs["weight_names"]):
            layers.setdefault(weight.rpartition("/")[0], []).append(np.array(root[name][weight]))
        # The weights of one layer may stand under another name than its own.
        yield from zip(layers if len(layers) > 1 else [name], layers.values(), strict=False)


def _vars_layers(root: Any) -> Iterator[tuple[str, list[Array]]]:
    """Yield what ``save_weights`` of Keras 3 writes: layers/NAME/vars/0, 1, ..."""
    for name, layer in root["layers"].items():
        if "layers" in layer:
            yield from _vars_layers(layer)
        elif "vars" in layer:
            values = layer["vars"]
            title = _text(layer.attrs.get("name", values.attrs.get("name", name)))
            yield title, [np.array(values[key]) for key in sorted(values, key=int)]


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _of_tflite(graph: Graph, model: Any) -> StoredWeights:
    """Return dequantised weights for the layers of ``model`` that operators are named after.

    A converter folds batch-norm into the convolution before it: the norm behind such a layer gets
    the values with which it changes nothing.
    """
    operators = [operator for operator in graph.operators if operator.name in _WEIGHTED]
    # Keras 3 ends the names of a functional model's layers in _1, Keras 2 as they are.
    conventions = [_named_after(graph, operators, model, ending) for ending in ("_1", "", r"_\d+")]
    return max(conventions, key=len)


def _named_after(graph: Graph, operators: list[Operator], model: Any, ending: str) -> StoredWeights:
    found: StoredWeights = {}
    norms = {id(layer): norm for layer, norm in _with_norms(model)}
    free = list(operators)
    for layer in model.layers:
        if not hasattr(layer, "kernel"):
            continue
        name = re.compile(re.escape(layer.name) + ending)
        for operator in free:
            values = _weights(graph, operator, layer)
            if values is not None and any(map(name.fullmatch, _segments(graph, operator))):
                free.remove(operator)
                found[layer.name] = values
                norm = norms.get(id(layer))
                if norm is not None:
                    found[norm.name] = _identity(norm)
                break
    return found


def _segments(graph: Graph, operator: Operator) -> set[str]:
    """Return the parts of the names of an operator's own tensors: mobilenet_1/conv_1/BiasAdd."""
    own = [*operator.inputs[1:], *operator.outputs]
    return {part for i in own if i >= 0 for part in re.split("[/;]", graph.tensors[i].name)}


def _weights(graph: Graph, operator: Operator, layer: Any) -> list[Array] | None:
    """Return the kernel and bias of an operator in a layer's shapes, None if they do not fit."""
    tensors = [graph.tensors[i] for i in operator.inputs[1:] if i >= 0]
    if not tensors or not all(tensor.is_constant for tensor in tensors):
        return None
    shape = tuple(layer.kernel.shape)
    kernel = _dequantized(tensors[0])
    if operator.name == "DEPTHWISE_CONV_2D":
        kernel = kernel[0]
    elif operator.name == "CONV_2D":
        kernel = kernel.transpose(1, 2, 3, 0)
    else:
        kernel = kernel.T
    outputs = kernel.shape[-1]
    if kernel.size != np.prod(shape):
        return None
    if operator.name != "DEPTHWISE_CONV_2D" and shape[-1] != outputs:
        return None
    values = [np.ascontiguousarray(kernel.reshape(shape))]
    if layer.bias is not None:
        zeros = np.zeros(layer.bias.shape, np.float32)
        values.append(_dequantized(tensors[1]).reshape(zeros.shape) if tensors[1:] else zeros)
    return values


def _dequantized(tensor: Tensor) -> Array:
    data = np.asarray(tensor.data, np.float64)
    if tensor.scales:
        along = [1] * data.ndim
        if len(tensor.scales) > 1:
            along[tensor.quantized_dimension] = len(tensor.scales)
        zero_points = np.array(tensor.zero_points or [0], np.float64)
        scales = np.array(tensor.scales)
        zero_points = np.broadcast_to(zero_points, scales.shape)
        data = (data - zero_points.reshape(along)) * scales.reshape(along)
    return data.astype(np.float32)


def _with_norms(model: Any) -> Iterator[tuple[Any, Any]]:
    for layer in model.layers:
        for node in layer._outbound_nodes:
            after = node.operation
            if hasattr(after, "moving_variance") and hasattr(layer, "kernel"):
                yield layer, after


def _identity(norm: Any) -> list[Array]:
    """Return weights with which a batch-norm hands on what it gets."""
    identity = {
        "gamma": lambda v: np.full(v.shape, np.sqrt(1.0 + norm.epsilon), np.float32),
        "beta": lambda v: np.zeros(v.shape, np.float32),
        "moving_mean": lambda v: np.zeros(v.shape, np.float32),
        "moving_variance": lambda v: np.ones(v.shape, np.float32),
    }
    return [identity[variable.name](variable) for variable in norm.weights]
