"""Learnt values count wherever a file holds them: behind other operators, in variables, unread."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asc_tiny.cli.main import main
from asc_tiny.complexity.report import ModelComplexity, measure
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support.budget_fuzz import judge
from support.kernel_models import variable
from support.tflite_builder import Builder
from support.tflite_files import File

Shape = tuple[int, ...]


def measured(file: File) -> ModelComplexity:
    return measure(parse_graph(file.data(), source="file.tflite"))


def params(file: File) -> int:
    return measured(file).params


# Ways to hold a constant of some shape behind operators: each returns the tensor to read.


def held(file: File, shape: Shape, dtype: str, ways: list[str]) -> int:
    """Add a constant behind operators, the last of ``ways`` nearest to the constant."""
    if not ways or not shape:
        return file.tensor(*shape, dtype=dtype, full=True)
    return WAYS[ways[0]](file, shape, dtype, ways[1:])


def made(file: File, name: str, inputs: list[int], shape: Shape, dtype: str, **options: Any) -> int:
    file.operators.append((name, inputs, [file.tensor(*shape, dtype=dtype)], options))
    return len(file.tensors) - 1


def transposed(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, shape[::-1], dtype, rest)
    order = file.integers(*range(len(shape))[::-1])
    return made(file, "TRANSPOSE", [source, order], shape, dtype)


def reshaped(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, (math.prod(shape),), dtype, rest)
    return made(file, "RESHAPE", [source, file.integers(*shape)], shape, dtype)


def with_more_dimensions(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, (1, *shape), dtype, rest)
    return made(file, "UNPACK", [source], shape, dtype, num=1, axis=0)


def joined(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    first, *others = shape
    parts = [(size, *others) for size in (first // 2, first - first // 2) if size]
    sources = [held(file, part, dtype, rest) for part in parts]
    return made(file, "CONCATENATION", sources, shape, dtype, axis=0)


def packed(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    sources = [held(file, shape[1:], dtype, rest) for _ in range(shape[0])]
    return made(file, "PACK", sources, shape, dtype, values_count=shape[0])


def quantized(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    return made(file, "QUANTIZE", [held(file, shape, "FLOAT32", rest)], shape, dtype)


def widened(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    return made(file, "DEQUANTIZE", [held(file, shape, "FLOAT16", rest)], shape, dtype)


def gathered(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, shape, dtype, rest)
    order = file.integers(*range(shape[0])[::-1])
    return made(file, "GATHER", [source, order], shape, dtype)


def sliced(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, shape, dtype, rest)
    bounds = [file.integers(*(0 for _ in shape)), file.integers(*shape)]
    return made(file, "SLICE", [source, *bounds], shape, dtype)


def split(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, shape, dtype, rest)
    return made(file, "SPLIT", [file.integers(0), source], shape, dtype, num_splits=1)


def padded(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, shape, dtype, rest)
    return made(file, "PAD", [source, file.integers(*(0, 0) * len(shape))], shape, dtype)


def repeated(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    source = held(file, shape, dtype, rest)
    return made(file, "BROADCAST_TO", [source, file.integers(*shape)], shape, dtype)


def squashed(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    return made(file, "TANH", [held(file, shape, dtype, rest)], shape, dtype)


def in_a_variable(file: File, shape: Shape, dtype: str, rest: list[str]) -> int:
    """Assigned by a subgraph that runs once before the first inference."""
    initial = File()
    handle = made(initial, "VAR_HANDLE", [], (), "RESOURCE")
    source = held(initial, shape, dtype, [way for way in rest if way != "variable"])
    initial.operators.append(("ASSIGN_VARIABLE", [handle, source], [], {}))
    initial.outputs = [handle]
    file.others.append(initial)
    file.operators.append(("CALL_ONCE", [], [], {"init_subgraph_index": len(file.others)}))
    handle = made(file, "VAR_HANDLE", [], (), "RESOURCE")
    return made(file, "READ_VARIABLE", [handle], shape, dtype)


WAYS: dict[str, Callable[[File, Shape, str, list[str]], int]] = {
    "broadcast": repeated,
    "concatenation": joined,
    "dequantize": widened,
    "gather": gathered,
    "pack": packed,
    "pad": padded,
    "quantize": quantized,
    "reshape": reshaped,
    "slice": sliced,
    "split": split,
    "tanh": squashed,
    "transpose": transposed,
    "unpack": with_more_dimensions,
    "variable": in_a_variable,
}


def dense(file: File, source: int, ways: list[str]) -> int:
    """A dense layer that keeps the size of its input."""
    depth = file.tensors[source][0][-1]
    weights = held(file, (depth, depth), "INT8", ways)
    bias = file.tensor(depth, dtype="INT32", full=True)
    return file.add("FULLY_CONNECTED", [source, weights, bias], 1, depth)


def elementwise(name: str) -> Callable[[File, int, list[str]], int]:
    def add(file: File, source: int, ways: list[str]) -> int:
        shape = file.tensors[source][0]
        return file.add(name, [source, held(file, shape[1:], "INT8", ways)], *shape)

    return add


def token(file: File, source: int, ways: list[str]) -> int:
    depth = file.tensors[source][0][-1]
    other = held(file, (1, 3), "INT8", ways)
    return file.add("CONCATENATION", [source, other], 1, depth + 3, axis=1)


def product(file: File, source: int, ways: list[str]) -> int:
    depth = file.tensors[source][0][-1]
    other = held(file, (depth, depth), "INT8", ways)
    return file.add("BATCH_MATMUL", [source, other], 1, depth, adj_x=False, adj_y=False)


ELEMENTWISE = ("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "PRELU", "SQUARED_DIFFERENCE", "SUB")
READERS: dict[str, Callable[[File, int, list[str]], int]] = {
    "dense": dense,
    "product": product,
    "token": token,
    **{name: elementwise(name) for name in ELEMENTWISE},
}
LAYERS = st.tuples(
    st.sampled_from(sorted(READERS)), st.lists(st.sampled_from(sorted(WAYS)), max_size=3)
)


def network(layers: list[tuple[str, list[str]]], depth: int = 4) -> File:
    file = File()
    last = file.input(1, depth)
    for reader, ways in layers:
        last = READERS[reader](file, last, ways)
    file.outputs = [last]
    return file


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(LAYERS, min_size=1, max_size=4))
def test_constants_behind_operators_count_the_same(layers: list[tuple[str, list[str]]]) -> None:
    plain = measured(network([(reader, []) for reader, _ in layers]))
    moved = network(layers)
    assert measured(moved).params == plain.params
    assert measured(moved).macs == plain.macs
    assert judge(moved.data())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reader", READERS)
def test_each_way_with_each_reader(reader: str, way: str) -> None:
    expected = {"dense": 20, "product": 16, "token": 3}.get(reader, 4)
    assert params(network([(reader, [way])])) == expected


def test_weights_behind_a_transpose_count_at_the_layer_that_computes_with_them() -> None:
    layers = measured(network([("dense", ["transpose"])])).layers
    assert [(layer.op, layer.params) for layer in layers] == [
        ("TRANSPOSE", 0),
        ("FULLY_CONNECTED", 20),
    ]


def test_the_gate_fails_for_weights_behind_a_transpose(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hidden.tflite"
    path.write_bytes(network([("dense", ["transpose"])]).data())
    with pytest.raises(SystemExit) as stop:
        main(["budget", str(path), "--max-params", "19"])
    assert stop.value.code == 1
    assert "20 parameters, 1 over --max-params 19" in capsys.readouterr().err


def one(name: str, inputs: list[int], file: File, *shape: int, **options: Any) -> File:
    file.add(name, inputs, *shape, **options)
    return file


def test_settings_are_no_learnt_values() -> None:
    """Shapes that are put together by operators, axes, indices, and conditions."""
    file = File()
    x = file.input(1, 12)
    first = file.tensor(dtype="INT32", content=struct.pack("<i", 1))
    twelve = file.tensor(dtype="INT32", content=struct.pack("<i", 12))
    shape = made(file, "PACK", [first, twelve], (2,), "INT32", values_count=2)
    x = file.add("RESHAPE", [x, shape], 1, 12)
    x = file.add("GATHER", [x, file.integers(*range(12))], 1, 12, axis=1)
    mask = file.tensor(1, 12, dtype="BOOL", full=True)
    lowest = file.tensor(full=True)
    x = file.add("SELECT_V2", [mask, x, lowest], 1, 12)
    file.add("MEAN", [x, file.integers(1)], 1)
    assert params(file) == 0


def test_values_in_the_place_of_settings_count() -> None:
    """Codes that choose from a table may be learnt, such as those of a product quantisation."""
    file = File()
    x = file.add("GATHER", [file.tensor(16, 4, full=True), file.tensor(6, full=True)], 6, 4)
    file.add("ADD", [x, file.input(1, 6, 4)], 1, 6, 4)
    assert params(file) == 16 * 4 + 6


def chosen(file: File, name: str, *, is_behind: bool) -> int:
    """Add 24 values that constants choose from two; ``is_behind`` repeats the two before."""

    def book(size: int, *shape: int) -> int:
        values = file.tensor(size, full=True)
        if is_behind:
            values = made(
                file, "BROADCAST_TO", [values, file.integers(24, size)], (24, size), "INT8"
            )
            shape = tuple(24 * n if n == size else n for n in shape)
        return made(file, "RESHAPE", [values, file.integers(*shape)], shape, "INT8")

    def codes(*shape: int, dtype: str = "INT64") -> int:
        return file.tensor(*shape, dtype=dtype, full=True)

    if name == "EMBEDDING_LOOKUP":
        return made(file, name, [codes(24), book(2, 2, 1)], (24, 1), "INT8")
    if name == "GATHER":
        return made(file, name, [book(2, 2), codes(4, 6)], (4, 6), "INT8")
    if name == "GATHER_ND":
        return made(file, name, [book(2, 2), codes(4, 6, 1)], (4, 6), "INT8")
    return made(file, name, [codes(24, dtype="BOOL"), book(1, 1), book(1, 1)], (24,), "INT8")


@pytest.mark.parametrize("is_behind", [False, True])
@pytest.mark.parametrize("name", ["EMBEDDING_LOOKUP", "GATHER", "GATHER_ND", "SELECT_V2"])
def test_codes_that_choose_from_a_book_count(name: str, is_behind: bool) -> None:
    """Weights kept as whole numbers that choose from a few values: the codes are what was learnt.

    The same operators read settings where they put values in another order.
    """
    file = File()
    x = file.input(1, 6)
    weights = chosen(file, name, is_behind=is_behind)
    weights = made(file, "RESHAPE", [weights, file.integers(4, 6)], (4, 6), "INT8")
    file.add("FULLY_CONNECTED", [x, weights, -1], 1, 4)
    assert params(file) == 24 + 2
    assert judge(file.data())


def test_codes_of_a_book_in_a_variable_count() -> None:
    file = File()
    x = file.input(1, 6)
    book = in_a_variable(file, (3,), "INT8", [])
    codes = file.tensor(4, 6, dtype="INT64", full=True)
    file.add("FULLY_CONNECTED", [x, made(file, "GATHER", [book, codes], (4, 6), "INT8"), -1], 1, 4)
    assert params(file) == 3 + 24
    assert judge(file.data())


def test_masks_and_orders_of_activations_are_settings() -> None:
    file = File()
    x = file.input(1, 6)
    order = file.tensor(6, dtype="INT64", full=True)
    x = file.add("GATHER", [x, order], 1, 6, axis=1)
    mask = file.tensor(1, 6, dtype="BOOL", full=True)
    file.add("SELECT_V2", [mask, x, file.tensor(full=True)], 1, 6)
    assert params(file) == 0


def plain(file: File, *shape: int) -> int:
    """Add whole numbers without a scale."""
    return file.tensor(*shape, dtype="INT64", full=True)


def test_whole_numbers_that_an_operator_merges_as_shapes_count_once_computed_with() -> None:
    file = File()
    x = file.input(1, 6)
    merged = made(file, "BROADCAST_ARGS", [plain(file, 6), file.integers(1)], (6,), "INT64")
    file.add("MUL", [x, made(file, "CAST", [merged], (6,), "INT8")], 1, 6)
    assert params(file) == 6 + 1
    shape = File()
    x = shape.input(1, 6)
    merged = made(shape, "BROADCAST_ARGS", [shape.integers(1, 6), shape.integers(1)], (2,), "INT32")
    shape.add("BROADCAST_TO", [x, merged], 1, 6)
    assert params(shape) == 0
    assert judge(file.data()) and judge(shape.data())


@pytest.mark.parametrize("is_cast", [False, True])
def test_whole_numbers_that_a_branch_returns_count(is_cast: bool) -> None:
    """Nothing in the branch computes with them, but whoever calls it may."""
    branches = [File(), File()]
    for branch in branches:
        branch.input(1, 6)
        result = plain(branch, 1, 6)
        branch.add("RELU", branch.inputs, 1, 6)
        if is_cast:
            result = made(branch, "CAST", [result], (1, 6), "INT8")
        branch.outputs = [result]
    file = File()
    condition = file.tensor(dtype="BOOL")
    x = file.input(1, 6)
    file.inputs.insert(0, condition)
    numbers = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    result = made(file, "IF", [condition, x], (1, 6), "INT8" if is_cast else "INT64", **numbers)
    if not is_cast:
        result = made(file, "CAST", [result], (1, 6), "INT8")
    file.add("MUL", [x, result], 1, 6)
    file.others = branches
    assert params(file) == 6 + 6
    assert judge(file.data())


def test_a_long_chain_of_choices_takes_no_time() -> None:
    """Each looks back at so many tensors at most; what lies further back is taken for learnt."""
    file = File()
    last = file.tensor(4, full=True)
    order = file.tensor(4, dtype="INT64", full=True)
    for _ in range(2000):
        last = made(file, "GATHER", [last, order], (4,), "INT8")
    file.add("MUL", [file.input(1, 4), last], 1, 4)
    # The table, and the order: what it is of lies too far behind for most.
    assert params(file) == 4 + 4


def test_constants_that_reach_no_operator_count_in_a_line_of_their_own() -> None:
    file = File()
    file.add("RELU", [file.input(1, 4)], 1, 4)
    unread, output = file.tensor(7, full=True), file.tensor(5, dtype="FLOAT32", full=True)
    turned = file.tensor(2, 3, full=True)
    file.outputs = [1, output, file.add("TRANSPOSE", [turned, file.integers(1, 0)], 3, 2)]
    assert file.tensors[unread][2] == bytes(7)
    layers = measured(file).layers
    assert [(layer.op, layer.params, layer.weight_bytes) for layer in layers] == [
        ("RELU", 0, 0),
        ("TRANSPOSE", 0, 0),
        ("CONSTANTS", 7 + 5 + 6, 7 + 20 + 6),
    ]


def test_constants_handed_to_a_branch_count() -> None:
    branch = File()
    branch.add("ADD", [branch.input(1, 6), branch.input(1, 6)], 1, 6)
    same = File()
    same.input(1, 6)
    same.input(1, 6)
    same.add("MINIMUM", [same.inputs[0], same.tensor(1, 6, full=True)], 1, 6)
    file = File()
    condition = file.tensor(dtype="BOOL")
    x = file.input(1, 6)
    file.inputs.insert(0, condition)
    numbers = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    file.add("IF", [condition, x, file.tensor(1, 6, full=True)], 1, 6, **numbers)
    file.others = [branch, same]
    assert params(file) == 6 + 6


def test_a_variable_is_as_large_as_what_it_is_given() -> None:
    """Else what computes with it would cost as much as the file states."""
    file = network([("product", ["variable"])])
    file.others[0].tensors[1] = ((4, 8), "INT8", bytes(32))
    with pytest.raises(AscError, match=r"\(READ_VARIABLE\) reads 16 bytes .* assigned are \[32\]"):
        measured(file)


def test_nessi_refuses_what_it_does_not_look_at() -> None:
    graph = parse_graph(network([("dense", ["variable"])]).data(), source="file.tflite")
    with pytest.raises(AscError, match="cannot be measured by --convention nessi: it has 2 sub"):
        measure(graph, convention="nessi")


def scalar(value: float) -> dict[str, Any]:
    return {"dtype": "FLOAT32", "content": struct.pack("<f", value)}


def test_single_numbers() -> None:
    """Bounds and what makes a hard sigmoid are known; another factor may be learnt."""

    def factor(value: float, *before: str) -> int:
        file = File()
        x = file.input(1, 6)
        for name in before:
            x = file.add(name, [x], 1, 6)
        return params(one("MUL", [x, file.tensor(**scalar(value))], file, 1, 6))

    assert factor(1 / 6, "RELU6") == 0
    assert factor(1 / 6, "RELU") == 1
    assert factor(0.2, "RELU6") == 1
    file = File()
    x = file.add("MAXIMUM", [file.input(1, 6), file.tensor(**scalar(-2.0))], 1, 6)
    assert params(file) == 0
    assert params(one("PRELU", [x, file.tensor(1, full=True)], file, 1, 6)) == 1


def test_a_number_that_is_a_bound_here_and_a_factor_there_counts() -> None:
    file = File()
    number = file.tensor(**scalar(2.0))
    x = file.add("MAXIMUM", [file.input(1, 6), number], 1, 6)
    assert params(one("MUL", [x, number], file, 1, 6)) == 1


def test_a_buffer_under_two_types_counts_once_with_the_most_elements() -> None:
    """Eight bytes as two floats for one operator, as sixteen codes of four bits for another."""
    builder = Builder()
    x = builder.activation((1, 2), 0.1, 0, "FLOAT32")
    y, z = (builder.activation((1, 2), 0.1, 0, "FLOAT32") for _ in range(2))
    floats = builder.constant(np.ones(2, np.float32))
    codes = builder._tensor((8, 2), "INT4", None, [0.1], [0])
    tensors = builder.graph.tensors
    tensors[codes.index].buffer = tensors[floats.index].buffer
    out = builder.activation((1, 8), 0.1, 0, "FLOAT32")
    builder.operator("ADD", [x, floats], [y])
    builder.operator("MUL", [y, floats], [z])
    builder.operator("FULLY_CONNECTED", [z, codes, None], [out])
    found = measure(parse_graph(builder.finish([x], [out]), source="file.tflite"))
    assert [(layer.params, layer.weight_bytes) for layer in found.layers] == [
        (16, 8),
        (0, 0),
        (0, 0),
    ]


def test_weights_kept_as_whole_numbers_count() -> None:
    """Without a scale, and made floats by a CAST: what a layer computes with is learnt."""
    builder = Builder()
    x, y = (builder.activation(shape, 0.1, 0, "FLOAT32") for shape in ((1, 3), (1, 5)))
    whole = builder.constant(np.ones((5, 3), np.int32))
    unused = builder.constant(np.ones(7, np.int32))
    floats = builder.activation((5, 3), 0.1, 0, "FLOAT32")
    builder.operator("CAST", [whole], [floats])
    builder.operator("FULLY_CONNECTED", [x, floats, None], [y])
    assert unused.index == 3
    assert measure(parse_graph(builder.finish([x], [y]), source="file.tflite")).params == 15


def test_values_of_a_variable_and_of_what_nothing_calls_count() -> None:
    """3,200 weights that the initialising subgraph assigns, 200 values of the one for training."""
    found = measure(parse_graph(variable(alone=False), source="file.tflite"))
    assert (found.params, found.weight_bytes) == (3400, 4 * 3400)
    assert [layer.op for layer in found.layers if layer.params] == ["CALL_ONCE", "SUBGRAPH"]
