"""Functions of the ESP32-C3's ROM, by what its headers in ESP-IDF say of them.

The image has their addresses from the chip's linker scripts; the ROM's code can be had nowhere.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Generator

from support.esp32c3.core import CLOCK_HZ, Core

_ROM, _END = 0x40000000, 0x40060000
_BACK = 0x4005FFF0
"""Where functions return to that the ROM has called."""

_INTERRUPTS, _GPIO = 0x600C2000, 0x60004000
_TYPES, _ENABLES, _PRIORITIES, _THRESHOLD = 0x108, 0x104, 0x114, 0x194
_INPUTS, _OUTPUTS = 0x154, 0x554

_POWER_ON = 1
_READY = 1

_WRITE_PROTECT = 13
"""The flash's pin of that name."""

_DO_NOTHING = [
    "Cache_Enable_ICache",
    "Cache_Set_IDROM_MMU_Size",
    "esp_rom_regi2c_write_mask",
    "rom_i2c_writeReg",
    "esp_rom_output_tx_wait_idle",
    "esp_rom_efuse_get_flash_gpio_info",
    "esp_rom_newlib_init_common_mutexes",
    "ets_apb_backup_init_lock_func",
]


def _float(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def _bits(value: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", value))[0])


_Sorting = Generator[tuple[bytes, bytes], int | None, list[bytes]]


def _by_insertion(items: list[bytes]) -> _Sorting:
    """Sort items; yield each two that are to be compared, and take a 32-bit integer's bits."""
    done: list[bytes] = []
    for item in items:
        at = len(done)
        while at:
            compared = (yield done[at - 1], item) or 0
            if not 0 < compared < 1 << 31:
                break
            at -= 1
        done.insert(at, item)
    return done


class Rom:
    """The ROM.

    Args:
        core: the core, with an image in its memory.
        store: writes a register of the chip, given its address and value.
        load: reads one, given its address.
        put: sends a byte by the serial port.
    """

    def __init__(
        self,
        core: Core,
        store: Callable[[int, int], None],
        load: Callable[[int], int],
        put: Callable[[int], None],
    ) -> None:
        self._core, self._store, self._load, self._put = core, store, load, put
        self._ticks = CLOCK_HZ // 1_000_000
        functions = {
            name.removeprefix("_do_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }
        functions |= dict.fromkeys(_DO_NOTHING, self._nothing)
        self._sorting: _Sorting | None = None
        self._sorted_at = (0, 0, 0, 0)
        by_address: dict[int, Callable[..., int | None]] = {}
        names: dict[int, str] = {}
        for name, address in core.addresses.items():
            if _ROM <= address < _END:
                names.setdefault(address, name)
                if name in functions:
                    by_address[address] = functions[name]

        def answer(*_: object) -> None:
            at = core.get("PC")
            if at == _BACK:
                self._sort(core.get("A0"))
            elif at in by_address:
                value = by_address[at](*(core.get(f"A{index}") for index in range(8)))
                if value is not None:
                    core.leave(value)
            else:
                core.fail(f"no {names.get(at, hex(at))}")

        core.hook(_ROM, answer, _END - 1)

    def _nothing(self, *_: int) -> int:
        return 0

    # Memory and texts.

    def _do_memset(self, target: int, value: int, count: int, *_: int) -> int:
        if count:
            self._core.uc.mem_write(target, bytes([value & 0xFF]) * count)
        return target

    def _do_memchr(self, start: int, value: int, count: int, *_: int) -> int:
        found = bytes(self._core.uc.mem_read(start, count)).find(value & 0xFF)
        return start + found if found >= 0 else 0

    def _do_strlen(self, text: int, *_: int) -> int:
        return len(self._core.text(text))

    def _do_esp_rom_printf(self, form: int, *values: int) -> int:
        left = iter(values)

        def one(found: re.Match[str]) -> str:
            value = next(left)
            if found[1] == "s":
                return self._core.text(value).decode(errors="replace")
            return f"{value:x}" if found[1] in "xXp" else str(value)

        text = self._core.text(form).decode(errors="replace")
        for byte in re.sub(r"%[0-9.#-]*l*([sduxXpic])", one, text).encode():
            self._put(byte)
        return 0

    def _do_esp_rom_output_tx_one_char(self, byte: int, *_: int) -> int:
        self._put(byte)
        return 0

    def _do_qsort(self, base: int, count: int, size: int, compare: int, *_: int) -> None:
        memory = self._core.uc
        items = [bytes(memory.mem_read(base + size * index, size)) for index in range(count)]
        self._sorting = _by_insertion(items)
        self._sorted_at = (base, size, compare, self._core.get("RA"))
        self._sort(None)

    def _sort(self, compared: int | None) -> None:
        """Go on sorting, given what the image's function has said of the last two."""
        base, size, compare, back = self._sorted_at
        assert self._sorting is not None
        try:
            one, other = self._sorting.send(compared)
        except StopIteration as end:
            self._core.uc.mem_write(base, b"".join(end.value))
            self._core.set("PC", back)
            return
        # The two are compared in the place of the first two.
        self._core.uc.mem_write(base, one + other)
        for name, value in (("A0", base), ("A1", base + size), ("RA", _BACK), ("PC", compare)):
            self._core.set(name, value)

    # Arithmetic: integers of 32 and 64 bits, floats.

    def _do___udivdi3(self, low: int, high: int, by: int, by_high: int, *_: int) -> int:
        return (low | high << 32) // (by | by_high << 32)

    def _do___clzsi2(self, value: int, *_: int) -> int:
        return 32 - value.bit_length()

    def _do___ffssi2(self, value: int, *_: int) -> int:
        return (value & -value).bit_length()

    def _do___floatunsisf(self, value: int, *_: int) -> int:
        return _bits(value)

    def _do___mulsf3(self, one: int, other: int, *_: int) -> int:
        return _bits(_float(one) * _float(other))

    def _do___gtsf2(self, one: int, other: int, *_: int) -> int:
        return int(_float(one) > _float(other)) or -1

    # The chip.

    def _do_rtc_get_reset_reason(self, *_: int) -> int:
        return _POWER_ON

    def _do_esp_rom_regi2c_read_mask(self, *_: int) -> int:
        return _READY

    def _do_esp_rom_efuse_get_flash_wp_gpio(self, *_: int) -> int:
        return _WRITE_PROTECT

    def _do_ets_get_cpu_frequency(self, *_: int) -> int:
        return self._ticks

    def _do_ets_update_cpu_frequency(self, ticks: int, *_: int) -> int:
        self._ticks = ticks
        return 0

    def _do_ets_delay_us(self, microseconds: int, *_: int) -> int:
        self._core.now += microseconds * CLOCK_HZ // 1_000_000
        return 0

    def _do_intr_matrix_set(self, core: int, source: int, line: int, *_: int) -> int:
        self._store(_INTERRUPTS + 4 * source, line)
        return 0

    def _do_esprv_int_enable(self, mask: int, *_: int) -> int:
        self._store(_INTERRUPTS + _ENABLES, self._load(_INTERRUPTS + _ENABLES) | mask)
        return 0

    def _do_esprv_int_disable(self, mask: int, *_: int) -> int:
        self._store(_INTERRUPTS + _ENABLES, self._load(_INTERRUPTS + _ENABLES) & ~mask)
        return 0

    def _do_esprv_int_set_type(self, line: int, is_edge: int, *_: int) -> int:
        types = self._load(_INTERRUPTS + _TYPES) & ~(1 << line)
        self._store(_INTERRUPTS + _TYPES, types | is_edge << line)
        return 0

    def _do_esprv_intc_int_set_priority(self, line: int, priority: int, *_: int) -> int:
        self._store(_INTERRUPTS + _PRIORITIES + 4 * line, priority)
        return 0

    def _do_esprv_intc_int_set_threshold(self, priority: int, *_: int) -> int:
        self._store(_INTERRUPTS + _THRESHOLD, priority)
        return 0

    def _do_gpio_matrix_in(self, pin: int, signal: int, inverts: int, *_: int) -> int:
        self._store(_GPIO + _INPUTS + 4 * signal, pin | inverts << 5 | 1 << 6)
        return 0

    def _do_gpio_matrix_out(self, pin: int, signal: int, inverts: int, *_: int) -> int:
        self._store(_GPIO + _OUTPUTS + 4 * pin, signal | inverts << 8)
        return 0
