"""What reads a microphone on an STM32: a DFSDM, an SAI, or an SPI in its mode I2S.

A microphone's stream is int16 samples for the first two, bits as bytes for the last.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from support.pdm import packed
from support.stm32_chip.device import Device, bits

if TYPE_CHECKING:
    from support.stm32_chip.chip import Chip

_RCC_L4, _RCC_F, _RCC_H7 = 0x40021000, 0x40023800, 0x58024400


class Reader(Device, ABC):
    """What reads the microphone.

    Attributes:
        half: values of the stream in half of the DMA's buffer.
        item_bytes: bytes of what the DMA moves at once.
        half_bytes: bytes of half of the DMA's buffer.
        data_register: where the DMA finds them.
        error_interrupt: name of the interrupt of an overrun, empty if there is none.
    """

    half = 256
    item_bytes = 4
    half_bytes = 1024
    data_register = 0
    error_interrupt = ""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip

    @abstractmethod
    def is_on(self) -> bool:
        """Return whether it runs."""

    @abstractmethod
    def stored(self, stream: np.ndarray) -> bytes:
        """Return what comes of a part of the microphone's stream."""

    @abstractmethod
    def check(self) -> None:
        """Check that it is set as the microphone needs it."""

    @abstractmethod
    def rate(self) -> Fraction:
        """Return the sample rate that the registers make, in Hz."""

    def overrun(self) -> None:
        """Lose an item, and tell the core."""
        raise NotImplementedError


class Dfsdm(Reader):
    """Filter 0 of the DFSDM of an L4 with a PDM microphone at a channel."""

    data_register = 0x4001611C

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        self.is_converting = False

    def before_write(self, address: int, value: int) -> None:
        """Start or stop."""
        if address == 0x40016100:
            if not value & 1:
                self.is_converting = False
            elif value >> 17 & 1 and self.chip.read(address) & 1:
                self.is_converting = True

    def is_on(self) -> bool:
        """Return whether it runs."""
        return self.is_converting

    def stored(self, stream: np.ndarray) -> bytes:
        """Return 18 bits of the filter in the upper 24 of a word, and the channel's number."""
        words = (stream.astype(np.int32) << (3 + 8)) | self.chip.wiring.channel
        return words.astype("<u4").tobytes()

    def check(self) -> None:
        """Check nothing that the rate does not show."""

    def rate(self) -> Fraction:
        """Return the sample rate in Hz."""
        common, filters = self.chip.read(0x40016000), self.chip.read(0x40016114)
        assert common >> 31 and common >> 30 & 1 and bits(filters, 31, 29) == 3
        divisor = (bits(common, 23, 16) + 1) * (bits(filters, 25, 16) + 1)
        return _audio_clock_l4(self.chip) / divisor


