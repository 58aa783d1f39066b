"""Knowledge distillation: learning from the scores of trained networks.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from asc_tiny import nets
from asc_tiny.audio.dataset import Clip
from asc_tiny.nets.rebuild import rebuilt
from asc_tiny.train import teacher_scores
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.recipe_tables import Distillation
from asc_tiny.train.run import Run
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, sha256

Float64Array = NDArray[np.float64]

_SMALLEST = 1e-20


class Teacher:
    """One or several trained networks on the student's inputs.

    Args:
        networks: networks from features to probabilities; they are rebuilt for ``shape``.
        shape: shape of the student's training inputs, (n_mels, columns, channels).
        temperature: temperature that softens the scores, 1 or more; a number or a variable.
        shares: share of each network in the mean of all teachers; None for equal ones of sum 1.
    """

    def __init__(
        self,
        networks: Sequence[keras.Model],
        shape: tuple[int, int, int],
        temperature: Any,
        shares: Sequence[float] | None = None,
    ) -> None:
        self._networks = [at_shape(network, shape) for network in networks]
        self._temperature = temperature
        self._shares = shares

    def loss(self, x: Any, scores: Any, given: Any = None) -> Any:
        """Return T^2 KL(teacher || student) of each clip at temperature T, shape (clips,).

        Args:
            x: the student's input, shape (clips, n_mels, columns, channels).
            scores: the student's probabilities, shape (clips, classes).
            given: what other teachers add to the mean, softened, shape (clips, classes).
        """
        softened = [
            soften(network(x, training=False), self._temperature) for network in self._networks
        ]
        if self._shares is None:
            mean = tf.add_n(softened) / float(len(softened))
        else:
            parts = [share * each for share, each in zip(self._shares, softened, strict=True)]
            mean = tf.add_n(parts if given is None else [*parts, given])
        target = tf.stop_gradient(mean)
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


def scores(
    recipe: Recipe, clips: Sequence[Clip], labels: Sequence[str]
) -> tuple[Float64Array, ...]:
    """Return the probabilities of the teachers that a recipe has files of scores of.

    Args:
        recipe: its table ``distillation``.
        clips: the training clips.
        labels: scenes in output order.

    Returns:
        An array of shape (clips, labels) for each file.

    Raises:
        AscError: a file is missing or does not fit the clips.
    """
    names = filter(_is_file_of_scores, recipe.distillation.teacher)
    return tuple(teacher_scores.read(recipe.find(name), clips, labels) for name in names)


def shares(recipe: Recipe, networks: int) -> tuple[list[float], list[float]]:
    """Return the shares in the mean of the teachers, those of networks and those of files.

    Args:
        recipe: its table ``distillation``.
        networks: networks that teach; those beside the recipe's have the weight 1.
    """
    table = recipe.distillation
    weights = table.teacher_weights or (1.0,) * len(table.teacher)
    of_network: list[float] = []
    of_file: list[float] = []
    for name, weight in zip(table.teacher, weights, strict=True):
        (of_file if _is_file_of_scores(name) else of_network).append(weight)
    of_network += [1.0] * (networks - len(of_network))
    total = sum(of_network) + sum(of_file)
    return [w / total for w in of_network], [w / total for w in of_file]


def given(scores: Sequence[Float64Array], of_file: Sequence[float], temperature: float) -> Any:
    """Return what files of scores add to the softened mean, shape (clips, labels), float32.

    Args:
        scores: as ``scores`` gives them, at least one.
        of_file: share of each in the mean.
        temperature: temperature that softens them.
    """
    softened = [np.power(each, 1.0 / temperature) for each in scores]
    parts = [
        share * each / each.sum(axis=1, keepdims=True)
        for share, each in zip(of_file, softened, strict=True)
    ]
    return np.sum(parts, axis=0).astype(np.float32)


def at_epoch(table: Distillation, epoch: int, epochs: int) -> tuple[float, float]:
    """Return temperature and weight in an epoch, counted from 0, of ``epochs`` in all."""
    passed = epoch / max(epochs - 1, 1)
    return (
        table.temperature * (1.0 + (table.final_temperature_factor - 1.0) * passed),
        table.weight * (1.0 + (table.final_weight_factor - 1.0) * passed),
    )


def _is_file_of_scores(name: str) -> bool:
    return name.endswith(teacher_scores.SUFFIXES)


def load(recipe: Recipe, labels: Sequence[str]) -> list[keras.Model]:
    """Read the recipe's teachers that are networks.

    Raises:
        AscError: one is missing or no model, or it takes other features or gives other scores.
    """
    return [
        _checked(model_path(recipe, name), recipe, labels)
        for name in recipe.distillation.teacher
        if not _is_file_of_scores(name)
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
