"""What the model takes of each board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asc_tiny.boards.catalog import Board
from asc_tiny.costs.board_fit import Fit
from asc_tiny.report.blocks import Block, Chart, Paragraph, Section, Table, text
from asc_tiny.report.subject import Subject


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
    rows, bad, values = [], [], []
    for number, board in enumerate(known):
        fit = subject.fits[board.name]
        lacking = lacks(board, fit)
        if lacking:
            bad.append(number)
        rows.append(_cells(board, fit, lacking))
        values += list(_shares(board, fit))
    blocks.append(_chart(subject, values))
    head = ["board", "core", "RAM (KiB)", "of", "flash (KiB)", "of", "CPU", "fits"]
    caption = f"{subject.name} on boards"
    blocks.append(Table(caption, head, rows, left=(0, 1, 7), bad=bad))
    blocks.append(_parts(subject, known))
    return Section("boards", "Boards", blocks)


def largest(fit: Fit) -> str | None:
    """Return the kind of project that takes most beside the library, None if none was measured."""
    sizes = {kind: each.ram_bytes + each.flash_bytes for kind, each in fit.applications.items()}
    return max(sizes, key=lambda kind: sizes[kind], default=None)


def lacks(board: Board, fit: Fit) -> str:
    """Return why it does not fit by the largest kind of project, empty if it does."""
    return "; ".join(fit.shortages(board, largest(fit)))


def _cells(board: Board, fit: Fit, lacking: str) -> list[str]:
    ram, flash = (sum(each.values()) for each in fit.needs(largest(fit)))
    if fit.cpu_share is not None:
        time = f"{fit.cpu_share:.0%}"
    else:
        time = "-" if fit.inference_s is None else f"{1000 * fit.inference_s:,.3g} ms"
    words = f"no: {lacking}" if lacking else "yes" if flash else "not known"
    if fit.gap:
        words += f"; {fit.gap}"
    remedy = fit.remedies.get(largest(fit) or "") if lacking else fit.gap_remedy
    if remedy:
        words += f"; better with {remedy}"
    room = board.ram_region.bytes, board.flash_bytes
    sizes = [_kib(each) for each in (ram, room[0], flash, room[1])]
    return [text(board.name), text(board.core), *sizes, time, text(words, 400)]


def _kib(size: int) -> str:
    return f"{size / 1024:,.0f}" if size else "-"


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
