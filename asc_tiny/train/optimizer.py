"""The optimizers that a recipe may choose, with a rate of its own for each variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from asc_tiny.train.recipe_tables import Schedule

_DECAY_OF_SQUARES = 0.999
"""AdamW's second decay: Keras' and the paper's."""


def build(
    schedule: Schedule,
    variables: Sequence[Any],
    factors: Sequence[float] | None = None,
    *,
    scales_loss: bool = False,
) -> Any:
    """Return a built optimizer.

    ``sgd`` is stochastic gradient descent with momentum, ``adamw`` Adam with decoupled weight decay
    (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101). Decay
    shrinks kernels only: biases and batch-norm have nothing to gain from it.

    Args:
        schedule: the recipe's table.
        variables: the variables that it changes.
        factors: factor of the learning rate of each variable; None for 1.
        scales_loss: whether it scales the loss up and gradients down again, by a factor that halves
            when one is not finite, whose step is left out.

    Returns:
        A ``keras.optimizers.Optimizer``.
    """
    adam = schedule.optimizer == "adamw"
    options: dict[str, Any] = {"learning_rate": schedule.rate_max}
    if adam:
        options |= {"beta_1": schedule.momentum, "beta_2": _DECAY_OF_SQUARES}
    else:
        options |= {"momentum": schedule.momentum}
    if factors is None:
        # Keras' AdamW takes no None, its SGD counts no decay without it.
        options["weight_decay"] = schedule.weight_decay or (0.0 if adam else None)
        optimizer = (keras.optimizers.AdamW if adam else keras.optimizers.SGD)(**options)
        optimizer.exclude_from_weight_decay(var_list=[v for v in variables if len(v.shape) < 2])
    else:
        optimizer = (_Adam if adam else _SGD)(name=schedule.optimizer, **options)
        optimizer.factors = tuple(factors)
        optimizer.decays = tuple(schedule.weight_decay * (len(v.shape) > 1) for v in variables)
    if scales_loss:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(variables)
    return optimizer


class _PerVariable:
    """Updates each variable at its own share of the learning rate, and decays it by that."""

    factors: tuple[float, ...]
    decays: tuple[float, ...]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change a variable as its optimizer does, at its own rate."""
        optimizer: Any = self
        index = optimizer._get_variable_index(variable)
        rate = learning_rate * self.factors[index]
        if self.decays[index]:
            optimizer.assign_sub(variable, variable * (rate * self.decays[index]))
        super().update_step(gradient, variable, rate)  # type: ignore[misc]


class _SGD(_PerVariable, keras.optimizers.SGD):  # type: ignore[misc]
    """Stochastic gradient descent with rates of each variable."""


class _Adam(_PerVariable, keras.optimizers.Adam):  # type: ignore[misc]
    """Adam with rates of each variable."""
