"""Microphones of boards: what they are, and the sample rates they can give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from asc_tiny.resample.design import same_rate
from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError


@dataclass(frozen=True, kw_only=True)
class Microphone:
    """A board's microphone and what reads it.

    Attributes:
        kind: ``pdm`` (a bit stream) or ``i2s`` (samples).
        part: the component.
        external: whether the user connects it; the rates then hold for ``part``.
        bits: bits of a sample as the driver gives it, 8 to 32; the firmware takes the upper 16.
        rates: sample rates in Hz that it can give, in rising order.
        needs_decimator: whether its bits reach memory as they are, and the firmware makes samples
            of them (``asc_pdm.c``).
        continuous: whether it can give any rate between the first and the last of ``rates`` too.
        source: where the figures come from.
    """

    kind: str = fields.line()
    part: str = fields.line()
    external: bool = False
    bits: int = fields.between(8, 32, default=16)
    rates: tuple[Fraction, ...]
    continuous: bool = False
    needs_decimator: bool = False
    source: str = fields.line()

    def rate_for(self, wanted: int) -> Fraction | None:
        """Return the rate that equals ``wanted`` Hz within the clock tolerance, None without."""
        if self.continuous and self.rates[0] <= wanted <= self.rates[-1]:
            return Fraction(wanted)
        return next((rate for rate in self.rates if same_rate(rate, wanted)), None)

    def nearest_rate(self, wanted: int) -> Fraction:
        """Return the lowest rate that loses nothing of ``wanted`` Hz, else the highest."""
        enough = [rate for rate in self.rates if rate >= wanted]
        return self.rate_for(wanted) or min(enough, default=self.rates[-1])

    @property
    def rates_text(self) -> str:
        """The rates for people, in whole Hz."""
        texts = [f"{round(rate)}" for rate in self.rates]
        if self.continuous:
            return f"any rate from {texts[0]} to {texts[-1]} Hz"
        return f"{' or '.join([', '.join(texts[:-1]), texts[-1]])} Hz"


def _nrf_rates() -> tuple[Fraction, ...]:
    """Return the PDM peripheral's rates: 32 MHz by each specified divider and by 64 or 80."""
    dividers = (32, 31, 30, 26, 25, 24)
    return tuple(sorted({Fraction(32_000_000, d * by) for d in dividers for by in (64, 80)}))


NANO_33_BLE_SENSE = Microphone(
    kind="pdm",
    part="MP34DT05",
    # 32 MHz / 25 / 80 and 32 MHz / 12 / 64.
    rates=(Fraction(16000), Fraction(125_000, 3)),
    source=(
        "PDM library of Arduino's core for Mbed OS: PDM.begin takes 16000 and 41667 only, from "
        "clocks of 1.28 and 2.667 MHz. The latter is not in the nRF52840's product specification"
    ),
)

NANO_33_BLE_SENSE_REV2 = replace(NANO_33_BLE_SENSE, part="MP34DT06JTR")

NRF_PDM = Microphone(
    kind="pdm",
    part="any PDM microphone, such as MP34DT05",
    external=True,
    rates=_nrf_rates(),
    source=(
        "nRF52840 and nRF5340 product specifications, PDM: clocks of 1.000, 1.032, 1.067, 1.231, "
        "1.280 and 1.333 MHz, decimation by 64 or 80. The microphone's own limits narrow them: "
        "MP34DT05 needs a clock of 1.2 MHz or more"
    ),
)

STM32L4_DFSDM = Microphone(
    kind="pdm",
    part="two MP34DT01",
    bits=24,
    rates=tuple(map(Fraction, (8000, 11025, 16000, 22050, 32000, 44100, 48000))),
    source=(
        "UM2153 and UM2160 (boards), MP34DT01-M (clock of 1 to 3.25 MHz), RM0351 (DFSDM: rate = "
        "clock / divider / oversampling); the rates are those of ST's audio drivers for DFSDM"
    ),
)

I2S_INMP441 = Microphone(
    kind="i2s",
    part="I2S microphone such as INMP441",
    external=True,
    bits=24,
    rates=(Fraction(7800), Fraction(50000)),
    continuous=True,
    source="INMP441 data sheet, DS-INMP441-00 1.1, table 3: word select of 7.8 to 50 kHz",
)

PIO_PDM = Microphone(
    kind="pdm",
    part="PDM microphone such as MP34DT05",
    external=True,
    rates=(Fraction(8000), Fraction(50000)),
    continuous=True,
    needs_decimator=True,
    source=(
        "MP34DT05-A data sheet (clock of 1.2 to 3.25 MHz); the chip's program and "
        "asc_pdm.c make samples: 64 to 384 bits each"
    ),
)

STM32F4_PDM = Microphone(
    kind="pdm",
    part="MP45DT02, on later boards IMP34DT05",
    rates=(Fraction(8000), Fraction(50000)),
    continuous=True,
    needs_decimator=True,
    source=(
        "UM1472 (board), MP45DT02 and IMP34DT05 data sheets (clocks of 1 and 1.2 to 3.25 MHz); "
        "the chip's I2S stores the bits, of which asc_pdm.c makes samples: 64 to 384 bits each"
    ),
)

STM32F7_CODEC = Microphone(
    kind="i2s",
    part="two MP34DT01 behind a WM8994 codec",
    rates=tuple(map(Fraction, (8000, 11025, 16000, 22050, 32000, 44100, 48000))),
    source="UM1907 (board), WM8994 data sheet (sample rates of its converters)",
)

MICROPHONES = {
    "i2s_inmp441": I2S_INMP441,
    "nano_33_ble_sense": NANO_33_BLE_SENSE,
    "nano_33_ble_sense_rev2": NANO_33_BLE_SENSE_REV2,
    "nrf_pdm": NRF_PDM,
    "pio_pdm": PIO_PDM,
    "stm32f4_pdm": STM32F4_PDM,
    "stm32f7_wm8994": STM32F7_CODEC,
    "stm32l4_dfsdm": STM32L4_DFSDM,
}
"""As boards' files name them."""


def from_dict(values: Mapping[str, Any]) -> Microphone:
    """Return what the table of a board's file describes; rates are numbers or texts such as "8/3".

    Raises:
        AscError: a key is unknown or missing, or a value is not allowed.
    """
    arguments = fields.checked(Microphone, values, prefix="microphone.", special={"rates": _rates})
    return Microphone(**arguments)


_HIGHEST_RATE = 1_000_000


def _rates(value: Any) -> tuple[Fraction, ...]:
    if not isinstance(value, list) or not value:
        raise AscError("microphone.rates: at least one above 0 is needed")
    return tuple(sorted(_rate(each) for each in value))


def _rate(value: Any) -> Fraction:
    text = str(value) if type(value) in (int, float, str) else ""
    # No exponents: Fraction would write out a number such as 1e999999999.
    match = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,9}))?(?:/(\d{1,9}))?", text)
    if match and int(match[3] or 1):
        rate = Fraction(f"{match[1]}.{match[2] or 0}") / int(match[3] or 1)
        if 0 < rate <= _HIGHEST_RATE:
            return rate
    allowed = f'numbers above 0 up to {_HIGHEST_RATE}, or texts such as "125000/3"'
    raise AscError(f"microphone.rates: {shown(value)}, allowed: {allowed}")
