"""A functional network anew: the same layers by name, fewer filters or another size of input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from asc_tiny.util.errors import AscError


def rebuilt(
    model: keras.Model,
    *,
    input_shape: tuple[int, ...] | None = None,
    filters: Mapping[str, int] | None = None,
    batch_size: int | None = None,
    policies: Mapping[str, str] | None = None,
) -> keras.Model:
    """Build a functional or sequential model of one input anew, with new weights.

    Layers keep their names and options; those that follow from their inputs (depthwise
    convolution, batch-norm) take what they get. A nearest-neighbour resize by a whole factor
    stays one by that factor.

    Args:
        model: the network; nothing here changes it.
        input_shape: shape of the input without the batch; None for that of ``model``.
        filters: number of filters, or units, of layers by name; the others keep theirs.
        batch_size: fixed batch, 1 to convert to TFLite; None for any.
        policies: Keras' dtype policies of layers by name; the others keep theirs.

    Raises:
        AscError: a layer is unknown, would grow or has no filters, the model is not functional, or
            its layers do not fit these sizes.
    """
    filters = filters or {}
    model = functional(model)
    most = filters_of(model)
    for name, count in filters.items():
        if not 1 <= count <= most.get(name, 0):
            allowed = ", ".join(f"{key} up to {value}" for key, value in most.items())
            raise AscError(f"filters.{name} = {count}, allowed: {allowed}")
    factors = _factors(model)

    def cloned(operation: Any) -> Any:
        config = operation.get_config()
        if operation.name in filters:
            key = "units" if isinstance(operation, layers.Dense) else "filters"
            config[key] = filters[operation.name]
        if policies and operation.name in policies:
            config["dtype"] = policies[operation.name]
        return type(operation).from_config(config)

    def called(operation: Any, *arguments: Any, **options: Any) -> Any:
        if operation.name in factors:
            sizes = zip(arguments[0].shape[1:3], factors[operation.name], strict=True)
            operation.height, operation.width = (size * factor for size, factor in sizes)
        return operation(*arguments, **options)

    shape = tuple(model.input_shape[1:]) if input_shape is None else input_shape
    inputs = keras.Input(shape, batch_size=batch_size, name=model.inputs[0].name)
    try:
        return keras.models.clone_model(
            model, clone_function=cloned, input_tensors=inputs, call_function=called
        )
    except (ValueError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        counts = f" and filters {dict(filters)}" if filters else ""
        raise AscError(
            f"network {model.name}: cannot be built for features {shape}{counts}: {first}"
        ) from error


def functional(model: keras.Model) -> keras.Model:
    """Return a model as a functional one of one input and one output.

    Raises:
        AscError: it has more of them, models inside, or layers that it calls by code of its own.
    """
    outputs = getattr(model, "outputs", None)
    if isinstance(model, keras.Sequential) and outputs:
        model = keras.Model(model.inputs[0], outputs[0], name=model.name)
    if not hasattr(model, "_nodes_by_depth"):
        raise AscError(
            f"network {model.name}: no functional model; build it by keras.Model(inputs, outputs)"
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise AscError(
            f"network {model.name}: {len(model.inputs)} inputs and {len(model.outputs)} outputs, "
            "one of each is needed"
        )
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            raise AscError(
                f"network {model.name}: holds the model {layer.name}; call its layers instead"
            )
    if isinstance(model.input, list | tuple | dict) or isinstance(
        model.output, list | tuple | dict
    ):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


def filters_of(model: keras.Model) -> dict[str, int]:
    """Return the filters of each convolution and the units of each dense layer, by name."""
    counts = {}
    for layer in model.layers:
        count = getattr(layer, "units" if isinstance(layer, layers.Dense) else "filters", None)
        if count is not None and hasattr(layer, "kernel"):
            counts[layer.name] = int(count)
    return counts


def _factors(model: keras.Model) -> dict[str, tuple[int, int]]:
    """Return the whole factors by which layers resize, by name."""
    factors = {}
    for layer in model.layers:
        if isinstance(layer, layers.Resizing):
            before, after = layer.input.shape[1:3], (layer.height, layer.width)
            if all(new % old == 0 for old, new in zip(before, after, strict=True)):
                factors[layer.name] = (after[0] // before[0], after[1] // before[1])
    return factors
