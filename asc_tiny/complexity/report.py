"""The complexity of models: per layer, per model and in total."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asc_tiny.complexity import nessi
from asc_tiny.complexity.op_cost import OpCost, UncountedError, op_cost
from asc_tiny.complexity.parameters import Learnt
from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.liveness import live_bytes
from asc_tiny.tflm.subgraph_arena import head_bytes
from asc_tiny.util.blocks import Paragraph, Table, text
from asc_tiny.util.console_text import shape
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.errors import AscError


@dataclass(frozen=True)
class LayerComplexity:
    """One operator; the figures are defined in docs/reference/counting.md.

    Attributes:
        numbers: those of the parameters that stand alone, such as the factor of a rescaling.
        untrained: values of a Keras layer that training does not touch, such as a mean.
        uncounted: reason why the work of the operator cannot be counted, empty if it is.
    """

    name: str
    op: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    weight_bytes: int
    activation_bytes: int
    operations: int = 0
    moved_bytes: int = 0
    numbers: int = 0
    untrained: int = 0
    uncounted: str = ""


@dataclass(frozen=True, repr=False)
class ModelComplexity(Displayed):
    """One model file with its layers in execution order.

    Attributes:
        path: the file.
        layers: its operators.
        head_bytes: what TensorFlow Lite Micro's planner makes of its activations and scratch
            memory; None for a Keras model, of which there is an estimate, and where that is not
            known.
        unmeasured: figures that cannot be measured, with the reason, by their JSON keys. What the
            other properties then give is the sum over the operators that are counted.
        costs: costs on a microcontroller; None where they were not asked for.
    """

    path: str
    layers: tuple[LayerComplexity, ...]
    head_bytes: int | None = None
    costs: Mapping[str, Any] | None = None
    unmeasured: Mapping[str, str] = field(default_factory=dict)

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
        """Head of TensorFlow Lite Micro's arena, else the largest sum of live activations.

        If it is not measured, it is at least that.
        """
        if self.head_bytes is not None:
            return self.head_bytes
        return max((layer.activation_bytes for layer in self.layers), default=0)

    @property
    def summary(self) -> str:
        """One line for people."""
        params, macs, peak = (_shown(figures(self)[key]) for key in ("params", "macs", _PEAK))
        return f"{Path(self.path).name}: {params} parameters, {macs} MACs, {peak} bytes at the peak"

    def shown_blocks(self) -> Iterator[Paragraph | Table]:
        """Return the figures of the model, and those of its layers."""
        name = text(Path(self.path).name)
        yield pairs(name, [(_TITLES[key], _shown(value)) for key, value in figures(self).items()])
        for key, reason in self.unmeasured.items():
            yield Paragraph(f"{_TITLES[key]}: {text(reason)}", is_bad=True)
        rows = [
            [
                str(number),
                text(layer.op, 60),
                shape(layer.output_shape),
                *(_shown(figures(layer)[key]) for key in _LAYER_FIGURES),
            ]
            for number, layer in enumerate(self.layers)
        ]
        head = ["layer", "operator", "output", *(_TITLES[key] for key in _LAYER_FIGURES)]
        yield Table(f"{name}: {len(rows)} layers", head, rows, left=(1, 2), is_folded=True)


@dataclass(frozen=True)
class Total:
    """The sums over several models.

    Attributes:
        unmeasured: figures that cannot be measured of a model: the model and the reason.
    """

    params: int
    macs: int
    weight_bytes: int
    peak_activation_bytes: int
    operations: int = 0
    moved_bytes: int = 0
    unmeasured: Mapping[str, str] = field(default_factory=dict)


CONVENTIONS = ("exact", "nessi")
"""How parameters and MACs are counted: by docs/reference/counting.md, or as NeSsi does."""

PARAMS_UNIT = {"exact": "values", "nessi": "bytes of constants, an int32 bias 4 of them"}
"""What parameters are, by convention."""


def measure(graph: Graph, *, convention: str = "exact") -> ModelComplexity:
    """Measure a .tflite model.

    A constant that several operators share counts at the first. The parameters of a subgraph count
    at the operator that calls it, or in a line of their own.

    Args:
        graph: the model.
        convention: one of ``CONVENTIONS``.

    The work of an operator that cannot be counted, such as a custom one, is not measured, and so is
    the sum over all; the rest is.

    Raises:
        AscError: operands that an operator cannot have, or subgraphs where NeSsi's rule is asked
            for.
    """
    if convention == "nessi":
        nessi.check(graph)
    learnt = Learnt(graph)
    layers = []
    for operator, activation_bytes in zip(graph.operators, live_bytes(graph), strict=True):
        count, uncounted = _work(graph, operator)
        fresh = learnt.fresh(graph, operator)
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
                numbers=sum(not tensor.shape for tensor in fresh),
                uncounted=uncounted,
            )
        )
    head, unmeasured = _head(graph)
    unmeasured |= _uncounted(layers)
    layers += _beside_operators(learnt, convention)
    return ModelComplexity(graph.source, tuple(layers), head, unmeasured=unmeasured)


def _work(graph: Graph, operator: Operator) -> tuple[OpCost, str]:
    """Return the work of an operator, and why it cannot be counted."""
    try:
        return op_cost(graph, operator), ""
    except UncountedError as error:
        return OpCost(), str(error).removeprefix(f"{graph.source}: ")


def _uncounted(layers: Sequence[LayerComplexity]) -> dict[str, str]:
    """Return the figures of work if an operator has none, with the reason of the first."""
    reasons = [layer.uncounted for layer in layers if layer.uncounted]
    return dict.fromkeys(_WORK, reasons[0]) if reasons else {}


def _head(graph: Graph) -> tuple[int | None, dict[str, str]]:
    try:
        return head_bytes(graph), {}
    except AscError as error:
        return None, {_PEAK: str(error)}


_PEAK = "peak_activation_bytes"
_TITLES = {
    "params": "parameters",
    "macs": "MACs of an inference",
    "operations": "other operations",
    "moved_bytes": "moved (bytes)",
    "weight_bytes": "weights (bytes)",
    _PEAK: "activations at the peak (bytes)",
    "activation_bytes": "activations (bytes)",
}
_LAYER_FIGURES = ("params", "macs", "weight_bytes", "activation_bytes")


def _shown(value: int | None) -> str:
    return "not measured" if value is None else f"{value:,}"


_WORK = ("macs", "operations", "moved_bytes")


def _beside_operators(learnt: Learnt, convention: str) -> list[LayerComplexity]:
    """Return a line for what no operator of the model runs or reads: it takes flash all the same.

    That is a subgraph that no operator calls, and constants that reach no operator.
    """
    lines = []
    for number in range(1 + len(learnt.model.others)):
        operators = learnt.not_called_before(number)
        fresh = [tensor for each in operators for tensor in learnt.fresh(*each)]
        fresh += learnt.rest(number)
        if not operators and not fresh:
            continue
        weight_bytes = sum(tensor.byte_count for tensor in fresh)
        values = sum(tensor.size for tensor in fresh)
        lines.append(
            LayerComplexity(
                name=f"subgraph {number}",
                op="SUBGRAPH" if operators else "CONSTANTS",
                output_shape=(),
                params=weight_bytes if convention == "nessi" else values,
                macs=0,
                weight_bytes=weight_bytes,
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
        unmeasured={
            key: f"{model.path}: {reason}"
            for model in reversed(models)
            for key, reason in model.unmeasured.items()
        },
    )


def figures(measured: ModelComplexity | Total | LayerComplexity) -> dict[str, int | None]:
    """Return the figures of a layer, a model or a total under their JSON keys.

    What cannot be measured is None.
    """
    values: dict[str, int | None] = {
        "params": measured.params,
        "macs": measured.macs,
        "operations": measured.operations,
        "moved_bytes": measured.moved_bytes,
        "weight_bytes": measured.weight_bytes,
    }
    if isinstance(measured, LayerComplexity):
        unknown = dict.fromkeys(_WORK if measured.uncounted else ())
        return {**values, **unknown, "activation_bytes": measured.activation_bytes}
    values[_PEAK] = measured.peak_activation_bytes
    return {**values, **dict.fromkeys(measured.unmeasured)}


def to_json(models: Sequence[ModelComplexity]) -> dict[str, Any]:
    """Return ``models`` and ``total`` of the JSON report."""
    return {
        "models": [
            {
                "path": model.path,
                **figures(model),
                **({"unmeasured": dict(model.unmeasured)} if model.unmeasured else {}),
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
