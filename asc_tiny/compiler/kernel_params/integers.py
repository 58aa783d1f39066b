"""Parameters of integers that are no codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, Pair

HEADER = "asc_choice.h"
"""The header that declares the kernels of this family."""


class Operation(IntEnum):
    """What is done with two integers, as in C."""

    ADD = 0
    SUB = 1
    MUL = 2
    DIV = 3
    MAXIMUM = 4
    MINIMUM = 5
    SQUARED_DIFFERENCE = 6


@dataclass(frozen=True)
class IntegersParams(KernelParams):
    """Integers that are combined and wrap.

    Attributes:
        count: turns of the outer and of the inner loop.
        first_step, second_step: bytes from one value of an operand to the next, 0 to repeat it.
        bytes: bytes of a value, 4 or 8.
        operation: what is done with them, an ``Operation``.
    """

    c_type = "asc_integers_t"
    count: Pair
    first_step: Pair
    second_step: Pair
    bytes: int
    operation: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType({"asc_integers": IntegersParams})
"""The structure of each kernel of this family, by the name of its C function."""
