"""Anybody's Keras model as a .tflite file of integers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from asc_tiny.compress.calibration import Samples
from asc_tiny.compress.converter import convert
from asc_tiny.compress.keras_file import ModelInput, flat
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.interpreter import EndTensor, NetworkInterpreter
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_COMPARED = 32
"""Inferences that the float network and that of integers are compared on."""


@dataclass(frozen=True)
class OutputError:
    """What quantisation does to an output, on some of the inputs that set the ranges.

    Attributes:
        shape: shape of the output.
        snr_db: 10 log10 of the float network's power over that of the error, None where there is
            none.
        largest: largest error of an element, in units of the output.
    """

    shape: tuple[int, ...]
    snr_db: float | None
    largest: float


def quantize(
    model: keras.Model,
    inputs: Sequence[ModelInput],
    samples: Samples,
    source: Path,
    *,
    io: str = "int8",
    activations: str = "int8",
) -> bytes:
    """Return the .tflite file of a Keras model, with a batch of 1.

    Args:
        model: a float model of known inputs.
        inputs: what ``model_inputs`` returned.
        samples: inputs that set the ranges, an array for each input.
        source: file of the model, for messages.
        io, activations: as ``converter.convert`` takes them.

    Raises:
        AscError: TensorFlow cannot convert it, or TensorFlow Lite Micro does not run the result.
    """
    keras.backend.clear_session()
    _unroll(model)
    whole = flat(model)

    def call(*arguments: Any) -> Any:
        return list(keras.tree.flatten(whole(list(arguments), training=False)))

    names = _names(inputs)
    specs = [
        tf.TensorSpec(each.shape, each.dtype, name=name)
        for each, name in zip(inputs, names, strict=True)
    ]
    try:
        traced = tf.function(call).get_concrete_function(*specs)
        # The converter itself may put the inputs into another order than the samples'.
        frozen = convert_variables_to_constants_v2(traced, lower_control_flow=False)
    # What a model's layers raise for a batch of one is anything.
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        raise AscError(f"{source}: does not run with a batch of 1: {said}") from error
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])

    def representative() -> Iterator[list[AnyArray]]:
        yield from samples

    try:
        converted = convert(converter, representative, io=io, activations=activations)
    except AscError as error:
        raise AscError(f"{source}: {error}") from error
    _check_inputs(converted, names, source)
    NetworkInterpreter(converted, source)
    return converted


def output_errors(model: keras.Model, samples: Samples, converted: bytes) -> list[OutputError]:
    """Return how far the outputs of integers are from those of the float network.

    Args:
        model: the float model.
        samples: inputs that set the ranges; some of them are run.
        converted: the .tflite file.
    """
    interpreter = NetworkInterpreter(converted, "quantised model")
    even = np.unique(np.linspace(0, len(samples) - 1, min(_COMPARED, len(samples))).astype(int))
    whole = flat(model)
    pairs: list[list[tuple[AnyArray, AnyArray]]] = [[] for _ in interpreter.outputs]
    for sample in (samples[number] for number in even):
        interpreter.reset()
        wanted = keras.tree.flatten(whole(list(sample), training=False))
        codes = [
            _codes(values, end) for values, end in zip(sample, interpreter.inputs, strict=True)
        ]
        made = interpreter.run(codes)
        for number, end in enumerate(interpreter.outputs):
            value = np.asarray(wanted[number], np.float64).reshape(end.shape)
            pairs[number].append((value, _values(made[number], end)))
    return [_error(each, end.shape) for each, end in zip(pairs, interpreter.outputs, strict=True)]


def _names(inputs: Sequence[ModelInput]) -> list[str]:
    """Return names of the inputs for TensorFlow: the model's own where they may be such."""
    names = [each.name for each in inputs]
    if len(set(names)) == len(names) and all(map(_NAME.fullmatch, names)):
        return names
    return [f"input{number}" for number in range(len(inputs))]


def _unroll(model: keras.Model) -> None:
    """Have recurrent layers repeat their cell: the converter ends without a word for a loop."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN):
            layer.unroll = True


def _check_inputs(converted: bytes, names: Sequence[str], source: Path) -> None:
    """Check that the file has the model's inputs in their order."""
    graph = parse_graph(converted, source=str(source))
    made = [graph.tensor(index).name.split(":")[0] for index in graph.inputs]
    if made != list(names):
        raise AscError(
            f"{source}: the converter made inputs {', '.join(made)} of {len(names)}; inputs that "
            "no output depends on must go"
        )


def _codes(values: AnyArray, end: EndTensor) -> AnyArray:
    dtype = np.dtype(end.dtype)
    if dtype.kind == "f" or not end.scales:
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    codes = np.round(values.astype(np.float64) / end.scales[0]) + end.zero_points[0]
    return np.clip(codes, limits.min, limits.max).astype(dtype)


def _values(codes: AnyArray, end: EndTensor) -> AnyArray:
    if np.dtype(end.dtype).kind == "f" or not end.scales:
        return codes.astype(np.float64)
    return (codes.astype(np.float64) - end.zero_points[0]) * end.scales[0]


def _error(pairs: Sequence[tuple[AnyArray, AnyArray]], shape: tuple[int, ...]) -> OutputError:
    wanted, made = (np.stack([pair[side] for pair in pairs]) for side in (0, 1))
    error = wanted - made
    power, lost = float(np.square(wanted).sum()), float(np.square(error).sum())
    snr = float(10.0 * np.log10(power / lost)) if power > 0.0 and lost > 0.0 else None
    return OutputError(shape, snr, float(np.abs(error).max(initial=0.0)))
