"""I2S with a microphone of 24 bits in the left slot, and the DMA that takes what it hears."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from support.esp32c3.core import CLOCK_HZ, Core

_DMA, _CHANNEL, _CHANNELS = 0x3F000, 0xC0, 3
_RAW, _STATE, _ENABLE, _CLEAR = 0x0, 0x4, 0x8, 0xC
"""Of the interrupts of channel 0; those of the next are 16 bytes on."""

_LINK, _END_OF_FRAME, _PERIPHERAL = 0x80, 0x88, 0xA0
_STOP, _START = 1 << 21, 1 << 22
_DONE, _WHOLE = 1 << 0, 1 << 1
_I2S_NUMBER = 3
_ADDRESS_MASK, _ADDRESS_BASE = 0xFFFFF, 0x3FC00000

_I2S = 0x2D000
_CONFIG, _CONFIG1, _CLOCK, _DIVIDER, _SLOTS, _BYTES = (
    _I2S + at for at in (0x20, 0x28, 0x30, 0x38, 0x50, 0x64)
)
_RUNS, _UPDATE, _MONO = 1 << 2, 1 << 8, 1 << 5
_PLL = 160_000_000

NOISE, OTHER = 0x5A00, 0x12345600
"""What stands below a sample in its slot of 32 bits; what the slot has that nobody drives."""


class Sound:
    """The microphone.

    Args:
        core: the core.
        registers: the chip's, by their offsets.

    Attributes:
        stream: int16 samples that the microphone gives, then zeros.
        heard: samples that have been brought.
    """

    def __init__(self, core: Core, registers: dict[int, int]) -> None:
        self._core, self._registers = core, registers
        self.stream = np.zeros(0, np.int16)
        self.heard = 0
        self._channel: int | None = None
        self._descriptor = 0
        self._raw = [0] * _CHANNELS
        self._runs = False

    def asking(self) -> list[int]:
        """Return the channels of the DMA that ask for an interrupt."""
        return [n for n in range(_CHANNELS) if self._state(n)]

    def _state(self, channel: int) -> int:
        return self._raw[channel] & self._registers.get(_DMA + 16 * channel + _ENABLE, 0)

    def read(self, offset: int) -> int | None:
        """Return a register, if it is one that sets itself."""
        if _DMA <= offset < _DMA + 16 * _CHANNELS:
            channel, at = divmod(offset - _DMA, 16)
            if at == _RAW:
                return self._raw[channel]
            if at == _STATE:
                return self._state(channel)
        if offset == _CONFIG:
            return self._registers.get(offset, 0) & ~_UPDATE
        return None

    def write(self, offset: int, value: int) -> None:
        """Do what a register that was written does."""
        if _DMA <= offset < _DMA + 16 * _CHANNELS and offset % 16 == _CLEAR:
            self._raw[(offset - _DMA) // 16] &= ~value
        for channel in range(_CHANNELS):
            if offset == _DMA + _CHANNEL * channel + _LINK:
                self._link(channel, value)
        if offset == _CONFIG:
            self._begin()

    def _link(self, channel: int, value: int) -> None:
        if value & _START:
            assert self._registers[_DMA + _CHANNEL * channel + _PERIPHERAL] & 0x3F == _I2S_NUMBER
            self._channel = channel
            self._descriptor = value & _ADDRESS_MASK | _ADDRESS_BASE
            self._begin()
        elif value & _STOP:
            self._channel = None

    def _begin(self) -> None:
        runs = bool(self._registers.get(_CONFIG, 0) & _RUNS) and self._channel is not None
        if runs and not self._runs:
            self._wait()
        self._runs = runs

    def _mask(self) -> int:
        """Return which slots of a frame are stored."""
        return self._registers[_SLOTS] & 3

    def _wait(self) -> None:
        size = self._core.word(self._descriptor) & 0xFFF
        frames = size // 4 // self._mask().bit_count()
        self._core.after(CLOCK_HZ * frames / self.rate(), self._bring)

    def _bring(self) -> None:
        if not self._runs:
            return
        assert self._channel is not None
        word, address = (self._core.word(self._descriptor + at) for at in (0, 4))
        size, mask = word & 0xFFF, self._mask()
        assert word >> 31, "the DMA does not own the descriptor"
        frames = np.zeros((size // 4 // mask.bit_count(), 2), "<i4")
        part = self.stream[self.heard : self.heard + len(frames)]
        frames[: len(part), 0] = part.astype(np.int32) << 16
        frames[:, 0] |= NOISE
        frames[:, 1] = OTHER
        stored = frames[:, [slot for slot in range(2) if mask >> slot & 1]]
        self._core.uc.mem_write(address, stored.tobytes())
        self.heard += len(frames)
        self._core.uc.mem_write(
            self._descriptor, (word & ~0xFFF000 | size << 12 | 1 << 30).to_bytes(4, "little")
        )
        self._registers[_DMA + _CHANNEL * self._channel + _END_OF_FRAME] = self._descriptor
        self._raw[self._channel] |= _DONE | _WHOLE
        self._descriptor = self._core.word(self._descriptor + 8)
        self._wait()

    def rate(self) -> Fraction:
        """Return the frames a second that the registers set."""
        x, y, z, above = (self._registers[_DIVIDER] >> at & 0x1FF for at in (18, 9, 0, 27))
        part = Fraction(0)
        if z:
            a = (x + 1) * z + y
            part = Fraction(a - z if above & 1 else z, a)
        clock = _PLL / ((self._registers[_CLOCK] & 0xFF) + part)
        config = self._registers[_CONFIG1]
        bits = (config >> 18 & 0x3F) + 1
        return clock / ((config >> 7 & 0x3F) + 1) / (2 * bits)
