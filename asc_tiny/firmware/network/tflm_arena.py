"""How large the arena must be in which TensorFlow Lite Micro runs a network.

It is computed where the rules of ``tflm`` know all operators; else it is measured on this computer,
an upper bound for microcontrollers; else the user must say it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from asc_tiny.model.classifier_network import network_file
from asc_tiny.model.ensemble import Ensemble, Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import ABSENT, Graph, Operator
from asc_tiny.tflite.ops import VELA, custom_name
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflite.variables import variable_names
from asc_tiny.tflm.arena import ALIGNMENT, Arena, arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.host_arena import host_arena_bytes
from asc_tiny.tflm.kernel_memory import needs
from asc_tiny.tflm.micro_kernel import Kernels, Needs
from asc_tiny.tflm.options import DEFAULT, TflmOptions
from asc_tiny.tflm.resolver import CUSTOM
from asc_tiny.tflm.structs import TYPES, Abi, pointer_bytes, resolver_bytes
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError
from asc_tiny.util.numbers import round_up

REFERENCE = "reference kernels"
REFERENCE_ILP32 = "reference kernels on RISC-V or Xtensa"
_BUILDS: Mapping[str, tuple[Kernels, Abi]] = {
    REFERENCE: (None, Abi.ARM),
    REFERENCE_ILP32: (None, Abi.ILP32),
    **{core.value: (core, Abi.ARM) for core in Core},
}
"""Builds of TensorFlow Lite Micro for 32 bits that the arena serves."""


@dataclass(frozen=True)
class Memory:
    """The firmware's arena for one build of TensorFlow Lite Micro.

    Attributes:
        objects: bytes before TensorFlow Lite Micro's own arena: interpreters and, in an ensemble,
            the features.
        arena: the arena of TensorFlow Lite Micro that follows.
    """

    objects: int
    arena: Arena

    @property
    def size(self) -> int:
        """Bytes that must be given."""
        return self.objects + self.arena.size

    @property
    def smallest(self) -> int:
        """Bytes without which preparation fails."""
        return self.objects + self.arena.smallest

    @property
    def used(self) -> int:
        """Bytes that ``asc_net_arena_used`` returns."""
        return self.objects + self.arena.head + self.arena.tail


@dataclass(frozen=True)
class ArenaSize:
    """The arena's size as ``asc_net.h`` states it.

    Attributes:
        size, size_64: bytes on machines of 32 and of 64 bits.
        least, least_64: bytes that no build can do without.
        needs: bytes that each build needs, by its name; empty where they are not computed.
        measured: bytes that were measured on this computer, 0 if they were not.
        scratch: bytes in ``size`` for the scratch memory of other kernels than those measured.
    """

    size: int
    size_64: int
    least: int
    least_64: int
    needs: tuple[tuple[str, int], ...] = ()
    measured: int = 0
    scratch: int = 0


def arena_size(model: Model, options: TflmOptions = DEFAULT) -> ArenaSize:
    """Return the arena of a network or an ensemble whose operators TensorFlow Lite Micro has.

    Raises:
        AscError: TensorFlow Lite Micro refuses the model; the arena is neither computed, measured
            nor given; or what is given is too small for any build.
    """
    found, unknown = _computed(model)
    if found is None or not _is_int8(model):
        # The rules know what kernels take, not which types kernels refuse.
        on_host = measured(model)
        found = found or on_host
    if options.arena_bytes is None:
        if found is None:
            raise _unknown(model, unknown)
        return found
    given, least = options.arena_bytes, found.least if found else _least(model, Abi.ARM)
    if given < least:
        raise AscError(
            f"--tflm-arena {given}: TensorFlow Lite Micro needs {least} bytes or more for "
            f"{model.path}"
        )
    return ArenaSize(given, given, least, found.least_64 if found else _least(model, Abi.LP64))


def memory(model: Model, kernels: Kernels = None, abi: Abi = Abi.ARM) -> Memory:
    """Return the arena that the emitted code needs with a build of TensorFlow Lite Micro.

    Args:
        model: network or ensemble.
        kernels: TensorFlow Lite Micro's reference kernels (None) or CMSIS-NN for a core.
        abi: the sizes and alignments of types on the target.

    Raises:
        AscError: an operator whose kernel is not known.
    """
    return Memory(_objects(model, abi), arena(main_graphs(model), kernels, abi))


def model_files(model: Model) -> list[ModelFile]:
    """Return the model, or the members of an ensemble."""
    if isinstance(model, ModelFile):
        return [model]
    return [member.model_file for member in model.members]


def main_graphs(model: Model) -> list[Graph]:
    """Return the first subgraph of each network's file in the firmware, which an inference runs."""
    return [_embedded(model_file) for model_file in model_files(model)]


@functools.lru_cache(maxsize=32)
def _embedded(model_file: ModelFile) -> Graph:
    """Return the graph of a model's file as the firmware has it, without what it leaves out."""
    data = network_file(model_file)
    if data is model_file.data:
        return model_file.graph
    return parse_graph(data, source=str(model_file.path), is_interpreted=True)


