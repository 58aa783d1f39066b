"""The complexity of models: per layer, per model and in total."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.complexity import nessi
from asc_tiny.complexity.counting import called, work
from asc_tiny.complexity.graph import Graph, Operator, Tensor
from asc_tiny.complexity.memory import live_bytes
from asc_tiny.complexity.parameters import parameters, storage
from asc_tiny.complexity.tflm.arena import least_head
from asc_tiny.errors import AscError


@dataclass(frozen=True)
class LayerComplexity:
    """One operator; the figures are defined in docs/COUNTING.md."""

    name: str
    op: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    weight_bytes: int
    activation_bytes: int
    operations: int = 0
    moved_bytes: int = 0


@dataclass(frozen=True)
class ModelComplexity:
    """One model file with its layers in execution order.

    Attributes:
        path: the file.
        layers: its operators.
        head_bytes: what TensorFlow Lite Micro's planner makes of its activations and of the
            working memory that is known; None if there are too many to plan.
        costs: on a microcontroller, where they were asked for.
    """

    path: str
    layers: tuple[LayerComplexity, ...]
    head_bytes: int | None = None
    costs: Mapping[str, Any] | None = None

    @property
    def params(self) -> int:
        """Learnt values in the file."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiplies of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def operations(self) -> int:
        """Other arithmetic of one inference."""
        return sum(layer.operations for layer in self.layers)

    @property
    def moved_bytes(self) -> int:
        """Bytes that are only moved in one inference."""
        return sum(layer.moved_bytes for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Bytes that the learnt values take."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def peak_activation_bytes(self) -> int:
        """Head of TensorFlow Lite Micro's arena, else the largest sum of live activations."""
        if self.head_bytes is not None:
            return self.head_bytes
        return max((layer.activation_bytes for layer in self.layers), default=0)


@dataclass(frozen=True)
class Total:
    """The sums over several models."""

    params: int
    macs: int
    weight_bytes: int
    peak_activation_bytes: int
    operations: int = 0
    moved_bytes: int = 0


CONVENTIONS = ("exact", "nessi")
"""How parameters and multiply-accumulates are counted: by docs/COUNTING.md, or as NeSsi does."""

PARAMS_UNIT = {"exact": "values", "nessi": "bytes of constants, an int32 bias 4 of them"}
"""What parameters are, by convention."""


def measure(graph: Graph, *, convention: str = "exact") -> ModelComplexity:
    """Measure a .tflite model.

    A constant that several operators share counts at the first. The parameters of a subgraph count
    at the operator that calls it, or in a line of their own.

    Args:
        graph: the model.
        convention: one of ``CONVENTIONS``.

    Raises:
        AscError: an operator whose work cannot be counted, or a batch of more than one input.
    """
    check_batch(graph)
    stored = _Stored(graph)
    layers = []
    for operator, activation_bytes in zip(graph.operators, live_bytes(graph), strict=True):
        count = work(graph, operator)
        fresh = stored.fresh(graph, operator)
        params, macs = sum(tensor.size for tensor in fresh), count.macs
        if convention == "nessi":
            params, macs = nessi.constant_bytes(graph, operator), nessi.macs(graph, operator)
        output = graph.tensor(operator.outputs[0]) if operator.outputs else None
        layers.append(
            LayerComplexity(
                name=output.name if output else "",
                op=operator.name,
                output_shape=output.shape if output else (),
                params=params,
                macs=macs,
                operations=count.operations,
                moved_bytes=count.moved_bytes,
                weight_bytes=sum(tensor.byte_count for tensor in fresh),
                activation_bytes=activation_bytes,
            )
        )
    return ModelComplexity(graph.source, (*layers, *stored.uncalled()), _head_bytes(graph))


def _head_bytes(graph: Graph) -> int | None:
    try:
        return least_head(graph)
    except AscError:
        return None


def check_batch(graph: Graph) -> None:
    """Check that an inference is one clip: inputs of two dimensions or more begin with 1.

    Raises:
        AscError: an input has another batch.
    """
    for index in graph.inputs:
        shape = graph.tensor(index).shape
        if len(shape) >= 2 and shape[0] != 1:
            raise AscError(
                f"{graph.source}: input {graph.tensor(index).name} has shape {list(shape)}, "
                f"a batch of {shape[0]}; convert the model with batch size 1"
            )


class _Stored:
    """Which constants have been counted, in the order of the operators that read them."""

    def __init__(self, model: Graph) -> None:
        self.model = model
        self.seen: set[tuple[int, int]] = set()
        self.called: set[int] = {0}

    def fresh(self, graph: Graph, operator: Operator) -> list[Tensor]:
        """Return the learnt constants of an operator, and of what it calls, not counted yet."""
        found = []
        for tensor in parameters(graph, operator):
            key = storage(graph, tensor)
            if key not in self.seen:
                self.seen.add(key)
                found.append(tensor)
        for number in called(operator):
            found += self.of_subgraph(number)
        return found

    def of_subgraph(self, number: int) -> list[Tensor]:
        """Return the constants of a subgraph that has not been called before."""
        if number in self.called:
            return []
        self.called.add(number)
        graph = self.model.subgraph(number)
        return [tensor for operator in graph.operators for tensor in self.fresh(graph, operator)]

    def uncalled(self) -> list[LayerComplexity]:
        """Return a line for each subgraph that no operator calls: it takes flash all the same."""
        lines = []
        for number in range(1, 1 + len(self.model.others)):
            if number not in self.called:
                fresh = self.of_subgraph(number)
                lines.append(
                    LayerComplexity(
                        name=f"subgraph {number}",
                        op="SUBGRAPH",
                        output_shape=(),
                        params=sum(tensor.size for tensor in fresh),
                        macs=0,
                        weight_bytes=sum(tensor.byte_count for tensor in fresh),
                        activation_bytes=0,
                    )
                )
        return lines


def total(models: Sequence[ModelComplexity]) -> Total:
    """Add up every figure over the models."""

    def add(figure: Callable[[ModelComplexity], int]) -> int:
        return sum(figure(model) for model in models)

    return Total(
        params=add(lambda model: model.params),
        macs=add(lambda model: model.macs),
        weight_bytes=add(lambda model: model.weight_bytes),
        peak_activation_bytes=add(lambda model: model.peak_activation_bytes),
        operations=add(lambda model: model.operations),
        moved_bytes=add(lambda model: model.moved_bytes),
    )


def figures(measured: ModelComplexity | Total | LayerComplexity) -> dict[str, int]:
    """Return the figures of a layer, a model or a total under their JSON keys."""
    values = {
        "params": measured.params,
        "macs": measured.macs,
        "operations": measured.operations,
        "moved_bytes": measured.moved_bytes,
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
                **({} if model.costs is None else {"costs": model.costs}),
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
    header = (
        "layer",
        "operator",
        "output",
        "params",
        "MACs",
        "other",
        "moved B",
        "weight B",
        "live B",
    )
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
