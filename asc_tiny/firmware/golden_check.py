"""Golden inputs of a network alone, which firmware makes itself, and what they must lead to.

Their values follow from a formula and the outputs are told by a checksum, so that whole inputs cost
no flash. ``asc_golden.c`` has the same formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware.c.literals import float_literal
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.checksum import fnv1a
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.tflite.graph import NUMPY_TYPES, Graph, Tensor

AnyArray = NDArray[Any]

_RANDOM = 6
NAMES = (*(f"random {number + 1}" for number in range(_RANDOM)), "smallest", "largest")
"""What each golden input holds, in their order."""

_VALUES: Mapping[str, tuple[int, int]] = {
    "BOOL": (0, 2),
    "FLOAT32": (-1024, 2048),
    "INT8": (-128, 256),
    "INT16": (-32768, 65536),
    "INT32": (0, 2),
    "INT64": (0, 2),
    "UINT8": (0, 256),
}
"""The smallest golden value of a type, and how many follow it; those of floating point are steps.
Whole numbers of 32 and 64 bits may be places in a table: 0 and 1 alone are in each."""

_STEPS_OF_A_CODE = 4
"""So many steps of an input of floating point lie between two codes, halves among them, since the
codes round them."""

_STEP = 1 / 256
"""Step of an input of floating point that no operator quantises."""


def inputs(network: FirmwareNetwork) -> list[list[AnyArray]]:
    """Return the golden inputs in the order of ``NAMES``: of each, the network's inputs."""
    return [
        [_values(network.graph, end, number, index) for index, end in enumerate(network.inputs)]
        for number in range(len(NAMES))
    ]


def checksum(outputs: Sequence[AnyArray]) -> int:
    """Return the checksum of a network's outputs."""
    return fnv1a(b"".join(np.ascontiguousarray(values).tobytes() for values in outputs))


def generate(network: FirmwareNetwork, checksums: Sequence[int] | None) -> dict[str, str]:
    """Return ``asc_golden_expected.h``, file name to text.

    Args:
        network: the network.
        checksums: those of the outputs for each golden input, by a reference other than the
            firmware; None leaves them unchecked.
    """
    steps = [_step(network.graph, end) for end in network.inputs]
    values = {
        "banner": banner(network.model_file),
        "checksums": None if checksums is None else [f"0x{each:08x}u" for each in checksums],
        "hash": network.model_file.sha256,
        "steps": [float_literal(step) for step in steps] if any(steps) else [],
    }
    return render_files(values, "golden/asc_golden_expected.h")


def _values(graph: Graph, end: Tensor, number: int, index: int) -> AnyArray:
    smallest, count = _VALUES[end.dtype]
    if number < _RANDOM:
        seed = _hashed(np.array([(number << 16) + index + 1], np.uint32))
        places = _hashed(np.arange(end.size, dtype=np.uint32) ^ seed) % np.uint32(count)
    else:
        places = np.full(end.size, 0 if number == _RANDOM else count - 1, np.uint32)
    values: AnyArray = smallest + places.astype(np.int64)
    if end.dtype == "FLOAT32":
        values = np.float32(_step(graph, end)) * values.astype(np.float32)
    return values.astype(NUMPY_TYPES[end.dtype]).reshape(end.shape)


def _hashed(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return a hash of 32 bits: C. Wellons, "Prospecting for Hash Functions", lowbias32."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def _step(graph: Graph, end: Tensor) -> float:
    """Return the distance of two golden values of an input of floating point, else 0."""
    if end.dtype != "FLOAT32":
        return 0.0
    quantized = graph.quantized(end.index)
    return quantized.scales[0] / _STEPS_OF_A_CODE if quantized and quantized.scales else _STEP
