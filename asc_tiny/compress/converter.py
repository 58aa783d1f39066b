"""TensorFlow's converter to .tflite files, with the settings of a network of integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from asc_tiny.util import scratch_folders
from asc_tiny.util.captured_output import captured_output
from asc_tiny.util.errors import AscError

ACTIVATIONS = ("int8", "int16")
IO = ("int8", "float")

_OPERATORS = {
    "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    "int16": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}
_CODES = {"int8": tf.int8, "int16": tf.int16}


def convert(
    converter: Any,
    representative: Callable[[], Iterator[Any]],
    *,
    io: str = "int8",
    activations: str = "int8",
) -> bytes:
    """Return a .tflite file whose weights are int8 and whose activations are integers.

    Args:
        converter: a ``tf.lite.TFLiteConverter`` of a float network.
        representative: what gives the inputs that set the ranges of activations.
        io: ``int8`` for inputs and outputs of codes, of the type of the activations; ``float`` for
            real values.
        activations: ``int8`` or ``int16``.

    Raises:
        AscError: the converter refuses the network.
    """
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [_OPERATORS[activations]]
    ends = _CODES[activations] if io == "int8" else tf.float32
    converter.inference_input_type = converter.inference_output_type = ends
    # TensorFlow's converter leaves its own behind where it is killed.
    with captured_output() as log, scratch_folders.temporary_files():
        try:
            return bytes(converter.convert())
        except Exception as error:
            last = [line for line in str(error).splitlines() or log().splitlines() if line][-1:]
            raise AscError(f"quantisation: TFLite cannot convert it: {''.join(last)}") from error
