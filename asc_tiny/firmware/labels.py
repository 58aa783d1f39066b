"""Emits the class labels in output order as C."""

from __future__ import annotations

from collections.abc import Sequence

from asc_tiny.firmware.c.templates import render_files
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
    return render_files(values, "labels/asc_labels.h", "labels/asc_labels.c")
