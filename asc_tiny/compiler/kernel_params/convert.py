"""Parameters of kernels that convert numbers and codes at the ends of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import Float, KernelParams
from asc_tiny.compiler.kernel_params.elementwise import Operand

HEADER = "asc_convert.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class QuantizeParams(KernelParams):
    """Codes of ``size`` floating-point numbers.

    Attributes:
        size: number of elements of a run.
        scale, zero_point: the quantisation of the codes.
        minimum, maximum: the smallest and the largest code of the type.
        code_bytes: bytes of a code, 1 or 2.
    """

    c_type = "asc_quantize_t"
    size: int
    scale: Float
    zero_point: int
    minimum: int
    maximum: int
    code_bytes: int


@dataclass(frozen=True)
class DequantizeParams(KernelParams):
    """Floating-point numbers of ``size`` codes.

    Attributes:
        size: number of elements of a run.
        scale, zero_point: the quantisation of the codes.
        code_bytes: bytes of a code, 1 or 2.
        is_signed: 1 if codes may be negative, else 0.
    """

    c_type = "asc_dequantize_t"
    size: int
    scale: Float
    zero_point: int
    code_bytes: int
    is_signed: int


@dataclass(frozen=True)
class ChangeSignParams(KernelParams):
    """Codes of ``size`` codes, from signed to unsigned ones of one byte, or the other way round.

    Attributes:
        size: number of elements of a run.
        input: the input's zero point, and the factor from its scale to that of the output.
        zero_point: the output's code that stands for 0.
        minimum, maximum: the smallest and the largest code of the output's type.
        is_signed: 1 if the input's codes may be negative, 0 if those of the output may.
    """

    c_type = "asc_change_sign_t"
    size: int
    input: Operand
    zero_point: int
    minimum: int
    maximum: int
    is_signed: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_quantize": QuantizeParams,
        "asc_dequantize": DequantizeParams,
        "asc_change_sign": ChangeSignParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
