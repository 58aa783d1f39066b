"""What lasts from one inference to the next: its memory, and its value while a graph is lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from asc_tiny.compiler.ir import Buffer, BufferView, Stage
from asc_tiny.compiler.kernel_params import Array
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflite.variables import Variable, variables


@dataclass(eq=False)
class States:
    """The variables of a graph while its operators are lowered in their order.

    An operator that reads a variable gets the memory of the value that was assigned last. The value
    at the end of an inference is copied to the variable's own memory when nobody reads the old one
    any more.

    Attributes:
        graph: the graph of the file.
        values: where the present value of each variable lies, once it is read or assigned.
        memory: the buffer that lasts, of each variable whose old value is read.
        updates: the stage that copies the last value of each variable to its memory.
    """

    graph: Graph
    values: dict[Variable, BufferView] = field(default_factory=dict)
    memory: dict[Variable, BufferView] = field(default_factory=dict)
    updates: dict[Variable, Stage] = field(default_factory=dict)

    @cached_property
    def named(self) -> Mapping[int, Variable]:
        """The variable that each handle names."""
        return variables(self.graph)

    def value(self, handle: int, rows: int, row_bytes: int) -> BufferView:
        """Return where the present value of a variable lies.

        Args:
            handle: the tensor that names the variable.
            rows, row_bytes: the shape of its memory if it has none yet.
        """
        variable = self.named[handle]
        if variable not in self.values:
            name = f"v{handle}"
            if variable.is_assigned:
                buffer = Buffer(name, rows, row_bytes, whole=True, initial=variable.initial)
                self.memory[variable] = BufferView.of(buffer)
            else:
                same = Array(f"asc_net_variable{handle}", np.frombuffer(variable.initial, np.int8))
                buffer = Buffer(name, rows, row_bytes, constant=same)
            self.values[variable] = BufferView.of(buffer)
        return self.values[variable]
