"""How large an arena TensorFlow Lite Micro's interpreter needs, and what lies where in it.

Follows ``MicroAllocator`` and ``MicroInterpreter::AllocateTensors`` call by call. The arena fills
from both ends: what is kept grows down from its end (the tail), activations and what kernels need
at run time lie at its start (the head), where during preparation descriptions of tensors and the
planner's notes come and go.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from asc_tiny.tflite.graph import Graph, Operator, Tensor, called
from asc_tiny.tflite.liveness import LiveRange, live_ranges
from asc_tiny.tflite.ops import Family, row
from asc_tiny.tflite.variables import variable_names
from asc_tiny.tflm.greedy_planner import BufferRequest, place
from asc_tiny.tflm.kernel_memory import needs
from asc_tiny.tflm.micro_kernel import Kernels, Needs
from asc_tiny.tflm.structs import PLANNED_BUFFER_BYTES, TYPES, Abi, pointer_bytes
from asc_tiny.tflm.subgraph_arena import OFFLINE_PLAN
from asc_tiny.util.errors import AscError
from asc_tiny.util.numbers import round_up

ALIGNMENT = 16
"""Alignment in bytes of the arena, of activations and of what kernels keep."""

_WORD = 4
_SCRATCH_REQUESTS_PER_OPERATOR = 12
_NEVER = LiveRange(-1, -1)


@dataclass(frozen=True)
class Buffer:
    """A part of the head.

    Attributes:
        name: name of what lies there: an operator's result, or its scratch memory.
        size: bytes, rounded up to the alignment.
        offset: offset in bytes from the start of the arena.
        live_range: operators during which it exists.
    """

    name: str
    size: int
    offset: int
    live_range: LiveRange


@dataclass(frozen=True)
class Arena:
    """The arena of one model, or of several whose runs follow each other.

    Attributes:
        head: bytes of activations and scratch memory, of the model that needs the most.
        tail: bytes of all that is kept; ``head + tail`` is what ``arena_used_bytes`` returns if
            the arena's size is a multiple of 16.
        size: the smallest arena, a multiple of 16 bytes, in which preparation succeeds.
        smallest: the same with any number of bytes.
        buffers: the plan of each model's head.
    """

    head: int
    tail: int
    size: int
    smallest: int
    buffers: tuple[tuple[Buffer, ...], ...]


def arena(graphs: Sequence[Graph], kernels: Kernels = None, abi: Abi = Abi.ARM) -> Arena:
    """Return the arena of int8 models that share one ``MicroAllocator``.

    Args:
        graphs: graphs in the order in which their tensors are allocated.
        kernels: TensorFlow Lite Micro's reference kernels (None) or CMSIS-NN for a core.
        abi: how the target lays out types.

    Raises:
        AscError: an operator whose kernel is not known, subgraphs that do more than to give
            variables first values, or offsets that the file prescribes.
    """
    for graph in graphs:
        _check_known(graph)
    # Alignment down from the arena's end makes the need depend on its size modulo 16.
    runs = {rest: _Preparation(kernels, abi, rest) for rest in range(0, ALIGNMENT, _WORD)}
    for run in runs.values():
        for graph in graphs:
            run.model(graph)
    whole = runs[0]
    smallest = min(round_up(run.most - rest, ALIGNMENT) + rest for rest, run in runs.items())
    return Arena(
        head=whole.head_most,
        tail=whole.kept,
        size=round_up(whole.most, ALIGNMENT),
        smallest=smallest,
        buffers=tuple(whole.plans),
    )


def head(graph: Graph, kernels: Kernels = None) -> tuple[Buffer, ...]:
    """Return the plan of one model's head: its activations and its kernels' scratch memory.

    Raises:
        AscError: an operator whose kernel is not known, subgraphs that do more than to give
            variables first values, or offsets that the file prescribes.
    """
    _check_known(graph)
    scratch = [
        _scratch(operator, size)
        for operator in graph.operators
        for size in needs(graph, operator, kernels, Abi.ARM).scratch
    ]
    return _placed(graph, scratch)


def end(buffers: Sequence[Buffer]) -> int:
    """Return the bytes up to the end of the last buffer."""
    return max((buffer.offset + buffer.size for buffer in buffers), default=0)


def _check_known(graph: Graph) -> None:
    calls = {number for operator in graph.operators for number in called(operator)}
    if any(row(operator.name).family is Family.CONTROL for operator in _but_first_values(graph)):
        what = f"has {1 + len(graph.others)} subgraphs"
    elif calls != set(range(1, 1 + len(graph.others))) or any(map(_activations, graph.others)):
        what = "has subgraphs that do more than to give variables first values"
    elif OFFLINE_PLAN in graph.metadata:
        what = f"prescribes offsets in its metadata {OFFLINE_PLAN}"
    else:
        return
    raise AscError(
        f"{graph.source}: {what}, for which the memory in TensorFlow Lite Micro is not known"
    )


def _but_first_values(graph: Graph) -> list[Operator]:
    """Return all operators but those that call what gives variables their first values."""
    return [operator for operator in graph.operators if operator.name != "CALL_ONCE"]


class _Preparation:
    """Bytes in use at both ends of an arena while models are prepared, and the most so far.

    The head's addresses count from the arena's start, the tail's down from its end, which lies
    ``rest`` bytes behind a multiple of the alignment.
    """

    def __init__(self, kernels: Kernels, abi: Abi, rest: int) -> None:
        self.kernels, self.abi, self.rest = kernels, abi, rest
        self.kept = 0
        self.head_most = 0
        self.most = 0
        self.plans: list[tuple[Buffer, ...]] = []
        for name in ("SingleArenaBufferAllocator", "GreedyMemoryPlanner", "MicroAllocator"):
            self.keep_objects(name)

    def keep(self, size: int, alignment: int = ALIGNMENT) -> None:
        end = self.rest - self.kept - size
        self.kept = self.rest - end // alignment * alignment

    def keep_objects(self, name: str, count: int = 1) -> None:
        kind = TYPES[name]
        self.keep(kind.size(self.abi) * count, kind.alignment(self.abi))

    def note(self, head: int) -> None:
        """Take note that the head reaches so far while the tail is as it is."""
        self.most = max(self.most, head + self.kept)

    def model(self, graph: Graph) -> None:
        """Prepare a model: MicroInterpreter::AllocateTensors."""
        graphs = (graph, *graph.others)
        steps = [
            [needs(each, op, self.kernels, self.abi) for op in each.operators] for each in graphs
        ]
        self.resource_variables(graphs)
        # MicroBuiltinDataAllocator: a pointer beside that to its virtual functions.
        self.keep(2 * pointer_bytes(self.abi), pointer_bytes(self.abi))
        self.note(self.requests(0))
        self.keep_objects("SubgraphAllocations", len(graphs))
        for each in graphs:
            self.keep_objects("TfLiteEvalTensor", len(each.tensors))
        for each in graphs:
            self.keep_objects("NodeAndRegistration", len(each.operators))
        for step in itertools.chain(*steps):
            if step.options:
                self.keep_objects(step.options)
        for step in itertools.chain(*steps):
            if step.data:
                self.keep(step.data)
        requests = self.prepare(graphs, steps)
        if requests:
            self.keep_objects("ScratchBufferHandle", len(requests))
        self.plan(graph, requests)
        for indices in (graph.inputs, graph.outputs):
            self.keep(pointer_bytes(self.abi) * len(indices))
            for index in indices:
                self.describe(graph.tensor(index))
        self.note(self.head_most)

    def resource_variables(self, graphs: Sequence[Graph]) -> None:
        """Keep what describes variables: MicroResourceVariables::Create."""
        count = len({name for graph in graphs for name in variable_names(graph).values()})
        if count:
            self.keep(TYPES["MicroResourceVariables"].size(self.abi))
            self.keep(TYPES["MicroResourceVariables::MicroResourceVariable"].size(self.abi) * count)

    def requests(self, count: int) -> int:
        """Return the bytes at the start that hold requests while operators are prepared."""
        size = TYPES["internal::ScratchBufferRequest"].size(self.abi)
        return size * (count + _SCRATCH_REQUESTS_PER_OPERATOR)

    def prepare(
        self, graphs: Sequence[Graph], steps: Sequence[Sequence[Needs]]
    ) -> list[BufferRequest]:
        """Prepare the operators one by one and return what they need at run time."""
        requests: list[BufferRequest] = []
        variables: set[tuple[str, str]] = set()
        for graph, own in zip(graphs, steps, strict=True):
            for operator, step in zip(graph.operators, own, strict=True):
                head = self.requests(len(requests))
                for index in step.temporary:
                    head = self.describe_for_now(graph.tensor(index), head)
                if step.variable not in variables:
                    for size in step.persistent:
                        self.keep(size)
                variables |= {step.variable} if step.variable else set()
                self.note(head)
                requests += [_scratch(operator, size) for size in step.scratch]
        self.note(self.requests(len(requests)))
        return requests

    def plan(self, graph: Graph, scratch: Sequence[BufferRequest]) -> None:
        """Place activations and scratch memory: MicroAllocator::CommitStaticMemoryPlan."""
        for each in (graph, *graph.others):
            for tensor in each.tensors:
                if tensor.is_variable:
                    self.keep(tensor.byte_count)
        buffers = _placed(graph, scratch)
        self.plans.append(buffers)
        tensors = sum(len(each.tensors) for each in (graph, *graph.others))
        self.note(self.notes(tensors, len(scratch), len(buffers)))
        self.head_most = max(self.head_most, end(buffers))
        self.note(self.head_most)

    def notes(self, tensors: int, scratch: int, planned: int) -> int:
        """Return where the planner's notes end, as if the tail began at an aligned address."""
        info = TYPES["AllocationInfo"]
        head = round_up(self.requests(scratch), pointer_bytes(self.abi))
        head = round_up(head + pointer_bytes(self.abi), info.alignment(self.abi))
        head = round_up(head + info.size(self.abi) * (tensors + scratch), ALIGNMENT)
        lost = (self.rest - self.kept) % ALIGNMENT
        return head + PLANNED_BUFFER_BYTES * planned + lost

    def describe(self, tensor: Tensor) -> None:
        """Keep a TfLiteTensor with its quantisation."""
        self.keep_objects("TfLiteTensor")
        if tensor.scales:
            self.keep_objects("TfLiteAffineQuantization")
            self.keep(_WORD * (1 + len(tensor.scales)), _WORD)

    def describe_for_now(self, tensor: Tensor, head: int) -> int:
        """Return where the head ends with a TfLiteTensor at its end."""
        names = ["TfLiteTensor"] + ["TfLiteAffineQuantization"] * bool(tensor.scales)
        for name in names:
            kind = TYPES[name]
            head = round_up(head, kind.alignment(self.abi)) + kind.size(self.abi)
        return head + (_WORD * (1 + len(tensor.scales)) if tensor.scales else 0)


