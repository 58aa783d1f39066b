"""Emits an ensemble as C: the members' networks, and one with the interface of a single network.

All share one arena. The features lie where the last member to run has its input, so that this
member overwrites them; the arenas of the others lie behind the features or before them, all at the
same place since their runs follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.arena_allocator import ALIGNMENT
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.firmware.c.prefix import rename
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.firmware.network import compiled as network
from asc_tiny.firmware.network import interface
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.util.errors import AscError
from asc_tiny.util.numbers import round_up


@dataclass(frozen=True)
class Arena:
    """A member's activation memory: its bytes and where its input lies in it."""

    size: int
    input_offset: int


@dataclass(frozen=True)
class Layout:
    """One activation memory for all members.

    Attributes:
        order: members in the order in which they run.
        offsets: byte offset of each member's arena, by member.
        features: offset of the features, which exist until the last member has taken them.
        size: bytes of the whole memory.
    """

    order: tuple[int, ...]
    offsets: Mapping[int, int]
    features: int
    size: int


def generate(
    ensemble: Ensemble, fingerprints: Fingerprints | None = None, options: Options = network.DEFAULT
) -> dict[str, str]:
    """Return ``asc_net.[ch]`` and, per member, ``asc_net<number>.[ch]``, file name to text.

    Args:
        ensemble: the ensemble with its members.
        fingerprints: fingerprints of the classifier whose network it is, None for a network alone.
        options: the options of the compiler; ``max_ram`` is for the memory of all members.

    Raises:
        AscError: a member cannot become C; see ``network.generate``. Or the members do not fit the
            memory that the options allow.
    """
    networks = compile_members(ensemble, options)
    return emit(ensemble, networks, fingerprints, max_ram=options.max_ram)


def compile_members(ensemble: Ensemble, options: Options) -> tuple[Compiled, ...]:
    """Compile the network of each member, each with the smallest arena.

    Raises:
        AscError: a member cannot be compiled.
    """
    alone = replace(options, max_ram=None)
    networks = tuple(network.compile_network(each.model_file, alone) for each in ensemble.members)
    for each in networks:
        if each.lowered.states:
            raise AscError(
                f"{each.graph.source}: keeps values between inferences, which is not supported in "
                f"an ensemble, whose members share their memory"
            )
    return networks


def emit(
    ensemble: Ensemble,
    networks: Sequence[Compiled],
    fingerprints: Fingerprints | None = None,
    *,
    max_ram: int | None = None,
) -> dict[str, str]:
    """Return what ``generate`` does of members that are compiled.

    Args:
        ensemble: the ensemble.
        networks: networks that ``compile_members`` made of it.
        fingerprints: hashes of the classifier that they are the networks of, None for none.
        max_ram: most bytes that the arena of all members may have, None for any number.

    Raises:
        AscError: the members need a larger arena.
    """
    files: dict[str, str] = {}
    for number, (member, compiled) in enumerate(zip(ensemble.members, networks, strict=True)):
        for name, text in network.emit(member.model_file, compiled).items():
            files[rename_network(name, number)] = rename_network(text, number)
    values = {**_values(ensemble, networks), "fingerprints": fingerprints}
    if max_ram is not None and values["arena_size"] > max_ram:
        raise AscError(
            f"{ensemble.path}: the networks need an arena of {values['arena_size']:,} bytes, "
            f"--max-ram allows {max_ram:,}"
        )
    return {**files, **render_files(values, "network/asc_net.h", "ensemble/asc_net.c")}


def rename_network(text: str, number: int) -> str:
    """Give the names of a network's C code the number of its member: ``asc_net0_run``."""
    text = rename(text, "asc_net(?=[_.])", f"asc_net{number}")
    return rename(text, "ASC_NET(?=_)", f"ASC_NET{number}")


def lay_out(arenas: Sequence[Arena], features_size: int) -> Layout:
    """Return the layout of the fewest bytes over the choices of the member that runs last.

    With all inputs at the start of their arenas its size is the smallest, over the choices, of
    ``max(last arena, features + largest other arena)``.
    """
    layouts = [
        place(arenas, features_size, last)
        for last in reversed(range(len(arenas)))
        for place in (_others_behind, _others_before)
    ]
    return min(layouts, key=lambda layout: layout.size)


def _others_behind(arenas: Sequence[Arena], features_size: int, last: int) -> Layout:
    features = arenas[last].input_offset
    behind = _align(features + features_size)
    return _layout(arenas, features_size, last, features, behind)


def _others_before(arenas: Sequence[Arena], features_size: int, last: int) -> Layout:
    """What the last member has before its input lies where the others were."""
    before = max((arena.size for n, arena in enumerate(arenas) if n != last), default=0)
    features = max(_align(before), arenas[last].input_offset)
    return _layout(arenas, features_size, last, features, 0)


def _layout(
    arenas: Sequence[Arena], features_size: int, last: int, features: int, other: int
) -> Layout:
    others = [number for number in range(len(arenas)) if number != last]
    offsets = dict.fromkeys(others, other) | {last: features - arenas[last].input_offset}
    ends = [offset + arenas[number].size for number, offset in offsets.items()]
    return Layout((*others, last), offsets, features, max(_align(features + features_size), *ends))


def _align(value: int) -> int:
    return round_up(value, ALIGNMENT)


def _values(ensemble: Ensemble, networks: Sequence[Compiled]) -> dict[str, Any]:
    """Return what the templates print."""
    values = interface.of_ensemble(ensemble)
    arenas = [Arena(each.arena_bytes, each.input_offset) for each in networks]
    layout = lay_out(arenas, values["input"]["size"])
    one_quantization = values["groups"] == 1
    members = [
        {
            **values["members"][number],
            "offset": layout.offsets[number],
            "in_place": one_quantization and number == layout.order[-1],
        }
        for number in layout.order
    ]
    return {
        **values,
        "arena_size": layout.size,
        "banner": banner(ensemble),
        **interface.ends(
            [{**values["input"], "offset": layout.features}], [{**values["output"], "offset": 0}]
        ),
        "members": members,
    }
