"""Which element types go together: texts of rules, and operators that fit them."""

from __future__ import annotations

from asc_tiny.compiler.lower.signature import ALL_INT8, Signature
from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor


def graph_of(*dtypes: str, constant: int | None = None) -> Graph:
    """Return a graph of scalars of these types, of which one may be constant."""
    tensors = tuple(
        Tensor(n, f"t{n}", (), dtype, content=b"\0" * 8 if n == constant else None)
        for n, dtype in enumerate(dtypes)
    )
    return Graph("made", (), tensors, (), ())


def fits(text: str, graph: Graph, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> bool:
    return Signature.of(text).fits(graph, Operator(0, "ADD", inputs, outputs, {}))


def test_the_last_type_is_that_of_all_further_operands() -> None:
    graph = graph_of("BOOL", "INT8", "INT8", "INT8")
    assert fits("BOOL INT8 -> INT8", graph, (0, 1, 2), (3,))
    assert not fits("BOOL INT8 -> INT8", graph, (1, 0, 2), (3,))
    assert not fits("INT8 -> INT8", graph, (0, 1), (2,))


def test_constants_and_what_is_absent_are_left_to_the_rule() -> None:
    graph = graph_of("INT8", "INT32", "INT8", constant=1)
    operator = Operator(0, "ADD", (0, 1, ABSENT), (2,), {})
    assert ALL_INT8.fits(graph, operator)
    assert not ALL_INT8.fits(graph, operator, constants=True)


def test_an_operator_without_operands_takes_none() -> None:
    graph = graph_of("RESOURCE", "INT8")
    assert fits(" -> RESOURCE", graph, (), (0,))
    assert not fits(" -> RESOURCE", graph, (1,), (0,))
    assert not fits("INT8 -> ", graph, (1,), (0,))


def test_a_text_is_what_it_was_made_of() -> None:
    assert str(Signature.of("BOOL INT8 -> INT8")) == "BOOL INT8 -> INT8"
