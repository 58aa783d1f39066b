"""Parameters of softmax over many classes or with 16 bits, and of its logarithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams
from asc_tiny.compiler.kernel_params.elementwise import SoftmaxParams

HEADER = "asc_softmax.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class SoftmaxWideParams(KernelParams):
    """Softmax over up to 4095 classes, with outputs of ``bits`` bits, 8 or 16."""

    c_type = "asc_softmax_wide_t"
    softmax: SoftmaxParams
    bits: int


@dataclass(frozen=True)
class LogSoftmaxParams(KernelParams):
    """The logarithm of a softmax over each of ``rows`` groups of ``classes`` codes.

    Attributes:
        rows: number of groups of a run.
        classes: codes of a group, 1 to 4095.
        multiplier, shift: bring a difference of codes to 26 fractional bits.
        minimum: smallest difference of codes that counts.
        reverse_multiplier, reverse_shift: bring 26 fractional bits to differences of codes.
    """

    c_type = "asc_log_softmax_t"
    rows: int
    classes: int
    multiplier: int
    shift: int
    minimum: int
    reverse_multiplier: int
    reverse_shift: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_log_softmax": LogSoftmaxParams,
        "asc_softmax_wide": SoftmaxWideParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
