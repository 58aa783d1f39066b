"""Boards: those that the package knows, and those of your own."""

from __future__ import annotations

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board


def boards() -> list[Board]:
    """Return the boards that the package knows.

    Returns
    -------
    list of Board
        ``name``, ``core``, ``clock_hz`` in Hz, ``ram_bytes``, ``flash_bytes`` and more, 0 for what
        the computer itself or an emulated board has not.

    Examples
    --------
    >>> from asc_tiny import api
    >>> "nrf52840dk" in [board.name for board in api.boards()]
    True
    """
    return list(catalog.BOARDS.values())


def load_board(name: str) -> Board:
    """Return a board by its name, or read a board of your own.

    Parameters
    ----------
    name
        Name of a board, or path of a ``.toml`` file; docs/reference/board_files.md has its
        keys.

    Returns
    -------
    Board
        The board.

    Raises
    ------
    AscError
        There is no such board, or the file says something that is not allowed.

    Examples
    --------
    >>> from asc_tiny import api
    >>> api.load_board("mps2-an386").core
    'Cortex-M4'
    """
    return catalog.get(name)
