"""The complexity of models: per layer, per model and in total."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.complexity.graph import Graph
from asc_tiny.complexity.macs import macs, parameters
from asc_tiny.complexity.memory import live_bytes


@dataclass(frozen=True)
class LayerComplexity:
    """One operator; the figures are defined in docs/budget.md."""

    name: str
    op: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    weight_bytes: int
    activation_bytes: int


@dataclass(frozen=True)
class ModelComplexity:
    """One model file with its layers in execution order."""

    path: str
    layers: tuple[LayerComplexity, ...]

    @property
    def params(self) -> int:
        """Learnt values in the file."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiplies of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Bytes that the learnt values take."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def peak_activation_bytes(self) -> int:
        """Largest sum of activations that exist at the same time."""
        return max((layer.activation_bytes for layer in self.layers), default=0)


@dataclass(frozen=True)
class Total:
    """The sums over several models."""

    params: int
    macs: int
    weight_bytes: int
    peak_activation_bytes: int


def measure(graph: Graph) -> ModelComplexity:
    """Measure a .tflite model.

    A constant that several operators share counts at the first.

    Raises:
        AscError: an operator whose multiplies cannot be counted.
    """
    seen: set[int] = set()
    layers = []
    for operator, activation_bytes in zip(graph.operators, live_bytes(graph), strict=True):
        constants = {tensor.index: tensor for tensor in parameters(graph, operator)}
        fresh = [tensor for index, tensor in constants.items() if index not in seen]
        seen.update(constants)
        output = graph.tensor(operator.outputs[0])
        layers.append(
            LayerComplexity(
                name=output.name,
                op=operator.name,
                output_shape=output.shape,
                params=sum(tensor.size for tensor in fresh),
                macs=macs(graph, operator),
                weight_bytes=sum(tensor.byte_count for tensor in fresh),
                activation_bytes=activation_bytes,
            )
        )
    return ModelComplexity(graph.source, tuple(layers))


def total(models: Sequence[ModelComplexity]) -> Total:
    """Add up every figure over the models."""

    def add(figure: Callable[[ModelComplexity], int]) -> int:
        return sum(figure(model) for model in models)

    return Total(
        params=add(lambda model: model.params),
        macs=add(lambda model: model.macs),
        weight_bytes=add(lambda model: model.weight_bytes),
        peak_activation_bytes=add(lambda model: model.peak_activation_bytes),
    )


def figures(measured: ModelComplexity | Total | LayerComplexity) -> dict[str, int]:
    """Return the figures of a layer, a model or a total under their JSON keys."""
    values = {
        "params": measured.params,
        "macs": measured.macs,
        "weight_bytes": measured.weight_bytes,
    }
    if isinstance(measured, LayerComplexity):
        return {**values, "activation_bytes": measured.activation_bytes}
    return {**values, "peak_activation_bytes": measured.peak_activation_bytes}


def to_json(models: Sequence[ModelComplexity]) -> dict[str, Any]:
    """Return ``models`` and ``total`` of the JSON report."""
    return {
        "models": [
            {
                "path": model.path,
                **figures(model),
                "layers": [
                    {
                        "name": layer.name,
                        "op": layer.op,
                        "output_shape": list(layer.output_shape),
                        **figures(layer),
                    }
                    for layer in model.layers
                ],
            }
            for model in models
        ],
        "total": figures(total(models)),
    }


def to_table(models: Sequence[ModelComplexity]) -> str:
    """Return the report as text: a table of layers per model, then the total."""
    header = ("layer", "operator", "output", "params", "MACs", "weight B", "live B")
    lines = []
    for model in models:
        rows: list[tuple[str, ...]] = [header]
        for number, layer in enumerate(model.layers):
            shape = "x".join(map(str, layer.output_shape))
            counts = [f"{value:,}" for value in figures(layer).values()]
            rows.append((str(number), layer.op, shape, *counts))
        rows.append(("", "sum, peak", "", *(f"{value:,}" for value in figures(model).values())))
        lines += [model.path, *_align(rows), ""]
    sums = total(models)
    lines.append(
        f"total: {sums.params:,} parameters, {sums.macs:,} MACs, {sums.weight_bytes:,} bytes of "
        f"weights, {sums.peak_activation_bytes:,} bytes of activations at the peak"
    )
    return "\n".join(lines)


def _align(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return lines
