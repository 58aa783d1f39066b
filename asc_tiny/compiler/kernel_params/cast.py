"""Parameters of numbers that become others of another type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams

HEADER = "asc_cast.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class CastParams(KernelParams):
    """Integers of another size, or from and to floating-point numbers of 4 bytes.

    Attributes:
        size: number of elements.
        source, target: bytes of each before and after, 1, 2, 4 or 8.
        is_truth: 1 if they become 1 where they are not 0, else 0.
    """

    c_type = "asc_cast_t"
    size: int
    source: int
    target: int
    is_truth: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_cast": CastParams,
        "asc_cast_from_float": CastParams,
        "asc_cast_to_float": CastParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
