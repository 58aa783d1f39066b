"""What a failed build says: the lines of compiler, linker and CMake that tell what is wrong."""

from __future__ import annotations

import re
from itertools import takewhile

MOST_LINES = 10

_ERROR = re.compile(
    r"(?:^|[\s:])(?:fatal )?error: "  # of compilers, as file:line:column: error: text
    r"|undefined reference to |multiple definition of |undefined symbol"
    r"|cannot find |section .* will not fit in region|region .* overflowed by "
    r"|^CMake Error|^ninja: error: "
)
_ECHO = re.compile(r"^collect2: |: ld returned |^ninja: build stopped")
"""Lines that say again that there was an error."""


def error_lines(log: str) -> list[str]:
    """Return the lines of a build's output that say what failed, the last ones if none is known.

    Of CMake's errors the text comes with them, which stands indented in the lines below. The
    result has at most ``MOST_LINES`` lines and a last one that tells how many more there are.
    """
    lines = log.splitlines()
    found: list[str] = []
    for number, line in enumerate(lines):
        if _ERROR.search(line) and not _ECHO.search(line):
            found.append(line)
            if line.startswith("CMake Error"):
                below = takewhile(lambda text: not text or text[0] == " ", lines[number + 1 :])
                found.extend(text for text in below if text)
    if not found:
        return [line for line in lines if line.strip()][-MOST_LINES:]
    more = len(found) - MOST_LINES
    return found[:MOST_LINES] + ([f"and {more} lines more"] if more > 0 else [])
