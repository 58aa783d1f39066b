"""The report for a log of GitHub Actions: the table in a group, and an annotation per failure.

Commands: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from asc_tiny.complexity.gate.formats import table
from asc_tiny.complexity.gate.formats.changes import change_lines
from asc_tiny.complexity.gate.gate import GROWTH, Check, Verdict
from asc_tiny.util.console_text import printable

TITLE = "asc-tiny budget"


def render(verdict: Verdict) -> str:
    """Return the log."""
    lines = [f"::group::{TITLE}", *_inert(table.render(verdict)), "::endgroup::"]
    lines += [_annotation(check, verdict) for check in verdict.failed]
    if verdict.passed:
        lines.append(f"::notice title={TITLE}::{len(verdict.checks)} checks passed")
    return "\n".join(lines)


def error(message: str) -> str:
    """Return the annotation for what ended the command before there was a report."""
    return f"::error title={TITLE}::{_data(printable(message))}"


def _annotation(check: Check, verdict: Verdict) -> str:
    lines = [printable(check.message)]
    if check.rule == GROWTH:
        lines += change_lines(verdict, check)
    file, title = _property(printable(check.file)), _property(f"{TITLE}: {check.rule}")
    return f"::error file={file},title={title}::{_data(chr(10).join(lines))}"


def _inert(text: str) -> list[str]:
    """Return lines that GitHub does not take for commands, whatever files are called."""
    return [line.replace("::", ": :").replace("##[", "# #[") for line in text.splitlines()]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
