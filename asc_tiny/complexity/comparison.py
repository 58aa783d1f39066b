"""A Keras model and the .tflite file made from it, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.complexity.report import LayerComplexity, ModelComplexity, align

_OPERATORS = {
    "Conv2D": ("CONV_2D",),
    "Conv2DTranspose": ("TRANSPOSE_CONV",),
    "Dense": ("FULLY_CONNECTED", "BATCH_MATMUL"),
    "DepthwiseConv2D": ("DEPTHWISE_CONV_2D", "CONV_2D"),
    "Softmax": ("SOFTMAX",),
}
_NORMALISATION = re.compile("Normali[sz]ation$")


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
        """Multiply-accumulates: of the layers, of the operators."""
        return sum(x.macs for x in self.layers), sum(x.macs for x in self.operators)

    @property
    def params(self) -> tuple[int, int]:
        """Parameters: of the layers, of the operators."""
        return sum(x.params for x in self.layers), sum(x.params for x in self.operators)

    @property
    def folded(self) -> int:
        """Parameters of batch norms that are part of the weights now."""
        if any(x.op not in _WEIGHTED for x in self.operators):
            return 0
        return sum(x.params for x in self.layers if _NORMALISATION.search(x.op))

    @property
    def unexplained(self) -> int:
        """By how many parameters the operators differ from what folding leaves.

        A layer without a bias gets one where a batch norm's offset is folded; a bias of zeros is
        left out by the converter.
        """
        before, after = self.params
        channels = self.layers[0].output_shape[-1] if self.layers and self.layers[0].macs else 0
        difference = after - (before - self.folded)
        if (difference == channels and self.folded) or difference == -channels:
            return 0
        return difference

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
        difference = self.params[1] - (self.params[0] - self.folded)
        if difference and not self.unexplained:
            word = "takes the offset" if difference > 0 else "is zero and left out"
            notes.append(f"bias {word}, {difference:+,}")
        if self.unexplained:
            notes.append(f"{self.unexplained:+,} PARAMETERS NOT EXPLAINED")
        if self.macs[0] != self.macs[1]:
            notes.append("MACS DIFFER")
        if not self.operators and not notes:
            notes.append("nothing left of it at run time")
        return "; ".join(notes)


_WEIGHTED = ("BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def compare(keras: ModelComplexity, tflite: ModelComplexity) -> list[Row]:
    """Line up the layers of a Keras model with the operators of its conversion.

    The converter writes the names of layers into those of its tensors. Where it does not, layers
    go to the first operators that do as much and give the same shape. Rows are in the order of
    the operators, then what has none.
    """
    owners = _owners(keras.layers, tflite.layers)
    rows: dict[int, list[LayerComplexity]] = {}
    for layer, owner in zip(keras.layers, owners, strict=True):
        if owner is not None:
            rows.setdefault(owner, []).append(layer)
    joined = _joined(tflite.layers, rows)
    made = [Row(tuple(rows.get(first, ())), operators) for first, operators in joined.items()]
    gone = [
        Row((layer,), ())
        for layer, owner in zip(keras.layers, owners, strict=True)
        if owner is None
    ]
    return made + gone


def _joined(
    operators: Sequence[LayerComplexity], rows: dict[int, list[LayerComplexity]]
) -> dict[int, tuple[LayerComplexity, ...]]:
    """Return operators by the first that works for the same layers: a batch norm may be two."""
    found: dict[int, tuple[LayerComplexity, ...]] = {}
    for number, operator in enumerate(operators):
        previous = next(reversed(found), None)
        alone = previous is not None and number not in rows and operator.params > 0
        if alone and previous is not None:
            found[previous] += (operator,)
        else:
            found[number] = (operator,)
    return found


def _owners(
    layers: Sequence[LayerComplexity], operators: Sequence[LayerComplexity]
) -> list[int | None]:
    owners = _by_name(layers, operators)
    taken = {owner for owner in owners if owner is not None}
    for i, layer in enumerate(layers):
        if owners[i] is not None or layer.op not in _OPERATORS:
            continue
        for number, operator in enumerate(operators):
            if number not in taken and _may_be(layer, operator) and layer.macs == operator.macs:
                owners[i] = number
                taken.add(number)
                break
    return owners


def _by_name(
    layers: Sequence[LayerComplexity], operators: Sequence[LayerComplexity]
) -> list[int | None]:
    """Match names; the converter may have given all layers the same number behind their names."""
    tokens = [set(re.split("[;/:]", operator.name)) for operator in operators]

    def matched(suffix: str) -> list[int | None]:
        found: list[int | None] = []
        for layer in layers:
            places = (
                number
                for number, names in enumerate(tokens)
                if layer.name + suffix in names and _may_be(layer, operators[number])
            )
            found.append(next(places, None))
        return found

    candidates = [matched(suffix) for suffix in ("", "_1", "_2", "_3")]
    return max(candidates, key=lambda found: sum(owner is not None for owner in found))


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
    lines = [(*line[:2], *line[3:], line[2]) for line in lines]
    return "\n".join([*align(lines, left=(0, 1, 6)), f"Keras and TFLite {verdict}"])
