"""The head of TensorFlow Lite Micro's arena for a model of any subgraphs.

Follows ``AllocationInfoBuilder`` and ``GreedyMemoryPlanner``: all subgraphs are planned together,
on one line of scopes. Each operator opens a scope, and so does each subgraph that one calls, inside
of it. What no operator reaches has no scope, so that all of it lies side by side.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from asc_tiny.tflite.graph import Graph, called
from asc_tiny.tflite.liveness import LiveRange
from asc_tiny.tflm.greedy_planner import BufferRequest, place
from asc_tiny.tflm.kernel_scratch import scratch
from asc_tiny.util.errors import AscError
from asc_tiny.util.numbers import round_up

ALIGNMENT = 16
"""Alignment in bytes of activations and scratch memory."""

# So that no file keeps the planner busy for long.
MOST_ACTIVATIONS = 2048
_MOST_SCOPES = 20_000
_DEEPEST = 16
_NEVER = LiveRange(-1, -1)
_CHOSEN = -1

OFFLINE_PLAN = "OfflineMemoryAllocation"
"""Name of the metadata by which a file says where its tensors lie."""


def head_bytes(model: Graph) -> int:
    """Return the bytes of activations and reference kernels' scratch memory, as they are placed.

    Raises:
        AscError: scratch memory that is not known, more than is planned here, or offsets in the
            file that TensorFlow Lite Micro does not take. The message goes behind ``cannot be
            measured:``.
    """
    graphs = (model, *model.others)
    places = [(n, i) for n, graph in enumerate(graphs) for i in range(len(graph.tensors))]
    tensors = [
        (number, i, offset)
        for (number, i), offset in zip(places, _prescribed(model, len(places)), strict=True)
        if _is_planned(graphs[number], i, offset)
    ]
    if len(tensors) > MOST_ACTIVATIONS:
        raise AscError(f"{len(tensors):,} activations, at most {MOST_ACTIVATIONS:,} are planned")
    scopes = _Scopes(model)
    scopes.run(0)
    requests = [
        BufferRequest(
            "",
            round_up(graphs[number].tensor(i).byte_count, ALIGNMENT),
            scopes.live_range(number, i),
            offset,
        )
        for number, i, offset in tensors
    ]
    requests += [request for number in range(len(graphs)) for request in scopes.scratch(number)]
    ends = (offset + each.size for offset, each in zip(place(requests), requests, strict=True))
    return max(ends, default=0)


@dataclass
class _Scopes:
    """When tensors and scratch memory exist, by subgraph and tensor or operator.

    Attributes:
        model: the graph of the whole file.
        now: the scope that is open.
        tensors: the first and the last scope of each tensor.
        operators: the first and the last scope of each operator, with what it calls.
    """

    model: Graph
    now: int = 0
    tensors: dict[tuple[int, int], LiveRange] = field(default_factory=dict)
    operators: dict[tuple[int, int], LiveRange] = field(default_factory=dict)

    def run(self, number: int, depth: int = 0) -> None:
        """Go through a subgraph and what its operators call."""
        if depth > _DEEPEST:
            raise AscError(f"calls of subgraphs more than {_DEEPEST} deep")
        graph = self.model.subgraph(number)
        for index in graph.inputs:
            self._use(self.tensors, (number, index), self.now)
        for operator in graph.operators:
            self._open()
            start = self.now
            for index in operator.outputs:
                self._use(self.tensors, (number, index), start)
            for other in called(operator):
                self._open()
                self.run(other, depth + 1)
            for index in (*operator.inputs, *operator.outputs):
                if (number, index) in self.tensors:
                    self._use(self.tensors, (number, index), self.now)
            self._use(self.operators, (number, operator.index), start)
            self._use(self.operators, (number, operator.index), self.now)
        for index in graph.outputs:
            self._use(self.tensors, (number, index), self.now)

    def _open(self) -> None:
        self.now += 1
        if self.now > _MOST_SCOPES:
            raise AscError(f"more than {_MOST_SCOPES:,} operators run, branches included")

    @staticmethod
    def _use(known: dict[tuple[int, int], LiveRange], key: tuple[int, int], scope: int) -> None:
        known[key] = LiveRange(known[key].first if key in known else scope, scope)

    def live_range(self, number: int, index: int) -> LiveRange:
        return self.tensors.get((number, index), _NEVER)

    def scratch(self, number: int) -> list[BufferRequest]:
        graph, found = self.model.subgraph(number), []
        for operator in graph.operators:
            sizes = scratch(graph, operator)
            live_range = self.operators.get((number, operator.index))
            if sizes and live_range is None:
                raise AscError(
                    f"operator {operator.index} ({operator.name}) of subgraph {number} never runs, "
                    f"so that its scratch memory has no size"
                )
            found += [
                BufferRequest("", round_up(size, ALIGNMENT), live_range or _NEVER) for size in sizes
            ]
        return found


def _prescribed(model: Graph, count: int) -> list[int | None]:
    """Return the offset of each tensor of all subgraphs, None where the planner chooses.

    The metadata are whole numbers of 32 bits: a version, a number of the subgraph that nothing
    reads, the number of tensors, and their offsets, -1 for none.
    """
    data = model.metadata.get(OFFLINE_PLAN)
    if data is None:
        return [None] * count
    stated = struct.unpack_from("<I", data, 8)[0] if len(data) >= 12 else -1
    if stated != count or len(data) < 12 + 4 * count:
        raise AscError(f"metadata {OFFLINE_PLAN} are not those of {count:,} tensors")
    offsets = struct.unpack_from(f"<{count}i", data, 12)
    if min(offsets, default=0) < _CHOSEN:
        raise AscError(f"metadata {OFFLINE_PLAN} have the offset {min(offsets):,}")
    return [None if offset == _CHOSEN else offset for offset in offsets]


def _is_planned(graph: Graph, index: int, offset: int | None) -> bool:
    tensor = graph.tensor(index)
    if tensor.is_constant or not tensor.byte_count:
        return False
    # A variable lies in the tail, unless the file says where it lies in the head.
    if tensor.is_variable and offset is None:
        return False
    # The number of a variable lies where its VAR_HANDLE keeps it (var_handle.cc).
    writer = graph.producers.get(index)
    return writer is None or writer.name != "VAR_HANDLE"
