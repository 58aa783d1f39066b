"""Exact costs of an image: instructions on the emulated core, memory from the linker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from asc_tiny.frontend import golden
from asc_tiny.targets.build.project import NetworkProject, Project
from asc_tiny.targets.image import application, image, stack
from asc_tiny.targets.image.flash import network_flash
from asc_tiny.util.errors import AscError

STACK_SECTION = ".stack"

_PRINTED = (
    "instructions_per_hop",
    "instructions_per_inference",
    "instructions_worst_hop",
    "instructions_last_hop",
    "instructions_after_last_sample",
    "stack_bytes",
    "arena_bytes",
)
"""Figures of ``Costs`` that the image prints."""


@dataclass(frozen=True)
class Costs:
    """Costs of an image on an emulated core; these are instructions, not cycles.

    Attributes:
        instructions_per_hop: front end, deltas and int8 codes included, costliest hop of
            full-scale noise.
        instructions_per_inference: the network on one input.
        instructions_worst_hop: largest part of these that one column takes; all of them where the
            network is not streaming.
        instructions_last_hop: part of these that the last column takes.
        instructions_after_last_sample: instructions from the last sample of a window to its
            decision, front end and network.
        flash_bytes: code, constants and the initial values of variables.
        ram_bytes: all variables and buffers, the stack apart.
        stack_bytes: most used, by painting.
        arena_bytes: bytes of the RAM that the network uses: activations, and with TensorFlow Lite
            Micro its interpreter.
        network_flash_bytes: bytes of the flash that code and constants of the network take.
        network_stack_bound_bytes: most stack that a run of the network can take, from the call
            graph.
        stack_bound_bytes: most that the image can take, an interrupt included.

    The last three are None where the network is not compiled ahead of time.
    """

    instructions_per_hop: int
    instructions_per_inference: int
    instructions_worst_hop: int
    instructions_last_hop: int
    instructions_after_last_sample: int
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    arena_bytes: int
    network_flash_bytes: int | None = None
    network_stack_bound_bytes: int | None = None
    stack_bound_bytes: int | None = None


@dataclass(frozen=True)
class NetworkCosts:
    """Costs of an image of a network alone; the same as those of ``Costs``.

    Attributes:
        instructions_per_inference: instructions of the network on one input.
        flash_bytes: code, constants and the initial values of variables.
        ram_bytes: all variables and buffers, the stack apart.
        stack_bytes: most used, by painting.
        arena_bytes: bytes of the RAM that the network uses.
        network_flash_bytes: bytes of the flash that code and constants of the network take.
        network_stack_bound_bytes: most stack that a run of the network can take, from the call
            graph.
        stack_bound_bytes: most that the image can take, an interrupt included.

    The last three are None where the network is not compiled ahead of time.
    """

    instructions_per_inference: int
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    arena_bytes: int
    network_flash_bytes: int | None = None
    network_stack_bound_bytes: int | None = None
    stack_bound_bytes: int | None = None


def measure_network(project: NetworkProject) -> NetworkCosts:
    """Run the benchmark of an image of a network alone, as ``measure`` does.

    Raises:
        AscError: as ``measure``.
    """
    _check_counted(project)
    text, _ = application.execute(project, ["bench"], {}, [])
    flash, ram = memory(project.image)
    names = ("instructions_per_inference", "stack_bytes", "arena_bytes")
    figures = _figures(project, text, names)
    return NetworkCosts(**figures, flash_bytes=flash, ram_bytes=ram, **_of_compiled(project))


def _check_counted(project: NetworkProject) -> None:
    if not project.board.machine:
        raise AscError(
            f"{project.folder}: board host counts no instructions; use an emulated board"
        )


def measure(project: Project) -> Costs:
    """Run the image's benchmark on its emulated core.

    Raises:
        AscError: the project is for the host, where nothing exact can be measured, or the image
            fails or prints something else.
    """
    _check_counted(project)
    pcm = image.pcm_bytes(golden.noise(project.frontend))
    text, _ = application.execute(project, ["bench", "in.pcm"], {"in.pcm": pcm}, [])
    flash, ram = memory(project.image)
    figures = _figures(project, text, _PRINTED)
    return Costs(**figures, flash_bytes=flash, ram_bytes=ram, **_of_compiled(project))


def _figures(project: NetworkProject, text: str, names: Sequence[str]) -> dict[str, int]:
    """Return what the image has printed, by these names."""
    found = dict(line.split(" ") for line in text.splitlines() if line.count(" ") == 1)
    for name in names:
        value = found.get(name, "")
        if not (value.isascii() and value.isdigit()):
            raise AscError(
                f"{project.image}: printed no figure {name} on {project.board.name}; "
                f"it printed {application.last_line(text)}"
            )
    return {name: int(found[name]) for name in names}


def _of_compiled(project: NetworkProject) -> dict[str, Any]:
    """Return the figures of a network that is compiled ahead of time, none for another."""
    if project.runtime != "aot":
        return {}
    found = stack.bounds(project.board, project.image, project.prefix)
    return {
        "network_flash_bytes": network_flash(project.image.with_suffix(".map"), project.prefix),
        "network_stack_bound_bytes": found.network if found else None,
        "stack_bound_bytes": found.image if found else None,
    }


def memory(image: Path) -> tuple[int, int]:
    """Return (flash, RAM) bytes of an ELF image; initialised variables count in both."""
    flash = ram = 0
    with image.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            allocated = section["sh_flags"] & SH_FLAGS.SHF_ALLOC
            if not allocated or section.name == STACK_SECTION:
                continue
            if section["sh_type"] != "SHT_NOBITS":
                flash += section["sh_size"]
            if section["sh_flags"] & SH_FLAGS.SHF_WRITE:
                ram += section["sh_size"]
    return flash, ram
