"""Accuracy and confusion as tables for pages and notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from asc_tiny.util.blocks import Table, text

if TYPE_CHECKING:
    from asc_tiny.evaluation.metrics import Figures

HEAD = ("clips of", "clips", "recordings", "accuracy", "from", "to", "log loss (nats)")


def figures_table(caption: str, groups: Mapping[str, Figures], *, is_folded: bool = False) -> Table:
    """Return a row for each group of clips: all, those of a scene, of a device, of a city."""
    rows = [
        [
            text(name),
            f"{each.clips:,}",
            f"{each.recordings:,}",
            f"{each.accuracy:.4f}",
            *(f"{end:.3f}" for end in each.accuracy_interval),
            f"{each.log_loss:.4f}",
        ]
        for name, each in groups.items()
    ]
    return Table(caption, HEAD, rows, is_folded=is_folded)


def confusion_table(
    caption: str, labels: Sequence[str], confusion: Sequence[Sequence[int]]
) -> Table:
    """Return the number of clips by true scene (row) and decided scene (column)."""
    names = [text(each, 40) for each in labels]
    counted = zip(names, confusion, strict=True)
    rows = [[name, *(f"{count:,}" for count in counts)] for name, counts in counted]
    head = ["true class", *names]
    return Table(f"{caption}, true (row) and decided (column)", head, rows, is_folded=True)
