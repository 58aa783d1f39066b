"""The complexity of a Keras model, before it is folded and quantised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny import nets
from asc_tiny.complexity.op_cost import OpCost
from asc_tiny.complexity.report import LayerComplexity, ModelComplexity
from asc_tiny.util.errors import AscError

# Layers that int8 conversion folds or fuses into the one before: no activation of their own.
_FUSED = ("Activation", "Dropout", "Flatten", "Normalization", "ReLU", "Reshape", "Softmax")

# One operation for each output element
_ELEMENTWISE_TEXT = """
    Abs Absolute Average Clip Divide ELU Exp Gelu HardSigmoid HardSwish HardTanh LeakyReLU
    LeakyRelu Log Maximum Minimum Multiply Negative PReLU ReLU Relu Relu6 Rescaling Rsqrt Sigmoid
    Silu Sqrt Square Subtract Tanh TrueDivide
"""
# One for each input element
_REDUCTIONS_TEXT = """
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D Max Mean
    Min Sum
"""
_MOVEMENTS_TEXT = """
    Concatenate Cropping2D ExpandDims Flatten GetItem Pad Permute RepeatVector Reshape Slice Split
    Squeeze Stack Transpose ZeroPadding2D
"""
# Of training alone
_FREE_TEXT = """
    ActivityRegularization AlphaDropout Dropout GaussianDropout GaussianNoise Identity
    SpatialDropout1D SpatialDropout2D
