"""Parameters of products of two matrices that are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import KernelParams, OutputRange, Pair

HEADER = "asc_matmul.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class MatmulParams(KernelParams):
    """Products of matrices: ``output[r, c]`` is the sum of ``first[r, k] * second[k, c]``.

    Attributes:
        batches: turns of the outer and of the inner loop over matrices.
        first_batch, second_batch: codes from one matrix to the next, 0 to repeat it.
        rows, depth, columns: sizes of the matrices.
        first_steps: codes from one row, and from one k, of the first operand to the next.
        second_steps: codes from one k, and from one column, of the second operand to the next.
        first_zero_point, second_zero_point: the codes that stand for 0, -128 to 127.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift; of 16-bit codes, whose sums
            have 64 bits, multiplier / 2^shift.
        range: the codes of the output.
    """

    c_type = "asc_matmul_t"
    batches: Pair
    first_batch: Pair
    second_batch: Pair
    rows: int
    depth: int
    columns: int
    first_steps: Pair
    second_steps: Pair
    first_zero_point: int
    second_zero_point: int
    multiplier: int
    shift: int
    range: OutputRange


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_matmul": MatmulParams,
        "asc_matmul_s16": MatmulParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
