"""The report as SARIF 2.1.0, for code scanning: a result for each check that failed.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asc_tiny import __version__
from asc_tiny.complexity.gate.formats.changes import change_lines
from asc_tiny.complexity.gate.gate import GROWTH, Check, Verdict
from asc_tiny.complexity.gate.limits import FIGURES
from asc_tiny.util.console_text import printable

VERSION = "2.1.0"
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_RULES = {
    **{figure.limit: f"{figure.name} are within {figure.option}" for figure in FIGURES},
    GROWTH: "No figure grows beyond the baseline's by more than --max-growth",
}


def render(verdict: Verdict) -> str:
    """Return the report as SARIF."""
    driver = {
        "name": "asc-tiny budget",
        "version": __version__,
        "rules": [_rule(name, text) for name, text in _RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(check, verdict) for check in verdict.failed],
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=2)


def _rule(name: str, text: str) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": text[0].upper() + text[1:]},
        "defaultConfiguration": {"level": "error"},
    }


def _result(check: Check, verdict: Verdict) -> dict[str, Any]:
    lines = [printable(check.message)]
    if check.rule == GROWTH:
        lines += change_lines(verdict, check)
    return {
        "ruleId": check.rule,
        "ruleIndex": list(_RULES).index(check.rule),
        "level": "error",
        "message": {"text": "\n".join(lines)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(check.file)},
                    # A model has no lines; readers ask for one.
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {
            "ascTinyBudget/v1": f"{check.rule}/{check.figure.key}/{printable(check.subject)}"
        },
    }


def _uri(file: str) -> str:
    path = Path(file)
    if not path.is_absolute():
        return quote(Path(os.path.normpath(path)).as_posix())
    return path.as_uri()
