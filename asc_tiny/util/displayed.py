"""Objects that Python shows as a line, and notebooks as tables and pictures."""

from __future__ import annotations

from collections.abc import Iterable

from asc_tiny.util.blocks import Drawing, Paragraph, Table, text

_MOST_LINE = 160


class Displayed:
    """What the last line of a notebook's cell shows: HTML that needs nothing from elsewhere.

    Subclasses say what there is to show; names of files and classes are escaped here. Their
    dataclasses are made with ``repr=False``, as some hold whole files.
    """

    @property
    def summary(self) -> str:
        """One line for people."""
        raise NotImplementedError

    def shown_blocks(self) -> Iterable[Paragraph | Table | Drawing]:
        """Return what is shown from top to bottom."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {text(self.summary, _MOST_LINE)}>"

    def _repr_html_(self) -> str:
        # Templates are loaded by those who look alone.
        from asc_tiny.util.html_templates import SHARED, environment

        page = environment(SHARED).get_template("notebook.html.j2")
        return page.render(blocks=self.shown_blocks())


def pairs(caption: str, values: Iterable[tuple[str, object]]) -> Table:
    """Return a table of names and values, without those that are None.

    Args:
        caption: what they are of.
        values: name and value of each row; integers get commas.
    """
    rows = [
        [name, f"{value:,}" if isinstance(value, int) else text(value)]
        for name, value in values
        if value is not None
    ]
    return Table(caption, ["what", "value"], rows, left=(0, 1))
