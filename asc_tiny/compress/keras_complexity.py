"""The complexity of a Keras model, before it is folded and quantised."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from asc_tiny import nets
from asc_tiny.complexity.report import LayerComplexity, ModelComplexity
from asc_tiny.errors import AscError

# Layers that int8 conversion folds or fuses into the one before: no activation of their own.
_FUSED = ("Activation", "Dropout", "Flatten", "Normalization", "ReLU", "Reshape", "Softmax")
_UNCOUNTED = ("Attention", "Conv1D", "Conv3D", "EinsumDense", "GRU", "LSTM", "RNN", "Separable")


def measure_keras(path: Path) -> ModelComplexity:
    """Measure a .keras file, with the figures that docs/budget.md defines for it.

    Raises:
        AscError: not a Keras model, unknown dimensions other than the batch, or a layer whose
            multiplies cannot be counted.
    """
    return measure_model(nets.load(path), source=str(path))


def measure_model(model: Any, *, source: str) -> ModelComplexity:
    """Measure a functional Keras model; ``source`` is named in errors."""
    calls = _calls(model, source)
    live = _live_elements(model, calls)
    layers: list[LayerComplexity] = []
    seen: set[int] = set()
    for (layer, inputs, outputs), elements in zip(calls, live, strict=True):
        fresh = [w for w in getattr(layer, "trainable_weights", ()) if id(w) not in seen]
        seen.update(id(weight) for weight in fresh)
        shape = _shape(outputs[0], source)
        params = sum(math.prod(weight.shape) for weight in fresh)
        layers.append(
            LayerComplexity(
                name=layer.name,
                op=type(layer).__name__,
                output_shape=shape,
                params=params,
                macs=_macs(layer, inputs, shape, source),
                weight_bytes=params,
                activation_bytes=elements,
            )
        )
    return ModelComplexity(source, tuple(layers))


Call = tuple[Any, list[Any], list[Any]]
"""A layer with the symbolic tensors of one call: inputs, outputs."""


def _calls(model: Any, source: str) -> list[Call]:
    """Return the calls of all layers in execution order, branch by branch."""
    if not getattr(model, "outputs", None) or not hasattr(model, "_nodes"):
        raise AscError(f"{source}: not a functional Keras model")
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
        calls.append((node.operation, node.arguments.keras_tensors, node.outputs))

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
    for step, (layer, inputs, outputs) in enumerate(calls):
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


def _macs(layer: Any, inputs: list[Any], output: tuple[int, ...], source: str) -> int:
    kind = type(layer).__name__
    if any(name in kind for name in _UNCOUNTED):
        raise AscError(f"{source}: layer {layer.name} is {kind}, its multiplies are not counted")
    if kind == "Conv2DTranspose":
        height, width, filters, _ = layer.kernel.shape
        return math.prod(_shape(inputs[0], source)) * int(height * width * filters)
    if kind == "Conv2D":
        return math.prod(output) * int(math.prod(layer.kernel.shape[:3]))
    if kind == "DepthwiseConv2D":
        return math.prod(output) * int(math.prod(layer.kernel.shape[:2]))
    if kind == "Dense":
        return math.prod(output) * int(layer.kernel.shape[0])
    return 0


def _shape(tensor: Any, source: str) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    if None in shape[1:]:
        raise AscError(f"{source}: a layer has unknown dimensions {list(shape)}")
    return _known(shape)


def _known(shape: Any) -> tuple[int, ...]:
    """Return a shape with an unknown batch taken as 1."""
    return tuple(1 if size is None else int(size) for size in shape)
