"""Layers as int8 conversion fuses them: a convolution, its batch-norm and its ReLU are one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

WEIGHTED = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


@dataclass(frozen=True)
class Group:
    """A layer with what is fused into it.

    Attributes:
        first: the layer.
        norm: the batch-norm behind a layer with weights, or None.
        relu: the ReLU behind these, or behind a sum, or None.
    """

    first: Any
    norm: Any = None
    relu: Any = None

    @property
    def layers(self) -> tuple[Any, ...]:
        """The group's layers in their order."""
        return tuple(layer for layer in (self.first, self.norm, self.relu) if layer is not None)


def groups(model: keras.Model) -> Iterator[Group]:
    """Yield the groups of a functional model in the order of its layers; inputs are left out."""
    members = {id(layer) for layer in model.layers}
    fused: set[int] = set()
    for layer in model.layers:
        if id(layer) in fused or isinstance(layer, keras.layers.InputLayer):
            continue
        group = Group(layer)
        if isinstance(layer, WEIGHTED):
            norm = _follower(layer, members, keras.layers.BatchNormalization)
            relu = _follower(norm or layer, members, keras.layers.ReLU)
            group = Group(layer, norm, relu)
        elif isinstance(layer, keras.layers.Add):
            group = Group(layer, relu=_follower(layer, members, keras.layers.ReLU))
        fused.update(id(member) for member in group.layers)
        yield group


def _follower(layer: Any, members: set[int], kind: type) -> Any:
    """Return the only layer that takes a layer's output, if it is of this kind."""
    nodes = (node for node in layer._outbound_nodes if id(node.operation) in members)
    followers = {id(node.operation): node.operation for node in nodes}
    (only,) = followers.values() if len(followers) == 1 else (None,)
    return only if isinstance(only, kind) else None
