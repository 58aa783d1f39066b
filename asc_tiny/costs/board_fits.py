"""What a model takes of several boards, and the table of it for pages and notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from asc_tiny.boards.catalog import Board
from asc_tiny.costs.board_fit import Fit
from asc_tiny.util.blocks import Paragraph, Table, text
from asc_tiny.util.displayed import Displayed

_HEAD = ("board", "core", "RAM (KiB)", "of", "flash (KiB)", "of", "CPU", "fits")


class BoardFits(Displayed, dict[str, Fit]):
    """What a model takes of each board that has RAM of its own, by the board's name.

    Args:
        model: name of the model, for people.
        boards: the boards.
        fits: what the model takes of each, by name.
    """

    def __init__(self, model: str, boards: Sequence[Board], fits: Mapping[str, Fit]) -> None:
        super().__init__(fits)
        self.model = model
        self.boards = [board for board in boards if board.name in fits]

    @property
    def summary(self) -> str:
        """One line for people."""
        fitting = [board.name for board in self.boards if not lacks(board, self[board.name])]
        return f"{self.model}: fits {len(fitting)} of {len(self.boards)} boards"

    def shown_blocks(self) -> Iterator[Paragraph | Table]:
        """Return a row for each board."""
        yield table(f"{text(self.model)} on boards", self.boards, self)
        yield Paragraph(
            "Estimates, by the largest kind of project that was measured with a board; CPU at one "
            "instruction per cycle. No board has run this."
        )


def table(caption: str, boards: Sequence[Board], fits: Mapping[str, Fit]) -> Table:
    """Return a row for each board; those that the model does not fit are marked."""
    rows = [_cells(board, fits[board.name]) for board in boards]
    bad = [n for n, board in enumerate(boards) if lacks(board, fits[board.name])]
    return Table(caption, _HEAD, rows, left=(0, 1, 7), bad=bad)


def largest(fit: Fit) -> str | None:
    """Return the kind of project that takes most beside the library, None if none was measured."""
    sizes = {kind: each.ram_bytes + each.flash_bytes for kind, each in fit.applications.items()}
    return max(sizes, key=lambda kind: sizes[kind], default=None)


def lacks(board: Board, fit: Fit) -> str:
    """Return why it does not fit by the largest kind of project, empty if it does."""
    return "; ".join(fit.shortages(board, largest(fit)))


def _cells(board: Board, fit: Fit) -> list[str]:
    lacking = lacks(board, fit)
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
