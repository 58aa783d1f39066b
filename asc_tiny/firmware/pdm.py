"""Emits the tables of a PDM microphone's decimator as C; ``runtime/pdm`` has its code."""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import render_files
from asc_tiny.pdm.design import (
    COEFFICIENT_BITS,
    CORRECTION_BITS,
    FIRST_COEFFICIENTS,
    SECOND_COEFFICIENTS,
    SPLIT_BITS,
    Decimator,
)
from asc_tiny.pdm.fixed import RESULT_SHIFT
from asc_tiny.util.errors import AscError

WORDS = (0, 1, 2, 4)
"""What ``msb_first`` may be."""

_PLACES = (0, 4, 10, 17)
"""Lowest bit of each integrator's share in a word of the table."""


def generate(decimator: Decimator, banner: str, *, msb_first: int = 0) -> dict[str, str]:
    """Return the decimator's generated files, file name to text, with the prefix ``asc``.

    Args:
        decimator: decimator of the microphone.
        banner: the line that says which tool made the file from which model.
        msb_first: how bits lie in the memory of a little-endian core: 0 if the lowest bit of each
            byte is the first in time, as what shifts right writes words of any size; else the
            bytes of a word (1, 2 or 4) whose highest bit is the first, as SPI and I2S do.

    Raises:
        AscError: ``msb_first`` is another number.
    """
    if msb_first not in WORDS:
        raise AscError(f"PDM decimator: words of {msb_first} bytes, allowed: 0, 1, 2, 4")
    values = {
        "banner": banner,
        "bytes": _byte_table(is_msb_first=msb_first > 0),
        "coefficient_bits": COEFFICIENT_BITS,
        "correction_bits": CORRECTION_BITS,
        "decimator": decimator,
        "first": FIRST_COEFFICIENTS,
        "lines": value_lines,
        "msb_first": msb_first,
        "result_shift": RESULT_SHIFT,
        "second": SECOND_COEFFICIENTS,
        "silence": "0xAA" if msb_first else "0x55",
        "split_bits": SPLIT_BITS,
        "swap": max(msb_first - 1, 0),
    }
    return render_files(values, "pdm/asc_pdm_tables.h", "pdm/asc_pdm_tables.c")


def _byte_table(*, is_msb_first: bool) -> NDArray[np.uint32]:
    """Return what each byte adds to the integrators, shape (256,), four fields in a word.

    A bit that is followed by n others is added n + 1 times to the second integrator, and so on:
    binomial coefficients.
    """
    table = np.zeros(256, np.uint32)
    for byte in range(256):
        for place in range(8):
            if byte >> (7 - place if is_msb_first else place) & 1:
                for order, lowest in enumerate(_PLACES):
                    table[byte] += comb(7 - place + order, order) << lowest
    return table
