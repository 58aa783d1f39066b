"""Parameters of the kernel that takes values from places which follow from each axis alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import Int32Array, KernelParams

MOST_AXES = 8
"""Most axes of an output, ``ASC_TAKE_AXES`` in C."""

HEADER = "asc_take.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class TakeParams(KernelParams):
    """Runs of bytes, each at the sum of an offset of every axis.

    Attributes:
        axes: number of axes, 1 to ``MOST_AXES``.
        size: bytes of a run, at least 1.
        value: the byte, -128 to 127, that stands where an offset is negative.
        counts: runs along each axis, at least 1 each.
        offsets: the offsets in bytes of all axes, one axis after the other.
    """

    c_type = "asc_take_t"
    axes: int
    size: int
    value: int
    counts: Int32Array
    offsets: Int32Array


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType({"asc_take": TakeParams})
"""The structure of each kernel of this family, by the name of its C function."""
