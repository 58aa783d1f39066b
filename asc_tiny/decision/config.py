"""How decisions are made over time: one description for the chip, the twin and the evaluation."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.util import fields, files
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

UNKNOWN = "unknown"
"""Printed name of the label that stands for scores below the threshold."""

MAX_HOP_COLUMNS = 1_000_000
MAX_SMOOTHING = 255
"""So that the sum of the scores fits 16 bits."""
MAX_HOLD = 1000

_SECONDS = "hop_seconds"


@dataclass(frozen=True, kw_only=True)
class DecisionConfig:
    """Windows, smoothing, hysteresis and threshold; by default a decision per clip, as it is.

    Attributes:
        hop_columns: feature columns from the start of a window to that of the next, in a
            continuous stream; None cuts the stream into clips instead.
        smoothing: windows whose scores are averaged.
        lead: score by which another label must lead before it is reported.
        hold: windows in a row in which it must do so.
        threshold: score below which the label is "unknown"; None knows no such label.
    """

    hop_columns: int | None = None
    smoothing: int = 1
    lead: float = 0.0
    hold: int = 1
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.hop_columns is not None:
            _check_whole("hop_columns", self.hop_columns, MAX_HOP_COLUMNS)
        _check_whole("smoothing", self.smoothing, MAX_SMOOTHING)
        _check_whole("hold", self.hold, MAX_HOLD)
        _check_number("lead", self.lead)
        if self.threshold is not None:
            _check_number("threshold", self.threshold)

    @property
    def continuous(self) -> bool:
        """Whether windows slide over a continuous stream."""
        return self.hop_columns is not None

    def lead_codes(self, output: Quantization) -> int:
        """Return the lead in output codes, rounded up.

        Raises:
            AscError: it is negative, or no two scores differ by so much.
        """
        codes = _codes(self.lead, output)
        if not 0 <= codes <= 255:
            raise AscError(f"lead = {self.lead}, allowed: 0 to {255 * output.scale:g}")
        return codes

    def threshold_code(self, output: Quantization) -> int | None:
        """Return the lowest output code that is known, None without a threshold.

        Raises:
            AscError: no score is below the threshold, or all are.
        """
        if self.threshold is None:
            return None
        code = _codes(self.threshold, output) + output.zero_point
        if not -128 < code <= 127:
            low, high = (output.scale * (end - output.zero_point) for end in (-128, 127))
            raise AscError(f"threshold = {self.threshold}, allowed: above {low:g}, up to {high:g}")
        return code

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: object, *, source: str) -> DecisionConfig:
        """Build a configuration from plain values; missing keys take their defaults.

        Args:
            values: as ``to_dict`` gives them.
            source: the file named in error messages.

        Raises:
            AscError: no table, an unknown key, or a value of another type or out of range.
        """
        try:
            return cls(**fields.checked(cls, fields.table(values, "decision")))
        except AscError as error:
            raise AscError(f"{source}: {error}") from error


def read_toml(path: Path, frontend: FrontEndConfig, output: Quantization) -> DecisionConfig:
    """Read a configuration from a TOML file, its keys at the top or in a table ``decision``.

    ``hop_seconds`` may take the place of ``hop_columns``: it is rounded to whole columns.

    Args:
        path: the file.
        frontend: the front end, for the length of a column.
        output: quantisation of the scores.

    Raises:
        AscError: the file cannot be read, is not TOML, holds an unknown key or a bad value, or
            one that no score of the model can reach.
    """
    content = files.read_toml(path)
    try:
        values = fields.table(content.get("decision", content), "decision")
        known = [field.name for field in dataclasses.fields(DecisionConfig)]
        fields.check_keys(values, sorted([*known, _SECONDS]))
        config = DecisionConfig(**fields.checked(DecisionConfig, _in_columns(values, frontend)))
        config.lead_codes(output)
        config.threshold_code(output)
    except AscError as error:
        raise AscError(f"{path}: {error}") from error
    return config


def _in_columns(values: Mapping[str, Any], frontend: FrontEndConfig) -> dict[str, Any]:
    """Return the values with the hop in columns."""
    rest = {key: value for key, value in values.items() if key != _SECONDS}
    if _SECONDS not in values:
        return rest
    if "hop_columns" in rest:
        raise AscError(f"{_SECONDS} and hop_columns exclude each other")
    seconds = fields.typed(values[_SECONDS], "float", _SECONDS)
    column = frontend.hop / frontend.sample_rate
    if not column <= seconds <= MAX_HOP_COLUMNS * column:
        raise AscError(
            f"{_SECONDS} = {seconds}, allowed: {column:.4g} (a column) to "
            f"{MAX_HOP_COLUMNS * column:.4g}"
        )
    return {**rest, "hop_columns": round(seconds / column)}


def _codes(score: float, output: Quantization) -> int:
    """Return a score in output codes, rounded up; beyond all codes it is some that is, too."""
    codes = score / output.scale
    return math.ceil(min(max(codes, -1e6), 1e6))


def _check_whole(name: str, value: object, most: int) -> None:
    if type(value) is not int or not 1 <= value <= most:
        raise AscError(f"{name} = {shown(value)}, allowed: whole numbers from 1 to {most}")


def _check_number(name: str, value: object) -> None:
    fields.typed(value, "float", name)
