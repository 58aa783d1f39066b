"""Parameters of dense layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import (
    ChannelArray,
    Int8Array,
    KernelParams,
    OutputRange,
    PackedChannelArray,
)


@dataclass(frozen=True)
class DenseParams(KernelParams):
    """A dense layer.

    Attributes:
        rows: number of independent inputs of a run.
        inputs: values of an input.
        outputs: values of an output.
        depth: values of an input with the zeros behind it, a multiple of 4.
        combined: 1 if cores with the DSP extension find the weights of two outputs in numbers of 16
            bits, else 0.
        range: the codes of the output.
        weights: (pairs of outputs, groups of 4 values, 2, 4).
        channels: bias and multiplier of each output.
    """

    c_type = "asc_dense_t"
    rows: int
    inputs: int
    outputs: int
    depth: int
    combined: int
    range: OutputRange
    weights: Int8Array
    channels: ChannelArray

    @property
    def windows(self) -> int:
        """One window at a time."""
        return 1


@dataclass(frozen=True)
class DensePackedParams(KernelParams):
    """A dense layer in the shortest form.

    Attributes:
        rows: number of independent inputs of a run.
        inputs: values of an input.
        outputs: values of an output.
        range: the codes of the output.
        weights: (outputs, inputs).
        channels: bias, shift and multiplier of each output.
    """

    c_type = "asc_dense_packed_t"
    rows: int
    inputs: int
    outputs: int
    range: OutputRange
    weights: Int8Array
    channels: PackedChannelArray

    @property
    def windows(self) -> int:
        """One window at a time."""
        return 1


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_dense": DenseParams,
        "asc_dense_packed": DensePackedParams,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
