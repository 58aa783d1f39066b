"""The difference between two models, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LAYER_FIGURES: Mapping[str, str] = {
    "params": "parameters",
    "macs": "MACs",
    "weight_bytes": "weight bytes",
    "activation_bytes": "live bytes",
}
"""Figures of a layer that are compared, by JSON key, with their names for people."""

Layer = Mapping[str, Any]
"""A layer as the JSON report has it."""

_Numbered = tuple[int, Layer]


@dataclass(frozen=True)
class Change:
    """A figure before and after."""

    before: int
    after: int

    @property
    def words(self) -> str:
        """How the two compare, to go before "the baseline's"."""
        if self.after == self.before:
            return "as"
        direction = "above" if self.after > self.before else "below"
        if self.before == 0:
            return direction
        return f"{abs(self.after - self.before) / self.before:.2%} {direction}"

    def __str__(self) -> str:
        return f"{self.before:,} -> {self.after:,} ({self.after - self.before:+,})"


@dataclass(frozen=True)
class LayerChange:
    """A layer that was added, has gone or has other figures.

    Attributes:
        number: its place in the model; of one that has gone, its place before.
        op: the operator.
        output_shape: shape of its output, as it is now if it is there.
        kind: ``added``, ``removed`` or ``changed``.
        figures: those that differ, by JSON key; where the layer is not, they are 0.
    """

    number: int
    op: str
    output_shape: tuple[int, ...]
    kind: str
    figures: Mapping[str, Change]


def layer_changes(before: Sequence[Layer], after: Sequence[Layer]) -> list[LayerChange]:
    """Return the layers that differ, in the order of the models."""
    changes = [_change(old, new) for old, new in _pairs([*enumerate(before)], [*enumerate(after)])]
    return [change for change in changes if change.kind != "changed" or change.figures]


def _change(old: _Numbered | None, new: _Numbered | None) -> LayerChange:
    number, layer = new or old or (0, {})
    changes = {
        key: Change(old[1][key] if old else 0, new[1][key] if new else 0) for key in LAYER_FIGURES
    }
    return LayerChange(
        number,
        layer["op"],
        tuple(layer["output_shape"]),
        "changed" if old and new else "added" if new else "removed",
        {key: change for key, change in changes.items() if change.before != change.after},
    )


def _pairs(
    before: Sequence[_Numbered], after: Sequence[_Numbered]
) -> Iterator[tuple[_Numbered | None, _Numbered | None]]:
    """Pair layers of the same operator and name; between those, of the same operator."""
    for same, olds, news in _blocks(before, after, lambda layer: (layer["op"], layer["name"])):
        if same:
            yield from zip(olds, news, strict=True)
            continue
        for alike, old, new in _blocks(olds, news, lambda layer: layer["op"]):
            if alike:
                yield from zip(old, new, strict=True)
            else:
                yield from ((each, None) for each in old)
                yield from ((None, each) for each in new)


def _blocks(
    before: Sequence[_Numbered], after: Sequence[_Numbered], key: Callable[[Layer], object]
) -> Iterator[tuple[bool, Sequence[_Numbered], Sequence[_Numbered]]]:
    """Cut two sequences into blocks with the same keys, and what is between them."""
    from difflib import SequenceMatcher

    old_keys, new_keys = ([key(layer) for _, layer in side] for side in (before, after))
    matcher = SequenceMatcher(None, old_keys, new_keys, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        yield tag == "equal", before[i:j], after[k:m]
