"""Parameters of kernels that resize images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, Struct


@dataclass(frozen=True)
class Axis(Struct):
    """The input index of output index i: ``min((i * factor + offset) / divisor, size - 1)``."""

    c_type = "asc_axis_t"
    factor: int
    offset: int
    divisor: int


@dataclass(frozen=True)
class ResizeParams(KernelParams):
    """Nearest resizing of a row.

    Attributes:
        input_width, output_width: pixels of a row of input and output.
        channels: bytes of a pixel.
        columns: the rule for pixels.
    """

    c_type = "asc_resize_t"
    input_width: int
    output_width: int
    channels: int
    columns: Axis


@dataclass(frozen=True)
class BilinearParams(KernelParams):
    """Bilinear resizing; ``rows`` and ``columns`` give positions in 1024ths."""

    c_type = "asc_bilinear_t"
    input_width: int
    output_width: int
    channels: int
    rows: Axis
    columns: Axis


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_resize_bilinear": BilinearParams,
        "asc_resize_nearest": ResizeParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
