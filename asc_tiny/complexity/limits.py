"""Limits on a total: parsing such as ``128K`` and comparing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from asc_tiny.complexity.report import Total
from asc_tiny.errors import AscError

CHALLENGE_PARAMS = 128_000
CHALLENGE_MACS = 30_000_000
"""DCASE task 1, low-complexity acoustic scene classification, 2022 and 2023."""

_DECIMAL = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_BINARY = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest allowed figures of a total; None for no limit."""

    max_params: int | None = CHALLENGE_PARAMS
    max_macs: int | None = CHALLENGE_MACS
    max_ram: int | None = None
    max_flash: int | None = None

    def exceeded(self, total: Total) -> list[str]:
        """Return one line per limit that ``total`` is over."""
        figures = (
            ("parameters", total.params, self.max_params, "--max-params"),
            ("MACs", total.macs, self.max_macs, "--max-macs"),
            ("peak activation bytes", total.peak_activation_bytes, self.max_ram, "--max-ram"),
            ("weight bytes", total.weight_bytes, self.max_flash, "--max-flash"),
        )
        return [
            f"{value:,} {name}, {value - limit:,} over {option} {limit:,}"
            for name, value, limit, option in figures
            if limit is not None and value > limit
        ]

    def to_json(self) -> dict[str, int | None]:
        """Return the limits under their JSON keys."""
        return dataclasses.asdict(self)


def parse_count(text: str, *, option: str) -> int:
    """Parse a count with a decimal suffix: ``30M`` is 30,000,000.

    Raises:
        AscError: not a whole number of at least 0.
    """
    return _parse(text, _DECIMAL, option, "K, M or G (1000, 1000^2, 1000^3)")


def parse_bytes(text: str, *, option: str) -> int:
    """Parse a size in bytes with a binary suffix: ``64K`` and ``64KiB`` are 65,536.

    Raises:
        AscError: not a whole number of at least 0.
    """
    return _parse(
        re.sub(r"(?<=[KkMmGg])(i?B)$", "", text), _BINARY, option, "K, M or G (1024, ...)"
    )


def _parse(text: str, factors: Mapping[str, int], option: str, suffixes: str) -> int:
    match = re.fullmatch(
        r"(\d+)(\.\d+)?([KkMmGg]?)", text.strip().replace(",", "").replace("_", "")
    )
    if match:
        factor = factors[match[3].upper()]
        fraction = match[2] or ".0"
        scaled = factor * int(fraction[1:])
        unit = int(10 ** (len(fraction) - 1))
        if scaled % unit == 0:
            return int(match[1]) * factor + scaled // unit
    raise AscError(f"{option} {text}: must be a whole number, may end in {suffixes}")
