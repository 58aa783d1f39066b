"""Emits the class labels in output order as C."""

from __future__ import annotations

import json
from collections.abc import Sequence

from asc_tiny.codegen.identity import labels_digest
from asc_tiny.codegen.templates import environment


def generate(labels: Sequence[str], banner: str, *, unknown: str = "") -> dict[str, str]:
    """Return ``asc_labels.h`` and ``asc_labels.c``, file name to text.

    Args:
        labels: class names in the network's output order.
        banner: the line that says which tool made the file from which model.
        unknown: name of the label after the last class, empty if none is needed.
    """
    # A JSON string in ASCII with its escapes for quotes and backslashes is a C string literal,
    # but for characters outside ASCII, which C99 writes as UTF-8 bytes in octal.
    names = [*labels, unknown] if unknown else labels
    values = {
        "banner": banner,
        "count": len(labels),
        "hash": labels_digest(labels),
        "labels": [_literal(label) for label in names],
    }
    files = ("asc_labels.h", "asc_labels.c")
    templates = environment()
    return {name: templates.get_template(f"labels/{name}.j2").render(values) for name in files}


def _literal(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isascii() else _octal(c) for c in quoted)


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode())
