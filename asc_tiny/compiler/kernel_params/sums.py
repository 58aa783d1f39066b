"""Parameters of sums along an axis or of many operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, OutputRange, Struct

HEADER = "asc_sums.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class ScaledSum(Struct):
    """What becomes of sums of codes, which have 19 more bits.

    Attributes:
        zero_point: the code of the operands that stands for 0, -128 to 127.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift.
        range: the codes of the output.
    """

    c_type = "asc_scaled_sum_t"
    zero_point: int
    multiplier: int
    shift: int
    range: OutputRange


@dataclass(frozen=True)
class CumsumParams(KernelParams):
    """Sums along an axis up to each value.

    Attributes:
        outer, count, inner: the shape of a row, of which ``count`` values are added up.
        exclusive: 1 if a sum is without the value itself, else 0.
        reverse: 1 if sums begin with the last value, else 0.
        sum: what becomes of the sums.
    """

    c_type = "asc_cumsum_t"
    outer: int
    count: int
    inner: int
    exclusive: int
    reverse: int
    sum: ScaledSum


@dataclass(frozen=True)
class AddNParams(KernelParams):
    """Sums of ``operands`` rows of ``size`` codes."""

    c_type = "asc_add_n_t"
    size: int
    operands: int
    sum: ScaledSum


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_add_n": AddNParams,
        "asc_cumsum": CumsumParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
