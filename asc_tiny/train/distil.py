"""Knowledge distillation: learning from the scores of trained networks.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from asc_tiny import nets
from asc_tiny.nets.rebuild import rebuilt
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.run import Run
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, sha256

_SMALLEST = 1e-20


class Teacher:
    """One or several trained networks on the student's inputs.

    Args:
        networks: networks from features to probabilities; they are rebuilt for ``shape``.
        shape: shape of the student's training inputs, (n_mels, columns, channels).
        temperature: temperature that softens the scores, 1 or more.
    """

    def __init__(
        self, networks: Sequence[keras.Model], shape: tuple[int, int, int], temperature: float
    ) -> None:
        self._networks = [at_shape(network, shape) for network in networks]
        self._temperature = temperature

    def loss(self, x: Any, scores: Any) -> Any:
        """Return T^2 KL(teacher || student) of each clip at temperature T, shape (clips,).

        Args:
            x: the student's input, shape (clips, n_mels, columns, channels).
            scores: the student's probabilities, shape (clips, classes).
        """
        softened = [
            soften(network(x, training=False), self._temperature) for network in self._networks
        ]
        target = tf.stop_gradient(tf.add_n(softened) / float(len(softened)))
        student = soften(scores, self._temperature)
        ratio = tf.math.log(target + _SMALLEST) - tf.math.log(student + _SMALLEST)
        return self._temperature**2 * tf.reduce_sum(target * ratio, axis=1)


def soften(probabilities: Any, temperature: float) -> Any:
    """Return softmax(logits / T) for the probabilities of these logits.

    The logarithm of a softmax is the logits less a constant, which softmax does not see.
    """
    return tf.nn.softmax(tf.math.log(probabilities + _SMALLEST) / temperature)


def model_path(recipe: Recipe, name: str) -> Path:
    """Return the file of a teacher that the recipe names, a run's folder or a .keras file.

    Raises:
        AscError: there is none.
    """
    path = recipe.find(name)
    return Run(path).model_path if path.is_dir() else path


def load(recipe: Recipe, labels: Sequence[str]) -> list[keras.Model]:
    """Read the recipe's teachers.

    Raises:
        AscError: one is missing or no model, or it takes other features or gives other scores.
    """
    return [
        _checked(model_path(recipe, name), recipe, labels) for name in recipe.distillation.teacher
    ]


def hashes(recipe: Recipe) -> dict[str, str]:
    """Return the SHA-256 of each teacher's file by the recipe's name for it."""
    return {
        name: sha256(read_bytes(model_path(recipe, name))) for name in recipe.distillation.teacher
    }


def at_shape(network: keras.Model, shape: tuple[int, int, int]) -> keras.Model:
    """Return a trained network for inputs of another number of columns, its weights copied.

    Raises:
        AscError: the network has weights for its number of columns, or other bands.
    """
    if tuple(network.input_shape[1:]) == shape:
        return network
    other = rebuilt(network, input_shape=shape)
    try:
        other.set_weights(network.get_weights())
    except ValueError as error:
        raise AscError(
            f"teacher {network.name}: takes {network.input_shape[1:]}, the student {shape}, and "
            "its weights fit no other size"
        ) from error
    return other


def _checked(path: Path, recipe: Recipe, labels: Sequence[str]) -> keras.Model:
    run = Run(path.parent)
    network = run.model() if path == run.model_path and run.info_path.exists() else nets.load(path)
    bands, columns, channels = recipe.frontend.shape
    if tuple(network.input_shape[1:]) != (bands, columns, channels):
        raise AscError(
            f"{path}: takes features {network.input_shape[1:]}, the student "
            f"{(bands, columns, channels)}"
        )
    if network.output_shape[-1] != len(labels):
        raise AscError(f"{path}: {network.output_shape[-1]} scores, the data {len(labels)} scenes")
    if run.info_path.exists():
        info = run.info()
        if info.labels != tuple(labels):
            raise AscError(
                f"{path}: knows {', '.join(info.labels)}, the data has {', '.join(labels)}"
            )
        if info.frontend.digest() != recipe.frontend.digest():
            raise AscError(f"{path}: was trained with another front end than the recipe's")
    return network
