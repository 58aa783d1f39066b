"""Emits the class labels in output order as C."""

from __future__ import annotations

from collections.abc import Sequence

from asc_tiny.firmware.c.templates import environment
from asc_tiny.firmware.fingerprints import labels_digest


def generate(labels: Sequence[str], banner: str, *, unknown: str = "") -> dict[str, str]:
    """Return ``asc_labels.h`` and ``asc_labels.c``, file name to text.

    Args:
        labels: class names in the network's output order.
        banner: the line that says which tool made the file from which model.
        unknown: name of the label after the last class, empty if none is needed.
    """
    names = [*labels, unknown] if unknown else labels
    values = {
        "banner": banner,
        "count": len(labels),
        "hash": labels_digest(labels),
        "labels": names,
    }
    files = ("asc_labels.h", "asc_labels.c")
    templates = environment()
    return {name: templates.get_template(f"labels/{name}.j2").render(values) for name in files}
