"""Limits on figures: which there are, parsing such as ``128K``, and comparing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asc_tiny.complexity.report import Total, figures
from asc_tiny.util.console_text import cut
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from fractions import Fraction

CHALLENGE_PARAMS = 128_000
CHALLENGE_MACS = 30_000_000
"""DCASE task 1, low-complexity acoustic scene classification, 2022 and 2023."""

NO_LIMIT = "none"

_FACTORS: Mapping[str, int] = {
    "": 1,
    **{prefix: 1000**power for power, prefix in enumerate("KMG", start=1)},
    **{f"{prefix}I": 1024**power for power, prefix in enumerate("KMG", start=1)},
}


def parse_count(text: str, *, option: str) -> int:
    """Parse a count: K, M and G stand for 1000, 1000^2, 1000^3, Ki, Mi and Gi for 1024, ...

    Raises:
        AscError: not a whole number of at least 0.
    """
    return _checked(text, text, option)


def parse_bytes(text: str, *, option: str) -> int:
    """Parse a size in bytes: as ``parse_count``, and B may follow: ``64K``, ``64 kB``, ``64KiB``.

    Raises:
        AscError: not a whole number of at least 0.
    """
    number = re.sub(r"(?<=[0-9KMGkmgi])B$", "", text.strip()).replace(" ", "")
    return _checked(number, text, option)


def _checked(number: str, text: str, option: str) -> int:
    """Return the count that ``number`` is, ``text`` being what the user gave for it."""
    count = _count(number)
    if count is None:
        raise AscError(
            f"{option} {cut(text)}: must be a whole number, may end in K, M, G (1000, 1000^2, "
            f"1000^3) or Ki, Mi, Gi (1024, 1024^2, 1024^3)"
        )
    return count


def _count(number: str) -> int | None:
    match = re.fullmatch(
        r"(\d{1,40})(?:\.(\d{1,40}))?((?:[KMG]I?)?)",
        number.strip().replace(",", "").replace("_", "").upper(),
    )
    if match is None or not number.isascii():
        return None
    digits, decimals, suffix = match[1], match[2] or "", match[3]
    scaled: int = int(digits + decimals) * _FACTORS[suffix]
    unit = int(10 ** len(decimals))
    return scaled // unit if scaled % unit == 0 else None


def parse_growth(text: str, *, option: str) -> Fraction:
    """Parse a share such as ``2%`` or ``0.5%``.

    Raises:
        AscError: not a number of at least 0 with a percent sign.
    """
    from fractions import Fraction

    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?\s*%", text.strip())
    if match is None:
        raise AscError(f"{option} {cut(text)}: must be a percentage, such as 2% or 0.5%")
    decimals = match[2] or ""
    return Fraction(int(match[1] + decimals), 100 * 10 ** len(decimals))


@dataclass(frozen=True)
class Figure:
    """A figure that can be limited.

    Attributes:
        key: its name in ``report.figures`` and in JSON.
        name: for people.
        limit: the field of ``Limits``, and the limit's name in JSON.
        parse: reads a limit.
    """

    key: str
    name: str
    limit: str
    parse: Callable[..., int]

    @property
    def setting(self) -> str:
        """The limit's key in a configuration file."""
        return self.limit.replace("_", "-")

    @property
    def option(self) -> str:
        """The limit's option on the command line."""
        return f"--{self.setting}"

    def parse_limit(self, text: str, *, option: str) -> int | None:
        """Parse a limit, or ``none``."""
        return None if text.strip().lower() == NO_LIMIT else self.parse(text, option=option)


FIGURES = (
    Figure("params", "parameters", "max_params", parse_count),
    Figure("macs", "MACs", "max_macs", parse_count),
    Figure("peak_activation_bytes", "peak activation bytes", "max_ram", parse_bytes),
    Figure("weight_bytes", "weight bytes", "max_flash", parse_bytes),
)
"""All figures that can be limited: options, settings, baselines and reports follow this list."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest allowed figures of a total; None for no limit."""

    max_params: int | None = CHALLENGE_PARAMS
    max_macs: int | None = CHALLENGE_MACS
    max_ram: int | None = None
    max_flash: int | None = None

    def of(self, figure: Figure) -> int | None:
        """Return the limit of a figure."""
        limit: int | None = getattr(self, figure.limit)
        return limit

    def items(self) -> Iterator[tuple[Figure, int]]:
        """Yield the figures that have a limit, with it."""
        for figure in FIGURES:
            limit = self.of(figure)
            if limit is not None:
                yield figure, limit

    def exceeded(self, total: Total) -> list[str]:
        """Return one line per limit that ``total`` is over, or is not measured for."""
        lines = []
        for figure, limit in self.items():
            value = figures(total)[figure.key]
            if value is None:
                lines.append(not_measured(figure, total.unmeasured[figure.key]))
            elif value > limit:
                lines.append(over_limit(figure, value, limit))
        return lines

    def to_json(self) -> dict[str, int | None]:
        """Return the limits under their JSON keys."""
        return dataclasses.asdict(self)


NO_LIMITS: Mapping[str, None] = {figure.limit: None for figure in FIGURES}
"""For ``Limits(**NO_LIMITS)``, or with some of them replaced."""


def over_limit(figure: Figure, value: int, limit: int) -> str:
    """Return how far a value is over a limit, in words."""
    return f"{value:,} {figure.name}, {value - limit:,} over {figure.option} {limit:,}"


def not_measured(figure: Figure, reason: str) -> str:
    """Return why a value that is limited is not known, in words."""
    return f"{figure.name} cannot be measured, but {figure.option} limits them: {reason}"
