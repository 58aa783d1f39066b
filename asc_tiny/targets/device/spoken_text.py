"""What a board prints on its line between frames: a panic, a boot log, a network's results."""

from __future__ import annotations

from asc_tiny.util.console_text import cut, printable

_MOST_BYTES = 2048
_MOST_LINES, _MOST_LETTERS = 3, 200
_TEXT_SHARE = 0.9
"""Share of bytes that are letters from which on bytes are taken for text."""


class SpokenText:
    """The latest bytes of a line, for a message about a board that does not answer."""

    def __init__(self) -> None:
        self._latest = bytearray()
        self._count = 0

    def take(self, data: bytes) -> None:
        """Remember bytes that have arrived."""
        self._count += len(data)
        self._latest += data
        del self._latest[:-_MOST_BYTES]

    def clear(self) -> None:
        """Forget what has arrived, since an intact message did."""
        self._count = 0
        self._latest.clear()

    def told(self) -> str:
        """Return the end of a message: what the board said, as far as it is text."""
        if not self._count:
            return "; nothing came from it"
        text = self._latest.decode("ascii", errors="replace")
        letters = sum((c.isprintable() and c != "\ufffd") or c in "\r\n\t" for c in text)
        if letters < _TEXT_SHARE * len(text):
            return (
                f"; {self._count:,} bytes came that are neither text nor messages; is --baud right?"
            )
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f"; it said: {cut(printable(' | '.join(lines[-_MOST_LINES:])), _MOST_LETTERS)}"
