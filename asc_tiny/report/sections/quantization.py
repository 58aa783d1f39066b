"""What quantisation does to each layer, of what ``quantize --report`` wrote."""

from __future__ import annotations

from asc_tiny.report.blocks import Chart, Section
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph, Table, text


def section(subject: Subject) -> Section | None:
    """Return the error of each layer, worst first, None without a report."""
    if subject.errors is None:
        return None
    layers = subject.errors["layers"]
    values = [
        {
            "layer": text(each["layer"], 60),
            "operator": text(each["op"], 60),
            "snr": each["snr_db"],
            "saturated": each["saturated"],
        }
        for each in layers
        if each["snr_db"] is not None
    ]
    rows = [
        [
            text(each["layer"], 60),
            text(each["op"], 60),
            "exact" if each["snr_db"] is None else f"{each['snr_db']:.1f}",
            f"{each['scale']:.4g}",
            f"{each['saturated']:.1%}",
        ]
        for each in layers
    ]
    chart = Chart(
        f"{subject.name}: signal to quantisation error",
        "A bar for each layer, worst first; the table below has the figures.",
        {
            "height": 18 * max(len(values), 1),
            "data": {"values": values},
            "mark": {"type": "bar", "color": "#4477aa"},
            "encoding": {
                "y": {"field": "layer", "type": "nominal", "sort": None, "title": "layer"},
                "x": {"field": "snr", "type": "quantitative", "title": "signal to error (dB)"},
                "tooltip": [
                    {"field": "layer"},
                    {"field": "operator"},
                    {"field": "snr", "title": "dB"},
                    {"field": "saturated", "format": ".1%", "type": "quantitative"},
                ],
            },
        },
    )
    return Section(
        "quantization",
        "Quantisation error",
        [
            Paragraph(
                f"Each layer's int8 output against the float network's, over "
                f"{subject.errors['clips']:,} clips. A layer's error contains that of the layers "
                "before it. Saturated is the share of values at an end of the int8 range, where a "
                "ReLU has its zeros."
            ),
            chart,
            Table(
                f"{subject.name}: quantisation error per layer, worst first",
                ["layer", "operator", "signal to error (dB)", "step of a code", "saturated"],
                rows,
                left=(0, 1),
            ),
        ],
    )