def operators(model: Model) -> Iterable[tuple[Graph, Operator]]:
    """Yield the operators of all subgraphs, each with its subgraph."""
    for graph in main_graphs(model):
        for each in (graph, *graph.others):
            yield from ((each, operator) for operator in each.operators)


def operator_names(model: Model) -> list[str]:
    """Return the names of all operators, each once, in the order of the alphabet."""
    return sorted({operator.name for _, operator in operators(model)})


def variable_count(graph: Graph) -> int:
    """Return the number of variables that the operators of a file name."""
    return len({name for each in (graph, *graph.others) for name in variable_names(each).values()})


def _objects(model: Model, abi: Abi) -> int:
    """Return the bytes of the C++ structure State in the template, and of what follows it."""
    graphs = main_graphs(model)
    pointers = 2 + sum(variable_count(graph) > 0 for graph in graphs)
    size = pointers * pointer_bytes(abi) + resolver_bytes(len(operator_names(model)), abi)
    interpreter = TYPES["MicroInterpreter"]
    size = round_up(size, interpreter.alignment(abi)) + len(graphs) * interpreter.size(abi)
    objects = round_up(size, ALIGNMENT)
    if isinstance(model, Ensemble):
        features = graphs[0].tensor(graphs[0].inputs[0]).size
        objects += round_up(features * len(model.frontends), ALIGNMENT)
    return objects


def _computed(model: Model) -> tuple[ArenaSize | None, str]:
    """Return the arena by the rules, or None and what they do not know."""
    try:
        builds = {name: memory(model, *build) for name, build in _BUILDS.items()}
        wide = memory(model, abi=Abi.LP64)
    except AscError as error:
        return None, str(error)
    found = ArenaSize(
        size=max(build.size for build in builds.values()),
        size_64=wide.size,
        least=min(build.smallest for build in builds.values()),
        least_64=wide.smallest,
        needs=tuple((name, build.size) for name, build in builds.items()),
    )
    return found, ""


def measured(model: Model) -> ArenaSize | None:
    """Return the arena as it is measured here; None where the package does not run the model.

    Raises:
        AscError: TensorFlow Lite Micro refuses the model.
    """
    if find_spec("tflite_micro") is None or _foreign(model):
        return None
    recorded = sum(host_arena_bytes(network_file(each), each.path) for each in model_files(model))
    size = round_up(_objects(model, Abi.LP64) + recorded, ALIGNMENT)
    scratch = round_up(_scratch(model), ALIGNMENT)
    return ArenaSize(
        size=size + scratch,
        size_64=size,
        least=_least(model, Abi.ARM),
        least_64=_least(model, Abi.LP64),
        measured=size,
        scratch=scratch,
    )


def _foreign(model: Model) -> str | None:
    """Return the name of a custom operator whose kernel the package tflite-micro lacks."""
    customs = (custom_name(name) for name in operator_names(model))
    return next((each for each in customs if each and (each == VELA or each not in CUSTOM)), None)


def _unknown(model: Model, reason: str) -> AscError:
    """Return the error for an arena that is neither computed nor measured."""
    foreign = _foreign(model)
    if foreign is not None:
        return AscError(
            f"{model.path}: the arena cannot be measured here, where no kernel of custom operator "
            f"{printable(foreign)} is; give --tflm-arena BYTES, and read from "
            f"asc_net_arena_used what is needed"
        )
    return AscError(
        f"{reason}; the package tflite-micro would measure it (pip install 'asc-tiny[verify]'), or "
        f"give --tflm-arena BYTES"
    )


def _is_int8(model: Model) -> bool:
    """Whether all that is computed is int8, which the kernels of all known operators take."""
    return all(
        graph.tensor(index).dtype == "INT8"
        for graph, operator in operators(model)
        for index in (*operator.inputs[:1], *operator.outputs)
        if index != ABSENT
    )


def _scratch(model: Model) -> int:
    """Return the most bytes of scratch memory that an operator needs with CMSIS-NN, where known."""
    return max(
        (
            sum(_needs(graph, operator, core).scratch)
            for graph, operator in operators(model)
            for core in Core
        ),
        default=0,
    )


def _needs(graph: Graph, operator: Operator, core: Core) -> Needs:
    try:
        return needs(graph, operator, core, Abi.ARM)
    except AscError:
        return Needs()


def _least(model: Model, abi: Abi) -> int:
    """Return bytes that cannot do without knowing what the kernels need: descriptions alone."""
    kept = sum(
        TYPES["TfLiteEvalTensor"].size(abi) * len(each.tensors)
        + TYPES["NodeAndRegistration"].size(abi) * len(each.operators)
        for graph in main_graphs(model)
        for each in (graph, *graph.others)
    )
    return _objects(model, abi) + round_up(kept, ALIGNMENT)
