"""Memory over time: which tensor lies where, how long, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asc_tiny.report.blocks import Block, Chart, Section
from asc_tiny.report.subject import Network, Subject
from asc_tiny.util.blocks import Paragraph, Table, text
from asc_tiny.util.memory_map import Block as Piece
from asc_tiny.util.memory_map import MemoryMap

MOST_PIECES = 1_000
_MOST_SHOWN = 40
"""Names of a table that is shown unasked."""
_HOVER = "pointed"
_WORKING_SPACE = "what a kernel works with while it runs"


def section(subject: Subject) -> Section:
    """Return a map of memory for each network and runtime."""
    blocks: list[Block] = [
        Paragraph(
            "Each rectangle is a piece of the arena: its height is its bytes, its width how long "
            "it exists. The numbers are those of the table below. The line is what is in use; "
            "between it and the top lie gaps. A pointer over a rectangle shows what it holds and "
            "why, and all pieces of the same tensor."
        )
    ]
    for network in subject.networks:
        for memory, holders in zip(network.memory, network.holders, strict=True):
            blocks += _of_map(network, memory, holders)
        blocks += [Paragraph(text(line, 400), is_bad=True) for line in network.absent]
    return Section("memory", "Memory over time", blocks)


def _of_map(network: Network, memory: MemoryMap, holders: Mapping[str, str]) -> Iterator[Block]:
    title = text(memory.title.split(", ", 1)[-1])
    pieces = sorted(memory.blocks, key=lambda each: (each.offset, each.first))
    names = list(
        dict.fromkeys(each.name for each in sorted(pieces, key=lambda p: (p.first, p.offset)))
    )
    numbers = {name: number + 1 for number, name in enumerate(names)}
    drawn = [each for each in pieces if each.last >= 0][:MOST_PIECES]
    yield Chart(
        f"{network.name}: {title}, {memory.size:,} bytes",
        f"{memory.summary}. The table below lists every piece.",
        _spec(memory, drawn, numbers, holders),
    )
    if len(drawn) < len(pieces):
        yield Paragraph(f"The chart shows {len(drawn):,} of {len(pieces):,} pieces.")
    yield Table(
        f"{network.name}: pieces of the {title}",
        ["number", "what lies there", "why", "pieces", "bytes", "from", "to"],
        [_row(name, numbers[name], pieces, memory, holders) for name in names],
        left=(1, 2, 5, 6),
        is_folded=len(names) > _MOST_SHOWN,
    )


def _row(
    name: str,
    number: int,
    pieces: Sequence[Piece],
    memory: MemoryMap,
    holders: Mapping[str, str],
) -> list[str]:
    own = [each for each in pieces if each.name == name]
    first, last = min(each.first for each in own), max(each.last for each in own)
    return [
        str(number),
        text(name),
        text(holders.get(name, _WORKING_SPACE)),
        str(len(own)),
        f"{sum(each.size for each in own):,}",
        _step(memory, first),
        _step(memory, last),
    ]


def _step(memory: MemoryMap, step: int) -> str:
    """Return what runs in a step, with its number."""
    steps = memory.steps
    return text(steps[min(max(step, 0), len(steps) - 1)], 60) if steps and step >= 0 else "-"


def _spec(
    memory: MemoryMap,
    pieces: Sequence[Piece],
    numbers: Mapping[str, int],
    holders: Mapping[str, str],
) -> dict[str, Any]:
    steps = max(len(memory.steps), 1)
    values = [
        {
            "what": f"{numbers[each.name]}: {text(each.name)}",
            "number": numbers[each.name],
            "hue": (numbers[each.name] - 1) % 8,
            "why": text(holders.get(each.name, _WORKING_SPACE)),
            "bytes": each.size,
            "offset": each.offset,
            "end": each.end,
            "first": max(each.first, 0),
            "after": each.last + 1,
            "from": f"{max(each.first, 0)}: {_step(memory, each.first)}",
            "to": f"{each.last}: {_step(memory, each.last)}",
            "label": str(numbers[each.name]) if each in memory.labeled else "",
        }
        for each in pieces
    ]
    x = {
        "type": "quantitative",
        "title": memory.unit,
        "scale": {"domain": [0, steps], "nice": False},
        "axis": {"tickMinStep": 1, "format": ",d"},
    }
    tip = [
        {"field": "what"},
        {"field": "why"},
        {"field": "bytes", "format": ",", "type": "quantitative"},
        {"field": "offset", "format": ",", "type": "quantitative", "title": "at byte"},
        {"field": "from"},
        {"field": "to"},
    ]
    middle = {"calculate": "(datum.first + datum.after) / 2", "as": "x"}
    height = {"calculate": "(datum.offset + datum.end) / 2", "as": "y"}
    return {
        "height": 320,
        "layer": [
            {
                "data": {"values": values},
                "params": [
                    {
                        "name": _HOVER,
                        "select": {"type": "point", "on": "pointerover", "fields": ["number"]},
                    }
                ],
                "mark": {"type": "rect", "stroke": "#fff", "strokeWidth": 0.5},
                "encoding": {
                    "x": {"field": "first", **x},
                    "x2": {"field": "after"},
                    "y": {"field": "offset", "type": "quantitative", "title": "bytes"},
                    "y2": {"field": "end"},
                    "color": {"field": "hue", "type": "nominal", "legend": None},
                    "opacity": {"condition": {"param": _HOVER, "value": 0.75}, "value": 0.25},
                    "tooltip": tip,
                },
            },
            {
                "data": {"values": [each for each in values if each["label"]]},
                "transform": [middle, height],
                "mark": {"type": "text", "fontSize": 10, "tooltip": None},
                "encoding": {
                    "x": {"field": "x", "type": "quantitative"},
                    "y": {"field": "y", "type": "quantitative"},
                    "text": {"field": "label"},
                },
            },
            {
                "data": {"values": _in_use(memory)},
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.5},
                "encoding": {
                    "x": {"field": "step", "type": "quantitative"},
                    "y": {"field": "bytes", "type": "quantitative"},
                    "color": {"value": "currentColor"},
                },
            },
        ],
    }


def _in_use(memory: MemoryMap) -> list[dict[str, int]]:
    """Return the bytes in use where they change, and at the end."""
    live = memory.live
    changes = [step for step in range(len(live)) if step == 0 or live[step] != live[step - 1]]
    ends = [{"step": len(live), "bytes": live[-1]}] if live else []
    return [{"step": step, "bytes": live[step]} for step in changes] + ends
