"""The work of each operator, against counts that are written out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asc_tiny.complexity import nessi
from asc_tiny.complexity.gate.limits import Limits
from asc_tiny.complexity.op_cost import OpCost, cost_rule, op_cost
from asc_tiny.complexity.report import figures, measure, total
from asc_tiny.tflite import ops, schema
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError

Shape = tuple[int, ...]


def one_operator(
    name: str,
    inputs: list[Shape | None],
    output: Shape | None,
    options: dict[str, Any] | None = None,
    *,
    constants: tuple[int, ...] = (),
) -> Graph:
    """A graph of one operator; an input of None is absent, ``constants`` are positions."""
    shapes = [shape for shape in inputs if shape is not None]
    tensors = [Tensor(i, f"t{i}", shape, "INT8") for i, shape in enumerate(shapes)]
    numbers = iter(range(len(shapes)))
    indices = [ABSENT if shape is None else next(numbers) for shape in inputs]
    for position in constants:
        tensor = tensors[indices[position]]
        tensors[tensor.index] = Tensor(
            tensor.index, tensor.name, tensor.shape, "INT8", content=bytes(tensor.size)
        )
    outputs: tuple[int, ...] = ()
    if output is not None:
        outputs = (len(tensors),)
        tensors.append(Tensor(len(tensors), "out", output, "INT8"))
    operator = Operator(0, name, tuple(indices), outputs, options or {})
    known = tuple(t.index for t in tensors if not t.is_constant and t.index not in outputs)
    return Graph("file.tflite", (operator,), tuple(tensors), known, outputs)


POOL = {"filter_height": 2, "filter_width": 3}
MATMUL = {"adj_x": False, "adj_y": False}
# Input, 4 input matrices, 4 recurrent matrices, no peepholes, 4 biases
LSTM_INPUTS: list[Shape | None] = [
    (1, 6, 5),
    *[(8, 5)] * 4,
    *[(8, 8)] * 4,
    *[None] * 3,
    *[(8,)] * 4,
]

CASES: list[tuple[str, list[Shape | None], Shape | None, dict[str, Any], OpCost]] = [
    # 5 x 4 x 8 outputs, each from 3 x 3 x 2 inputs
    ("CONV_2D", [(1, 5, 4, 2), (8, 3, 3, 2)], (1, 5, 4, 8), {}, OpCost(macs=2880)),
    # Two groups: 4 input channels, filters of 2
    ("CONV_2D", [(1, 5, 4, 4), (8, 3, 3, 2)], (1, 5, 4, 8), {}, OpCost(macs=2880)),
    # Dilation leaves the number of taps
    (
        "CONV_2D",
        [(1, 9, 9, 2), (8, 3, 3, 2)],
        (1, 5, 5, 8),
        {"dilation_h_factor": 2, "dilation_w_factor": 2},
        OpCost(macs=3600),
    ),
    ("DEPTHWISE_CONV_2D", [(1, 5, 4, 3), (1, 3, 3, 6)], (1, 5, 4, 6), {}, OpCost(macs=1080)),
    # 2 x 3 inputs of 7 channels, each into 3 x 2 x 4 outputs
    ("TRANSPOSE_CONV", [(4,), (4, 3, 2, 7), (1, 2, 3, 7)], (1, 4, 6, 4), {}, OpCost(macs=1008)),
    ("FULLY_CONNECTED", [(1, 20), (5, 20)], (1, 5), {}, OpCost(macs=100)),
    # Three rows through the same 20 x 5 weights
    ("FULLY_CONNECTED", [(1, 3, 20), (5, 20)], (1, 3, 5), {}, OpCost(macs=300)),
    ("BATCH_MATMUL", [(2, 3, 4), (2, 4, 5)], (2, 3, 5), MATMUL, OpCost(macs=120)),
    ("BATCH_MATMUL", [(4, 3), (4, 5)], (3, 5), {**MATMUL, "adj_x": True}, OpCost(macs=60)),
    # 6 steps of 4 x (8 x 5 + 8 x 8) products; 8 cells of 4 + 5 operations
    (
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        LSTM_INPUTS,
        (1, 6, 8),
        {"time_major": False},
        OpCost(macs=2496, operations=432),
    ),
    # 12 filters over 10 features and a memory of 7 steps; 12 additions
    ("SVDF", [(1, 10), (12, 10), (12, 7), (6,)], (1, 6), {}, OpCost(macs=204, operations=12)),
    ("AVERAGE_POOL_2D", [(1, 4, 6, 5)], (1, 2, 2, 5), POOL, OpCost(operations=120)),
    ("MAX_POOL_2D", [(1, 4, 6, 5)], (1, 2, 2, 5), POOL, OpCost(operations=120)),
    ("L2_POOL_2D", [(1, 4, 6, 5)], (1, 2, 2, 5), POOL, OpCost(operations=260)),
    ("MEAN", [(1, 4, 6, 5), (2,)], (1, 5), {}, OpCost(operations=120)),
    ("SUM", [(1, 4, 6, 5), (2,)], (1, 5), {}, OpCost(operations=120)),
    ("ARG_MAX", [(1, 10), ()], (1,), {}, OpCost(operations=10)),
    ("ADD", [(1, 4, 5), (1, 4, 5)], (1, 4, 5), {}, OpCost(operations=20)),
    ("MUL", [(1, 4, 5), (5,)], (1, 4, 5), {}, OpCost(operations=20)),
    ("ADD_N", [(4, 5), (4, 5), (4, 5)], (4, 5), {}, OpCost(operations=40)),
    ("HARD_SWISH", [(1, 20)], (1, 20), {}, OpCost(operations=20)),
    ("QUANTIZE", [(1, 20)], (1, 20), {}, OpCost(operations=20)),
    ("SOFTMAX", [(1, 10)], (1, 10), {}, OpCost(operations=40)),
    ("LOG_SOFTMAX", [(1, 10)], (1, 10), {}, OpCost(operations=40)),
    ("L2_NORMALIZATION", [(1, 10)], (1, 10), {}, OpCost(operations=30)),
    ("SQUARED_DIFFERENCE", [(1, 10), (1, 10)], (1, 10), {}, OpCost(operations=20)),
    ("RESIZE_BILINEAR", [(1, 2, 2, 3), (2,)], (1, 4, 4, 3), {}, OpCost(operations=336)),
    ("RESIZE_NEAREST_NEIGHBOR", [(1, 2, 2, 3), (2,)], (1, 4, 4, 3), {}, OpCost(moved_bytes=48)),
    ("CONCATENATION", [(1, 4), (1, 6)], (1, 10), {}, OpCost(moved_bytes=10)),
    ("RESHAPE", [(1, 4, 5), (2,)], (1, 20), {}, OpCost(moved_bytes=20)),
    ("TRANSPOSE", [(4, 5), (2,)], (5, 4), {}, OpCost(moved_bytes=20)),
    ("ASSIGN_VARIABLE", [(1,), (7, 3)], None, {}, OpCost(moved_bytes=21)),
    ("CALL_ONCE", [], None, {}, OpCost()),
]


@pytest.mark.parametrize(("name", "inputs", "output", "options", "expected"), CASES)
def test_work_by_hand(
    name: str,
    inputs: list[Shape | None],
    output: Shape | None,
    options: dict[str, Any],
    expected: OpCost,
) -> None:
    graph = one_operator(name, inputs, output, options)
    assert op_cost(graph, graph.operators[0]) == expected


def test_lstm_with_coupled_gates_and_time_first() -> None:
    inputs = [(6, 1, 5), None, *LSTM_INPUTS[2:5], None, *LSTM_INPUTS[6:]]
    graph = one_operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, (6, 1, 8), {"time_major": True})
    # Three gates: 6 x 3 x (40 + 64) products, 6 x 8 x (3 + 5) operations
    assert op_cost(graph, graph.operators[0]) == OpCost(macs=1872, operations=384)


# The built-in operators of TensorFlow Lite Micro's MicroMutableOpResolver in August 2026
TFLM_OPERATORS = """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL
    BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D
    COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU
    EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED
    GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D
    LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX
    MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU
    QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE
    SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE
    SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
    UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""


