"""The kernel of smallest values, whose parameters are those of the largest."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams
from asc_tiny.compiler.kernel_params.reduction import ReduceMaxParams

HEADER = "asc_reduce_min.h"
"""The header that declares the kernels of this family."""

KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType({"asc_reduce_min": ReduceMaxParams})
"""The structure of each kernel of this family, by the name of its C function."""
