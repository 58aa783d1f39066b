"""What each operator costs: arithmetic, parameters, instructions, memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asc_tiny.complexity.report import LayerComplexity, figures
from asc_tiny.report.blocks import Block, Chart, Section
from asc_tiny.report.subject import Network, Subject
from asc_tiny.util.blocks import Paragraph, Table, text
from asc_tiny.util.console_text import shape

MOST_BARS = 300


def section(subject: Subject) -> Section:
    """Return tables and bars of all operators."""
    blocks: list[Block] = [
        Paragraph(
            "MACs and parameters are exact counts. Instructions are an estimate for "
            f"{subject.cpu}, from kernels whose instructions were counted on an emulated core; "
            "they are not cycles. An operator that the compiler merges into another one, or leaves "
            "out, has none of its own."
        )
    ]
    for network, measured in zip(subject.networks, subject.verdict.models, strict=True):
        blocks += _of_network(subject, network, measured.layers)
    blocks += _measured(subject)
    return Section("layers", "Layers", blocks)


def _of_network(
    subject: Subject, network: Network, layers: tuple[LayerComplexity, ...]
) -> Iterator[Block]:
    counted = network.estimate.layers if network.estimate else ()
    rows, values = [], []
    for number, layer in enumerate(layers):
        found = figures(layer)
        instructions = counted[number] if number < len(counted) else None
        numbers = (found["macs"], found["params"], instructions, found["activation_bytes"])
        cells = ["-" if each is None else f"{each:,}" for each in numbers]
        names = [str(number), layer.op, text(layer.name, 36), shape(layer.output_shape)]
        rows.append([*names, *cells])
        values.append(
            {
                "number": number,
                "operator": f"{number} {text(layer.op)}",
                "name": text(layer.name, 80),
                "shape": shape(layer.output_shape),
                **dict(zip(_CHARTS, (each or 0 for each in numbers), strict=True)),
            }
        )
    head = ["number", "operator", "output", "shape", *_CHARTS.values()]
    for key, title in _CHARTS.items():
        if any(each[key] for each in values):
            yield _bars(f"{network.name}: {title}", key, title, values[:MOST_BARS])
    if len(values) > MOST_BARS:
        yield Paragraph(f"The charts show the first {MOST_BARS} of {len(values):,} operators.")
    caption = f"{network.name}: operators in the order in which they run"
    yield Table(caption, head, rows, left=(1, 2, 3))
    if network.estimate is None:
        reasons = "; ".join(network.absent)
        yield Paragraph(f"No estimate of instructions: {text(reasons, 400)}", is_bad=True)


_CHARTS = {
    "macs": "MACs",
    "params": "parameters",
    "instructions": "instructions (estimate)",
    "activations": "bytes of activations alive",
}


def _bars(title: str, key: str, axis: str, values: list[dict[str, Any]]) -> Chart:
    most = max(values, key=lambda each: int(each[key]))
    return Chart(
        title,
        f"A bar for each operator; the largest is {most['operator']} with {most[key]:,}.",
        {
            "height": 150,
            "data": {"values": values},
            "mark": {"type": "bar", "color": "#4477aa"},
            "encoding": {
                "x": {
                    "field": "operator",
                    "type": "nominal",
                    "sort": {"field": "number"},
                    "title": "operator, in the order of the file",
                    "axis": {"labelAngle": -90, "labelLimit": 110, "labelOverlap": True},
                },
                "y": {"field": key, "type": "quantitative", "title": axis},
                "tooltip": [
                    {"field": "operator"},
                    {"field": "name"},
                    {"field": "shape"},
                    *(
                        {"field": each, "title": name, "type": "quantitative", "format": ","}
                        for each, name in _CHARTS.items()
                    ),
                ],
            },
        },
        is_half=True,
    )


def _measured(subject: Subject) -> Iterator[Block]:
    """Yield what ``bench`` measured of each stage of the compiled network."""
    stages = (subject.bench or {}).get("layers")
    if not stages or subject.bench is None:
        return
    cycles = subject.bench.get("cycles") or {}
    segments = cycles.get("layers") or [None] * len(stages)
    rows = [
        [
            text(stage["layer"], 80),
            f"{stage['runs']:,}",
            f"{stage['macs']:,}",
            f"{stage['instructions']:,}",
            *([f"{_cycles(segment):,}"] if segment else []),
        ]
        for stage, segment in zip(stages, segments, strict=True)
    ]
    head = ["stage", "runs", "MACs", "instructions"]
    if cycles.get("layers"):
        waits = cycles["wait_states"]
        head.append("cycles, at least" if cycles["is_bound"] else f"cycles, {waits} wait states")
    yield Table(
        f"Counted by bench on {text(subject.bench['board'])}: stages of the compiled network",
        head,
        rows,
    )


def _cycles(stage: dict[str, Any]) -> int:
    segment = stage["segment"]
    return int(segment["cycles"]) + int(segment["stalls"])
