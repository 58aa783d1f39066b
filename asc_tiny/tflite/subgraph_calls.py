"""Checking what goes between subgraphs: what operators hand them and get, and variables."""

from __future__ import annotations

from collections.abc import Sequence

from asc_tiny.tflite.flatbuffer import DamagedError
from asc_tiny.tflite.graph import Graph, Operator, called
from asc_tiny.tflite.operands import OperatorView


def check_calls(graph: Graph, others: Sequence[Graph]) -> None:
    """Check that operators call subgraphs that there are, and not the first.

    Args:
        graph: the subgraph whose operators call.
        others: the subgraphs after the first.

    Raises:
        DamagedError: they call others.
        AscError: a branch takes or gives other tensors than the operator states.
    """
    for operator in graph.operators:
        for number in called(operator):
            if not 1 <= number <= len(others):
                raise DamagedError(f"operator {operator.index} calls subgraph {number}")
            if operator.name == "IF":
                _check_branch(graph, operator, number, others[number - 1])


def _check_branch(graph: Graph, operator: Operator, number: int, branch: Graph) -> None:
    """Compare the operands behind the condition, and the results, with a branch's."""
    ends = (
        ("takes", operator.inputs[1:], branch.inputs),
        ("gives", operator.outputs, branch.outputs),
    )
    for verb, own, its in ends:
        stated = [graph.tensor(index).byte_count for index in own if index >= 0]
        needed = [branch.tensor(index).byte_count for index in its]
        if stated != needed:
            raise OperatorView(graph, operator).error(
                f"calls subgraph {number}, which {verb} tensors of {needed} bytes, not {stated}"
            )


def check_variables(graphs: Sequence[Graph]) -> None:
    """Check that what is read of a variable has the size of a value that one is given.

    Args:
        graphs: all subgraphs of a model.

    Raises:
        AscError: it has not.
    """
    assigned = set()
    for graph in graphs:
        for operator in graph.operators:
            if operator.name == "ASSIGN_VARIABLE":
                assigned.add(OperatorView(graph, operator).input(1).byte_count)
    for graph in graphs:
        for operator in graph.operators:
            if operator.name == "READ_VARIABLE":
                op = OperatorView(graph, operator)
                if op.output.byte_count not in assigned:
                    raise op.error(
                        f"reads {op.output.byte_count} bytes of a variable, assigned are "
                        f"{sorted(assigned)}"
                    )
