"""The C runtime: files written by hand that go into projects as they are, a folder for each part.

=============== =================================================================================
folder          contents
=============== =================================================================================
``nn``          network kernels and the executor that runs them row by row
``fixed_point`` products of 32 bits, which the front end and the resampler share
``frontend``    samples to feature columns
``decision``    scores to a label
``classifier``  front end, network and decision in one
``audio``       blocks of samples from an interrupt to the application
``resample``    from the microphone's sample rate to that of the model
``pdm``         from the bits of a PDM microphone to samples
``protocol``    requests and replies on a serial port
``selftest``    the check of an image against expected features and scores
``golden``      the check of an image of a network alone against expected outputs
=============== =================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from asc_tiny.firmware.c.templates import template_root


def runtime_sources(*folders: str) -> dict[str, str]:
    """Return the C files of folders of the runtime, file name to text, sorted within a folder.

    Args:
        folders: names of folders of ``firmware_templates/runtime``; no two have a file of one
            name, since a generated project is one flat folder.
    """
    root = template_root() / "runtime"
    paths = [path for folder in folders for path in sorted((root / folder).glob("*.[ch]"))]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r'^\s*#\s*include "([^"]+)"', re.MULTILINE)
_NAME = re.compile(r"\basc_\w+")
_FUNCTION = r"^[A-Za-z_][\w *]*?\b(asc_\w+)\([^;{}()]*\)"
_HEAD = re.compile(rf"{_FUNCTION}\s*[;{{]", re.MULTILINE)
_DEFINITION = re.compile(rf"(?!static\b){_FUNCTION}\s*\{{", re.MULTILINE)


def needed_sources(folder: str, users: Iterable[str]) -> dict[str, str]:
    """Return those files of a folder of the runtime that C code needs, file name to text, sorted.

    Needed are headers that are included, and files that define a function that is named; and what
    these need in turn. A function may have several definitions, for several cores: all are taken.

    Args:
        folder: name of a folder of ``firmware_templates/runtime``.
        users: texts of the C code, such as a network.
    """
    sources = runtime_sources(folder)
    definers = _definers(sources)
    # Where a file calls a function of its own, no core takes another file's for it.
    needs = {
        name: {each for each in _needs(text) if name not in definers.get(each, ())}
        for name, text in sources.items()
    }
    found: set[str] = set()
    named = set().union(*map(_needs, users))
    while named:
        files = {name for name in named if name in sources}
        files.update(*(definers.get(name, ()) for name in named))
        named = set().union(*(needs[name] for name in files - found))
        found |= files
    return {name: text for name, text in sources.items() if name in found}


def _needs(text: str) -> set[str]:
    """Return the headers that C code includes, and the names in it but for heads of functions."""
    code = _COMMENT.sub(" ", text)
    headers = _INCLUDE.findall(code)
    return {*headers, *_NAME.findall(_HEAD.sub(" ", _INCLUDE.sub(" ", code)))}


def _definers(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the files that define each function that other files can call."""
    found: dict[str, set[str]] = {}
    for file, text in sources.items():
        for name in _DEFINITION.findall(_COMMENT.sub(" ", text)):
            found.setdefault(name, set()).add(file)
    return found