def _placed(graph: Graph, scratch: Sequence[BufferRequest]) -> tuple[Buffer, ...]:
    wanted = [*_activations(graph), *scratch]
    return tuple(
        Buffer(request.name, request.size, offset, request.live_range)
        for request, offset in zip(wanted, place(wanted), strict=True)
    )


def _activations(graph: Graph) -> list[BufferRequest]:
    """Return the tensors without values of their own, in the file's order."""
    known = live_ranges(graph)
    return [
        BufferRequest(
            _title(graph, tensor),
            round_up(tensor.byte_count, ALIGNMENT),
            known.get(tensor.index, _NEVER),
        )
        for tensor in graph.tensors
        if not tensor.is_constant and not tensor.is_variable and tensor.byte_count
        # A handle lies in what its operator keeps.
        if tensor.dtype != "RESOURCE"
    ]


def _title(graph: Graph, tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape))
    if tensor.index in graph.inputs:
        return f"input {shape}"
    operator = graph.producers.get(tensor.index)
    return f"{operator.title} {shape}" if operator else f"unused {shape}"


def _scratch(operator: Operator, size: int) -> BufferRequest:
    name = f"scratch memory of {operator.title}"
    return BufferRequest(name, round_up(size, ALIGNMENT), LiveRange(operator.index, operator.index))
