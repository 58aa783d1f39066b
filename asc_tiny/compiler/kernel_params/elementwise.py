"""Parameters of kernels that work value by value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import (
    Int8Array,
    KernelParams,
    OutputRange,
    Pair,
    Struct,
)


@dataclass(frozen=True)
class Operand(Struct):
    """An operand that is brought to another scale: real factor = multiplier / 2^31 * 2^shift."""

    c_type = "asc_operand_t"
    zero_point: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class AddParams(KernelParams):
    """A sum of ``size`` pairs of codes."""

    c_type = "asc_add_t"
    size: int
    first: Operand
    second: Operand
    multiplier: int
    shift: int
    range: OutputRange


@dataclass(frozen=True)
class BinaryParams(KernelParams):
    """An operator of two operands, in two nested loops over a row of the output.

    Attributes:
        count: turns of the outer and of the inner loop.
        first_step, second_step: codes from one value of an operand to the next, 0 to repeat it.
        first, second: the operands' quantization.
        multiplier, shift: real factor = multiplier / 2^31 * 2^shift of sum or product.
        range: the codes of the output.
    """

    c_type = "asc_binary_t"
    count: Pair
    first_step: Pair
    second_step: Pair
    first: Operand | None = None
    second: Operand | None = None
    multiplier: int | None = None
    shift: int | None = None
    range: OutputRange | None = None


@dataclass(frozen=True)
class LookupParams(KernelParams):
    """A function of one code: ``table`` has its values for codes -128 to 127."""

    c_type = "asc_lookup_t"
    size: int
    table: Int8Array


@dataclass(frozen=True)
class RequantizeParams(KernelParams):
    """Another quantization for ``size`` codes."""

    c_type = "asc_requantize_t"
    size: int
    input: Operand
    range: OutputRange


@dataclass(frozen=True)
class SoftmaxParams(KernelParams):
    """Softmax over each of ``rows`` groups of ``classes`` codes.

    Attributes:
        rows: number of groups of a run.
        classes: codes of a group, 1 to 511.
        multiplier, shift: bring a difference of codes to 26 fractional bits.
        minimum: smallest difference of codes that counts.
    """

    c_type = "asc_softmax_t"
    rows: int
    classes: int
    multiplier: int
    shift: int
    minimum: int


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_add": AddParams,
        "asc_add_broadcast": BinaryParams,
        "asc_lookup": LookupParams,
        "asc_maximum": BinaryParams,
        "asc_minimum": BinaryParams,
        "asc_mul": BinaryParams,
        "asc_prelu": BinaryParams,
        "asc_requantize": RequantizeParams,
        "asc_softmax": SoftmaxParams,
        "asc_sub": BinaryParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
