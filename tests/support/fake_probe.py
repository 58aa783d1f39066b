"""A debug probe with an nRF52840 behind it, at the lowest level that pyOCD offers.

pyOCD itself is real, down to the registers of debug and access ports (Arm IHI 0031) and of the
core's debug unit (Arm DDI 0403, C1). The chip has memory, a halted core, and the flash algorithm's
functions by what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyocd.core import exceptions
from pyocd.probe.debug_probe import DebugProbe
from pyocd.target.builtin.target_nRF52840_xxAA import FLASH_ALGO

AHB_AP, CTRL_AP = 0, 1
CSW, TAR, DRW, CFG, BASE, IDR = 0x00, 0x04, 0x0C, 0xF4, 0xF8, 0xFC
CTRL_AP_APPROTECTSTATUS = 0x0C
ROM_TABLE, SCS = 0xE00FF000, 0xE000E000
DHCSR, DCRSR, DCRDR, DEMCR, AIRCR = 0xE000EDF0, 0xE000EDF4, 0xE000EDF8, 0xE000EDFC, 0xE000ED0C
PC, LR = 15, 14
FLASH_SIZE, PAGE = 0x100000, 0x1000


class Chip:
    """Memory, debug registers and flash algorithm.

    Args:
        locked: whether access port protection is on: the core's port does not answer.
    """

    def __init__(self, *, locked: bool = False) -> None:
        self.locked = locked
        self.flash = bytearray(b"\xff" * FLASH_SIZE)
        self.programmed_pages = 0
        self.wears_out_at: int | None = None
        self._ram = bytearray(0x40000)
        self._registers = [0] * 128
        self._halted = False
        self._was_reset = False
        self._words = {
            0x10000100: 0x52840,
            0x10000104: 0x41414430,
            0xE000ED00: 0x410FC241,
            ROM_TABLE: (SCS - ROM_TABLE) & 0xFFFFFFFF | 3,
            **_component(ROM_TABLE, 0x1, 0x4C4),
            **_component(SCS, 0xE, 0x00C),
        }

    def read8(self, address: int) -> int:
        if address < FLASH_SIZE:
            return self.flash[address]
        if 0x20000000 <= address < 0x20040000:
            return self._ram[address - 0x20000000]
        return self._read_word(address & ~3) >> (8 * (address & 3)) & 0xFF

    def write8(self, address: int, value: int) -> None:
        if 0x20000000 <= address < 0x20040000:
            self._ram[address - 0x20000000] = value

    def read(self, address: int, size: int) -> int:
        if address >= 0x40000000 and size == 4:
            return self._read_word(address)
        if address + size <= FLASH_SIZE:
            return int.from_bytes(self.flash[address : address + size], "little")
        return sum(self.read8(address + i) << (8 * i) for i in range(size))

    def write(self, address: int, size: int, value: int) -> None:
        if address >= 0x40000000 and size == 4:
            self._write_word(address, value)
            return
        for i in range(size):
            self.write8(address + i, value >> (8 * i) & 0xFF)

    def _read_word(self, address: int) -> int:
        if address == DHCSR:
            value = 0x00010000 | (0x00020000 if self._halted else 0)
            value |= 0x02000000 if self._was_reset else 0
            self._was_reset = False
            return value | self._words.get(DHCSR, 0)
        return self._words.get(address, 0)

    def _write_word(self, address: int, value: int) -> None:
        self._words[address] = value
        if address == DHCSR:
            self._words[DHCSR] = value & 0xF
            self._halted = bool(value & 2) or bool(value & 4)
            if value & 1 and not value & 2:
                self._run()
        elif address == DCRSR:
            number = value & 0x7F
            if value & 0x10000:
                self._registers[number] = self._words.get(DCRDR, 0)
            else:
                self._words[DCRDR] = self._registers[number]
        elif address == AIRCR and value & 4:
            self._was_reset = True
            self._halted = bool(self._words.get(DEMCR, 0) & 1)

    def _run(self) -> None:
        """Do what the function of the flash algorithm does at which the core is started."""
        functions: dict[int, Callable[[], int]] = {
            FLASH_ALGO["pc_init"]: lambda: 0,
            FLASH_ALGO["pc_eraseAll"]: lambda: self._erase(0, FLASH_SIZE),
            FLASH_ALGO["pc_erase_sector"]: lambda: self._erase(self._registers[0], PAGE),
            FLASH_ALGO["pc_program_page"]: self._program,
        }
        function = functions.get(self._registers[PC] | 1)
        if function is None:
            return
        self._registers[0] = function()
        self._registers[PC] = self._registers[LR]
        self._halted = True

    def _erase(self, start: int, size: int) -> int:
        self.flash[start : start + size] = b"\xff" * size
        return 0

    def _program(self) -> int:
        start, size, buffer = self._registers[:3]
        offset = buffer - 0x20000000
        for i, byte in enumerate(self._ram[offset : offset + size]):
            # Flash bits can only be cleared.
            self.flash[start + i] &= byte
        self.programmed_pages += 1
        if self.programmed_pages == self.wears_out_at:
            self.flash[start] ^= 0x01
        return 0


def _component(base: int, component_class: int, part: int) -> dict[int, int]:
    """Identification registers of a CoreSight component made by Arm (IHI 0029, B2)."""
    identity = {0xFD0: 4, 0xFE0: part & 0xFF, 0xFE4: 0xB0 | part >> 8, 0xFE8: 0x0B, 0xFEC: 0}
    identity |= {0xFF0: 0x0D, 0xFF4: component_class << 4, 0xFF8: 0x05, 0xFFC: 0xB1}
    return {base + offset: value for offset, value in identity.items()}


class FakeProbe(DebugProbe):
    """A probe; ``unplugged_at`` is the number of the transfer at which it is pulled out."""

    def __init__(self, unique_id: str, chip: Chip, *, unplugged_at: int | None = None) -> None:
        super().__init__()
        self._unique_id = unique_id
        self._chip = chip
        self._unplugged_at = unplugged_at
        self._transfers = 0
        self._open = False
        self._reset_asserted = False
        self._protocol: DebugProbe.Protocol | None = None
        self._registers = {CSW: 0x23000042, TAR: 0}
        self._power = 0

    vendor_name = property(lambda self: "Fake")
    product_name = property(lambda self: "CMSIS-DAP")
    supported_wire_protocols = property(
        lambda self: [DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD]
    )
    unique_id = property(lambda self: self._unique_id)
    wire_protocol = property(lambda self: self._protocol)
    is_open = property(lambda self: self._open)
    capabilities = property(
        lambda self: {
            DebugProbe.Capability.MANAGED_AP_SELECTION,
            DebugProbe.Capability.MANAGED_DPBANKSEL,
            DebugProbe.Capability.BANKED_DP_REGISTERS,
        }
    )

    def open(self) -> None:
        self._open = True

    def close(self) -> None:
        self._open = False

    def connect(self, protocol: Any = None) -> None:
        self._protocol = DebugProbe.Protocol.SWD

    def disconnect(self) -> None:
        self._protocol = None

    def set_clock(self, frequency: float) -> None:
        pass

    def reset(self) -> None:
        self._chip.write(AIRCR, 4, 4)

    def assert_reset(self, asserted: bool) -> None:
        if self._reset_asserted and not asserted:
            self.reset()
        self._reset_asserted = asserted

    def is_reset_asserted(self) -> bool:
        return self._reset_asserted

    def _count(self) -> None:
        self._transfers += 1
        if self._unplugged_at is not None and self._transfers >= self._unplugged_at:
            raise exceptions.ProbeDisconnected("the USB device is gone")

    def read_dp(self, addr: int, now: bool = True) -> Any:
        self._count()
        # Identification of an SW-DP of version 1; power is acknowledged as it is requested.
        power = self._power | self._power << 1
        value = {0x0: 0x2BA01477, 0x4: power}.get(addr & 0xF, 0)
        return value if now else lambda: value

    def write_dp(self, addr: int, data: int) -> None:
        self._count()
        if addr & 0xF == 0x4:
            self._power = data & 0x50000000

    def read_ap(self, addr: int, now: bool = True) -> Any:
        self._count()
        value = self._read_ap(addr >> 24, addr & 0xFC)
        return value if now else lambda: value

    def _read_ap(self, port: int, register: int) -> int:
        if port == CTRL_AP:
            protected = {CTRL_AP_APPROTECTSTATUS: 0 if self._chip.locked else 1, IDR: 0x12880000}
            return protected.get(register, 0)
        if port != AHB_AP:
            return 0
        if register == DRW:
            if self._chip.locked:
                raise exceptions.TransferFaultError()
            address, size = self._next()
            return self._chip.read(address, size) << (8 * (address & 3))
        if register == CSW:
            # The port says whether it may reach the core's memory.
            return self._registers[CSW] & ~0x40 | (0 if self._chip.locked else 0x40)
        fixed = {IDR: 0x24770011, BASE: ROM_TABLE | 3, CFG: 0}
        return fixed.get(register, self._registers.get(register, 0))

    def write_ap(self, addr: int, data: int) -> None:
        self._count()
        port, register = addr >> 24, addr & 0xFC
        if port != AHB_AP:
            return
        if register == DRW:
            if self._chip.locked:
                raise exceptions.TransferFaultError()
            address, size = self._next()
            value = data >> (8 * (address & 3)) & ((1 << (8 * size)) - 1)
            self._chip.write(address, size, value)
        else:
            self._registers[register] = data

    def _next(self) -> tuple[int, int]:
        """Return the address and size of an access, and go on to the next address."""
        address, size = self._registers[TAR], 1 << (self._registers[CSW] & 7)
        if self._registers[CSW] & 0x30:
            self._registers[TAR] = address + size
        return address, size

    def read_ap_multiple(self, addr: int, count: int = 1, now: bool = True) -> Any:
        values = [self.read_ap(addr) for _ in range(count)]
        return values if now else lambda: values

    def write_ap_multiple(self, addr: int, values: Sequence[int]) -> None:
        for value in values:
            self.write_ap(addr, value)
