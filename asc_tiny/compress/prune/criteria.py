"""How much a filter counts: the criteria that filters are ranked by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.compress.prune.channels import Channels

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Filters:
    """The filters of one convolution or dense layer with the batch-norm after it.

    Attributes:
        kernel: weights of each filter, shape (weights per filter, filters).
        gamma: scale of the batch-norm, shape (filters,); 1 without one.
        deviation: sqrt(moving variance + epsilon), shape (filters,); 1 without one.
    """

    kernel: Float64Array
    gamma: Float64Array
    deviation: Float64Array

    @property
    def folded(self) -> Float64Array:
        """The weights after folding the batch-norm, in the shape of ``kernel``."""
        return self.kernel * (self.gamma / self.deviation)


def l1(filters: Filters) -> Float64Array:
    """Sum of the folded weights' magnitudes (Li et al., arXiv:1608.08710, after folding)."""
    return np.asarray(np.abs(filters.folded).sum(axis=0))


def l2(filters: Filters) -> Float64Array:
    """Euclidean norm of the folded weights."""
    return np.asarray(np.sqrt(np.square(filters.folded).sum(axis=0)))


def gamma(filters: Filters) -> Float64Array:
    """Magnitude of the batch-norm's scale (Liu et al., arXiv:1708.06519)."""
    return np.abs(filters.gamma)


CRITERIA: Mapping[str, Callable[[Filters], Float64Array]] = {"l1": l1, "l2": l2, "gamma": gamma}
"""Criteria by name: from the filters of a layer to a value of 0 or more for each."""


def importance(model: Any, channels: Channels, layer: str, criterion: str) -> Float64Array:
    """Return the importance of each filter of a layer, shape (filters,), with a mean of 1.

    importance_i = c_i / (sum_j c_j / filters), where c is the criterion. The division takes out
    what differs between layers for other reasons than importance: the number of weights per
    filter and the scale of the layer's input. A layer whose filters are all 0 has importance 0.

    Args:
        model: the network.
        channels: as ``trace`` gives them.
        layer: name of one of ``channels.producers``.
        criterion: one of ``CRITERIA``.
    """
    values = CRITERIA[criterion](_filters(model, channels, layer))
    mean = values.mean()
    return values / mean if mean > 0.0 else values


def _filters(model: Any, channels: Channels, name: str) -> Filters:
    _, (out, _) = channels.axes[name][0]
    kernel = np.asarray(model.get_layer(name).kernel.numpy(), np.float64)
    kernel = np.moveaxis(kernel, out, -1).reshape(-1, kernel.shape[out])
    ones = np.ones(kernel.shape[1])
    norm = channels.norms.get(name)
    if norm is None:
        return Filters(kernel, ones, ones)
    batch_norm = model.get_layer(norm)
    variance = np.asarray(batch_norm.moving_variance.numpy(), np.float64)
    scale = np.asarray(batch_norm.gamma.numpy(), np.float64) if batch_norm.scale else ones
    return Filters(kernel, scale, np.sqrt(variance + batch_norm.epsilon))
