"""More kernels of two operands, with the parameters of the others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams
from asc_tiny.compiler.kernel_params.elementwise import BinaryParams

HEADER = "asc_binary.h"
"""The header that declares the kernels of this family."""


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_div": BinaryParams,
        "asc_squared_difference": BinaryParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
