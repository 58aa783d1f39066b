"""Parameters of values at places that a network computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import Int32Array, KernelParams

HEADER = "asc_gather.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class GatherParams(KernelParams):
    """Values that lists of places choose: (batches, outer, axis) becomes (batches, outer, count).

    Attributes:
        batches: number of lists of places.
        outer: number of times that each list is used.
        axis: number of values that a place chooses from.
        size: bytes of a value.
        count: places of a list.
        place_bytes: bytes of a place, 4 or 8.
    """

    c_type = "asc_gather_t"
    batches: int
    outer: int
    axis: int
    size: int
    count: int
    place_bytes: int


@dataclass(frozen=True)
class GatherNdParams(KernelParams):
    """Runs of bytes, each at a sum of places times steps.

    Attributes:
        count: number of runs.
        depth: places of a run.
        size: bytes of a run.
        total: bytes of the input.
        place_bytes: bytes of a place, 4.
        steps: bytes from one place to the next, of each of the ``depth`` axes.
    """

    c_type = "asc_gather_nd_t"
    count: int
    depth: int
    size: int
    total: int
    place_bytes: int
    steps: Int32Array


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {"asc_gather": GatherParams, "asc_gather_nd": GatherNdParams}
)
"""The structure of each kernel of this family, by the name of its C function."""
