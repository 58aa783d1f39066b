"""Input and output of the emitted network, as the templates print them for every runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from asc_tiny.compiler.lower.context import shape_text
from asc_tiny.firmware.c.literals import float_literal, value_lines
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.model.score_mixer import FRACTION_BITS
from asc_tiny.tflite.graph import Tensor

VERSION = 2
"""The version of asc_net.h; must be what asc_classifier.h asks for; the C compiler checks it."""


_C_TYPES: Mapping[str, str] = {"INT8": "int8_t", "INT32": "int32_t", "INT64": "int64_t"}


def of_tensor(tensor: Tensor) -> dict[str, Any]:
    """Return type, shape and size of a network's input or output, and the quantisation of int8."""
    height, width, channels = _image_shape(tensor)
    quantization = {}
    if tensor.dtype == "INT8":
        quantization = {
            "scale": float_literal(tensor.scales[0]),
            "zero_point": tensor.zero_points[0],
        }
    return {
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
            "height": height,
            "width": width,
            "channels": channels * groups,
            "shape": f"{height}x{width}x{channels * groups}",
            "size": height * width * channels * groups,
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
