"""What the image of a network alone computes on its board, and what it must compute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from asc_tiny.boards import catalog
from asc_tiny.firmware import golden_check
from asc_tiny.firmware.library import NetworkLibrary, render_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.model.tensor_bytes import byte_count, from_bytes, to_bytes
from asc_tiny.projects import cmake, generator
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import NetworkProject
from asc_tiny.targets.image import application
from asc_tiny.tflm.network_reference import kernels
from asc_tiny.util import scratch_folders
from asc_tiny.util.bits import differing
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]
Inference = Sequence[AnyArray]
"""The inputs, or the outputs, of one inference, in the order of the file."""

_GOLDEN = re.compile(r"^golden (.+) (passed|FAILED|unchecked) ([0-9]+)$", re.MULTILINE)


def infer(project: NetworkProject, inferences: Sequence[Inference]) -> list[list[AnyArray]]:
    """Return the outputs of the network on its board for inferences that follow each other.

    Args:
        project: a built project of a network alone.
        inferences: the inputs of each: an array for each input, of its shape and type.

    Raises:
        AscError: the image fails or returns too little.
    """
    network = project.network
    data = b"".join(to_bytes(each, network.inputs) for each in inferences)
    _, files = application.execute(
        project, ["run", "in.bin", "out.bin"], {"in.bin": data}, ["out.bin"]
    )
    size = byte_count(network.outputs)
    found = files["out.bin"]
    if len(found) != size * len(inferences):
        raise AscError(
            f"{project.image}: returned {len(found)} bytes for {len(inferences)} inferences, "
            f"{size} are due for each"
        )
    return [from_bytes(found, network.outputs, n * size) for n in range(len(inferences))]


@dataclass(frozen=True)
class GoldenResult:
    """What an image says of one of its golden inputs.

    Attributes:
        name: what the input holds.
        result: ``passed``, ``FAILED``, or ``unchecked`` without a reference.
        instructions: instructions of the inference, 0 where they are not counted.
    """

    name: str
    result: str
    instructions: int


def golden(project: NetworkProject) -> list[GoldenResult]:
    """Run the golden inputs of an image, which compares the outputs itself.

    Raises:
        AscError: the image fails otherwise than by a comparison.
    """
    text = application.printed(project, ["golden"], allowed=(0, 1))
    found = [
        GoldenResult(name, result, int(count)) for name, result, count in _GOLDEN.findall(text)
    ]
    if [each.name for each in found] != list(golden_check.NAMES):
        raise AscError(
            f"{project.image}: printed {application.last_line(text)} on {project.board.name}, "
            f"expected are {len(golden_check.NAMES)} golden inputs"
        )
    return found


def golden_checksums(library: NetworkLibrary) -> tuple[tuple[int, ...] | None, str]:
    """Return the checksums of the golden outputs by a reference of this machine.

    Args:
        library: a network, rendered with either runtime; without TensorFlow Lite Micro's kernels
            only ``aot`` runs here.

    Returns:
        The checksums and nothing, or None and why there are none, in one line.
    """
    model = library.model.model_file
    assert isinstance(model, ModelFile)
    inputs = golden_check.inputs(library.model)
    try:
        run = kernels(model)
        outputs = run(inputs) if run else host_outputs(library, inputs)
    except AscError as error:
        return None, str(error).splitlines()[0]
    return tuple(map(golden_check.checksum, outputs)), ""


def host_outputs(library: NetworkLibrary, inferences: Sequence[Inference]) -> list[list[AnyArray]]:
    """Return what the network's C code computes on this computer.

    Raises:
        AscError: it cannot be compiled ahead of time, there is no C compiler, or the build fails.
    """
    if not library.networks:
        library = render_network(library.model)
    with scratch_folders.folder() as temporary:
        folder, board = temporary / "host", catalog.get(catalog.HOST)
        request = generator.NetworkRequest(library=library, board=board)
        generator.write(cmake.CMakeGenerator(), request, folder)
        host = NetworkProject(
            folder=folder,
            board=board,
            runtime=library.runtime,
            model_file=library.model.model_file,
            options=library.model.options,
            prefix=library.prefix,
        )
        projects.build(host)
        return infer(host, inferences)


@dataclass(frozen=True)
class InputResult:
    """How the outputs of an inference differ between board and reference.

    Attributes:
        name: name of the input.
        mismatches: number of elements that differ, output by output.
    """

    name: str
    mismatches: tuple[int, ...]

    @property
    def passed(self) -> bool:
        """Whether every element is the same, bit by bit."""
        return not any(self.mismatches)

    @property
    def differing(self) -> str:
        """How much differs, output by output."""
        return ", ".join(f"{count:,}" for count in self.mismatches)


def verify(
    project: NetworkProject, inputs: Mapping[str, Inference]
) -> tuple[str, list[InputResult]]:
    """Compare a network on its board with a reference, bit by bit.

    Args:
        project: a built project of a network alone.
        inputs: name to the inputs of an inference; they follow each other.

    Returns:
        The name of the reference, and what differs.

    Raises:
        AscError: the image fails, or there is no reference on this machine.
    """
    inferences = list(inputs.values())
    found = infer(project, inferences)
    name, expected = _reference(project, inferences)
    return name, [
        InputResult(each, tuple(len(differing(*pair)) for pair in zip(theirs, ours, strict=True)))
        for each, ours, theirs in zip(inputs, found, expected, strict=True)
    ]


def _reference(
    project: NetworkProject, inferences: Sequence[Inference]
) -> tuple[str, list[list[AnyArray]]]:
    model = project.network.model_file
    assert isinstance(model, ModelFile)
    run = kernels(model)
    if run is not None:
        return "TensorFlow Lite Micro", run(inferences)
    if not project.board.machine:
        raise AscError(
            f"{project.folder}: on board host the outputs have no other reference than "
            "tflite-micro; pip install 'asc-tiny[verify]'"
        )
    library = render_network(project.network)
    return "the C code on this computer", host_outputs(library, inferences)
