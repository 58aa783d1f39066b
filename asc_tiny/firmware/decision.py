"""Emits how decisions are made over time as C."""

from __future__ import annotations

from asc_tiny.decision.config import DecisionConfig
from asc_tiny.firmware.c.templates import render_files
from asc_tiny.frontend.config import Quantization

_ALL_KNOWN = -129
"""A threshold below all codes."""


def generate(config: DecisionConfig, output: Quantization, banner: str) -> dict[str, str]:
    """Return ``asc_decision_config.h``, file name to text.

    Args:
        config: windows, smoothing, hysteresis and threshold.
        output: quantisation of the network's scores.
        banner: the line that says which tool made the file from which model.

    Raises:
        AscError: the scores can never reach the lead or the threshold, or are always above it.
    """
    threshold = config.threshold_code(output)
    values = {
        "banner": banner,
        "hop_columns": config.hop_columns or 0,
        "smoothing": config.smoothing,
        "lead": config.lead_codes(output),
        "hold": config.hold,
        "threshold": _ALL_KNOWN if threshold is None else threshold,
    }
    return render_files(values, "decision/asc_decision_config.h")
