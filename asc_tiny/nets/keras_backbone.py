"""A network that Keras saved, as the network of a recipe: with a classifier if it has none."""

from __future__ import annotations

import keras
from keras import layers

from asc_tiny.nets.rebuild import functional, rebuilt
from asc_tiny.util.errors import AscError


def classifier(
    model: keras.Model, shape: tuple[int, int, int], classes: int, dropout: float, *, source: str
) -> keras.Model:
    """Return a saved network from features of ``shape`` to the scores of classes.

    A network that ends in a softmax over as many classes is taken whole. One that ends in an
    embedding (batch, values) or a feature map (batch, height, width, channels) gets global average
    pooling, dropout, a dense layer and a softmax, whose weights are new. All others keep the
    file's.

    Args:
        model: network as ``nets.load`` gives it.
        shape: (n_mels, columns, channels) of the features; their columns may be others than the
            file's.
        classes: number of outputs.
        dropout: share of values dropped before a new classifier, 0 to below 1.
        source: name of the file, for messages.

    Raises:
        AscError: the network takes other features or ends in scores of other classes.
    """
    model = functional(model)
    if len(model.input_shape) != 4 or (model.input_shape[1], model.input_shape[3]) != (
        shape[0],
        shape[2],
    ):
        raise AscError(f"{source}: takes {model.input_shape[1:]}, the features are {shape}")
    whole = rebuilt(model, input_shape=shape)
    try:
        whole.set_weights(model.get_weights())
    except ValueError as error:
        raise AscError(
            f"{source}: has weights for {model.input_shape[2]} columns, the features have "
            f"{shape[1]}; set augmentation.crop_columns = 0, or pool before dense layers"
        ) from error
    if _is_softmax(whole):
        if whole.output_shape[1:] != (classes,):
            raise AscError(
                f"{source}: gives scores of {whole.output_shape[-1]} classes, the data has "
                f"{classes}; save it without its classifier"
            )
        return whole
    x = whole.output
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D(name="new_pool")(x)
    if len(x.shape) != 2:
        raise AscError(f"{source}: ends in {whole.output_shape[1:]}, must be values or a map")
    x = layers.Dropout(dropout, name="new_dropout")(x)
    x = layers.Dense(classes, name="new_classify")(x)
    x = layers.Softmax(name="new_scores")(x)
    return keras.Model(whole.input, x, name=model.name)


def _is_softmax(model: keras.Model) -> bool:
    last = model.outputs[0]._keras_history.operation
    activation = getattr(last, "activation", None)
    name = getattr(activation, "__name__", "")
    return isinstance(last, layers.Softmax) or name == "softmax" or type(last).__name__ == "Softmax"
