"""Accuracy and confusion, of what ``evaluate --json`` printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asc_tiny.evaluation.figures_table import HEAD, confusion_table
from asc_tiny.report.blocks import Block, Chart, Section
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph, Table, text

TITLES = {
    "float": "float network",
    "int8": "int8 network on rounded float features",
    "int8_integer_frontend": "int8 network on the integer front end's codes, as on the chip",
}


def nearest_to_chip(subject: Subject) -> Mapping[str, Any] | None:
    """Return the figures in the arithmetic nearest to the chip's, None without an evaluation."""
    results = (subject.evaluation or {}).get("results") or {}
    found = [results[name] for name in TITLES if name in results]
    return found[-1] if found else None


def section(subject: Subject) -> Section | None:
    """Return accuracy, accuracy per class and the confusion, None without an evaluation."""
    found = nearest_to_chip(subject)
    if found is None or subject.evaluation is None:
        return None
    results = {
        name: subject.evaluation["results"][name]
        for name in TITLES
        if name in subject.evaluation["results"]
    }
    title = TITLES[list(results)[-1]]
    blocks: list[Block] = [
        Paragraph(
            f"{found['clips']:,} clips of {found['recordings']:,} recordings of the split "
            f"{text(subject.split)}. Intervals are of 95 %, by the bootstrap over recordings."
        ),
        _overall(subject, results),
        _class_chart(subject, found, title),
        _confusion_chart(subject, found, title),
        Table(
            f"{subject.name}: accuracy per class, device and city ({title})",
            HEAD,
            list(_groups(found)),
            is_folded=True,
        ),
        confusion_table(f"{subject.name}: clips by class", subject.labels, found["confusion"]),
    ]
    return Section("evaluation", "Accuracy", blocks)


def _overall(subject: Subject, results: Mapping[str, Any]) -> Table:
    rows = [
        [
            TITLES[name],
            f"{each['accuracy']:.4f}",
            "{:.3f} to {:.3f}".format(*each["accuracy_interval"]),
            f"{each['macro_accuracy']:.4f}",
            f"{each['log_loss']:.4f}",
        ]
        for name, each in results.items()
    ]
    head = ["arithmetic", "accuracy", "interval", "mean of classes", "log loss (nats)"]
    return Table(f"{subject.name}: accuracy", head, rows)


def _groups(found: Mapping[str, Any]) -> Iterator[list[str]]:
    for kind, key in (("class", "classes"), ("device", "devices"), ("city", "cities")):
        for name, each in found[key].items():
            low, high = each["accuracy_interval"]
            yield [
                f"{kind} {text(name)}",
                f"{each['clips']:,}",
                f"{each['recordings']:,}",
                f"{each['accuracy']:.4f}",
                f"{low:.3f}",
                f"{high:.3f}",
                f"{each['log_loss']:.4f}",
            ]


def _class_chart(subject: Subject, found: Mapping[str, Any], title: str) -> Chart:
    values = [
        {
            "class": text(name, 40),
            "accuracy": each["accuracy"],
            "low": each["accuracy_interval"][0],
            "high": each["accuracy_interval"][1],
            "clips": each["clips"],
        }
        for name, each in found["classes"].items()
    ]
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}, "title": "accuracy, share of clips"}
    y = {"field": "class", "type": "nominal", "sort": None, "title": "true class"}
    tip = [{"field": each} for each in ("class", "accuracy", "low", "high", "clips")]
    bars = {"x": {"field": "accuracy", **x}, "y": y, "tooltip": tip}
    return Chart(
        f"{subject.name}: accuracy per class",
        f"Bars of accuracy with intervals of 95 %, {title}; the table below has the figures.",
        {
            "height": 20 * len(values),
            "data": {"values": values},
            "layer": [
                {"mark": {"type": "bar", "color": "#4477aa"}, "encoding": bars},
                {
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "y": y},
                },
            ],
        },
        is_half=True,
    )


def _confusion_chart(subject: Subject, found: Mapping[str, Any], title: str) -> Chart:
    labels = [text(each, 40) for each in subject.labels]
    values = [
        {
            "true": labels[row],
            "decided": labels[column],
            "clips": count,
            "share": count / (sum(counts) or 1),
        }
        for row, counts in enumerate(found["confusion"])
        for column, count in enumerate(counts)
    ]
    x = {
        "field": "decided",
        "type": "nominal",
        "sort": labels,
        "title": "decided class",
        "axis": {"labelAngle": -90},
    }
    y = {"field": "true", "type": "nominal", "sort": labels, "title": "true class"}
    cells = {
        "x": x,
        "y": y,
        "color": {
            "field": "share",
            "type": "quantitative",
            "scale": {"scheme": "blues", "domain": [0, 1]},
            "legend": {"title": "share of the row", "format": "%", "orient": "top"},
        },
        "tooltip": [
            {"field": "true"},
            {"field": "decided"},
            {"field": "clips"},
            {"field": "share", "format": ".1%", "type": "quantitative"},
        ],
    }
    numbers = {
        "x": x,
        "y": y,
        "text": {"field": "clips"},
        "color": {"condition": {"test": "datum.share > 0.5", "value": "#fff"}, "value": "#111"},
        "opacity": {"condition": {"test": "datum.clips > 0", "value": 1}, "value": 0},
    }
    return Chart(
        f"{subject.name}: clips by true and decided class",
        f"The confusion matrix, {title}; rows are true classes. The table below has the counts.",
        {
            "height": 20 * len(labels),
            "data": {"values": values},
            "layer": [
                {"mark": {"type": "rect"}, "encoding": cells},
                {"mark": {"type": "text", "fontSize": 10, "tooltip": None}, "encoding": numbers},
            ],
        },
        is_half=True,
    )
