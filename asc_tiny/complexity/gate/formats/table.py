"""The report as text for a terminal: figures per layer, bars for where they go, the limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asc_tiny.complexity.gate.formats.changes import layer_line
from asc_tiny.complexity.gate.formats.costs import costs_text
from asc_tiny.complexity.gate.gate import Check, Verdict
from asc_tiny.complexity.report import (
    PARAMS_UNIT,
    LayerComplexity,
    ModelComplexity,
    Total,
    figures,
    total,
)
from asc_tiny.util.console_text import align, printable, shape

_HEADER = (
    "layer",
    "operator",
    "output",
    "params",
    "MACs",
    "other",
    "moved B",
    "weight B",
    "live B",
)
_BAR_HEADER = ("layer", "operator", "MACs", "", "params", "", "memory", "")
_BAR_WIDTH = 12
_EIGHTHS = " ▏▎▍▌▋▊▉"
_RED, _GREEN, _CYAN, _RESET = "\033[31m", "\033[32m", "\033[36m", "\033[0m"


@dataclass(frozen=True)
class Style:
    """What a terminal can show.

    Attributes:
        color: whether it takes ANSI colours.
        blocks: whether it has block characters; else bars are of #.
    """

    color: bool = False
    blocks: bool = True

    def paint(self, text: str, color: str) -> str:
        """Return the text in a colour."""
        return f"{color}{text}{_RESET}" if self.color and text.strip() else text

    def bar(self, value: int, whole: int) -> str:
        """Return a bar of up to ``_BAR_WIDTH`` characters, padded; at least a trace above 0."""
        eighths = min(8 * _BAR_WIDTH, round(8 * _BAR_WIDTH * value / whole)) if whole else 0
        eighths = max(eighths, 1 if value and whole else 0)
        if not self.blocks:
            return ("#" * -(-eighths // 8)).ljust(_BAR_WIDTH)
        full, rest = divmod(eighths, 8)
        return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR_WIDTH)


def render(verdict: Verdict, style: Style | None = None) -> str:
    """Return the report as text."""
    style = style or Style()
    lines: list[str] = []
    for model in verdict.models:
        lines += [printable(model.path), *_layers(model), "", *_bars(model, style), ""]
    for comparison in verdict.comparisons:
        lines.append(f"{printable(comparison.path)} beside the baseline's")
        lines += [f"  {figure.name} {change}" for figure, change in comparison.figures.items()]
        lines += [f"    {layer_line(layer)}" for layer in comparison.layers]
        lines.append("")
    if verdict.checks:
        lines += ["limits", *_checks(verdict.checks, style), ""]
    sums = total(verdict.models)
    lines.append(
        f"total: {sums.params:,} parameters, {_least(sums, 'macs', sums.macs)} MACs, "
        f"{sums.weight_bytes:,} bytes of weights, "
        f"{_least(sums, 'peak_activation_bytes', sums.peak_activation_bytes)} bytes of "
        "activations at the peak"
    )
    if verdict.convention == "nessi":
        lines.append(f"by NeSsi's rule: parameters are {PARAMS_UNIT[verdict.convention]}")
    costs = costs_text(verdict.models, verdict.ensembles)
    if costs:
        lines.append(costs)
    return "\n".join(lines)


def _least(sums: Total, key: str, value: int) -> str:
    """Return a figure, or what it is at least if not all of it is measured."""
    return f"{'at least ' if key in sums.unmeasured else ''}{value:,}"


def _layers(model: ModelComplexity) -> list[str]:
    rows: list[tuple[str, ...]] = [_HEADER]
    for number, layer in enumerate(model.layers):
        rows.append((*_name(number, layer), shape(layer.output_shape), *_counts(layer)))
    rows.append(("", "sum, peak", "", *_counts(model)))
    keys: dict[str, list[str]] = {}
    for key, reason in model.unmeasured.items():
        keys.setdefault(reason, []).append(key)
    reasons = [f"  {', '.join(k)} cannot be measured: {printable(v)}" for v, k in keys.items()]
    return [*align(rows, left=(0, 1, 2)), *reasons]


def _counts(measured: LayerComplexity | ModelComplexity) -> list[str]:
    return ["-" if value is None else f"{value:,}" for value in figures(measured).values()]


def _bars(model: ModelComplexity, style: Style) -> list[str]:
    """Return the share of each layer in the model's MACs and parameters, and of the peak."""
    rows: list[tuple[str, ...]] = [_BAR_HEADER]
    for number, layer in enumerate(model.layers):
        cells: list[str] = []
        for value, whole in (
            (layer.macs, model.macs),
            (layer.params, model.params),
            (layer.activation_bytes, model.peak_activation_bytes),
        ):
            cells += [style.bar(value, whole), _share(value, whole)]
        rows.append((*_name(number, layer), *cells))
    lines = align(rows, left=(0, 1, 2, 4, 6))
    if not style.color:
        return lines
    return [lines[0], *(_painted(line, style) for line in lines[1:])]


def _painted(line: str, style: Style) -> str:
    """Return a line with its bars in colour."""
    bars = "█#" + _EIGHTHS.strip()
    words = line.split(" ")
    return " ".join(
        style.paint(word, _CYAN) if word and set(word) <= set(bars) else word for word in words
    )


def _checks(checks: Sequence[Check], style: Style) -> list[str]:
    rows = [
        (
            printable(check.subject),
            check.figure.name,
            "NOT MEASURED" if check.value is None else "passed" if check.passed else "OVER",
            "-" if check.value is None else f"{check.value:,}",
            f"of {check.limit:,}",
            style.bar(check.value or 0, check.limit),
            "-" if check.value is None else _share(check.value, check.limit),
        )
        for check in checks
    ]
    lines = align(rows, left=(0, 1, 2, 5))
    colors = (_GREEN if check.passed else _RED for check in checks)
    return [style.paint(line, color) for line, color in zip(lines, colors, strict=True)]


def _name(number: int, layer: LayerComplexity) -> tuple[str, str]:
    return str(number), printable(layer.op)


def _share(value: int, whole: int) -> str:
    return f"{value / whole:.1%}" if whole else "-"