# What is compiled, though TensorFlow Lite Micro has no kernel for it
COMPILED_ALONE = {"SELECT", "TILE"}


def test_every_operator_of_tflm_has_a_rule() -> None:
    assert set(cost_rule.names) == set(TFLM_OPERATORS.split()) - {"WHILE"} | COMPILED_ALONE


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (one_operator("CONV_2D", [(1, 2, 2, 1)], (1, 2, 2, 1)), "(CONV_2D) has no input 1"),
        (one_operator("CONV_2D", [(1, 2, 2, 1), (1, 4)], (1, 2, 2, 4)), "4 dimensions are needed"),
        (one_operator("RELU", [(1, 4)], None), "(RELU) has no output"),
        (
            one_operator(
                "IF", [(1, 4)], (1, 4), {"then_subgraph_index": 1, "else_subgraph_index": 2}
            ),
            "calls subgraph 1, allowed: []",
        ),
    ],
)
def test_refuses_what_it_cannot_count(graph: Graph, reason: str) -> None:
    with pytest.raises(AscError) as caught:
        measure(graph)
    assert str(caught.value).startswith("file.tflite: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["WHILE", "CUSTOM magic"])
@pytest.mark.parametrize("convention", ["exact", "nessi"])
def test_work_that_nobody_knows_is_not_measured(name: str, convention: str) -> None:
    """Parameters and bytes are."""
    graph = one_operator(name, [(1, 4), (3, 4)], (1, 4), constants=(1,))
    measured = measure(graph, convention=convention)
    values = figures(measured)
    assert [values[key] for key in ("macs", "operations", "moved_bytes")] == [None] * 3
    assert values["params"] == 12 and values["weight_bytes"] == 12
    assert f"operator 0 ({name}) has no rule" in measured.unmeasured["macs"]
    assert figures(measured.layers[0])["macs"] is None
    assert Limits().exceeded(total([measured]))[0].startswith("MACs cannot be measured")


def test_a_batch_is_counted_whole() -> None:
    graph = one_operator("FULLY_CONNECTED", [(4, 20), (5, 20)], (4, 5), constants=(1,))
    assert measure(graph).macs == 4 * 20 * 5


def test_subgraphs() -> None:
    """An IF counts its costlier branch, its parameters once; a subgraph that is not called."""
    dense = one_operator("FULLY_CONNECTED", [(1, 20), (5, 20)], (1, 5), constants=(1,))
    relu = one_operator("RELU", [(1, 20)], (1, 20))
    branch = one_operator(
        "IF", [(1, 20)], (1, 5), {"then_subgraph_index": 1, "else_subgraph_index": 2}
    )
    others = (dense, relu, dense)
    model = Graph("m", branch.operators, branch.tensors, branch.inputs, branch.outputs, {}, others)
    measured = measure(model)
    assert [(layer.op, layer.params, layer.macs) for layer in measured.layers] == [
        ("IF", 100, 100),
        ("SUBGRAPH", 0, 0),
    ]


def test_a_subgraph_that_calls_itself_is_refused() -> None:
    loop = one_operator(
        "IF", [(1, 4)], (1, 4), {"then_subgraph_index": 1, "else_subgraph_index": 1}
    )
    model = Graph("m", loop.operators, loop.tensors, loop.inputs, loop.outputs, {}, (loop,))
    with pytest.raises(AscError, match="calls subgraph 1"):
        measure(model)


def test_weights_in_one_buffer_count_once() -> None:
    def weights(index: int) -> Tensor:
        return Tensor(index, f"w{index}", (4, 4), "INT8", content=bytes(16), buffer=7)

    tensors = (
        Tensor(0, "in", (1, 4), "INT8"),
        weights(1),
        weights(2),
        Tensor(3, "mid", (1, 4), "INT8"),
        Tensor(4, "out", (1, 4), "INT8"),
    )
    operators = (
        Operator(0, "FULLY_CONNECTED", (0, 1, ABSENT), (3,), {}),
        Operator(1, "FULLY_CONNECTED", (3, 2, ABSENT), (4,), {}),
    )
    measured = measure(Graph("m", operators, tensors, (0,), (4,)))
    assert (measured.params, measured.macs, measured.weight_bytes) == (16, 32, 16)


def test_split_moves_all_of_its_outputs() -> None:
    parts = tuple(Tensor(i, f"t{i}", (1, 4, 3), "INT8") for i in (1, 2))
    tensors = (Tensor(0, "in", (1, 4, 6), "INT8"), *parts)
    operator = Operator(0, "SPLIT", (0,), (1, 2), {})
    graph = Graph("m", (operator,), tensors, (0,), (1, 2))
    assert op_cost(graph, operator) == OpCost(moved_bytes=24)
    # Input and both outputs exist at the same time; in TensorFlow Lite Micro by 16 bytes.
    measured = measure(graph)
    assert [layer.activation_bytes for layer in measured.layers] == [48]
    assert measured.peak_activation_bytes == 32 + 2 * 16


def test_a_layer_without_bias_has_only_weights() -> None:
    graph = one_operator("CONV_2D", [(1, 5, 4, 2), (8, 3, 3, 2)], (1, 5, 4, 8), constants=(1,))
    measured = measure(graph)
    assert (measured.params, measured.weight_bytes, measured.macs) == (144, 144, 2880)


def test_half_bytes() -> None:
    assert Tensor(0, "w", (5, 3), "INT4").byte_count == 8


def nessi_counts(graph: Graph) -> tuple[int, int]:
    (operator,) = graph.operators
    return nessi.constant_bytes(graph, operator), nessi.macs(graph, operator)


def test_nessi_counts_constant_bytes_and_the_last_dimension() -> None:
    """Shapes and axes are parameters to it; only the input's last dimension is a depth."""
    reshape = one_operator("RESHAPE", [(1, 4, 5), (2,)], (1, 20), constants=(1,))
    assert nessi_counts(reshape) == (2, 0)
    dense = one_operator("FULLY_CONNECTED", [(1, 4, 5), (3, 20)], (1, 3), constants=(1,))
    assert nessi_counts(dense) == (60, 15)
    mean = one_operator("MEAN", [(1, 4, 5, 3), (2,)], (1, 3), constants=(1,))
    assert nessi_counts(mean) == (2, 60)
    add = one_operator("ADD", [(1, 4, 5), (1, 4, 5)], (1, 4, 5), constants=(1,))
    assert nessi_counts(add) == (20, 20)
    transposed = one_operator(
        "TRANSPOSE_CONV", [(4,), (4, 3, 2, 7), (1, 2, 3, 7)], (1, 4, 6, 4), constants=(1,)
    )
    assert nessi_counts(transposed) == (168, 0)


def test_schema_is_that_of_the_package() -> None:
    tflite = pytest.importorskip("tflite")
    numbers = {
        value: name
        for name, value in vars(tflite.BuiltinOperator).items()
        if not name.startswith("_")
    }
    # The package's schema is older than ours by the last operators.
    for number, name in numbers.items():
        assert ops.NAMES[number] == name
    types = {v: n for n, v in vars(tflite.TensorType).items() if not n.startswith("_")}
    for number, name in types.items():
        assert schema.TENSOR_TYPES[number] == name


def test_nessi_gives_the_official_numbers_of_the_baseline(tmp_path: Path) -> None:
    """The DCASE baseline converted today, with an explicit RESHAPE: 46,520 and 29,238,120."""
    pytest.importorskip("tensorflow")
    from keras import Input, Model, layers

    from support.network_models import quantized

    source = x = Input((40, 51, 1), batch_size=1)
    for filters, pool in ((16, None), (16, 5), (32, (4, 10))):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 7, padding="same")(x)))
        x = layers.MaxPooling2D(pool)(x) if pool else x
    x = layers.Dense(100, activation="relu")(layers.Flatten()(x))
    model = Model(source, layers.Softmax()(layers.Dense(10)(x)))
    graph = parse_graph(quantized(model), source="baseline.tflite")
    measured = measure(graph, convention="nessi")
    assert (measured.params, measured.macs) == (46_520, 29_238_120)
