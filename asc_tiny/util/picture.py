"""Pictures that notebooks show and programs save."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asc_tiny.util.files import write_bytes


@dataclass(frozen=True, repr=False)
class Picture:
    """A picture as a PNG file, which the last line of a notebook's cell shows.

    Attributes:
        title: what it shows.
        data: bytes of the file.
    """

    title: str
    data: bytes

    def save(self, path: Path | str) -> None:
        """Write it to a ``.png`` file.

        Raises:
            AscError: the file cannot be written.
        """
        write_bytes(Path(path), self.data)

    def __repr__(self) -> str:
        return f"<Picture {self.title}: PNG, {len(self.data):,} bytes>"

    def _repr_png_(self) -> bytes:
        return self.data
