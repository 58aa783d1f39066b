"""The layers that differ from the baseline's, in words: what several formats show."""

from __future__ import annotations

from asc_tiny.complexity.gate.gate import Check, Verdict
from asc_tiny.complexity.gate.model_diff import LAYER_FIGURES, LayerChange
from asc_tiny.util.console_text import printable, shape


def change_lines(verdict: Verdict, check: Check) -> list[str]:
    """Return a line for each layer of a model that differs from the baseline's."""
    return [
        f"  {layer_line(layer)}"
        for comparison in verdict.comparisons
        if comparison.path == check.subject
        for layer in comparison.layers
    ]


def layer_line(layer: LayerChange) -> str:
    """Return what has changed in a layer."""
    name = f"layer {layer.number} {printable(layer.op)} {shape(layer.output_shape)}"
    kind = "" if layer.kind == "changed" else f", {layer.kind}"
    figures = ", ".join(f"{LAYER_FIGURES[key]} {c}" for key, c in layer.figures.items())
    return f"{name}{kind}: {figures or 'costs nothing'}"
