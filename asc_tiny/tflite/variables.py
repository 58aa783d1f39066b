"""Variables of a model: what keeps its value from one inference to the next, by name.

VAR_HANDLE names a variable, READ_VARIABLE and ASSIGN_VARIABLE copy it as a whole, and CALL_ONCE
gives first values before the first inference goes on. All follow TensorFlow Lite Micro's
``MicroResourceVariables``: a variable is as large as the first value that is assigned to it in the
file, and holds the zero point of that value until one is assigned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from asc_tiny.tflite.graph import ABSENT, Graph, Operator, Tensor, called
from asc_tiny.tflite.operands import OperatorView

_Name = tuple[str, str]
"""A variable's container and its name there."""


@dataclass(frozen=True, eq=False)
class Variable:
    """What keeps its value from one inference to the next.

    Attributes:
        name: the name that the file gives it, for people.
        initial: its value before the first inference, as bytes.
        is_assigned: whether an inference gives it another value.
    """

    name: str
    initial: bytes
    is_assigned: bool


def variables(model: Graph) -> Mapping[int, Variable]:
    """Return the variables of a model by the tensors of its first subgraph that name them.

    Tensors that name the same variable have the same object.

    Raises:
        AscError: an operator uses what names no variable, a value of another size, or one that is
            never assigned; or first values that are computed, or given after the variable is used.
    """
    return _Variables(model).found


def stateful_operator(graph: Graph) -> Operator | None:
    """Return the first operator that keeps values from one inference to the next, None if none."""
    for operator in graph.operators:
        inputs = (graph.tensor(index) for index in operator.inputs if index != ABSENT)
        if operator.name == "READ_VARIABLE" or any(tensor.is_variable for tensor in inputs):
            return operator
    return None


def variable_names(graph: Graph) -> dict[int, _Name]:
    """Return container and name of the variable that each handle of a subgraph names."""
    return {
        operator.outputs[0]: (
            str(operator.options["container"]),
            str(operator.options["shared_name"]),
        )
        for operator in graph.operators
        if operator.name == "VAR_HANDLE" and operator.outputs
    }


def first_values(model: Graph) -> dict[_Name, Tensor]:
    """Return the value that is assigned first to each variable in the file, which decides its size.

    The subgraphs count in their order, as TensorFlow Lite Micro prepares them.
    """
    found: dict[_Name, Tensor] = {}
    for graph in (model, *model.others):
        names = variable_names(graph)
        for operator in graph.operators:
            if operator.name == "ASSIGN_VARIABLE":
                op = OperatorView(graph, operator)
                name = names.get(op.input(0).index)
                if name is not None:
                    found.setdefault(name, op.input(1))
    return found


class _Variables:
    def __init__(self, model: Graph) -> None:
        self.model = model
        self.names = variable_names(model)
        self.first = first_values(model)
        self.assigned: set[_Name] = set()
        initial = {name: _zeros(tensor) for name, tensor in self.first.items()}
        used: set[_Name] = set()
        for operator in model.operators:
            if operator.name == "CALL_ONCE":
                for name, value in self.given(operator):
                    if name in used:
                        raise OperatorView(model, operator).error(
                            f"gives variable {name[1]} a first value after it is used; call it "
                            f"before"
                        )
                    initial[name] = value
            elif operator.name in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
                used.add(self.used(operator))
        made = {
            name: Variable(name[1], value, name in self.assigned) for name, value in initial.items()
        }
        self.found = {index: made[name] for index, name in self.names.items() if name in made}

    def used(self, operator: Operator) -> _Name:
        """Return the name of the variable that an operator reads or assigns."""
        op = OperatorView(self.model, operator)
        is_read = operator.name == "READ_VARIABLE"
        name = _named(op, self.names)
        self.check_size(op, name, op.output if is_read else op.input(1))
        if not is_read:
            self.assigned.add(name)
        return name

    def given(self, operator: Operator) -> Iterator[tuple[_Name, bytes]]:
        """Yield what a subgraph assigns that is called once."""
        for number in called(operator):
            graph = self.model.subgraph(number)
            names = variable_names(graph)
            for each in graph.operators:
                op = OperatorView(graph, each)
                if each.name == "ASSIGN_VARIABLE":
                    name, value = _named(op, names), op.input(1)
                    self.check_size(op, name, value)
                    if value.content is None:
                        raise op.error("gives a first value that is computed, must be a constant")
                    yield name, value.content
                elif each.name != "VAR_HANDLE":
                    raise op.error(
                        "is in a subgraph that CALL_ONCE calls, where only VAR_HANDLE and "
                        "ASSIGN_VARIABLE are supported"
                    )

    def check_size(self, op: OperatorView, name: _Name, value: Tensor) -> None:
        """Check that a value has the size of its variable."""
        if name not in self.first:
            raise op.error(f"reads variable {name[1]}, to which nothing is assigned")
        size = self.first[name].byte_count
        if value.byte_count != size:
            raise op.error(
                f"has a value of {value.byte_count} bytes for variable {name[1]} of {size}"
            )


def _named(op: OperatorView, names: Mapping[int, _Name]) -> _Name:
    """Return the name of the variable that the first input names."""
    handle = op.input(0).index
    if handle not in names:
        raise op.error(f"uses tensor {handle} as a variable, which no VAR_HANDLE makes")
    return names[handle]


def _zeros(tensor: Tensor) -> bytes:
    """Return what a variable holds at first: bytes of the lowest bits of its zero point."""
    zero_point = tensor.zero_points[0] if tensor.zero_points else 0
    return bytes([zero_point & 0xFF]) * tensor.byte_count
