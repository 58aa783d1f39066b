"""The report as Markdown, for the comment on a pull request and for a job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from asc_tiny.complexity.gate.baseline import Comparison
from asc_tiny.complexity.gate.gate import TOTAL, Check, Verdict
from asc_tiny.complexity.gate.limits import FIGURES
from asc_tiny.complexity.gate.model_diff import LAYER_FIGURES
from asc_tiny.complexity.report import ModelComplexity, figures, total
from asc_tiny.util.console_text import html, markdown, shape

MARK = "<!-- asc-tiny budget -->"
"""Comment by which a later run finds its own report."""

_BAR = 10


def render(verdict: Verdict) -> str:
    """Return the report as Markdown."""
    lines = [MARK, f"### asc-tiny budget: {verdict.outcome}", ""]
    if verdict.failed:
        lines += [*(f"* {markdown(check.message)}" for check in verdict.failed), ""]
    lines += [*_models(verdict.models), ""]
    if verdict.checks:
        lines += [*_checks(verdict), ""]
    for comparison in verdict.comparisons:
        if comparison.layers:
            lines += [*_layers_changed(comparison), ""]
    for model in verdict.models:
        lines += [*_layers(model), ""]
    return "\n".join(lines).rstrip()


def _models(models: Sequence[ModelComplexity]) -> list[str]:
    names = [figure.name for figure in FIGURES]
    rows = [(model.path, figures(model)) for model in models]
    if len(rows) > 1:
        rows.append((TOTAL, figures(total(models))))
    return _table(
        ["model", *names],
        [[markdown(name), *(_count(v[f.key]) for f in FIGURES)] for name, v in rows],
    )


def _checks(verdict: Verdict) -> list[str]:
    rows = [
        [
            markdown(check.subject),
            check.figure.name,
            _count(check.value),
            f"{check.limit:,}",
            _used(check),
            "passed" if check.passed else "**failed**",
        ]
        for check in verdict.checks
    ]
    return _table(["of", "figure", "value", "limit", "used", ""], rows)


def _layers_changed(comparison: Comparison) -> list[str]:
    rows = [
        [
            str(layer.number),
            markdown(layer.op),
            shape(layer.output_shape),
            layer.kind,
            *(str(layer.figures.get(key, "")) for key in LAYER_FIGURES),
        ]
        for layer in comparison.layers
    ]
    header = ["layer", "operator", "output", "change", *LAYER_FIGURES.values()]
    title = f"{markdown(comparison.path)}: layers that differ from the baseline's"
    return [f"**{title}**", "", *_table(header, rows)]


def _layers(model: ModelComplexity) -> list[str]:
    rows = [
        [
            str(number),
            markdown(layer.op),
            shape(layer.output_shape),
            f"{layer.params:,}",
            f"{_count(figures(layer)['macs'])} {_bar(layer.macs, model.macs)}",
            f"{layer.activation_bytes:,} "
            f"{_bar(layer.activation_bytes, model.peak_activation_bytes)}",
        ]
        for number, layer in enumerate(model.layers)
    ]
    header = ["layer", "operator", "output", "parameters", "MACs", "live bytes"]
    summary = f"<summary>Layers of {html(model.path)}</summary>"
    return ["<details>", summary, "", *_table(header, rows), "", "</details>"]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _used(check: Check) -> str:
    if check.value is None:
        return "cannot be measured"
    return f"{_share(check.value, check.limit)} {_bar(check.value, check.limit)}"


def _share(value: int, whole: int) -> str:
    return f"{value / whole:.1%}" if whole else "-"


def _bar(value: int, whole: int) -> str:
    return "█" * min(_BAR, round(_BAR * value / whole)) if whole else ""