"""
_REDUCTIONS = _REDUCTIONS_TEXT.split()
_MOVEMENTS = _MOVEMENTS_TEXT.split()
_FREE = _FREE_TEXT.split()
# Operations of an output element. Batch norms multiply and add where they cannot be folded.
_SOFTMAX = 4
_BILINEAR = 7
_PER_OUTPUT: Mapping[str, int] = {
    **dict.fromkeys(_ELEMENTWISE_TEXT.split(), 1),
    "BatchNormalization": 2,
    "Normalization": 2,
    "Softmax": _SOFTMAX,
}


def measure_keras(path: Path) -> ModelComplexity:
    """Measure a .keras file, with the figures that docs/reference/counting.md defines for it.

    Raises:
        AscError: not a Keras model, unknown dimensions other than the batch, or a layer whose
            multiplies cannot be counted.
    """
    return measure_model(nets.load(path), source=str(path))


def measure_model(model: Any, *, source: str) -> ModelComplexity:
    """Measure a functional or sequential Keras model; ``source`` is named in errors."""
    import keras

    if isinstance(model, keras.Sequential) and getattr(model, "outputs", None):
        model = keras.Model(model.inputs, model.outputs)
    calls = _calls(model, source)
    live = _live_elements(model, calls)
    layers: list[LayerComplexity] = []
    seen: set[int] = set()
    for (layer, inputs, outputs, arrays), elements in zip(calls, live, strict=True):
        fresh = [w for w in [*_learnt(layer), *arrays] if id(w) not in seen]
        seen.update(id(weight) for weight in fresh)
        shape = _shape(outputs[0], source)
        params = sum(math.prod(weight.shape) for weight in fresh)
        counted = _cost(layer, inputs, outputs, source)
        layers.append(
            LayerComplexity(
                name=layer.name,
                op=type(layer).__name__,
                output_shape=shape,
                params=params,
                macs=counted.macs,
                operations=counted.operations,
                moved_bytes=counted.moved_bytes,
                weight_bytes=params,
                activation_bytes=elements,
                untrained=_untrained(layer),
            )
        )
    return ModelComplexity(source, tuple(layers))


Call = tuple[Any, list[Any], list[Any], list[Any]]
"""A layer with the symbolic tensors of one call: inputs, outputs; and arrays it computes with."""


def _calls(model: Any, source: str) -> list[Call]:
    """Return the calls of all layers in execution order, branch by branch."""
    if not getattr(model, "outputs", None) or not hasattr(model, "_nodes"):
        raise AscError(f"{source}: not a functional or sequential Keras model of known input")
    calls: list[Call] = []
    visited: set[int] = set()

    def visit(tensor: Any) -> None:
        history = tensor._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        if id(node) in visited or node.is_input:
            return
        visited.add(id(node))
        for source_tensor in node.arguments.keras_tensors:
            visit(source_tensor)
        if hasattr(node.operation, "_nodes"):
            raise AscError(f"{source}: model {node.operation.name} inside the model")
        arrays = _arrays(node.operation, node.arguments)
        calls.append((node.operation, node.arguments.keras_tensors, node.outputs, arrays))

    for output in model.outputs:
        visit(output)
    return calls


def _live_elements(model: Any, calls: list[Call]) -> list[int]:
    """Return per call how many values exist at the same time."""
    storage: dict[int, int] = {}
    size: dict[int, int] = {}
    last: dict[int, int] = {}
    first: dict[int, int] = {}

    def use(tensor: Any, step: int, *, inside: Any = None) -> None:
        key = storage.setdefault(
            id(tensor), storage[id(inside)] if inside is not None else id(tensor)
        )
        size.setdefault(key, math.prod(_known(tensor.shape)))
        first.setdefault(key, step)
        last[key] = step

    for tensor in model.inputs:
        use(tensor, 0)
    for step, (layer, inputs, outputs, _) in enumerate(calls):
        for tensor in inputs:
            use(tensor, step)
        fused = len(inputs) == 1 and any(name in type(layer).__name__ for name in _FUSED)
        for tensor in outputs:
            use(tensor, step, inside=inputs[0] if fused else None)
    for tensor in model.outputs:
        use(tensor, len(calls) - 1)
    return [
        sum(size[key] for key in size if first[key] <= step <= last[key])
        for step in range(len(calls))
    ]


def _kind(layer: Any) -> str:
    """Return the name of the class of Keras that a layer is of or derives from."""
    for kind in type(layer).__mro__:
        if kind.__module__.startswith("keras.") and kind.__name__ not in ("Layer", "Operation"):
            return kind.__name__
    return type(layer).__name__


def _cost(layer: Any, inputs: list[Any], outputs: list[Any], source: str) -> OpCost:
    """Count the work of a layer; int8 codes are what is moved."""
    kind = _kind(layer)
    size = sum(math.prod(_shape(tensor, source)) for tensor in outputs)
    read = math.prod(_shape(inputs[0], source)) if inputs else 0
    if kind == "Conv2DTranspose":
        height, width, filters, _ = layer.kernel.shape
        return OpCost(macs=read * int(height * width * filters))
    if kind in ("Conv2D", "DepthwiseConv2D", "Dense"):
        taken = {"Conv2D": 3, "DepthwiseConv2D": 2, "Dense": 1}[kind]
        return OpCost(macs=size * int(math.prod(layer.kernel.shape[:taken])))
    if kind in ("AveragePooling2D", "MaxPooling2D"):
        return OpCost(operations=size * int(math.prod(layer.pool_size)))
    if kind in ("Resizing", "UpSampling2D"):
        bilinear = layer.interpolation == "bilinear"
        return OpCost(operations=_BILINEAR * size) if bilinear else OpCost(moved_bytes=size)
    if kind == "Activation":
        # A function, or a layer such as PReLU.
        name = getattr(layer.activation, "__name__", type(layer.activation).__name__).lower()
        return OpCost(operations=size * (_SOFTMAX if name == "softmax" else 1))
    if kind == "Add":
        return OpCost(operations=size * (len(inputs) - 1 if len(inputs) > 1 else 1))
    if kind in _PER_OUTPUT:
        return OpCost(operations=size * _PER_OUTPUT[kind])
    if kind in _REDUCTIONS:
        return OpCost(operations=read)
    if kind in _MOVEMENTS:
        return OpCost(moved_bytes=size)
    if kind in _FREE:
        return OpCost()
    # A layer that is not of Keras may say what it takes.
    each = getattr(layer, "operations_per_output", None)
    if isinstance(each, int):
        return OpCost(operations=each * size) if each else OpCost(moved_bytes=size)
    raise AscError(f"{source}: layer {layer.name} is {kind}, whose work cannot be counted")


_MOVING = ("moving_mean", "moving_variance")
_MEASURED: Mapping[str, tuple[str, ...]] = {
    "Normalization": ("mean", "variance", "count"),
}
"""Weights that are statistics of the data, by kind of layer: they are not learnt."""


def _learnt(layer: Any) -> list[Any]:
    """Return the weights of a layer but for statistics; those that are frozen were learnt, too."""
    measured = _MEASURED.get(_kind(layer), _MOVING)
    return [w for w in getattr(layer, "weights", ()) if w.name not in measured]


# What their arguments join with the data are values; other movements have whole numbers that
# say where to.
_JOINS = ("Concatenate", "Stack")


def _arrays(layer: Any, arguments: Any) -> list[Any]:
    """Return the arrays among the arguments of a call, such as ``x * array``."""
    import keras

    kind = type(layer).__name__
    values = keras.tree.flatten((arguments.args, arguments.kwargs))
    found = [
        value
        for value in values
        if not isinstance(value, keras.KerasTensor) and len(getattr(value, "shape", ()))
    ]
    if kind not in _MOVEMENTS or kind in _JOINS:
        return found
    return [array for array in found if "int" not in str(array.dtype)]


_STATISTICS = ("mean", "variance")
_RESCALING = ("scale", "offset")


def _untrained(layer: Any) -> int:
    """Return how many values a layer holds that are given to it, one for each channel.

    Those of batch norms are not meant: they are folded into gamma and beta.
    """
    names = {"Normalization": _STATISTICS, "Rescaling": _RESCALING}.get(type(layer).__name__, ())
    shapes = [np.shape(getattr(layer, name)) for name in names]
    return sum(math.prod(shape) for shape in shapes if shape)


def _shape(tensor: Any, source: str) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    if None in shape[1:]:
        raise AscError(f"{source}: a layer has unknown dimensions {list(shape)}")
    return _known(shape)


def _known(shape: Any) -> tuple[int, ...]:
    """Return a shape with an unknown batch taken as 1."""
    return tuple(1 if size is None else int(size) for size in shape)
