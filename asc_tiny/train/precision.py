"""Mixed precision: layers compute in 16 bits, weights and losses stay float32.

Micikevicius et al., "Mixed Precision Training", arXiv:1710.03740. ``mixed_float16`` scales the loss
so that small gradients do not vanish, by a factor that halves when a gradient overflows, whose step
is then left out; ``mixed_bfloat16`` has float32's range and needs none.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from asc_tiny.nets.rebuild import rebuilt
from asc_tiny.util.errors import AscError


def check(precision: str) -> None:
    """Check that this machine computes in a precision.

    Raises:
        AscError: ``mixed_float16`` where there is no GPU, whose processors compute in float32 and
            would convert to and fro.
    """
    if precision == "mixed_float16" and not tf.config.list_physical_devices("GPU"):
        raise AscError(
            'precision = "mixed_float16": TensorFlow finds no GPU here, which it is for; take '
            '"float32" or "mixed_bfloat16"'
        )


def with_precision(network: keras.Model, precision: str) -> keras.Model:
    """Return a network whose layers compute in a precision, with new weights in float32.

    The last layer, whose softmax needs the range, and layers that are not Keras' own, which may
    add up squares, compute in float32.

    Args:
        network: a functional model; returned itself for ``float32``.
        precision: one of ``recipe.PRECISIONS``.
    """
    if precision == "float32":
        return network
    last = network.layers[-1].name
    policies = {
        layer.name: precision
        for layer in network.layers
        if layer.name != last and type(layer).__module__.split(".")[0] == "keras"
    }
    return rebuilt(network, policies=policies)
