"""What all parameters of kernels are made of: structures, arrays and types of C."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

CHANNEL = np.dtype([("bias", np.int32), ("multiplier", np.int32), ("bits", np.int32)])
"""An output channel: the bias with what the input's zero point adds, a multiplier, and a shift of
``bits + 1`` bits to the right."""

ONCE_CHANNEL = np.dtype([("bias", np.int32), ("multiplier", np.int32)])
"""An output channel whose sums are rounded once (``asc_tiny.compiler.single_rounding``)."""

PACKED_CHANNEL = np.dtype([("bias_bits", np.int32), ("multiplier", np.int32)])
"""An output channel of a packed dense layer; ``bias_bits`` is ``bias * 256 + bits``."""

CHANNEL_S16 = np.dtype([("bias", np.int64), ("multiplier", np.int32), ("shift", np.int32)])
"""An output channel of 16-bit codes: the bias, and what brings a sum to a code."""

ELEMENTS: Mapping[np.dtype[Any], str] = MappingProxyType(
    {
        np.dtype(np.int8): "int8_t",
        np.dtype(np.int16): "int16_t",
        np.dtype(np.int32): "int32_t",
        np.dtype(np.int64): "int64_t",
        np.dtype(np.uint8): "uint8_t",
        np.dtype(np.uint16): "uint16_t",
        np.dtype(np.uint32): "uint32_t",
        CHANNEL: "asc_channel_t",
        ONCE_CHANNEL: "asc_once_channel_t",
        CHANNEL_S16: "asc_channel_s16_t",
        PACKED_CHANNEL: "asc_packed_channel_t",
    }
)
"""The type in C of each element type."""

ONCE_TYPE = "ASC_ONCE_CHANNEL_T"
"""The type in C of channels that some cores round once, which depends on the core."""

POINTER_BYTES = 8
"""Bytes of a pointer at most, on 64-bit computers."""


ORDERS: Mapping[str, int] = MappingProxyType(
    {"ASC_WEIGHTS": 4, "ASC_WEIGHT_PAIR": 8, "ASC_DENSE_WEIGHTS": 8}
)
"""Macros that bring weights into the order in which a core reads them, and weights that they
take."""


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array in C.

    Attributes:
        name: the name of the array in C.
        values: the elements, one of the types in ``ELEMENTS``.
        weights: whether the array holds weights: they are aligned to 16 bytes, and int8_t weights
            lie in fours, which cores read in different orders.
        order: the macro of ``asc_kernels.h`` that brings int8_t weights into the order in which a
            core reads them, a key of ``ORDERS``; empty for their own order.
        once: the elements of ``ONCE_CHANNEL`` that cores with the DSP extension have in place of
            channels; None if there are none.
    """

    name: str
    values: NDArray[Any]
    weights: bool = False
    order: str = "ASC_WEIGHTS"
    once: NDArray[Any] | None = None

    @property
    def c_type(self) -> str:
        """The type of an element in C."""
        return ELEMENTS[self.values.dtype] if self.once is None else ONCE_TYPE


Int16 = Annotated[int, "int16_t"]
"""A number of 16 bits; other numbers have 32."""

Float = Annotated[float, "float"]
"""A floating-point number of single precision."""

Pair = tuple[int, int]
Four = tuple[int, int, int, int]


def four(values: Sequence[int]) -> Four:
    """Return four values as a tuple of that length."""
    one, two, three, last = values
    return one, two, three, last


def two(values: Sequence[int]) -> Pair:
    """Return two values as a tuple of that length."""
    one, last = values
    return one, last


Int8Array = Annotated[Array, "int8_t"]
Int16Array = Annotated[Array, "int16_t"]
Int32Array = Annotated[Array, "int32_t"]
Uint16Array = Annotated[Array, "uint16_t"]
ChannelArray = Annotated[Array, "asc_channel_t"]
AnyChannelArray = Annotated[Array, "void"]
"""Channels of a kernel that rounds once or twice: what ``asc_output_t`` says."""

ChannelS16Array = Annotated[Array, "asc_channel_s16_t"]
PackedChannelArray = Annotated[Array, "asc_packed_channel_t"]


@dataclass(frozen=True)
class Struct:
    """A structure in C; its members are the fields of the dataclass.

    Attributes:
        c_type: the name of the type in C.
    """

    c_type: ClassVar[str]

    def members(self) -> Iterator[tuple[str, Any]]:
        """Yield name and value of each member that is there, in C's order."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value

    def arrays(self) -> Iterator[Array]:
        """Yield the arrays that members, and members of members, point to."""
        for _, value in self.members():
            if isinstance(value, Array):
                yield value
            elif isinstance(value, Struct):
                yield from value.arrays()


NARROW, MOSTLY_NARROW, ONCE = 1, 2, 3
"""How the channels of a layer may be rounded: all of them, or most, by the short way; or all of a
narrow layer once where a core has such channels."""


@dataclass(frozen=True)
class OutputRange(Struct):
    """The codes of an output.

    Attributes:
        zero_point: the code that stands for 0, -128 to 127.
        minimum, maximum: the codes that the fused activation leaves, -128 to 127.
        clamps: 1 if that range is smaller than that of int8, else 0.
        narrow: ``NARROW`` if sums are below 2^30 and shifts go 1 to 23 bits to the right,
            ``MOSTLY_NARROW`` if that is so in all channels with such shifts, ``ONCE`` if a narrow
            layer has channels that are rounded once, else 0.
    """

    c_type = "asc_output_t"
    zero_point: int
    minimum: int
    maximum: int
    clamps: Int16
    narrow: Int16


@dataclass(frozen=True)
class KernelParams(Struct):
    """What a kernel is told of its layer."""

    @property
    def scratch_bytes(self) -> int:
        """Bytes of scratch memory that a run needs, 0 if none."""
        return 0

    @property
    def windows(self) -> int:
        """Number of windows that a run multiplies by the weights, two at a time; 0 if none."""
        return 0
