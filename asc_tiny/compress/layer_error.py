"""Where quantisation loses: each layer's int8 output against the float network's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema

from asc_tiny.frontend.config import Quantization
from asc_tiny.frontend.reference import quantize
from asc_tiny.nets.layer_groups import Group, groups
from asc_tiny.util import progress
from asc_tiny.util.captured_output import captured_output

Float32Array = NDArray[np.float32]

SCHEMA = 1


@dataclass(frozen=True)
class LayerError:
    """What quantisation, up to and including a layer, does to its output.

    Attributes:
        layer: name of the last layer that is fused into the operator.
        op: class of the first layer that is fused into the operator.
        snr_db: 10 log10(sum of float^2 / sum of (float - int8)^2) over all clips and values;
            None where they are equal.
        scale: step between two codes of the int8 output, above 0.
        saturated: share of the values at the ends of the int8 range. A ReLU has its zeros there.
    """

    layer: str
    op: str
    snr_db: float | None
    scale: float
    saturated: float


def layer_errors(
    model: keras.Model, quantized: bytes, features: Float32Array
) -> tuple[LayerError, ...]:
    """Run both networks on the same clips and compare them layer by layer.

    The int8 network runs on TFLite's reference kernels and starts from the features rounded to
    its input codes. A layer's error contains that of the layers before it.

    Args:
        model: the float network that ``quantized`` was made of.
        quantized: the int8 TFLite file.
        features: shape (clips, n_mels, columns, channels).

    Returns:
        The layers that the file has an output of, worst first.
    """
    interpreter = _interpreter(quantized)
    found = _outputs(model, quantized, interpreter)
    floats = keras.Model(model.input, [group.layers[-1].output for group, _ in found])
    sums = np.zeros((3, len(found)))
    for clip in progress.over(features, "error of each layer", "clip"):
        wanted = floats(clip[None], training=False)
        _run(interpreter, clip)
        for index, (_, details) in enumerate(found):
            codes = interpreter.get_tensor(details["index"]).astype(np.float64)
            scale, zero_point = details["quantization"]
            value = wanted[index] if len(found) > 1 else wanted
            value = np.asarray(value, np.float64).reshape(codes.shape)
            sums[0, index] += np.square(value).sum()
            sums[1, index] += np.square(value - (codes - zero_point) * scale).sum()
            sums[2, index] += np.isin(codes, (-128, 127)).mean() / len(features)
    errors = [
        LayerError(
            layer=group.layers[-1].name,
            op=type(group.first).__name__,
            snr_db=_decibel(*sums[:2, index]),
            scale=float(details["quantization"][0]),
            saturated=round(float(sums[2, index]), 6),
        )
        for index, (group, details) in enumerate(found)
    ]
    return tuple(
        sorted(errors, key=lambda error: math.inf if error.snr_db is None else error.snr_db)
    )


def to_json(errors: Sequence[LayerError], clips: int) -> str:
    """Return the report as JSON text: ``clips`` and ``layers``, worst first."""
    document = {"schema": SCHEMA, "clips": clips, "layers": [asdict(error) for error in errors]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _decibel(signal: float, noise: float) -> float | None:
    if noise == 0.0 or signal == 0.0:
        return None
    return round(10.0 * math.log10(signal / noise), 3)


def _interpreter(quantized: bytes) -> Any:
    with captured_output():
        interpreter = tf.lite.Interpreter(
            model_content=quantized,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        )
        interpreter.allocate_tensors()
    return interpreter


def _run(interpreter: Any, clip: Float32Array) -> None:
    (details,) = interpreter.get_input_details()
    scale, zero_point = details["quantization"]
    codes = quantize(
        clip.astype(np.float64), Quantization(scale=float(scale), zero_point=int(zero_point))
    )
    interpreter.set_tensor(details["index"], codes[None])
    interpreter.invoke()


def _outputs(
    model: keras.Model, quantized: bytes, interpreter: Any
) -> list[tuple[Group, dict[str, Any]]]:
    """Return the groups of layers and the tensors that hold their int8 output.

    The converter names a tensor after the layers that went into it, as in
    ``mobilenet_1/point1_relu_1/Relu;mobilenet_1/point1_1/convolution``, and the network's output
    by itself.
    """
    details = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    graph = schema.Model.GetRootAs(quantized, 0).Subgraphs(0)
    indices = [int(graph.Operators(number).Outputs(0)) for number in range(graph.OperatorsLength())]
    by_layer: dict[str, dict[str, Any]] = {}
    for index in indices:
        for part in re.split("[/;]", details[index]["name"]):
            by_layer[part] = by_layer[re.sub(r"_\d+$", "", part)] = details[index]
    by_layer[model.layers[-1].name] = details[indices[-1]]
    found = []
    for group in groups(model):
        tensors = [by_layer[layer.name] for layer in group.layers if layer.name in by_layer]
        size = math.prod(group.layers[-1].output.shape[1:])
        if tensors and math.prod(tensors[0]["shape"]) == size:
            found.append((group, tensors[0]))
    return found
