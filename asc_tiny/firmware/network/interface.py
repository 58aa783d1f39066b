"""Input and output of the emitted network, as the templates print them for every runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asc_tiny.compiler.lower.context import shape_text
from asc_tiny.firmware.c.literals import float_literal, value_lines
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.model.score_mixer import FRACTION_BITS
from asc_tiny.tflite.graph import Graph, Tensor

VERSION = 2
"""The version of asc_net.h; must be what asc_classifier.h asks for; the C compiler checks it."""


_C_TYPES: Mapping[str, str] = {
    "BOOL": "uint8_t",
    "BFLOAT16": "uint16_t",
    "FLOAT16": "uint16_t",
    "FLOAT32": "float",
    "FLOAT64": "double",
    "INT8": "int8_t",
    "INT16": "int16_t",
    "INT32": "int32_t",
    "INT64": "int64_t",
    "UINT8": "uint8_t",
    "UINT16": "uint16_t",
    "UINT32": "uint32_t",
    "UINT64": "uint64_t",
}
"""The types in C of the elements of inputs and outputs.

A BOOL is 0 or 1, the floats of 16 bits, which C has not, are their bits.
"""


def has_c_type(tensor: Tensor) -> bool:
    """Whether C has a type for the elements of a tensor."""
    return tensor.dtype in _C_TYPES


def of_graph(graph: Graph) -> dict[str, Any]:
    """Return inputs and outputs of a network as ``ends`` does."""
    return ends(
        [of_tensor(graph.tensor(index)) for index in graph.inputs],
        [of_tensor(graph.tensor(index)) for index in graph.outputs],
    )


def ends(inputs: Sequence[dict[str, Any]], outputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return inputs and outputs as lists and, of each, the first one alone.

    ``number`` is what their names in C end with: nothing where there is one of each, else their
    numbers.
    """
    is_one = len(inputs) == len(outputs) == 1
    numbered = [
        [{**end, "number": "" if is_one else str(number)} for number, end in enumerate(side)]
        for side in (inputs, outputs)
    ]
    return {
        "input": numbered[0][0],
        "inputs": numbered[0],
        "output": numbered[1][0],
        "outputs": numbered[1],
    }


def of_tensor(tensor: Tensor) -> dict[str, Any]:
    """Return type, shape, elements and bytes of an input or output, and its quantisation if any."""
    height, width, channels = _image_shape(tensor)
    quantization = {}
    if len(tensor.scales) == len(tensor.zero_points) == 1:
        quantization = {
            "scale": float_literal(tensor.scales[0]),
            "zero_point": tensor.zero_points[0],
        }
    return {
        "bytes": tensor.byte_count,
        "c_type": _C_TYPES[tensor.dtype],
        "height": height,
        "width": width,
        "channels": channels,
        "shape": shape_text(tensor),
        "size": tensor.size,
        **quantization,
    }


def of_ensemble(ensemble: Ensemble) -> dict[str, Any]:
    """Return input and output of an ensemble, and how its members' scores become one.

    ``members`` has, by member, its hash, the first channel of its features among those of all
    quantisations, and the multiplier of its scores.
    """
    height, width, channels = ensemble.frontends[0].shape
    features = height * width * channels * len(ensemble.frontends)
    groups = len(ensemble.frontends)
    mixer = ensemble.score_mixer
    quantization = ensemble.frontends[0].quantization
    assert quantization is not None
    return {
        "channels": channels,
        "fraction_bits": FRACTION_BITS,
        "groups": groups,
        "hash": ensemble.sha256,
        "input": {
            "c_type": "int8_t",
            "height": height,
            "width": width,
            "channels": channels * groups,
            "shape": f"{height}x{width}x{channels * groups}",
            "size": features,
            "bytes": features,
            "scale": float_literal(quantization.scale),
            "zero_point": quantization.zero_point,
        },
        "interface_version": VERSION,
        "members": [
            {
                "number": number,
                "hash": ensemble.members[number].model_file.sha256,
                "first_channel": ensemble.frontend_of(number) * channels,
                "multiplier": multiplier,
            }
            for number, multiplier in enumerate(mixer.multipliers)
        ],
        "offset_lines": value_lines(np.array(mixer.offsets)),
        "output": {
            "c_type": "int8_t",
            "shape": str(len(ensemble.labels)),
            "size": len(ensemble.labels),
            "bytes": len(ensemble.labels),
            "scale": float_literal(mixer.output.scale),
            "zero_point": mixer.output.zero_point,
        },
        "title": f"Ensemble of {len(ensemble.members)} networks",
    }


def _image_shape(tensor: Tensor) -> tuple[int, int, int]:
    """Return (height, width, channels); leading dimensions of 1 that are missing are added."""
    shape = (1, 1, 1, *tensor.shape)
    if tensor.size != shape[-3] * shape[-2] * shape[-1]:
        return 1, 1, tensor.size
    return shape[-3], shape[-2], shape[-1]
