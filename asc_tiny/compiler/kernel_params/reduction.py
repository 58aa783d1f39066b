"""Parameters of reductions: many values become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, OutputRange


@dataclass(frozen=True)
class SumParams(KernelParams):
    """Adds the pixels of a row to 32-bit sums."""

    c_type = "asc_sum_t"
    width: int
    channels: int


@dataclass(frozen=True)
class MeanParams(KernelParams):
    """The mean of 32-bit sums.

    Attributes:
        channels: number of sums.
        offset: minus the input's zero point times the number of summands.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift, the division included.
        range: the codes of the output.
    """

    c_type = "asc_mean_t"
    channels: int
    offset: int
    multiplier: int
    shift: int
    range: OutputRange


@dataclass(frozen=True)
class ReduceParams(KernelParams):
    """Means or sums of ``count`` values each, in a row of the shape (outer, count, inner)."""

    c_type = "asc_reduce_t"
    outer: int
    count: int
    inner: int
    mean: MeanParams


@dataclass(frozen=True)
class ReduceMaxParams(KernelParams):
    """The largest or the smallest of ``count`` values each, by the kernel.

    With ``accumulates`` 1, the value of the output counts as well after the first run.
    """

    c_type = "asc_reduce_max_t"
    outer: int
    count: int
    inner: int
    accumulates: int


@dataclass(frozen=True)
class ArgMaxParams(KernelParams):
    """The place of the first of the largest of ``count`` values each.

    Attributes:
        outer, count, inner: the input's shape, of which ``count`` values become one.
        sign: 1 for the largest value, -1 for the smallest.
        index_bytes: bytes of a place in the output, 4 or 8.
    """

    c_type = "asc_arg_max_t"
    outer: int
    count: int
    inner: int
    sign: int
    index_bytes: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_arg_max": ArgMaxParams,
        "asc_mean": MeanParams,
        "asc_reduce": ReduceParams,
        "asc_reduce_max": ReduceMaxParams,
        "asc_sum": SumParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
