"""Tables of a board's file that kinds of project read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from asc_tiny.boards.catalog import BOARDS, Board
from asc_tiny.util import fields
from asc_tiny.util.errors import AscError

T = TypeVar("T")


@dataclass(frozen=True)
class BoardTable(Generic[T]):
    """A table that a kind of project reads in the files of boards.

    Attributes:
        name: name of the table, such as ``zephyr``.
        kind: the dataclass that holds its values. Types and allowed values of its fields are
            checked (``util.fields``); ``__post_init__`` may check how they go together, by
            AscError.
    """

    name: str
    kind: type[T]

    @property
    def boards(self) -> tuple[str, ...]:
        """Names of the boards of this tool that have the table, in alphabetic order."""
        return tuple(sorted(name for name, board in BOARDS.items() if self.is_of(board)))

    def is_of(self, board: Board) -> bool:
        """Return whether a board has the table, in its file or by the board that it is like."""
        return self.name in board.tables

    def read(self, board: Board) -> T:
        """Return the values of a board.

        Raises:
            AscError: the board has no such table; a key is unknown or missing, or a value is not
                allowed.
        """
        try:
            if not self.is_of(board):
                raise AscError(f"table {self.name} is missing")
            values = fields.table(board.tables[self.name], self.name)
            return self.kind(**fields.checked(self.kind, values, prefix=f"{self.name}."))
        except AscError as error:
            raise AscError(f"{board.origin}: {error}") from error
