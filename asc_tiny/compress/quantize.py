"""Full int8 post-training quantisation of a Keras model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from asc_tiny import __version__
from asc_tiny.compress.aligned import aligned
from asc_tiny.compress.converter import convert
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import metadata_writer
from asc_tiny.nets.strided_depthwise import prepare_conversion
from asc_tiny.tflm.interpreter import Interpreter
from asc_tiny.util.errors import AscError

Float32Array = NDArray[np.float32]


class Clips(Protocol):
    """Features of clips in an array, or taken from disk one by one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(clips, n_mels, columns, channels)."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Float32Array]: ...


def quantize(model: keras.Model, representative: Clips) -> bytes:
    """Convert a model to an int8 TFLite file that TensorFlow Lite Micro runs.

    Weights are quantised per output channel and symmetrically, activations per tensor from the
    range they take on the representative clips (TFLite 8-bit quantisation specification).

    Args:
        model: float32 features to probabilities, with a fixed input shape.
        representative: features, shape (clips, n_mels, columns, channels); their smallest and
            largest value set the input's scale, about (max - min) / 255.

    Returns:
        The flatbuffer: batch 1, int8 input and output.

    Raises:
        AscError: the features do not fit the model, or the result has an operator that
            TensorFlow Lite Micro does not run.
    """
    if not len(representative) or representative.shape[1:] != model.input_shape[1:]:
        raise AscError(
            f"quantisation: representative features of shape {representative.shape}, "
            f"the model takes (clips, {', '.join(map(str, model.input_shape[1:]))})"
        )
    # Without it the names of tensors depend on what this process built before.
    keras.backend.clear_session()
    converter = tf.lite.TFLiteConverter.from_keras_model(_with_batch_of_one(model))
    converted = convert(converter, lambda: _batches(representative))
    Interpreter(converted, "quantised model")
    return converted


def with_metadata(
    model: bytes,
    *,
    config: FrontEndConfig,
    labels: Sequence[str],
    network: str,
    provenance: Mapping[str, Any],
) -> bytes:
    """Return a quantised model that carries its front end, labels and provenance.

    Args:
        model: the .tflite file as ``quantize`` gives it.
        config: the front end the model was trained on; its quantisation is set to the model's
            input quantisation.
        labels: class names in the order of the outputs.
        network: name of the network.
        provenance: plain values: recipe, data set and parent model.

    Raises:
        AscError: the front end or the labels do not fit the model.
    """
    interpreter = Interpreter(model, "quantised model")
    if interpreter.input_shape != config.shape:
        raise AscError(
            f"front end gives features of shape {config.shape}, "
            f"the model takes {interpreter.input_shape}"
        )
    outputs = len(interpreter.run(np.zeros(interpreter.input_shape, np.int8)))
    if outputs != len(labels):
        raise AscError(f"{len(labels)} labels for a model with {outputs} outputs")
    quantization = interpreter.input_quantization
    quantized = config.quantized(quantization.scale, quantization.zero_point)
    document = {
        "frontend": quantized.to_dict(),
        "labels": list(labels),
        "network": network,
        "provenance": {**provenance, "tool_version": __version__},
    }
    return metadata_writer.embed(aligned(model), document)


def _with_batch_of_one(model: keras.Model) -> keras.Model:
    shape = model.input_shape[1:]
    copy = keras.models.clone_model(model, input_tensors=keras.Input(shape, batch_size=1))
    copy.set_weights(model.get_weights())
    prepare_conversion(copy)
    return copy


def _batches(features: Clips) -> Iterator[list[Float32Array]]:
    for clip in features:
        yield [np.ascontiguousarray(clip[None], np.float32)]
