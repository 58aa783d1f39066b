"""What the model takes of each board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asc_tiny.boards.catalog import Board
from asc_tiny.costs.board_fit import Fit
from asc_tiny.costs.board_fits import largest, table
from asc_tiny.report.blocks import Block, Chart, Section
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph, Table, text


def section(subject: Subject) -> Section:
    """Return a table of all boards and how full they get."""
    if subject.unfit:
        message = f"Nothing is known of boards: {text(subject.unfit, 400)}"
        return Section("boards", "Boards", [Paragraph(message, is_bad=True)])
    known = [board for board in subject.boards if board.name in subject.fits]
    blocks: list[Block] = [
        Paragraph(
            "Estimates: the network compiled ahead of time, the front end, samples that wait and "
            "the stack, or the application where it was measured with a kind of project (the "
            "largest of a board's). CPU is the share of the core's time at one instruction per "
            "cycle; a network without front end has the time of an inference in its place. No "
            "board has run this."
        )
    ]
    if not known:
        return Section("boards", "Boards", [*blocks, Paragraph("No board with RAM of its own.")])
    values = [share for board in known for share in _shares(board, subject.fits[board.name])]
    blocks.append(_chart(subject, values))
    blocks.append(table(f"{subject.name} on boards", known, subject.fits))
    blocks.append(_parts(subject, known))
    return Section("boards", "Boards", blocks)


def _shares(board: Board, fit: Fit) -> Iterator[dict[str, Any]]:
    ram, flash = fit.needs(largest(fit))
    room = {"RAM": (ram, board.ram_region.bytes), "flash": (flash, board.flash_bytes)}
    for what, (parts, there) in room.items():
        if there and parts:
            listed = ", ".join(f"{part} {size:,}" for part, size in parts.items())
            share = sum(parts.values()) / there
            yield {"board": text(board.name), "what": what, "share": share, "parts": listed}
    if fit.cpu_share is not None:
        listed = ", ".join(f"{part} {n:,}" for part, n in fit.instructions_per_s.items())
        yield {
            "board": text(board.name),
            "what": "CPU",
            "share": fit.cpu_share,
            "parts": f"instructions a second: {listed}",
        }


def _chart(subject: Subject, values: list[dict[str, Any]]) -> Chart:
    return Chart(
        f"{subject.name}: how full each board gets",
        "Bars of RAM, flash and CPU for each board, as a share of what it has; the table below "
        "has the figures.",
        {
            "height": 30 * len({each["board"] for each in values}),
            "data": {"values": values},
            "layer": [
                {
                    "mark": {"type": "bar"},
                    "encoding": {
                        "y": {"field": "board", "type": "nominal", "sort": None, "title": None},
                        "yOffset": {"field": "what", "sort": ["RAM", "flash", "CPU"]},
                        "x": {
                            "field": "share",
                            "type": "quantitative",
                            "title": "share of what the board has",
                            "axis": {"format": "%"},
                        },
                        "color": {
                            "field": "what",
                            "type": "nominal",
                            "sort": ["RAM", "flash", "CPU"],
                            "title": None,
                            "legend": {"orient": "top"},
                        },
                        "tooltip": [
                            {"field": "board"},
                            {"field": "what"},
                            {"field": "share", "type": "quantitative", "format": ".1%"},
                            {"field": "parts"},
                        ],
                    },
                },
                {
                    "data": {"values": [{"full": 1}]},
                    "mark": {"type": "rule", "strokeDash": [4, 3]},
                    "encoding": {"x": {"field": "full", "type": "quantitative"}},
                },
            ],
        },
    )


def _parts(subject: Subject, boards: list[Board]) -> Table:
    rows = []
    for board in boards:
        for what, parts in zip(("RAM", "flash"), subject.fits[board.name].needs(), strict=True):
            rows += [[text(board.name), what, part, f"{size:,}"] for part, size in parts.items()]
    return Table(
        "What the bytes on each board are (the library, without an application)",
        ["board", "memory", "part", "bytes"],
        rows,
        left=(0, 1, 2),
        is_folded=True,
    )
