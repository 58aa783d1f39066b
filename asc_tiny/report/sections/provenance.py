"""Where the model comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asc_tiny.report.blocks import Block, Section
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph, Table, text


def section(subject: Subject) -> Section:
    """Return hashes, labels and what training wrote down."""
    blocks: list[Block] = []
    for network in subject.networks:
        model_file = network.model_file
        rows = [["SHA-256", model_file.sha256], ["bytes", f"{len(model_file.data):,}"]]
        if model_file.network:
            rows.append(["network", text(model_file.network)])
        if model_file.labels:
            rows.append(["labels", text(", ".join(model_file.labels), 1000)])
        rows += [[key, value] for key, value in _flat(model_file.provenance)]
        caption = f"{network.name}: file and provenance"
        blocks.append(Table(caption, ["what", "value"], rows, left=(0, 1)))
        if not model_file.provenance:
            blocks.append(Paragraph("The file says nothing of how it was made."))
    return Section("provenance", "Provenance", blocks)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield values of nested tables with dotted names, in alphabetic order."""
    for key, value in sorted(values.items()):
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and name.count(".") < 8:
            yield from _flat(value, f"{name}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield text(name), text(", ".join(map(str, value)), 400)
        else:
            yield text(name), text(value, 400)
