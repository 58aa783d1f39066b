"""The memory plan of random graphs, proved by following every value through the arena."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import numpy as np
import pytest

from asc_tiny.codegen.layers import Layer
from asc_tiny.codegen.network import lower
from asc_tiny.codegen.plan import ALIGNMENT, plan_memory
from asc_tiny.complexity.graph import Graph, Operator, Tensor
from asc_tiny.complexity.memory import live_bytes


class GraphBuilder:
    """Builds graphs of int8 tensors; every tensor's values are unknown but known to be its own."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        index = len(self.tensors)
        dtype = "INT8" if data is None else "INT32"
        self.tensors.append(Tensor(index, f"t{index}", shape, dtype, (0.5,), (0,), 0, data))
        return index

    def add(
        self,
        name: str,
        inputs: list[int],
        shapes: list[tuple[int, ...]],
        constants: tuple[list[int], ...] = (),
        **options: object,
    ) -> list[int]:
        arrays = [np.array(values, dtype=np.int32) for values in constants]
        inputs = inputs + [self.tensor(array.shape, array) for array in arrays]
        outputs = [self.tensor(shape) for shape in shapes]
        operator = Operator(len(self.operators), name, tuple(inputs), tuple(outputs), options)
        self.operators.append(operator)
        return outputs

    def add_sum(self, first: int, second: int) -> int:
        shape = self.tensors[first].shape
        return self.add("ADD", [first, second], [shape], fused_activation_function="NONE")[0]

    def concatenation(self, parts: list[int], axis: int) -> int:
        shape = list(self.tensors[parts[0]].shape)
        shape[axis] = sum(self.tensors[part].shape[axis] for part in parts)
        options = {"axis": axis, "fused_activation_function": "NONE"}
        return self.add("CONCATENATION", parts, [tuple(shape)], **options)[0]

    def cut(self, tensor: int, begin: list[int], end: list[int], step: list[int]) -> int:
        shape = tuple(len(range(*bounds)) for bounds in zip(begin, end, step, strict=True))
        masks = dict.fromkeys(
            ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0
        )
        constants = (begin, end, step)
        return self.add("STRIDED_SLICE", [tensor], [shape], constants, offset=False, **masks)[0]

    def graph(self, inputs: list[int], outputs: list[int]) -> Graph:
        return Graph(
            "random", tuple(self.operators), tuple(self.tensors), tuple(inputs), tuple(outputs), {}
        )


