"""Parameters of vectors of length 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams

HEADER = "asc_l2_norm.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class L2NormParams(KernelParams):
    """``rows`` groups of ``size`` codes, each divided by its length.

    Attributes:
        rows: number of groups of a run.
        size: codes of a group.
        zero_point: the code of the input that stands for 0, -128 to 127.
    """

    c_type = "asc_l2_norm_t"
    rows: int
    size: int
    zero_point: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_l2_norm": L2NormParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
