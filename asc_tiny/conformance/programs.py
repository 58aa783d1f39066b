"""Programs that run compiled networks on the inputs of a file and write their outputs to another.

The C that they share is in ``firmware_templates/conformance``: a table of networks, each with its
sizes, and a ``main`` for this computer and one for emulated cores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.c.templates import template_root
from asc_tiny.firmware.network import compiled
from asc_tiny.firmware.runtime import needed_sources
from asc_tiny.model.model_file import ModelFile
from asc_tiny.model.tensor_bytes import byte_count, from_bytes, to_bytes
from asc_tiny.tflite.graph import Tensor
from asc_tiny.util.files import write_text
from asc_tiny.util.numbers import round_up

AnyArray = NDArray[Any]
Inference = Sequence[AnyArray]
"""The inputs, or the outputs, of one inference, in the order of the file."""

_ALIGNMENT = 16

_TABLE = """#include "networks.h"

{declarations}

{sizes}

const network_t networks[] = {{
{rows}
}};

const uint32_t network_count = sizeof networks / sizeof networks[0];
"""

_DECLARATIONS = """int g{n}_net_init(int8_t *arena);
void g{n}_net_reset(int8_t *arena);
int g{n}_run(int8_t *arena, const void *const inputs[], void *const outputs[]);"""

_WRAPPER = """int g{n}_run(int8_t *arena, const void *const inputs[], void *const outputs[]);
int g{n}_run(int8_t *arena, const void *const inputs[], void *const outputs[]) {{
    return g{n}_net_infer(arena, {arguments});
}}"""
"""Networks of one input and output take these themselves, of their types."""


@dataclass(frozen=True, eq=False)
class NetworkCode:
    """The C code of a network, and what a program must know that runs it.

    Attributes:
        files: texts of ``asc_net.h`` and ``asc_net.c`` by name.
        arena_bytes: size of its arena in bytes.
        has_state: whether it remembers something from one inference to the next.
        inputs, outputs: the tensors that its functions take and give.
    """

    files: Mapping[str, str]
    arena_bytes: int
    has_state: bool
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @classmethod
    def of(cls, model: ModelFile, options: Options = compiled.DEFAULT) -> NetworkCode:
        """Compile a network.

        Raises:
            AscError: it cannot be compiled.
        """
        made = compiled.compile_network(model, options)
        graph = compiled.without_conversions(model, options.io).graph
        return cls(
            compiled.emit(model, made),
            made.arena_bytes,
            bool(made.lowered.states),
            tuple(graph.tensor(index) for index in graph.inputs),
            tuple(graph.tensor(index) for index in graph.outputs),
        )

    @property
    def end_bytes(self) -> tuple[int, ...]:
        """Bytes of each input, then of each output."""
        return tuple(tensor.byte_count for tensor in (*self.inputs, *self.outputs))


def kernel_sources(networks: Sequence[NetworkCode]) -> dict[str, str]:
    """Return the kernels that networks need, file name to text."""
    texts = [text for network in networks for text in network.files.values()]
    return needed_sources("nn", texts)


def write_networks(
    networks: Sequence[NetworkCode],
    inferences: Sequence[Sequence[Inference]],
    main: str,
    folder: Path,
    *,
    per_unit: int = 1,
) -> list[str]:
    """Write networks, the table of them, a ``main``, and their inputs as ``in.bin``.

    Args:
        networks: the networks.
        inferences: inputs of the inferences that follow each other, for each network.
        main: name of the file with ``main``.
        folder: folder to write to.
        per_unit: number of networks that are compiled together.

    Returns:
        Names of the C files to compile; units include those of the networks.
    """
    units: list[list[str]] = []
    for number, network in enumerate(networks):
        for name, text in network.files.items():
            write_text(folder / _own_names(name, number), _own_names(text, number))
        if number % per_unit == 0:
            units.append([])
        units[-1] += [f'#include "g{number}_net.c"', _wrapper(network, number)]
    compiled_files = {f"unit{i}.c": "\n".join(unit) + "\n" for i, unit in enumerate(units)}
    compiled_files["networks.c"] = _table(networks, [len(each) for each in inferences])
    root = template_root() / "conformance"
    shared = {name: (root / name).read_text(encoding="utf-8") for name in ("networks.h", main)}
    for name, text in {**compiled_files, **shared, "network_sizes.h": _sizes(networks)}.items():
        write_text(folder / name, text)
    given = [_input_bytes(*each) for each in zip(networks, inferences, strict=True)]
    (folder / "in.bin").write_bytes(b"".join(given))
    return [*compiled_files, main]


def output_bytes(networks: Sequence[NetworkCode], inferences: Sequence[Sequence[Inference]]) -> int:
    """Return the bytes of all outputs of all inferences."""
    return sum(
        len(each) * byte_count(network.outputs)
        for network, each in zip(networks, inferences, strict=True)
    )


def read_outputs(data: bytes, network: NetworkCode, count: int) -> list[list[AnyArray]]:
    """Return the outputs of so many inferences of a network, each with its shape and type."""
    size = byte_count(network.outputs)
    return [from_bytes(data, network.outputs, number * size) for number in range(count)]


def _input_bytes(network: NetworkCode, inferences: Sequence[Inference]) -> bytes:
    return b"".join(to_bytes(inputs, network.inputs) for inputs in inferences)


def _own_names(text: str, number: int) -> str:
    """Return text with names of one network among several."""
    text = re.sub(r"\basc_net", f"g{number}_net", text)
    return re.sub(r"\bASC_NET", f"G{number}_NET", text)


def _wrapper(network: NetworkCode, number: int) -> str:
    is_one = len(network.inputs) == len(network.outputs) == 1
    arguments = "inputs[0], outputs[0]" if is_one else "inputs, outputs"
    return _WRAPPER.format(n=number, arguments=arguments)


def _table(networks: Sequence[NetworkCode], inferences: Sequence[int]) -> str:
    sizes, rows = [], []
    for n, (network, count) in enumerate(zip(networks, inferences, strict=True)):
        sizes.append(
            f"static const uint32_t bytes{n}[] = {{{', '.join(map(str, network.end_bytes))}}};"
        )
        figures = (network.arena_bytes, len(network.inputs), len(network.outputs), count)
        functions = f"g{n}_net_init, {f'g{n}_net_reset' if network.has_state else 0}, g{n}_run"
        rows.append(f"    {{{functions}, bytes{n}, {', '.join(map(str, figures))}}},")
    return _TABLE.format(
        declarations="\n".join(_DECLARATIONS.format(n=n) for n in range(len(networks))),
        sizes="\n".join(sizes),
        rows="\n".join(rows),
    )


def _sizes(networks: Sequence[NetworkCode]) -> str:
    ends = [max(len(each.inputs), len(each.outputs)) for each in networks]
    together = [sum(round_up(size, _ALIGNMENT) for size in each.end_bytes) for each in networks]
    most = (max(ends), max(each.arena_bytes for each in networks), max(together))
    return "enum {{ MOST_ENDS = {}, MOST_ARENA = {}, MOST_END_BYTES = {} }};\n".format(*most)