def random_graph(seed: int) -> Graph:
    rng = random.Random(seed)
    build = GraphBuilder()
    source = build.tensor((1, rng.randint(2, 6), rng.randint(1, 4), rng.randint(1, 3)))
    known = [source]
    for _ in range(rng.randint(3, 14)):
        pick = rng.choice(known)
        shape = build.tensors[pick].shape
        kind = rng.choice(["add", "add", "concatenation", "cut", "reshape", "split"])
        if kind == "add":
            known.append(build.add_sum(pick, rng.choice(same_shape(build, known, shape, None))))
        elif kind == "concatenation":
            axis = rng.randint(1, 3)
            fitting = same_shape(build, known, shape, axis)
            parts = [rng.choice(fitting) for _ in range(rng.randint(1, 3))]
            known.append(build.concatenation([pick, *parts], axis))
        elif kind == "cut":
            begin = [rng.randint(0, size - 1) for size in shape]
            end = [rng.randint(first + 1, size) for first, size in zip(begin, shape, strict=True)]
            if rng.random() < 0.6:  # often one run of rows, a view
                begin[2:], end[2:] = [0, 0], list(shape[2:])
            known.append(build.cut(pick, begin, end, [1, rng.randint(1, 2), 1, 1]))
        elif kind == "reshape":
            flat = (1, shape[2], shape[1], shape[3])
            known += build.add("RESHAPE", [pick], [flat])
        elif shape[1] % 2 == 0:
            axis_tensor = build.tensor((1,), np.array([1], dtype=np.int32))
            half = (1, shape[1] // 2, *shape[2:])
            outputs = [build.tensor(half), build.tensor(half)]
            number = len(build.operators)
            operator = Operator(number, "SPLIT", (axis_tensor, pick), tuple(outputs), {})
            build.operators.append(operator)
            known += outputs
    if not build.operators:
        known.append(build.add_sum(source, source))
    results = {known[-1], rng.choice(known)} - {source} or {known[-1]}
    return build.graph([source], sorted(results))


def same_shape(
    build: GraphBuilder, known: list[int], shape: tuple[int, ...], free_axis: int | None
) -> list[int]:
    def key(shape: tuple[int, ...]) -> list[int]:
        return [size for axis, size in enumerate(shape) if axis != free_axis]

    return [index for index in known if key(build.tensors[index].shape) == key(shape)]


class Arena:
    """An arena whose bytes are labels: which value of which tensor was written there last."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.plan = plan_memory(graph)
        self.memory = np.full(self.plan.size, -1, dtype=np.int64)
        self.values: dict[int, np.ndarray] = {}
        self.label = 0
        for index in graph.inputs:
            self.write(index)

    def part(self, index: int) -> np.ndarray:
        start = self.plan.offsets[index]
        assert start + self.graph.tensor(index).size <= self.plan.size
        return self.memory[start : start + self.graph.tensor(index).size]

    def write(self, index: int) -> None:
        """Write new values of a tensor, as a computing operator does."""
        tensor = self.graph.tensor(index)
        self.values[index] = self.label + np.arange(tensor.size).reshape(tensor.shape)
        self.label += tensor.size
        self.part(index)[:] = self.values[index].ravel()

    def check(self, index: int) -> None:
        assert np.array_equal(self.part(index), self.values[index].ravel()), f"tensor {index}"

    def run(self, operator: Operator) -> None:
        inputs = [index for index in operator.inputs if not self.graph.tensor(index).is_constant]
        for index in inputs:
            self.check(index)
        layers = lower(self.graph, self.plan, operator)
        if operator.name == "ADD":
            self.write(operator.outputs[0])
        else:
            self.values.update(zip(operator.outputs, self.expected(operator), strict=True))
            for layer in layers:
                self.move(layer)
        for index in (*operator.outputs, *inputs):
            self.check(index)

    def expected(self, operator: Operator) -> Iterator[np.ndarray]:
        """What the operator's outputs are, by NumPy."""
        inputs = [self.values.get(index) for index in operator.inputs]
        if operator.name == "RESHAPE":
            yield inputs[0].reshape(self.graph.tensor(operator.outputs[0]).shape)
        elif operator.name == "CONCATENATION":
            yield np.concatenate(inputs, axis=operator.options["axis"])
        elif operator.name == "SPLIT":
            yield from np.split(inputs[1], 2, axis=1)
        else:
            bounds = [self.graph.tensor(index).data for index in operator.inputs[1:]]
            yield inputs[0][tuple(slice(*map(int, axis)) for axis in zip(*bounds, strict=True))]

    def move(self, layer: Layer) -> None:
        """Do what asc_copy and asc_slice do."""
        source, target = (int(text.removeprefix("arena + ")) for text in layer.arguments)
        fields = {
            name: list(map(int, re.findall(r"-?\d+", text))) for name, text in layer.fields.items()
        }
        if layer.kernel == "asc_copy":
            (size,), (stride,) = fields["size"], fields["output_stride"]
            target += fields["output_offset"][0]
            for row in range(fields["rows"][0]):
                values = self.memory[source + row * size : source + (row + 1) * size].copy()
                self.memory[target + row * stride : target + row * stride + size] = values
        else:
            assert layer.kernel == "asc_slice"
            steps = np.array(fields["step"])
            indices = np.array(list(np.ndindex(*fields["count"]))) @ steps + fields["begin"][0]
            self.memory[target : target + len(indices)] = self.memory[source + indices]


@pytest.mark.parametrize("first_seed", range(0, 300, 100))
def test_random_graphs_keep_every_value(first_seed: int) -> None:
    kinds = set()
    for seed in range(first_seed, first_seed + 100):
        graph = random_graph(seed)
        arena = Arena(graph)
        assert arena.plan.size % ALIGNMENT == 0
        for operator in graph.operators:
            arena.run(operator)
            kinds.add(operator.name)
        for index in graph.outputs:
            arena.check(index)
    assert len(kinds) == 5


def test_plan_is_repeatable() -> None:
    for seed in range(50):
        assert plan_memory(random_graph(seed)) == plan_memory(random_graph(seed))


def two_bands() -> Graph:
    """The seed MobileNet's start: two halves of the input, joined again."""
    build = GraphBuilder()
    source = build.tensor((1, 64, 8, 2))
    bands = []
    for begin in (0, 32):
        half = build.cut(source, [0, begin, 0, 0], [1, begin + 32, 8, 2], [1, 1, 1, 1])
        bands.append(build.add_sum(half, half))
    return build.graph([source], [build.concatenation(bands, 1)])


def test_views_and_joins_cost_neither_memory_nor_code() -> None:
    graph = two_bands()
    plan = plan_memory(graph)
    layers = [
        layer.kernel for operator in graph.operators for layer in lower(graph, plan, operator)
    ]
    assert layers == ["asc_add", "asc_add"]
    # First input and one result; then the other half of the input and both results.
    assert plan.size == 1024 + 512
    assert max(live_bytes(graph)) > plan.size


def test_detects_a_wrong_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above has teeth: with lifetimes one operator too short, values get lost."""
    import asc_tiny.codegen.plan as module
    from asc_tiny.complexity.memory import Lifetime, lifetimes

    def shortened(graph: Graph) -> dict[int, Lifetime]:
        return {
            index: Lifetime(life.first, max(life.first, life.last - 1))
            for index, life in lifetimes(graph).items()
        }

    monkeypatch.setattr(module, "lifetimes", shortened)
    with pytest.raises(AssertionError):
        test_random_graphs_keep_every_value(0)
