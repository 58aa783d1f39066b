"""Constant folding: what is known of shapes and constants, against NumPy and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler.passes import constant_folding
from asc_tiny.compiler.passes.constant_folding import fold_constants
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.util.errors import AscError

_NAMES = {"bool": "BOOL"}


class Maker:
    """A graph that grows, with an int8 input of shape (1, 4, 6, 2)."""

    def __init__(self) -> None:
        self.tensors = [Tensor(0, "x", (1, 4, 6, 2), "INT8", (0.5,), (0,))]
        self.operators: list[Operator] = []

    def constant(self, values: Any, dtype: str = "int32", scale: float | None = None) -> int:
        array = np.asarray(values, dtype)
        scales = () if scale is None else (scale,)
        self._tensor(array.shape, _NAMES.get(dtype, dtype.upper()), scales, array.tobytes())
        return len(self.tensors) - 1

    def add(
        self,
        name: str,
        inputs: list[int],
        shape: tuple[int, ...],
        dtype: str = "INT32",
        scale: float | None = None,
        **options: Any,
    ) -> int:
        self._tensor(shape, dtype, () if scale is None else (scale,))
        index = len(self.tensors) - 1
        self.operators.append(Operator(len(self.operators), name, tuple(inputs), (index,), options))
        return index

    def _tensor(
        self,
        shape: tuple[int, ...],
        dtype: str,
        scales: tuple[float, ...],
        content: bytes | None = None,
    ) -> None:
        index = len(self.tensors)
        zeros = (0,) * len(scales)
        self.tensors.append(
            Tensor(index, f"t{index}", shape, dtype, scales, zeros, content=content)
        )

    def graph(self, *outputs: int) -> Graph:
        return Graph("made", tuple(self.operators), tuple(self.tensors), (0,), outputs)

    def folded(self, output: int) -> Any:
        """Return the values that a tensor is folded to, None if it is not."""
        return fold_constants(self.graph(output)).graph.tensor(output).data


_SLICED: dict[str, Any] = {
    "begin_mask": 0,
    "end_mask": 0,
    "ellipsis_mask": 0,
    "new_axis_mask": 0,
    "shrink_axis_mask": 0,
    "offset": False,
}


def flattened(m: Maker) -> int:
    """Add what a converter leaves of a Flatten of any batch; return the output."""
    shape = m.add("SHAPE", [0], (4,))
    first, one = m.constant([0]), m.constant([1])
    options = {**_SLICED, "shrink_axis_mask": 1}
    batch = m.add("STRIDED_SLICE", [shape, first, one, one], (), **options)
    target = m.add("PACK", [batch, m.constant(48)], (2,), axis=0)
    return m.add("RESHAPE", [0, target], (1, 48), "INT8", 0.5, new_shape=())


def test_a_flatten_of_any_batch_becomes_a_reshape_alone() -> None:
    m = Maker()
    output = flattened(m)
    found = fold_constants(m.graph(output))
    (reshape,) = found.graph.operators
    assert (reshape.name, reshape.index) == ("RESHAPE", 3)
    assert found.graph.tensor(reshape.inputs[1]).data.tolist() == [1, 48]
    assert found.titles == ("0 SHAPE", "1 STRIDED_SLICE", "2 PACK")
    assert fold_constants(found.graph).graph is found.graph


def test_a_shape_that_nobody_can_fold_goes_with_what_computes_it() -> None:
    m = Maker()
    unknown = m.add("CUSTOM", [0], (2,))
    again = m.add("CUSTOM", [unknown], (2,))
    output = m.add("RESHAPE", [0, again], (1, 48), "INT8", 0.5, new_shape=())
    found = fold_constants(m.graph(output))
    assert [each.inputs for each in found.graph.operators] == [(0,)]
    assert found.titles == ("0 CUSTOM", "1 CUSTOM")


def test_what_nobody_read_stays() -> None:
    m = Maker()
    m.add("RELU", [0], (1, 4, 6, 2), "INT8", 0.5)
    output = flattened(m)
    names = [each.name for each in fold_constants(m.graph(output)).graph.operators]
    assert names == ["RELU", "RESHAPE"]


def test_a_variable_is_assigned_though_nobody_reads_it() -> None:
    m = Maker()
    value = m.constant([1])
    handle = m.add("VAR_HANDLE", [], (), "RESOURCE")
    m.operators.append(Operator(1, "ASSIGN_VARIABLE", (handle, value), (), {}))
    output = flattened(m)
    names = [each.name for each in fold_constants(m.graph(output)).graph.operators]
    assert names == ["VAR_HANDLE", "ASSIGN_VARIABLE", "RESHAPE"]


def _ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


ONE_OPERATOR: list[tuple[str, list[np.ndarray], dict[str, Any], np.ndarray]] = [
    ("ADD", [_ints(2**31 - 1, 4), _ints(1)], {}, _ints(-(2**31), 5)),
    ("BROADCAST_ARGS", [_ints(3, 1), _ints(2, 1, 5)], {}, _ints(2, 3, 5)),
    ("BROADCAST_TO", [_ints(1, 2), _ints(2, 2)], {}, np.array([[1, 2], [1, 2]], np.int32)),
    ("CAST", [np.array([-1.9, 1.9], np.float32)], {}, _ints(-1, 1)),
    ("CONCATENATION", [_ints(1), _ints(2, 3)], {"axis": -1}, _ints(1, 2, 3)),
    ("DIV", [_ints(-7, 7), _ints(2, -2)], {"fused_activation_function": "NONE"}, _ints(-3, -3)),
    ("EXPAND_DIMS", [_ints(1, 2), _ints(0)], {}, _ints(1, 2)[None]),
    ("FILL", [_ints(2, 3), np.int32(7)], {}, np.full((2, 3), 7, np.int32)),
    ("FLOOR_DIV", [_ints(-7, 7), _ints(2, -2)], {}, _ints(-4, -4)),
    ("FLOOR_MOD", [_ints(-7, 7), _ints(2, -2)], {}, _ints(1, -1)),
    ("GATHER", [_ints(5, 6, 7), _ints(2, 0)], {"axis": 0, "batch_dims": 0}, _ints(7, 5)),
    ("LESS", [_ints(1, 5), _ints(3)], {}, np.array([True, False])),
    ("MAXIMUM", [_ints(1, 5), _ints(3)], {}, _ints(3, 5)),
    ("MUL", [_ints(1, 5), _ints(3)], {}, _ints(3, 15)),
    ("NEG", [_ints(1, -5)], {}, _ints(-1, 5)),
    ("RANGE", [np.int32(1), np.int32(8), np.int32(3)], {}, _ints(1, 4, 7)),
    ("REDUCE_PROD", [_ints(2, 3, 4), _ints(0)], {}, np.int32(24)),
    ("RESHAPE", [_ints(1, 2, 3, 4), _ints(2, 2)], {}, _ints(1, 2, 3, 4).reshape(2, 2)),
    ("SELECT", [np.array([True, False]), _ints(1, 2), _ints(3, 4)], {}, _ints(1, 4)),
    ("SLICE", [_ints(5, 6, 7), _ints(1), _ints(-1)], {}, _ints(6, 7)),
    ("SQUEEZE", [_ints(1, 2)[None]], {}, _ints(1, 2)),
    ("STRIDED_SLICE", [_ints(5, 6, 7), _ints(-1), _ints(-4), _ints(-2)], _SLICED, _ints(7, 5)),
    ("SUB", [_ints(1, 5), _ints(3)], {}, _ints(-2, 2)),
    ("SUM", [np.array([[1, 2], [3, 4]], np.int32), _ints(1)], {}, _ints(3, 7)),
    ("TRANSPOSE", [np.array([[1, 2], [3, 4]], np.int32), _ints(1, 0)], {}, _ints(1, 3, 2, 4)),
]


@pytest.mark.parametrize(("name", "operands", "options", "expected"), ONE_OPERATOR)
def test_operators_of_constants(
    name: str, operands: list[np.ndarray], options: dict[str, Any], expected: np.ndarray
) -> None:
    m = Maker()
    expected = expected.reshape(2, 2) if name == "TRANSPOSE" else expected
    inputs = [m.constant(each, str(each.dtype)) for each in operands]
    dtype = _NAMES.get(str(expected.dtype), str(expected.dtype).upper())
    output = m.add(name, inputs, expected.shape, dtype, **options)
    found = m.folded(output)
    assert found is not None
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


NOT_FOLDED: list[tuple[str, list[np.ndarray], dict[str, Any]]] = [
    ("DIV", [_ints(1, 2), _ints(1, 0)], {"fused_activation_function": "NONE"}),
    ("ADD", [_ints(1, 2), _ints(1, 0)], {"fused_activation_function": "RELU"}),
    ("CAST", [np.array([3e9, 1.0], np.float32)], {}),
    ("CAST", [np.array([np.nan, 1.0], np.float32)], {}),
    ("GATHER", [_ints(5, 6, 7), _ints(3, 0)], {"axis": 0, "batch_dims": 0}),
    ("GATHER", [_ints(5, 6, 7), _ints(-1, 0)], {"axis": 0, "batch_dims": 0}),
    ("SLICE", [_ints(5, 6, 7), _ints(-1), _ints(2)], {}),
    ("STRIDED_SLICE", [_ints(1, 2), _ints(0), _ints(2), _ints(0)], _SLICED),
    ("STRIDED_SLICE", [_ints(1, 2), _ints(0), _ints(2), _ints(1)], {**_SLICED, "offset": True}),
    ("TRANSPOSE", [_ints(1, 2), _ints(1, 0)], {}),
]


@pytest.mark.parametrize(("name", "operands", "options"), NOT_FOLDED)
def test_what_c_leaves_undefined_stays(
    name: str, operands: list[np.ndarray], options: dict[str, Any]
) -> None:
    m = Maker()
    inputs = [m.constant(each, str(each.dtype)) for each in operands]
    assert m.folded(m.add(name, inputs, (2,), **options)) is None


def test_codes_are_not_their_values() -> None:
    m = Maker()
    codes = m.constant([1, 2], "int8", 0.5)
    assert m.folded(m.add("ADD", [codes, codes], (2,), "INT8", 0.25)) is None
    assert m.folded(m.add("CONCATENATION", [codes], (2,), "INT8", 0.25, axis=0)) is None
    assert m.folded(m.add("DEQUANTIZE", [codes], (2,), "FLOAT32")).tolist() == [0.5, 1.0]


def test_quantisation_rounds_halves_away_and_saturates() -> None:
    m = Maker()
    values = m.constant([0.25, -0.25, 0.24, -0.75, 99.0, -99.0], "float32")
    found = m.folded(m.add("QUANTIZE", [values], (6,), "INT8", 0.5))
    assert found.tolist() == [1, -1, 0, -2, 127, -128]
    undefined = m.constant([np.inf], "float32")
    assert m.folded(m.add("QUANTIZE", [undefined], (1,), "INT8", 0.5)) is None


def test_a_result_of_another_shape_is_refused() -> None:
    m = Maker()
    output = m.add("SHAPE", [0], (3,))
    with pytest.raises(AscError, match=r"operator 0 \(SHAPE\) states the output \[3\], .*\[4\]"):
        fold_constants(m.graph(output))


def test_hostile_sizes_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    m = Maker()
    size = m.constant([2**15, 2**15])
    huge = m.add("FILL", [size, m.constant(1)], (2**15, 2**15))
    assert m.folded(huge) is None
    monkeypatch.setattr(constant_folding, "MOST_IN_ALL", 6)
    shapes = [m.add("SHAPE", [0], (4,)) for _ in range(3)]
    found = fold_constants(m.graph(huge, *shapes)).graph
    assert [found.tensor(index).is_constant for index in shapes] == [True, True, False]


def test_the_graph_that_was_given_stays() -> None:
    m = Maker()
    output = flattened(m)
    graph = m.graph(output)
    before = replace(graph)
    fold_constants(graph)
    assert (graph.operators, graph.tensors) == (before.operators, before.tensors)
