"""Parameters of comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, Pair
from asc_tiny.compiler.kernel_params.elementwise import Operand

HEADER = "asc_choice.h"
"""The header that declares the kernels of this family."""


class Relation(IntFlag):
    """How two values may be to each other, as in C."""

    LESS = 1
    EQUAL = 2
    GREATER = 4


@dataclass(frozen=True)
class CompareParams(KernelParams):
    """Whether values are in one of some relations.

    Attributes:
        count: turns of the outer and of the inner loop.
        first_step, second_step: bytes from one value of an operand to the next, 0 to repeat it.
        bytes: bytes of a value: 1 of a code, 4 or 8 of an integer.
        relations: the relations that count, a ``Relation``.
        first, second: what brings codes to one scale.
    """

    c_type = "asc_compare_t"
    count: Pair
    first_step: Pair
    second_step: Pair
    bytes: int
    relations: int
    first: Operand
    second: Operand


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType({"asc_compare": CompareParams})
"""The structure of each kernel of this family, by the name of its C function."""
