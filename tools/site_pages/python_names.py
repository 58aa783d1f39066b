"""The reference of ``asc_tiny.api``: a table of its names, and Sphinx's directives for each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from asc_tiny import api


def summary(name: str) -> str:
    """Return the first sentence of a name's docstring."""
    first = inspect.cleandoc(getattr(api, name).__doc__ or "").split("\n\n")[0]
    return " ".join(first.split()).replace("``", "`")


def markdown() -> str:
    """Return the table and a section for each name."""
    rows = [f"| [`{name}`](#{name.lower()}) | {summary(name)} |" for name in api.__all__]
    lines = ["| name | what it is |", "|---|---|", *rows, ""]
    return "\n".join([*lines, *(line for name in api.__all__ for line in _section(name))])


def _section(name: str) -> Iterator[str]:
    value = getattr(api, name)
    yield from (f"## {name}", "", "```{eval-rst}")
    if inspect.isclass(value):
        yield from (f".. autoclass:: {value.__module__}.{name}", "   :members:")
    else:
        yield f".. autofunction:: {value.__module__}.{name}"
    yield from ("```", "")
