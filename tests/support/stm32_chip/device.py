"""A part of a chip, and the fields of registers."""

from __future__ import annotations


def bits(value: int, highest: int, lowest: int) -> int:
    """Return a field of a register."""
    return value >> lowest & (1 << highest - lowest + 1) - 1


class Device:
    """A part of the chip that moves registers."""

    def before_read(self, address: int) -> None:
        """Set a register of the device before the core reads it."""

    def before_write(self, address: int, value: int) -> None:
        """Take what the core writes to any address before it is there."""