class Sai(Reader):
    """A block of an SAI with an I2S microphone, or with the WM8994 before it."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        block = chip.wiring.block
        self.at = self._block(block)
        # The block that makes the clocks: the other one for a codec.
        self.master = self._block("2A") if chip.codec else self.at
        self.data_register = self.at + 0x1C
        self.error_interrupt = f"SAI{block[0]}"

    def _block(self, name: str) -> int:
        return self.chip.family.sai + 0x400 * (int(name[0]) - 1) + (4 if name[1] == "A" else 0x24)

    def before_write(self, address: int, value: int) -> None:
        """Clear flags."""
        if address == self.at + 0x18:
            status = self.at + 0x14
            self.chip.write(status, self.chip.read(status) & ~value)

    def is_on(self) -> bool:
        """Return whether it runs and asks the DMA."""
        return bits(self.chip.read(self.at), 17, 16) == 3

    def stored(self, stream: np.ndarray) -> bytes:
        """Return words whose upper 16 bits, or lower ones behind the codec, are samples."""
        samples = stream.astype(np.int32)
        # The codec's timeslot 0, of which nobody knows what it holds, and 1; or 24 bits of the
        # microphone in the upper ones.
        words = (0x5A5A << 16) | samples & 0xFFFF if self.chip.codec else samples << 16 | 0x5A00
        return words.astype("<u4").tobytes()

    def overrun(self) -> None:
        """Lose a sample; it goes on."""
        status = self.at + 0x14
        assert self.chip.read(status - 4) & 1, "its interrupt is masked"
        self.chip.write(status, self.chip.read(status) | 1)
        self.chip.interrupt(self.error_interrupt)
        assert not self.chip.read(status) & 1

    def check(self) -> None:
        """Check the blocks that are in use, and the codec."""
        for block in {self.at, self.master}:
            self._check_block(block)
        master = self.chip.read(self.master)
        assert bits(master, 1, 0) == 1 and bits(master, 11, 10) == 0 and master >> 16 & 1
        if self.chip.codec:
            control = self.chip.read(self.at)
            assert bits(control, 1, 0) == 3 and bits(control, 11, 10) == 1  # slave of the other
            self.chip.codec.check()

    def _check_block(self, block: int) -> None:
        control, _, frame, slots = (self.chip.read(block + 4 * i) for i in range(4))
        assert bits(control, 3, 2) == 0  # free protocol
        assert bits(control, 7, 5) == 7 and not control >> 8 & 1  # 32 bits, the highest first
        assert control >> 9 & 1  # sampled while the clock rises
        assert not control >> 19 & 1  # the divider is in use
        assert bits(frame, 7, 0) == 63 and bits(frame, 14, 8) == 31
        assert bits(frame, 18, 16) == 0b101  # I2S: low for the left slot, a clock before it
        assert bits(slots, 31, 16) == 1 and bits(slots, 11, 8) == 1 and bits(slots, 7, 6) == 2

    def rate(self) -> Fraction:
        """Return the sample rate in Hz."""
        control, family = self.chip.read(self.master), self.chip.wiring.family
        divider = bits(control, 25, 20) if family == "h7" else 2 * bits(control, 23, 20)
        clock = {"l4": _audio_clock_l4, "f7": _audio_clock_f7, "h7": _audio_clock_h7}[family]
        return clock(self.chip) / 256 / max(divider, 1)


class I2s(Reader):
    """An SPI in its mode I2S, whose clock and data lines have a PDM microphone: all bits count."""

    half = 8 * 2048
    item_bytes = 2
    half_bytes = 2048

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        assert chip.wiring.spi is not None
        self.error_interrupt, self.at = chip.wiring.spi
        self.data_register = self.at + 0x0C
        self.is_data_read = False

    def before_read(self, address: int) -> None:
        """Clear the overrun's flag where the data and then the status are read."""
        if address == self.data_register:
            self.is_data_read = True
        elif address == self.at + 8 and self.is_data_read:
            self.is_data_read = False
            self._set_overrun(0)

    def _set_overrun(self, flag: int) -> None:
        self.chip.write(self.at + 8, self.chip.read(self.at + 8) & ~0x40 | flag << 6)

    def is_on(self) -> bool:
        """Return whether it runs and asks the DMA."""
        is_enabled = self.chip.read(self.at + 0x1C) >> 10 & 1
        return bool(is_enabled and self.chip.read(self.at + 4) & 1)

    def stored(self, stream: np.ndarray) -> bytes:
        """Return words of 16 bits, the first bit the highest."""
        return packed(stream, 2).tobytes()

    def overrun(self) -> None:
        """Lose a word, and receive no more until that has been seen."""
        assert self.chip.read(self.at + 4) >> 5 & 1, "its interrupt is masked"
        self.is_data_read = False
        self._set_overrun(1)
        self.chip.interrupt(self.error_interrupt)
        assert not self.chip.read(self.at + 8) & 0x40

    def check(self) -> None:
        """Check that it is master and receives words of 16 bits without a gap."""
        control = self.chip.read(self.at + 0x1C)
        assert control >> 11 & 1 and bits(control, 9, 8) == 3  # I2S, master that receives
        assert bits(control, 2, 0) == 0 and bits(control, 5, 4) != 3  # 16 of 16 bits, no PCM
        assert control >> 3 & 1  # as ST's BSP has it: the clock rests high

    def rate(self) -> Fraction:
        """Return the sample rate in Hz, with 64 bits for each sample."""
        chip = self.chip
        main, config, pll = (chip.read(_RCC_F + at) for at in (4, 8, 0x84))
        assert main >> 22 & 1 and not config >> 23 & 1  # HSE, PLLI2S
        source = Fraction(chip.wiring.oscillator_hz, bits(main, 5, 0))
        assert 1e6 <= source <= 2e6
        vco = source * bits(pll, 14, 6)
        assert 192e6 <= vco <= 432e6 and 2 <= bits(pll, 30, 28) <= 7
        prescaler = chip.read(self.at + 0x20)
        assert not prescaler >> 9 & 1 and bits(prescaler, 7, 0) >= 2  # no master clock
        divisor = 2 * bits(prescaler, 7, 0) + (prescaler >> 8 & 1)
        return vco / bits(pll, 30, 28) / divisor / 64


def microphone(chip: Chip) -> Reader:
    """Return what reads the board's microphone."""
    if chip.wiring.spi:
        return I2s(chip)
    return Sai(chip) if chip.wiring.channel is None else Dfsdm(chip)


def _audio_clock_l4(chip: Chip) -> Fraction:
    main, pll, select = (chip.read(_RCC_L4 + at) for at in (0xC, 0x10, 0x88))
    assert main & 3 == 1 and bits(main, 6, 4) == 0 and bits(select, 23, 22) == 0
    assert bits(chip.read(_RCC_L4), 7, 4) == 6 and pll >> 16 & 1
    vco = Fraction(4_000_000 * bits(pll, 14, 8))
    assert 64e6 <= vco <= 344e6
    return vco / (bits(pll, 31, 27) or (17 if pll >> 17 & 1 else 7))


def _audio_clock_f7(chip: Chip) -> Fraction:
    main, pll, select = (chip.read(_RCC_F + at) for at in (4, 0x84, 0x8C))
    select_at = 20 if chip.wiring.block[0] == "1" else 22
    assert main >> 22 & 1 and bits(select, select_at + 1, select_at) == 1
    vco = Fraction(chip.wiring.oscillator_hz * bits(pll, 14, 6), bits(main, 5, 0))
    assert 100e6 <= vco <= 432e6
    return vco / bits(pll, 27, 24) / (bits(select, 4, 0) + 1)


def _audio_clock_h7(chip: Chip) -> Fraction:
    source, config, pll, select = (chip.read(_RCC_H7 + at) for at in (0x28, 0x2C, 0x38, 0x50))
    assert source & 3 == 2 and config >> 19 & 1 and bits(select, 2, 0) == 1
    vco = Fraction(chip.wiring.oscillator_hz, bits(source, 17, 12)) * (bits(pll, 8, 0) + 1)
    assert 192e6 <= vco <= 836e6 and bits(config, 7, 6) == 1 and not config >> 5 & 1
    return vco / (bits(pll, 15, 9) + 1)
