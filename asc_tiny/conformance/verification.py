"""The whole ladder of one network: compiled, built, run under sanitizers, compared bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import Options
from asc_tiny.conformance import board as emulated
from asc_tiny.conformance import host
from asc_tiny.conformance.first_difference import (
    LayerDifference,
    RunError,
    Tensors,
    first_difference,
)
from asc_tiny.conformance.programs import NetworkCode
from asc_tiny.conformance.reference import Reference
from asc_tiny.conformance.samples import Sample, samples
from asc_tiny.conformance.truncation import layers
from asc_tiny.costs.footprint import tflm_arena_bytes
from asc_tiny.costs.instructions import estimate
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile
from asc_tiny.targets.build import tools
from asc_tiny.tflm.isolated import TflmProcess
from asc_tiny.util import scratch_folders
from asc_tiny.util.bits import differing, same
from asc_tiny.util.blocks import Paragraph, Table, text
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.errors import AscError

AnyArray = NDArray[Any]
CPU = "cortex-m4"
"""The core that instructions are estimated for."""


@dataclass(frozen=True)
class OutputDifference:
    """An output that differs from TensorFlow Lite Micro's.

    Attributes:
        where: ``host`` or the name of a board.
        sample: name of the inputs.
        output: number of the output.
        elements: number of elements that differ.
        size: number of elements that it has.
    """

    where: str
    sample: str
    output: int
    elements: int
    size: int


@dataclass(frozen=True, repr=False)
class NetworkVerification(Displayed):
    """How the C code of a network compares with TensorFlow Lite Micro's kernels.

    Attributes:
        model: the file.
        samples: names of the inputs, inference by inference.
        board: name of the emulated board that ran the same, None for this computer alone.
        arena_bytes: bytes of the arena of the C code.
        tflm_arena_bytes: bytes of TensorFlow Lite Micro's arena on a 32-bit Arm core, None where
            that is not known.
        tflm_host_arena_bytes: bytes of the arena that it takes on this 64-bit computer.
        stages: number of stages, which are calls of kernels.
        instructions: estimate of the instructions of an inference on a Cortex-M4, None where a
            kernel was not measured.
        fault: what the C code does that it must not, in the words of a sanitizer; empty if nothing.
        differences: outputs that differ.
        first_layer: the first layer that differs; None if none does, or none does alone.
    """

    model: Path
    samples: tuple[str, ...]
    board: str | None
    arena_bytes: int
    tflm_arena_bytes: int | None
    tflm_host_arena_bytes: int
    stages: int
    instructions: int | None
    fault: str = ""
    differences: tuple[OutputDifference, ...] = ()
    first_layer: LayerDifference | None = None

    @property
    def passed(self) -> bool:
        """Whether every bit of every output is the same, and no sanitizer has a word to say."""
        return not self.fault and not self.differences

    @property
    def summary(self) -> str:
        """One line for people."""
        outcome = "passed" if self.passed else "FAILED"
        return f"{outcome}: {self.model.name}, {len(self.samples)} inputs"

    def shown_blocks(self) -> Iterator[Paragraph | Table]:
        """Return what came of it, what the network takes, and what differs."""
        yield Paragraph(f"Verification {text(self.summary)}.", is_bad=not self.passed)
        if self.fault:
            yield Paragraph(text(self.fault), is_bad=True)
        yield pairs(
            text(self.model.name),
            [
                ("board", self.board or "this computer"),
                ("arena of the C code (bytes)", self.arena_bytes),
                ("arena of TensorFlow Lite Micro (bytes)", self.tflm_arena_bytes),
                ("stages", self.stages),
                ("instructions (estimate)", self.instructions),
            ],
        )
        if self.differences:
            rows = [
                [text(each.where), text(each.sample), str(each.output), f"{each.elements:,}"]
                for each in self.differences
            ]
            head = ["where", "input", "output", "values that differ"]
            yield Table("Differences", head, rows, left=(0, 1))


def verify_network(
    model: ModelFile,
    options: Options,
    given: Sequence[Sample] = (),
    board: Board | None = None,
    progress: Callable[[str], None] | None = None,
) -> NetworkVerification:
    """Compile a network, and compare it with TensorFlow Lite Micro's kernels.

    Args:
        model: the network.
        options: options of the compiler.
        given: inputs besides the extreme and random ones.
        board: an emulated board to run the same on, None for this computer alone.
        progress: called with the name of each step when it begins; None keeps quiet.

    Raises:
        AscError: the network cannot be compiled, TensorFlow Lite Micro does not run it, or a
            program is missing.
    """
    tell = progress or _keep_quiet
    tell("compiling the network")
    network = NetworkCode.of(model, options)
    tools.require(host.COMPILER)
    every = [*samples(model.graph), *given]
    with scratch_folders.folder() as folder, TflmProcess() as process:
        reference = Reference.of(process, model.data, model.path)
        runner = _Runner(folder, network, model, options, reference)
        tell(f"running {len(every)} inferences by TensorFlow Lite Micro")
        wanted = runner.wanted(every, _ends(network))
        tell("building and running the C code with sanitizers")
        outputs, fault = runner.on_host(network, wanted)
        differences = _differences("host", network, every, wanted, outputs)
        first = None
        if fault or differences:
            tell("looking for the first layer that differs")
            first = runner.first_layer(_telling(network, every, differences))
        if board is not None:
            tell(f"building and running the C code for {board.name}")
            found, _ = runner.on_board(network, wanted, board)
            differences += _differences(board.name, network, every, wanted, found)
    compiled = compile_network(model, options)
    return NetworkVerification(
        model=model.path,
        samples=tuple(sample.name for sample in every),
        board=board.name if board else None,
        arena_bytes=network.arena_bytes,
        tflm_arena_bytes=_or_none(lambda: tflm_arena_bytes(model.graph)),
        tflm_host_arena_bytes=reference.arena_bytes,
        stages=sum(bool(stage.kernel) for stage in compiled.lowered.stages),
        instructions=_or_none(lambda: estimate(model, CPU, options).instructions),
        fault=fault,
        differences=tuple(differences),
        first_layer=first,
    )


def compare_on_board(
    model: ModelFile, options: Options, given: Sequence[Sample], board: Board
) -> tuple[list[OutputDifference], int]:
    """Compare a network on an emulated core with TensorFlow Lite Micro's kernels.

    Args:
        model: the network.
        options: options of the compiler.
        given: inputs of the inferences, which follow each other.
        board: an emulated board.

    Returns:
        The outputs that differ, and the instructions of the costliest inference.

    Raises:
        AscError: as ``verify_network``, or the network does not fit the board.
    """
    network = NetworkCode.of(model, options)
    with scratch_folders.folder() as folder, TflmProcess() as process:
        reference = Reference.of(process, model.data, model.path)
        runner = _Runner(folder, network, model, options, reference)
        wanted = runner.wanted(given, _ends(network))
        found, instructions = runner.on_board(network, wanted, board)
    return _differences(board.name, network, given, wanted, found), instructions


@dataclass(eq=False)
class _Runner:
    """Where a network is built and run.

    Attributes:
        folder: folder to build in.
        network: the whole network.
        model, options: what it was compiled from, and how.
        reference: TensorFlow Lite Micro's interpreter of it.
        built: number of programs so far.
    """

    folder: Path
    network: NetworkCode
    model: ModelFile
    options: Options
    reference: Reference
    built: int = 0
    kernels: Path | None = None

    def wanted(self, every: Sequence[Sample], indices: Sequence[int]) -> Tensors:
        """Return tensors by TensorFlow Lite Micro."""
        found = self.reference.tensors([sample.inputs for sample in every], indices)
        return {index: [each[n] for each in found] for n, index in enumerate(indices)}

    def on_host(self, network: NetworkCode, wanted: Tensors) -> tuple[Tensors, str]:
        """Return the outputs of C code under sanitizers, and what these say."""
        if self.kernels is None:
            self.kernels = self._folder("kernels")
            host.compile_kernels(self.kernels, [self.network])
        (run,) = host.run(
            [network], [_inferences(network, wanted)], self._folder("program"), self.kernels
        )
        return _by_tensor(network, run.outputs), run.fault

    def on_board(self, network: NetworkCode, wanted: Tensors, board: Board) -> tuple[Tensors, int]:
        """Return the outputs of C code on an emulated core, and the most instructions."""
        folder = self._folder("image")
        (run,) = emulated.run([network], [_inferences(network, wanted)], folder, board)
        return _by_tensor(network, run.outputs), run.instructions

    def first_layer(self, every: Sequence[Sample]) -> LayerDifference | None:
        """Return the first layer that differs on some inputs."""
        graph = self.model.graph
        made = [index for operator in layers(graph) for index in operator.outputs]
        indices = [*graph.inputs, *made]
        wanted = self.wanted(every, list(dict.fromkeys(indices)))
        options = replace(self.options, max_ram=None)

        def compute(model: ModelFile) -> Tensors:
            network = NetworkCode.of(model, options)
            outputs, fault = self.on_host(network, wanted)
            if fault:
                raise RunError(fault)
            return outputs

        return first_difference(self.model, wanted, compute)

    def _folder(self, name: str) -> Path:
        self.built += 1
        folder = self.folder / f"{name}{self.built}"
        folder.mkdir()
        return folder


def _ends(network: NetworkCode) -> list[int]:
    return list(dict.fromkeys(tensor.index for tensor in (*network.inputs, *network.outputs)))


def _inferences(network: NetworkCode, wanted: Tensors) -> list[list[AnyArray]]:
    """Return the inputs of C code: what conversions at the ends make of a file's inputs."""
    columns = [wanted[tensor.index] for tensor in network.inputs]
    return [list(each) for each in zip(*columns, strict=True)]


def _by_tensor(network: NetworkCode, outputs: Sequence[Sequence[AnyArray]]) -> Tensors:
    return {
        tensor.index: [each[number] for each in outputs]
        for number, tensor in enumerate(network.outputs)
    }


def _differences(
    where: str,
    network: NetworkCode,
    every: Sequence[Sample],
    wanted: Tensors,
    found: Tensors,
) -> list[OutputDifference]:
    return [
        OutputDifference(where, sample.name, output, len(differing(*pair)), tensor.size)
        for number, sample in enumerate(every)
        for output, tensor in enumerate(network.outputs)
        if not same(*(pair := (wanted[tensor.index][number], found[tensor.index][number])))
    ]


def _telling(
    network: NetworkCode, every: Sequence[Sample], differences: Sequence[OutputDifference]
) -> list[Sample]:
    """Return the inputs that show a difference first, with those before it where state matters."""
    names = [sample.name for sample in every]
    first = names.index(differences[0].sample) if differences else len(every) - 1
    starts = 0 if network.has_state or not differences else first
    return list(every[starts : first + 1])


def _keep_quiet(step: str) -> None:
    """Tell nobody."""


def _or_none(figure: Any) -> int | None:
    try:
        return int(figure())
    except AscError:
        return None
