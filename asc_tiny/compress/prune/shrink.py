"""Copying what is kept of a network's weights into a smaller network."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from asc_tiny.compress.prune.channels import Channels
from asc_tiny.util.errors import AscError


def copy_kept(model: Any, smaller: Any, channels: Channels, removed: Collection[int]) -> None:
    """Set the weights of a smaller network to the kept slices of a network's weights.

    Args:
        model: the network that is pruned; it stays as it is.
        smaller: a network of the same layers by name with as many filters as are kept; changed
            in place.
        channels: the channels of ``model``, as ``trace`` gives them.
        removed: the channels that go, those of every layer that makes them.

    Raises:
        AscError: the smaller network does not have the shapes that this leaves.
    """
    gone = np.array(sorted(removed), np.int64)
    for layer in (layer for layer in model.layers if layer.weights):
        values = layer.get_weights()
        for index, axes in enumerate(channels.axes.get(layer.name, ())):
            for axis, carried in axes:
                indices = np.flatnonzero(~np.isin(carried, gone))
                values[index] = np.take(values[index], indices, axis=axis)
        try:
            smaller.get_layer(layer.name).set_weights(values)
        except ValueError as error:
            raise AscError(
                f"network {model.name}: layer {layer.name} cannot be shrunk to "
                f"{[value.shape for value in values]}"
            ) from error
