"""Transfer: weights of other networks to start from, layers that stay, rates of layers.

Layers are matched by their names, as ``stored_weights`` finds them in a file. A name pattern is one
of ``fnmatch``: ``*`` for anything, ``?`` for a character.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from asc_tiny.nets.network import StoredWeights
from asc_tiny.train import stored_weights
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.run import Run
from asc_tiny.util.errors import AscError


def init_path(recipe: Recipe) -> Path:
    """Return the file that training starts from; of a run, its network.

    Raises:
        AscError: there is none.
    """
    path = recipe.find(recipe.init)
    return Run(path).model_path if path.is_dir() else path


def initialize(
    model: Any, path: Path, translate: Callable[[StoredWeights], StoredWeights] | None = None
) -> list[str]:
    """Give a network's layers the weights of those with the same name and shapes in a file.

    Args:
        model: a ``keras.Model``; changed in place.
        path: ``.keras``, ``.h5`` or ``.tflite`` file.
        translate: brings the file's names and axes to the network's, ``Network.translate``; None
            where they are the network's.

    Returns:
        Names of the layers that got weights; the rest stay as they are.

    Raises:
        AscError: the file is none of these, or no layer fits.
    """
    stored = stored_weights.read(path, model)
    if translate is not None:
        stored = translate(stored)
    taken = []
    for layer in model.layers:
        values = stored.get(layer.name)
        if values is None or not layer.weights:
            continue
        if [tuple(v.shape) for v in layer.weights] == [v.shape for v in values]:
            layer.set_weights(values)
            taken.append(layer.name)
    if not taken:
        raise AscError(
            f"{path}: no layer has name and shape of one of the network's, "
            f"which are {_names(layer.name for layer in model.layers if layer.weights)}"
        )
    return taken


def freeze(model: Any, recipe: Recipe) -> None:
    """Have the layers that a recipe freezes keep their weights and statistics.

    With ``linear_probe`` these are all but the last one with weights (Alain and Bengio,
    "Understanding Intermediate Layers Using Linear Classifier Probes", arXiv:1610.01644). A frozen
    batch-norm normalises as at inference.

    Args:
        model: a ``keras.Model``; changed in place.
        recipe: its ``freeze`` and ``linear_probe``.

    Raises:
        AscError: a pattern fits no layer, or nothing is left to learn.
    """
    layers = [layer for layer in model.layers if layer.weights]
    for pattern in recipe.freeze:
        for layer in _matching(pattern, layers, "freeze"):
            layer.trainable = False
    if recipe.linear_probe:
        for layer in layers[:-1]:
            layer.trainable = False
    if not model.trainable_variables:
        raise AscError(f"freeze = {', '.join(recipe.freeze)}: no layer is left to learn")


def rate_factors(
    model: Any, factors: Mapping[str, float], variables: Iterable[Any]
) -> list[float] | None:
    """Return the factor of the learning rate of each variable, None if a recipe gives none.

    Of several patterns that fit a layer, the last one counts (layer-wise rates as of Howard and
    Ruder, "Universal Language Model Fine-tuning", arXiv:1801.06146, section 3.2).

    Args:
        model: the network in training.
        factors: the recipe's ``rate_factors``, by name or pattern.
        variables: what the optimizer changes.

    Raises:
        AscError: a pattern fits no layer.
    """
    if not factors:
        return None
    layers = [layer for layer in model.layers if layer.weights]
    of_variable = {
        id(variable): factor
        for pattern, factor in factors.items()
        for layer in _matching(pattern, layers, "rate_factors")
        for variable in layer.trainable_variables
    }
    return [of_variable.get(id(variable), 1.0) for variable in variables]


def _matching(pattern: str, layers: list[Any], key: str) -> list[Any]:
    found = [layer for layer in layers if fnmatchcase(layer.name, pattern)]
    if not found:
        names = _names(layer.name for layer in layers)
        raise AscError(f"{key}: {pattern!r} fits no layer with weights, there are {names}")
    return found


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
