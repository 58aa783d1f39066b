"""Report formats of the budget gate: a module each, with ``render(verdict)``."""

from __future__ import annotations

import importlib

from asc_tiny.complexity.gate.gate import Verdict

FORMATS = ("table", "json", "junit", "sarif", "github", "markdown")


def render(name: str, verdict: Verdict) -> str:
    """Return the report in one of ``FORMATS``, without a line break at its end."""
    # Imported here: no report pays for the others.
    module = importlib.import_module(f"{__name__}.{name}")
    text: str = module.render(verdict)
    return text
