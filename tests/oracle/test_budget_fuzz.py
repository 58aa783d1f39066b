"""Damaged and hostile files: never a crash, a hang or a file that passes with other counts.

tools/fuzz_budget runs as many cases as wanted; what it has found is kept here.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest

from asc_tiny.complexity.report import ModelComplexity, measure
from asc_tiny.tflite import schema_tables
from asc_tiny.tflite.liveness import live_bytes
from asc_tiny.tflite.ops import OPS
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support import budget_fuzz
from support.budget_fuzz import FindError, Mutator, judge
from support.tflite_count import count
from support.tflite_files import File, Writer, convolutions

SEEDS = budget_fuzz.seeds()


def measured(data: bytes) -> ModelComplexity:
    return measure(parse_graph(data, source="file.tflite"))


def refused(data: bytes) -> str:
    with pytest.raises(AscError) as caught:
        measured(data)
    assert str(caught.value).startswith("file.tflite: ")
    return str(caught.value)


def test_intact_files_are_measured() -> None:
    for data in SEEDS.values():
        assert judge(data, reports=True)


def test_mutated_files() -> None:
    mutator = Mutator()
    accepted = 0
    for number in range(2000):
        data, cut = mutator.case(number)
        accepted += judge(data, cut=cut, reports=number % 16 == 0)
    # Most mutations break a file, but not all: else nothing would be compared.
    assert 300 < accepted < 800


def test_the_judge_sees_what_is_wrong() -> None:
    """A judge that lets everything pass would find nothing."""
    with pytest.raises(FindError, match="cut off"):
        judge(SEEDS["branches"], cut=True)
    with pytest.raises(FindError, match="no sound flatbuffer"):
        judge(SEEDS["branches"], verifier=lambda data: False)
    other = measured(convolutions([4, 9]))
    with pytest.raises(FindError, match="an independent count"):
        budget_fuzz._compare(other, convolutions([4, 8]))


@pytest.mark.parametrize("name", SEEDS)
def test_no_file_that_is_cut_off_is_measured(name: str) -> None:
    """At any length of the small files; at the end of the large ones, whose end is the codes."""
    data = SEEDS[name]
    for size in range(0 if len(data) < 2000 else len(data) - 300, len(data)):
        refused(data[:size])


# By their numbers: old codes and new ones that differ, which two readers took for different
# operators.
@pytest.mark.parametrize("number", [750, 2516, 8883, 11352])
def test_finds(number: int) -> None:
    """By their numbers when there were fewer files to mutate."""
    later = ("constants", "variables")
    files = {name: data for name, data in SEEDS.items() if name not in later}
    data, cut = Mutator(files).case(number)
    judge(data, cut=cut)


def test_two_codes_of_one_operator_must_agree() -> None:
    """TensorFlow Lite takes the larger, the package tflite the old one."""
    for old, new, agree in ((8, 9, False), (9, 8, False), (0, 9, True), (9, 0, True), (9, 9, True)):
        writer = Writer()
        code = writer.table({0: ("b", old), 3: ("i", new)})
        message = refused(writer.finish([], [code], [writer.table({})]))
        assert message.endswith("has no subgraph") is agree
        assert ("codes" in message) is not agree


def one_convolution(**changes: Any) -> bytes:
    """A convolution of 8 x 6 x 4 to 4 x 3 x 8; changes of its shapes and options."""
    file = File()
    shapes = {"source": (1, 8, 6, 4), "weights": (8, 3, 3, 4), "bias": (8,), "output": (1, 4, 3, 8)}
    options = {"padding": 0, "stride_w": 2, "stride_h": 2}
    for name, value in changes.items():
        (shapes if name in shapes else options)[name] = value
    x = file.input(*shapes["source"])
    weights = file.tensor(*shapes["weights"], full=True)
    bias = file.tensor(*shapes["bias"], dtype="INT32", full=True)
    file.add("CONV_2D", [x, weights, bias], *shapes["output"], **options)
    return file.data()


def test_a_convolution_costs_what_its_inputs_say() -> None:
    assert measured(one_convolution()).macs == 4 * 3 * 8 * 9 * 4
    assert measured(one_convolution(source=(1, 8, 6, 8), weights=(8, 3, 3, 4))).macs == 3456
    valid = one_convolution(padding=1, output=(1, 3, 2, 8))
    assert measured(valid).macs == 3 * 2 * 8 * 9 * 4
    dilated = {"dilation_h_factor": 3, "dilation_w_factor": 2, "padding": 1, "stride_h": 1}
    # (8 - 3 x 2) rows; (6 - 2 x 2) / 2 columns
    assert measured(one_convolution(**dilated, output=(1, 2, 1, 8))).macs == 2 * 8 * 9 * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"output": (1, 1, 1, 8)},
        {"output": (1, 4, 3, 4)},
        {"output": (1, 4, 24)},
        {"stride_h": 1},
        {"stride_h": 0},
        {"stride_w": -2},
        {"padding": 1},
        {"dilation_h_factor": 0},
        {"weights": (8, 3, 3, 3)},
        {"weights": (8, 3, 3, 8)},
        {"weights": (4, 3, 3, 4)},
        {"bias": (4,)},
        {"source": (1, 0, 0, 4), "output": (1, 0, 0, 8)},
    ],
)
def test_a_convolution_that_lies_is_refused(changes: dict[str, Any]) -> None:
    assert "operator 0 (CONV_2D)" in refused(one_convolution(**changes))


def one(name: str, inputs: list[Any], output: tuple[int, ...], **options: Any) -> bytes:
    """An operator; a tuple is an activation, a list an int32 constant, a set weights."""
    file = File()
    indices = []
    for value in inputs:
        if isinstance(value, list):
            indices.append(file.integers(*value))
        elif isinstance(value, set):
            indices.append(file.tensor(*next(iter(value)), full=True))
        else:
            indices.append(file.input(*value))
    file.add(name, indices, *output, **options)
    return file.data()


WINDOW = {"padding": 1, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
STRIDES = {"padding": 0, "stride_w": 2, "stride_h": 2}
ADJOINT = {"adj_x": True, "adj_y": False}

LIES: list[tuple[str, list[Any], tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    # Operator, inputs, the right output, a wrong one
    ("ADD", [(1, 4, 4), (4,)], (1, 4, 4), (1, 4), {}),
    ("ARG_MAX", [(1, 4, 5), [2]], (1, 4), (1, 5), {}),
    ("AVERAGE_POOL_2D", [(1, 8, 7, 2)], (1, 4, 3, 2), (1, 3, 3, 2), WINDOW),
    ("BATCH_MATMUL", [(1, 4, 3), (1, 4, 5)], (1, 3, 5), (1, 3, 4), ADJOINT),
    ("CONCATENATION", [(1, 4), (1, 3)], (1, 7), (1, 4), {"axis": -1}),
    (
        "DEPTHWISE_CONV_2D",
        [(1, 4, 4, 2), {(1, 3, 3, 4)}],
        (1, 2, 2, 4),
        (1, 2, 2, 2),
        {**STRIDES, "depth_multiplier": 2},
    ),
    ("DYNAMIC_UPDATE_SLICE", [(1, 4), (1, 2), [0, 1]], (1, 4), (1, 2), {}),
    ("EMBEDDING_LOOKUP", [(2,), {(9, 5)}], (2, 5), (1, 5), {}),
    ("GATHER", [(1, 4, 5), [3, 1]], (1, 2, 5), (1, 1, 5), {"axis": 1}),
    ("GATHER", [(1, 4, 5), [3]], (1, 4, 1), (1, 4, 5), {"axis": -1}),
    ("GATHER_ND", [(1, 4, 5), [0, 3]], (5,), (1,), {}),
    ("FULLY_CONNECTED", [(1, 2, 6), {(5, 6)}], (2, 5), (1, 5), {}),
    ("L2_POOL_2D", [(1, 8, 7, 2)], (1, 4, 3, 2), (1, 4, 4, 2), WINDOW),
    ("MEAN", [(1, 4, 3, 5), [1, -2]], (1, 5), (1, 4), {}),
    ("PAD", [(1, 4), [0, 0, 1, 2]], (1, 7), (1, 4), {}),
    ("RELU", [(1, 4)], (1, 4), (1, 2), {}),
    ("RESHAPE", [(1, 4, 3), [1, 12]], (1, 12), (1, 6), {}),
    ("RESIZE_BILINEAR", [(1, 4, 3, 2), [8, 6]], (1, 8, 6, 2), (1, 4, 3, 2), {}),
    ("SLICE", [(1, 4), [0, 1], [1, 2]], (1, 2), (1, 1), {}),
    ("SLICE", [(1, 4), [0, 1], [1, -1]], (1, 3), (1, 4), {}),
    ("SHAPE", [(1, 4, 5)], (3,), (2,), {}),
    ("SPACE_TO_BATCH_ND", [(1, 4, 5, 2), [2, 3], [0, 0, 1, 0]], (6, 2, 2, 2), (1, 2, 2, 2), {}),
    ("STRIDED_SLICE", [(1, 9), [0, 1], [1, 8], [1, 3]], (1, 3), (1, 2), {}),
    ("STRIDED_SLICE", [(1, 9), [0, -1], [1, -7], [1, -2]], (1, 3), (1, 2), {}),
    ("STRIDED_SLICE", [(1, 9), [0, 5], [0, 0], [1, 1]], (1, 4), (1, 5), {"end_mask": 3}),
    ("STRIDED_SLICE", [(1, 9), [5, 2], [1, 7], [1, 1]], (1, 7), (1, 5), {"begin_mask": 3}),
    (
        "STRIDED_SLICE",
        [(1, 9, 2), [0, 2], [1, 7], [1, 1]],
        (1, 2),
        (1, 5, 2),
        {"shrink_axis_mask": 2},
    ),
    ("STRIDED_SLICE", [(1, 9), [0, 2], [1, 4], [1, 1]], (1, 4), (1, 2), {"offset": True}),
    ("BATCH_TO_SPACE_ND", [(1, 4, 5, 2), [1, 1], [1, 0, 0, 2]], (1, 3, 3, 2), (1, 3, 2, 2), {}),
    ("BROADCAST_TO", [(1, 1, 4), [1, 3, 4]], (1, 3, 4), (1, 1, 4), {}),
    ("SVDF", [(1, 6), {(4, 6)}, {(4, 3)}], (1, 2), (1, 3), {}),
    ("TRANSPOSE", [(1, 4, 3), [0, 2, 1]], (1, 3, 4), (1, 4, 3), {}),
    (
        "TRANSPOSE_CONV",
        [[1, 6, 8, 4], {(4, 3, 3, 2)}, (1, 3, 4, 2)],
        (1, 6, 8, 4),
        (1, 3, 4, 4),
        STRIDES,
    ),
]


@pytest.mark.parametrize(("name", "inputs", "right", "wrong", "options"), LIES)
def test_an_output_that_does_not_follow_is_refused(
    name: str,
    inputs: list[Any],
    right: tuple[int, ...],
    wrong: tuple[int, ...],
    options: dict[str, Any],
) -> None:
    assert measured(one(name, inputs, right, **options)).layers[0].output_shape == right
    assert f"operator 0 ({name})" in refused(one(name, inputs, wrong, **options))


def conditional(branches: list[tuple[int, int]], times: int = 1) -> bytes:
    """Subgraphs that each call two others, as given from the first on; negative for a RELU."""
    files = []
    for targets in branches:
        file = File()
        x = file.input(1, 2)
        if targets[0] < 0:
            file.add("RELU", [x], 1, 2)
        else:
            named = dict(zip(("then_subgraph_index", "else_subgraph_index"), targets, strict=True))
            for _ in range(times):
                x = file.add("IF", [x, x], 1, 2, **named)
        files.append(file)
    files[0].others = files[1:]
    return files[0].data()


def test_a_branch_that_gives_more_than_the_operator_states_is_refused() -> None:
    """What runs behind it would cost as if there were less."""

    def model(given: int, taken: int) -> bytes:
        file, branch = File(), File()
        branch.add("BROADCAST_TO", [branch.input(1, taken), branch.integers(1, given)], 1, given)
        x = file.input(1, 1)
        named = {"then_subgraph_index": 1, "else_subgraph_index": 1}
        file.add("IF", [x, x], 1, 4, **named)
        file.others = [branch]
        return file.data()

    assert measured(model(4, 1)).layers[0].moved_bytes == 4
    assert "which gives tensors of [8] bytes, not [4]" in refused(model(8, 1))
    assert "which takes tensors of [4] bytes, not [1]" in refused(model(4, 4))


def test_branches_that_multiply_are_counted_once() -> None:
    """Each subgraph has four branches, both of them the next: 8^14 ways lead to the last."""
    chain = [(n + 1, n + 1) for n in range(14)]
    layers = measured(conditional([*chain, (-1, -1)], times=4)).layers
    assert [layer.operations for layer in layers] == [2 * 4**13] * 4


@pytest.mark.parametrize(
    ("branches", "reason"),
    [
        ([(0, 0)], "calls subgraph 0"),
        ([(1, 5), (-1, -1)], "calls subgraph 5"),
        ([(1, 2), (2, 2), (1, 1)], "calls subgraph"),
        ([(n + 1, n + 1) for n in range(100)] + [(-1, -1)], "calls deep"),
    ],
)
def test_calls_that_lead_nowhere(branches: list[tuple[int, int]], reason: str) -> None:
    assert reason in refused(conditional(branches))


def test_a_chain_that_nothing_calls_is_no_recursion() -> None:
    """Its parameters count all the same."""
    chain = [(-1, -1), *((n + 1, n + 1) for n in range(1, 1200)), (-1, -1)]
    layers = measured(conditional(chain)).layers
    assert [layer.op for layer in layers] == ["RELU", "SUBGRAPH"]


def shared(tensors: int, subgraphs: int) -> bytes:
    """Vectors that name one table again and again: work is their product, size their sum."""
    writer = Writer()
    tensor = writer.tensor("t", (1, 4), "INT8", 0)
    listed = writer.vector("offset", [tensor] * tensors)
    numbers = writer.vector("i", [0])
    fields: dict[int, tuple[str, Any]] = {0: ("offset", listed)}
    fields |= dict.fromkeys((1, 2), ("offset", numbers))
    table = writer.table(fields)
    return writer.finish([table] * subgraphs, [], [writer.table({})])


def large_name(tensors: int, length: int) -> bytes:
    writer = Writer()
    name = writer.builder.CreateString("x" * length)
    table = writer.table({2: ("I", 0), 3: ("offset", name)})
    listed = writer.vector("offset", [table] * tensors)
    subgraph = writer.table({0: ("offset", listed)})
    return writer.finish([subgraph], [], [writer.table({})])


@pytest.mark.parametrize("data", [shared(8000, 8000), large_name(8000, 30_000)])
def test_shared_tables_are_not_read_for_ever(data: bytes) -> None:
    assert f"more than {len(data)} entries in {len(data)} bytes" in refused(data)


def test_numbers_without_end() -> None:
    """Shapes of 2^31 are counted, not built."""
    most = 2**31 - 1
    layers = measured(one("RELU", [(1, most, most, most)], (1, most, most, most))).layers
    assert layers[0].operations == most**3
    assert judge(one("RELU", [(1, most, most, most)], (1, most, most, most)), reports=True)


def change(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    assert len(old) == len(new)
    return data.replace(old, new)


def test_a_text_without_an_end() -> None:
    data = convolutions([4])
    assert "damaged" in refused(change(data, b"tensor 3\0", b"tensor 3x"))


def words(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data))


@pytest.mark.parametrize("value", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF])
def test_every_word_of_a_file_may_be_anything(value: int) -> None:
    """Offsets that lead back to themselves, lengths beyond the file, negative sizes."""
    data = SEEDS["conditional"]
    original = words(data)
    for place in range(len(original)):
        changed = [*original[:place], value, *original[place + 1 :]]
        judge(struct.pack(f"<{len(changed)}I", *changed))


def test_another_version_of_the_schema() -> None:
    writer = Writer()
    model = {0: ("I", 2), 4: ("offset", writer.vector("offset", [writer.table({})]))}
    writer.builder.Finish(writer.table(model), file_identifier=b"TFL3")
    assert "schema version 2, this version reads 3" in refused(bytes(writer.builder.Output()))


def test_constants_by_hand() -> None:
    """6 x 9 weights, 2 + 3 of a token, 14 bounds, a table of 8 x 7, 4 of an output."""
    layers = measured(SEEDS["constants"]).layers
    assert [layer.params for layer in layers if layer.params] == [54, 5, 14, 56, 4]
    assert count(SEEDS["constants"])["params"] == 133


def test_variables_by_hand() -> None:
    """5 x 6 weights of the variable, 5 of an addition, 3 in a subgraph that nothing calls."""
    layers = measured(SEEDS["variables"]).layers
    found = [(layer.op, layer.params) for layer in layers if layer.params]
    assert found == [("CALL_ONCE", 30), ("ADD", 5), ("SUBGRAPH", 3)]
    assert count(SEEDS["variables"]) == {"params": 38}


def test_live_bytes_against_a_sum_over_all_tensors() -> None:
    for name in ("branches", "mobilenet_esc10"):
        graph = parse_graph(SEEDS[name], source=name)
        assert max(live_bytes(graph)) == count(SEEDS[name])["live_bytes"]


def test_layout_is_that_of_the_package() -> None:
    import tflite

    kinds = {v: n for n, v in vars(tflite.BuiltinOptions).items() if not n.startswith("_")}
    for number, name in kinds.items():
        assert schema_tables.OPTION_NAMES[number] == (
            name.removesuffix("Options") if number else "NONE"
        )
    for name in {op.table for op in OPS.values() if op.table}:
        options = getattr(tflite, f"{name}Options")
        methods = [n for n in vars(options) if n[0].isupper() and n not in ("Init", "GetRootAs")]
        fields = [n for n in methods if not n.endswith(("AsNumpy", "Length", "IsNone"))]
        fields = [n for n in fields if not n.startswith("GetRootAs") and "BufferHasId" not in n]
        # The package's schema may be older by the last fields.
        assert len(fields) <= len(schema_tables.OPTIONS[name]), name
