"""Parameters of what takes values from one operand or another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, Pair

HEADER = "asc_choice.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class SelectParams(KernelParams):
    """The first of two values where a condition is not 0, else the second.

    Attributes:
        count: turns of the outer and of the inner loop.
        condition_step, first_step, second_step: bytes from one value to the next, 0 to repeat it.
        bytes: bytes of a value, 1 to 8.
    """

    c_type = "asc_select_t"
    count: Pair
    condition_step: Pair
    first_step: Pair
    second_step: Pair
    bytes: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType({"asc_select": SelectParams})
"""The structure of each kernel of this family, by the name of its C function."""
