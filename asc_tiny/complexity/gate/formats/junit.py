"""The report as JUnit XML: a test case for each check, a test suite for each subject.

The elements are those that Jenkins and GitLab read.
"""

from __future__ import annotations

from xml.etree import ElementTree

from asc_tiny.complexity.gate.formats.changes import change_lines
from asc_tiny.complexity.gate.gate import GROWTH, Check, Verdict
from asc_tiny.util.console_text import printable


def render(verdict: Verdict) -> str:
    """Return the report as XML."""
    suites = ElementTree.Element("testsuites", _counts("asc-tiny budget", verdict.checks))
    for subject in dict.fromkeys(check.subject for check in verdict.checks):
        checks = tuple(check for check in verdict.checks if check.subject == subject)
        suite = ElementTree.SubElement(suites, "testsuite", _counts(printable(subject), checks))
        for check in checks:
            _case(suite, check, verdict)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _case(suite: ElementTree.Element, check: Check, verdict: Verdict) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=f"{check.rule} {check.figure.key}",
        classname=printable(check.subject),
        file=printable(check.file),
        time="0",
    )
    if not check.passed:
        message = printable(check.message)
        failure = ElementTree.SubElement(case, "failure", message=message, type=check.rule)
        lines = [message]
        if check.rule == GROWTH:
            lines += change_lines(verdict, check)
        failure.text = "\n".join(lines)
    else:
        ElementTree.SubElement(case, "system-out").text = printable(check.message)


def _counts(name: str, checks: tuple[Check, ...]) -> dict[str, str]:
    failures = sum(not check.passed for check in checks)
    return {
        "name": name,
        "tests": str(len(checks)),
        "failures": str(failures),
        "errors": "0",
        "skipped": "0",
        "time": "0",
    }
