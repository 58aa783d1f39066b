"""A Keras model and the .tflite file made from it, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.complexity.report import LayerComplexity, ModelComplexity
from asc_tiny.tflite import ops
from asc_tiny.util.console_text import align, printable

_OPERATORS = {
    "Conv2D": ("CONV_2D",),
    "Conv2DTranspose": ("TRANSPOSE_CONV",),
    "Dense": ("FULLY_CONNECTED", "BATCH_MATMUL"),
    "DepthwiseConv2D": ("DEPTHWISE_CONV_2D", "CONV_2D"),
    "Softmax": ("SOFTMAX",),
}
_NORMALIZATION = re.compile("Normali[sz]ation$")


@dataclass(frozen=True)
class Row:
    """What became of some Keras layers.

    Attributes:
        layers: the Keras layers, in their order.
        operators: the operators that do their work; none if nothing is left of them.
    """

    layers: tuple[LayerComplexity, ...]
    operators: tuple[LayerComplexity, ...]

    @property
    def macs(self) -> tuple[int, int]:
        """Multiply-accumulates of the layers, and of the operators."""
        return sum(x.macs for x in self.layers), sum(x.macs for x in self.operators)

    @property
    def params(self) -> tuple[int, int]:
        """Parameters of the layers, and of the operators."""
        return sum(x.params for x in self.layers), sum(x.params for x in self.operators)

    @property
    def folded(self) -> int:
        """Parameters of batch norms that are part of the weights now."""
        if any(ops.row(x.op).family is not ops.Family.WEIGHTED for x in self.operators):
            return 0
        return sum(x.params for x in self.layers if _NORMALIZATION.search(x.op))

    @property
    def difference(self) -> int:
        """Parameters that the operators have beyond what folding leaves, negative if fewer."""
        before, after = self.params
        return after - (before - self.folded)

    @property
    def explained(self) -> dict[str, int] | None:
        """What the difference consists of, by its name for people; None if it is not known.

        A layer without a bias gets one where a batch norm's offset is folded; a bias of zeros is
        left out by the converter. What a layer holds beside what it learns is a constant of the
        file, and so are the numbers of a formula, such as those of an activation.
        """
        channels = self.layers[0].output_shape[-1] if self.layers and self.layers[0].macs else 0
        biases = {0: "", -channels: "bias is zero and left out"}
        if self.folded:
            biases[channels] = "bias takes the offset"
        numbers = sum(operator.numbers for operator in self.operators)
        untrained = sum(layer.untrained for layer in self.layers)
        for bias, word in biases.items():
            rest = self.difference - bias
            # Equal constants share a buffer, so that there may be fewer.
            if 0 <= rest <= untrained + numbers:
                given = min(rest, untrained)
                parts = {word: bias, "not trained": given, "numbers of a formula": rest - given}
                return {name: value for name, value in parts.items() if value}
        return None

    @property
    def unexplained(self) -> int:
        """Parameters of that difference that no known reason explains."""
        return self.difference if self.explained is None else 0

    @property
    def agrees(self) -> bool:
        """Whether multiply-accumulates are the same, and differences of parameters explained."""
        before, after = self.macs
        return before == after and self.unexplained == 0

    @property
    def note(self) -> str:
        """Why the figures differ, or that they should not."""
        notes = []
        if self.folded:
            notes.append(f"batch norm folded, {self.folded:,} parameters fewer")
        notes += [f"{name}, {value:+,}" for name, value in (self.explained or {}).items()]
        if self.unexplained:
            notes.append(f"{self.unexplained:+,} PARAMETERS NOT EXPLAINED")
        if self.macs[0] != self.macs[1]:
            notes.append("MACS DIFFER")
        if not self.operators and not notes:
            notes.append("nothing left of it at run time")
        return "; ".join(notes)


def compare(keras: ModelComplexity, tflite: ModelComplexity) -> list[Row]:
    """Line up the layers of a Keras model with the operators of its conversion.

    The converter writes the names of layers into those of its tensors. Where it does not, layers
    go to the first operators that do as much and give the same shape. Rows are in the order of
    the operators, then what has none.
    """
    places = _places(keras.layers, tflite.layers)
    rows = _rows(places, len(tflite.layers))
    members: dict[int, list[LayerComplexity]] = {}
    for layer, found in zip(keras.layers, places, strict=True):
        if found:
            members.setdefault(rows[found[0]], []).append(layer)
    made = [
        Row(
            tuple(members.get(row, ())),
            tuple(op for op, of in zip(tflite.layers, rows, strict=True) if of == row),
        )
        for row in dict.fromkeys(rows)
    ]
    pairs = zip(keras.layers, places, strict=True)
    return made + [Row((layer,), ()) for layer, found in pairs if not found]


def _rows(places: Sequence[Sequence[int]], operators: int) -> list[int]:
    """Return a row for each operator; those that work for the same layer share one."""
    rows = list(range(operators))
    for found in places:
        joined = {rows[number] for number in found}
        rows = [min(joined) if row in joined else row for row in rows]
    return rows


def _places(
    layers: Sequence[LayerComplexity], operators: Sequence[LayerComplexity]
) -> list[list[int]]:
    """Return the operators of each layer, by name or else by their work."""
    places = _by_name(layers, operators)
    taken = {number for found in places for number in found}
    for found, layer in zip(places, layers, strict=True):
        if found or layer.op not in _OPERATORS:
            continue
        for number, operator in enumerate(operators):
            if number not in taken and _may_be(layer, operator) and layer.macs == operator.macs:
                found.append(number)
                taken.add(number)
                break
    return places


def _by_name(
    layers: Sequence[LayerComplexity], operators: Sequence[LayerComplexity]
) -> list[list[int]]:
    """Match names; Keras may have numbered those of all layers anew when it exported them."""
    tokens = [set(re.split("[;/:]", operator.name)) for operator in operators]

    def matched(suffix: str) -> list[list[int]]:
        found = []
        for layer in layers:
            name = re.compile(re.escape(layer.name) + suffix)
            places = [n for n, names in enumerate(tokens) if any(map(name.fullmatch, names))]
            found.append([n for n in places if _may_be(layer, operators[n])])
        return found

    return max((matched(""), matched("_[0-9]+")), key=lambda found: sum(map(bool, found)))


def _may_be(layer: LayerComplexity, operator: LayerComplexity) -> bool:
    if layer.op not in _OPERATORS:
        return True
    return operator.op in _OPERATORS[layer.op]


def to_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the comparison of the JSON report."""
    return {
        "agrees": all(row.agrees for row in rows),
        "rows": [
            {
                "keras_layers": [layer.name for layer in row.layers],
                "operators": [operator.op for operator in row.operators],
                "keras_macs": row.macs[0],
                "tflite_macs": row.macs[1],
                "keras_params": row.params[0],
                "tflite_params": row.params[1],
                "folded_params": row.folded,
                "unexplained_params": row.unexplained,
                "agrees": row.agrees,
                "note": row.note,
            }
            for row in rows
        ],
    }


def to_table(rows: Sequence[Row]) -> str:
    """Return the comparison as text."""
    header = ("operators", "Keras layers", "note", "MACs", "MACs", "params", "params")
    lines: list[tuple[str, ...]] = [("", "", "", "Keras", "TFLite", "Keras", "TFLite"), header]
    for row in rows:
        operators = ", ".join(operator.op for operator in row.operators) or "-"
        layers = ", ".join(layer.name for layer in row.layers) or "-"
        counts = [f"{value:,}" for value in (*row.macs, *row.params)]
        lines.append((operators, layers, row.note, *counts))
    pairs = [*zip(*(row.macs for row in rows), strict=True)]
    pairs += [*zip(*(row.params for row in rows), strict=True)]
    lines.append(("sum", "", "", *(f"{sum(values):,}" for values in pairs)))
    verdict = "agree" if all(row.agrees for row in rows) else "DO NOT AGREE"
    # The notes come last, where they may be long.
    lines = [tuple(map(printable, (*line[:2], *line[3:], line[2]))) for line in lines]
    return "\n".join([*align(lines, left=(0, 1, 6)), f"Keras and TFLite {verdict}"])
