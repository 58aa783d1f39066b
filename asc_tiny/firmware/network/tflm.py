"""Emits the network as C++ around TensorFlow Lite Micro's interpreter, with the model as an array.

All members of an ensemble share one ``MicroAllocator``, hence the memory for activations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asc_tiny.firmware.c.prefix import rename
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.firmware.network import interface, model_array
from asc_tiny.model.ensemble import Ensemble, Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import ABSENT, Graph, Operator
from asc_tiny.tflite.ops import Family, row
from asc_tiny.tflm.arena import ALIGNMENT, Arena, arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.kernel_memory import Kernels, memory_rule
from asc_tiny.tflm.structs import TYPES, Abi, pointer_bytes, resolver_bytes
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


def generate(model: Model, fingerprints: Fingerprints | None = None) -> dict[str, str]:
    """Return ``asc_net.h``, ``asc_net.cc`` and each network's ``asc_model<number>.[ch]``.

    Args:
        model: int8 network or ensemble.
        fingerprints: fingerprints of the classifier whose network it is, None for a network alone.

    Raises:
        AscError: an operator that TensorFlow Lite Micro does not run, or whose memory there is
            not known.
    """
    check_operators(model)
    files: dict[str, str] = {}
    model_files = _model_files(model)
    for name, model_file in zip(_names(model), model_files, strict=True):
        for file, text in model_array.generate(model_file).items():
            files[_rename(file, name)] = _rename(text, name)
    values = {**_values(model), "fingerprints": fingerprints}
    return {**files, **render_files(values, "network/asc_net.h", "tflm/asc_net.cc")}


def check_operators(model: Model) -> None:
    """Check that TensorFlow Lite Micro runs every operator of a model.

    Raises:
        AscError: it does not, or the memory that it needs for one is not known.
    """
    for model_file in _model_files(model):
        output = model_file.graph.tensor(model_file.graph.outputs[0])
        if output.dtype != "INT8":
            raise AscError(
                f"{model_file.path}: the output is {output.dtype}, must be int8 with runtime tflm"
            )
        for operator in model_file.graph.operators:
            if operator.name not in memory_rule.names:
                raise AscError(
                    f"{model_file.path}: operator {operator.index} is {operator.name}, supported "
                    f"with runtime tflm are {', '.join(memory_rule.names)}"
                )
            if _must_have_all(operator) and ABSENT in operator.inputs:
                raise AscError(
                    f"{model_file.path}: operator {operator.index} ({operator.name}) has an input "
                    f"that is absent, which TensorFlow Lite Micro reads all the same; leave it out"
                )


def _must_have_all(operator: Operator) -> bool:
    """Whether the kernel reads a bias that is absent: all convolutions' do."""
    is_weighted = row(operator.name).family is Family.WEIGHTED
    return is_weighted and operator.name != "FULLY_CONNECTED"


def method(operator: str) -> str:
    """Return the method of ``MicroMutableOpResolver`` that adds an operator."""
    words = re.findall(r"[A-Z]+\d*|\d+[A-Z]", operator.replace("V2", "_V2"))
    return "Add" + "".join(word if word[0].isdigit() else word.capitalize() for word in words)


def memory(model: Model, kernels: Kernels = None, abi: Abi = Abi.ARM) -> Memory:
    """Return the arena that the emitted code needs with a build of TensorFlow Lite Micro.

    Args:
        model: int8 network or ensemble.
        kernels: TensorFlow Lite Micro's reference kernels (None) or CMSIS-NN for a core.
        abi: the sizes and alignments of types on the target.

    Raises:
        AscError: an operator whose kernel is not known.
    """
    graphs = _graphs(model)
    # Of the C++ structure State in the template.
    size = 2 * pointer_bytes(abi) + resolver_bytes(len(_operators(graphs)), abi)
    interpreter = TYPES["MicroInterpreter"]
    size = round_up(size, interpreter.alignment(abi)) + len(graphs) * interpreter.size(abi)
    objects = round_up(size, ALIGNMENT)
    if len(graphs) > 1:
        features = graphs[0].tensor(graphs[0].inputs[0]).size
        assert isinstance(model, Ensemble)
        objects += round_up(features * len(model.frontends), ALIGNMENT)
    return Memory(objects, arena(graphs, kernels, abi))


def _model_files(model: Model) -> list[ModelFile]:
    if isinstance(model, ModelFile):
        return [model]
    return [member.model_file for member in model.members]


def _graphs(model: Model) -> list[Graph]:
    return [model_file.graph for model_file in _model_files(model)]


def _operators(graphs: Sequence[Graph]) -> list[str]:
    return sorted({operator.name for graph in graphs for operator in graph.operators})


def _names(model: Model) -> list[str]:
    """Return the name of each network's array."""
    if isinstance(model, ModelFile):
        return ["asc_model"]
    return [f"asc_model{number}" for number in range(len(model.members))]


def _rename(text: str, name: str) -> str:
    return rename(rename(text, "asc_model(?=[_.])", name), "ASC_MODEL(?=_)", name.upper())


def _values(model: Model) -> dict[str, Any]:
    """Return what the templates print."""
    graphs = _graphs(model)
    builds = {name: memory(model, *build) for name, build in _BUILDS.items()}
    values = {
        "arena_size": max(build.size for build in builds.values()),
        "arena_size_64": memory(model, abi=Abi.LP64).size,
        "banner": banner(model),
        "hash": model.sha256,
        "interface_version": interface.VERSION,
        "least": min(build.smallest for build in builds.values()),
        "least_64": memory(model, abi=Abi.LP64).smallest,
        "needs": [(name, build.size) for name, build in builds.items()],
        "operators": [method(name) for name in _operators(graphs)],
        "ready": f"{int(model.sha256[:8], 16) | 1:08X}",
    }
    members = [
        {"model": name, "input_size": graph.tensor(graph.inputs[0]).size}
        for name, graph in zip(_names(model), graphs, strict=True)
    ]
    if isinstance(model, ModelFile):
        return {
            **values,
            **interface.of_graph(graphs[0]),
            "members": [{"number": 0, "hash": model.sha256, **members[0]}],
            "title": "Network",
        }
    shared = interface.of_ensemble(model)
    pairs = zip(shared["members"], members, strict=True)
    shared |= interface.ends([shared["input"]], [shared["output"]])
    return {**values, **shared, "members": [{**one, **other} for one, other in pairs]}
