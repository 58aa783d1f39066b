"""Parameters of kernels that move values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import Four, KernelParams


@dataclass(frozen=True)
class PadParams(KernelParams):
    """Padding of a row, of bytes or of 16-bit codes.

    Attributes:
        input_width, output_width: pixels of a row of input and output.
        input_channels, output_channels: codes of a pixel of input and output; its bytes where
            elements are larger than codes.
        left: pixels before the row.
        front: codes, or bytes, before each pixel.
        value: the code that pads, -128 to 127, or of 16 bits; 0 where elements are larger.
    """

    c_type = "asc_pad_t"
    input_width: int
    input_channels: int
    output_width: int
    output_channels: int
    left: int
    front: int
    value: int


@dataclass(frozen=True)
class BlocksParams(KernelParams):
    """Blocks of ``block`` x ``block`` pixels that are one pixel of the deeper tensor.

    Attributes:
        pixels: pixels of a row of the deeper tensor.
        size: codes that lie side by side in both tensors.
        block: rows and columns of a block, at least 1.
    """

    c_type = "asc_blocks_t"
    pixels: int
    size: int
    block: int


@dataclass(frozen=True)
class CopyParams(KernelParams):
    """Copies runs of codes that follow each other to places apart.

    Attributes:
        rows: number of runs.
        size: codes of a run.
        output_offset: codes before the first run in the output.
        output_stride: codes from one run to the next in the output.
    """

    c_type = "asc_copy_t"
    rows: int
    size: int
    output_offset: int
    output_stride: int


@dataclass(frozen=True)
class SliceParams(KernelParams):
    """``output[i, j, k, l] = input[begin + (i, j, k, l) * step]`` for indices below ``count``."""

    c_type = "asc_slice_t"
    count: Four
    begin: int
    step: Four


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_copy": CopyParams,
        "asc_depth_to_space": BlocksParams,
        "asc_pad": PadParams,
        "asc_slice": SliceParams,
        "asc_space_to_depth": BlocksParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
