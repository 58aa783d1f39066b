"""Text of others in generated files: a function for each language that makes it inert there.

A label, the name of a file or of a board is data. Templates print it through the filter of the
language that they are written in; everything else that they print is ours.
"""

from __future__ import annotations

import re

from asc_tiny.util.console_text import markdown as _markdown
from asc_tiny.util.console_text import printable

# Printable ASCII but for what has a meaning in a literal: quotes, escapes and trigraphs.
_VERBATIM = frozenset(range(0x20, 0x7F)) - set(b'"\\?')


def c_string(text: str) -> str:
    """Return a C and C++ string literal of the UTF-8 bytes of ``text``.

    Every other byte is an octal escape of three digits, the longest that there is: no digit that
    follows joins it, and no mode for trigraphs or character sets changes it.
    """
    data = text.encode("utf-8")
    return '"' + "".join(chr(b) if b in _VERBATIM else f"\\{b:03o}" for b in data) + '"'


def comment(text: str) -> str:
    """Return a line for a comment of C, CMake, YAML, Kconfig, devicetree or a linker script.

    It neither ends a comment nor begins one in it, and does not continue it on the next line.
    """
    line = printable(text).replace("\\", "/").replace("??/", "?? /")
    return line.replace("*/", "* /").replace("/*", "/ *")


def markdown(text: str) -> str:
    """Return text that Markdown shows as it is; a name's underscores between letters stay."""
    return re.sub(r"(?<=\w)\\_(?=\w)", "_", _markdown(text))


def cmake_string(text: str) -> str:
    """Return a quoted argument of CMake's language."""
    return '"' + re.sub(r'(["\\$])', r"\\\1", printable(text)) + '"'


FILTERS = {
    "c_string": c_string,
    "comment": comment,
    "markdown": markdown,
    "cmake_string": cmake_string,
    "line": printable,
}
"""Jinja filters by name; ``line`` is for files whose values end with the line."""
