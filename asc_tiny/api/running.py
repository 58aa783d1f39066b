"""Generated projects: built, run on audio, compared with references, measured, inspected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware import golden_check
from asc_tiny.firmware.golden import read_golden
from asc_tiny.frontend.arrays import Samples
from asc_tiny.model import network_inputs
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import BuildError, NetworkProject, Project
from asc_tiny.targets.cycles import trace
from asc_tiny.targets.cycles.estimate import WAIT_STATES, Cycles, estimate
from asc_tiny.targets.device import checks
from asc_tiny.targets.device.checks import DeviceCosts
from asc_tiny.targets.device.client import connected
from asc_tiny.targets.device.line import Settings
from asc_tiny.targets.image import bench as benchmark
from asc_tiny.targets.image import image, network_image, reference, stages
from asc_tiny.targets.image import inspect as records
from asc_tiny.targets.image import verify as comparison
from asc_tiny.targets.image.bench import Costs, NetworkCosts
from asc_tiny.targets.image.image import Decision
from asc_tiny.targets.image.inspect import Found
from asc_tiny.targets.image.network_image import InputResult
from asc_tiny.targets.image.stages import StageCosts
from asc_tiny.targets.image.verify import ClipResult
from asc_tiny.tflite.graph import NUMPY_TYPES
from asc_tiny.util.blocks import Paragraph, Table, text
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text

BAUD = 115_200
"""Speed of a board's serial line in bits per second, unless a call says another."""
SIGNALS = "both"
"""Modem signals that are on while a serial port is open, unless a call says others."""

_LOG = "build.log"


def load_project(folder: Path | str) -> Project | NetworkProject:
    """Read a project of kind ``cmake`` that ``generate`` wrote.

    Parameters
    ----------
    folder
        Folder of the project.

    Returns
    -------
    Project or NetworkProject
        Its board, model and options; of a classifier, a ``Project``, also front end, labels and
        decisions.

    Raises
    ------
    AscError
        The folder holds no such project, or one of a format that is not known.

    Examples
    --------
    >>> from asc_tiny import api
    >>> done = api.generate("models/mobilenet_esc10.tflite", out / "loaded", board="mps2-an386")
    >>> project = api.load_project(out / "loaded")
    >>> project.board.core
    'Cortex-M4'
    >>> project.feature_shape
    (256, 36, 3)
    """
    return projects.load(Path(folder))


def build(
    project: NetworkProject,
    *,
    tflm_root: Path | str | None = None,
    tflm_lib: Path | str | None = None,
    tflm_ops: Path | str | None = None,
) -> Path:
    """Compile a project with CMake and the compiler of its board.

    A build that fails leaves all that the tools print in the file ``build/build.log`` of the
    project.

    Parameters
    ----------
    project
        As ``load_project`` gives it.
    tflm_root, tflm_lib
        Folder with the sources of TensorFlow Lite Micro, and the library that its makefile built
        for the board's core: what a project of runtime ``tflm`` is linked with.
    tflm_ops
        Folder with headers and sources (``.c``, ``.cc``, ``.cpp``) of custom operators.

    Returns
    -------
    Path
        The image, a program for the board.

    Raises
    ------
    AscError
        The build fails, or a program or TensorFlow Lite Micro is missing.
    """
    operators = Path(tflm_ops) if tflm_ops else None
    tflm = None
    if tflm_root and tflm_lib:
        tflm = projects.Tflm(Path(tflm_root), Path(tflm_lib), operators)
    log = project.image.with_name(_LOG)
    try:
        built = projects.build(project, tflm)
    except BuildError as error:
        raise _with_log(error, log) from None
    log.unlink(missing_ok=True)
    return built


def _with_log(error: BuildError, log: Path) -> AscError:
    """Keep the whole log, and return the error with where it is."""
    try:
        write_text(log, error.log)
    except AscError as unkept:
        return AscError(f"{error} (no log is kept: {unkept})", details=error.details)
    return AscError(f"{error}; the whole log is {log}", details=error.details)


def infer(
    project: NetworkProject, inferences: Sequence[Sequence[NDArray[Any]]]
) -> list[list[NDArray[Any]]]:
    """Run a built project of a network alone on inputs, on its board.

    Parameters
    ----------
    project
        A built project that was generated without front end and labels.
    inferences
        Of each inference an array for each input of the network, of its shape and type;
        ``read_inputs`` reads them from files. They follow each other: a network with state keeps it
        from one to the next.

    Returns
    -------
    list
        Of each inference an array for each output of the network, of its shape and type.

    Raises
    ------
    AscError
        The project is not built or of a classifier, an input is of another shape or type, the
        emulator is missing, or the image fails.
    """
    _check_network(project)
    inputs = project.network.inputs
    for number, each in enumerate(inferences):
        given = [(values.shape, values.dtype) for values in each]
        wanted = [(end.shape, np.dtype(NUMPY_TYPES[end.dtype])) for end in inputs]
        if given != wanted:
            raise AscError(
                f"{project.folder}: inference {number} has inputs {_ends_text(given)}, must be "
                f"{_ends_text(wanted)}"
            )
    return network_image.infer(project, inferences)


def read_inputs(project: NetworkProject, path: Path | str) -> list[list[NDArray[Any]]]:
    """Read inputs of a network alone from a file.

    Parameters
    ----------
    project
        A project that was generated without front end and labels.
    path
        A ``.npy`` file for a network of one input, a ``.npz`` file for any, with arrays of the
        inputs' names or ``input0``, ``input1``, ... Each has the shape of its input, with or
        without the batch of 1, or one dimension more in front, along which inferences follow each
        other. Integers are codes; numbers with a fraction are real values, and are quantised for
        an input of codes.

    Returns
    -------
    list
        Of each inference an array for each input, as ``infer`` takes them.

    Raises
    ------
    AscError
        The file cannot be read, holds something else than numbers, or does not fit the inputs.
    """
    _check_network(project)
    return network_inputs.read_inputs(Path(path), project.network.inputs)


def _check_network(project: NetworkProject) -> None:
    if isinstance(project, Project):
        raise AscError(
            f"{project.folder}: holds a classifier, whose board gets samples; give audio (--wav)"
        )


def _ends_text(ends: Sequence[tuple[tuple[int, ...], np.dtype[Any]]]) -> str:
    return ", ".join(f"{dtype.name} {shape}" for shape, dtype in ends) or "none"


def run(project: Project, samples: Samples) -> list[Decision]:
    """Run a built project on samples: front end, network and decisions on its board.

    Parameters
    ----------
    project
        A built project.
    samples
        Shape (samples,), at the model's sample rate: int16, or int32 with values of 24 bits where
        the front end takes 24; ``read_pcm`` reads them from a file.

    Returns
    -------
    list of Decision
        One for each window: ``start`` and ``end`` in seconds, ``label``, and by label ``scores``
        and ``smoothed`` scores.

    Raises
    ------
    AscError
        The project is not built, the emulator is missing, or the image fails.
    """
    return image.classify(project, samples)


@dataclass(frozen=True, repr=False)
class Verification(Displayed):
    """How a project compares with the references on this machine.

    Attributes:
        reference: name of the reference of the scores.
        selftest: outcome of the firmware's test of itself, None without a serial line.
        clips: number of int8 values that differ, clip by clip; none of a network alone.
        inputs: number of elements that differ, inference by inference of a network alone.
    """

    reference: str
    selftest: str | None
    clips: list[ClipResult] = field(default_factory=list)
    inputs: list[InputResult] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every value is the same, and the firmware's own test says so."""
        same = [each.passed for each in self.clips] + [each.passed for each in self.inputs]
        return all(same) and self.selftest in (None, "passed")

    @property
    def summary(self) -> str:
        """One line for people."""
        compared = f"{len(self.clips) + len(self.inputs)} inputs against {self.reference}"
        return f"{'passed' if self.passed else 'FAILED'}: {compared}"

    def shown_blocks(self) -> Iterator[Paragraph | Table]:
        """Return what came of it, and how much of each input differs."""
        yield Paragraph(f"Verification {self.summary}.", is_bad=not self.passed)
        if self.selftest is not None:
            told = f"The firmware's test of itself: {text(self.selftest)}."
            yield Paragraph(told, is_bad=self.selftest != "passed")
        every: list[ClipResult | InputResult] = [*self.clips, *self.inputs]
        bad = [number for number, each in enumerate(every) if not each.passed]
        head = ["input", "values that differ"]
        yield Table("Inputs", head, [[text(each.name), each.differing] for each in every], bad=bad)


def verify(
    project: NetworkProject,
    clips: Mapping[str, Samples] | None = None,
    *,
    inputs: Sequence[Path | str] = (),
    port: str | None = None,
    baud: int = BAUD,
    signals: str = SIGNALS,
) -> Verification:
    """Compare features and scores of a built project with the references, bit by bit.

    The features of the project's golden clips must equal its golden vectors, those of other clips
    the integer model's. The scores must equal those of TensorFlow Lite Micro if the package
    tflite-micro is installed, else those of the C code built for this computer. The same holds for
    the outputs of a network alone, on its golden inputs and those that are given.

    Parameters
    ----------
    project
        A built project.
    clips
        Name to samples, shape (clip_samples,), of clips to use besides the golden ones.
    inputs
        Files of inputs to use besides the golden ones, as ``read_inputs`` reads them; for a project
        of a network alone.
    port
        Serial port of a board, or ``socket://HOST:PORT`` of an emulated one; None runs the image
        on the emulator or on this computer.
    baud
        Speed of the port in bits per second.
    signals
        Modem signals that are on while a serial port is open: ``"both"`` DTR and RTS, ``"dtr"``,
        ``"rts"`` or ``"none"``.

    Returns
    -------
    Verification
        ``passed``, and for each clip how many features and scores differ.

    Raises
    ------
    AscError
        The image fails, there is no reference, or the device runs another model.
    """
    if not isinstance(project, Project):
        if port is not None:
            raise _no_line(project)
        return _verify_network(project, inputs)
    if inputs:
        _check_network(project)
    known, golden = read_golden(project.folder, project.frontend, project.feature_shape)
    known.update(clips or {})
    name, network = reference.network(project, known)
    if port is None:
        return Verification(name, None, comparison.verify(project, known, network, golden))
    with connected(port, Settings(baud, signals)) as device:
        checks.check_identity(device, project)
        selftest = device.selftest()
        compute = checks.computation(device)
        results = comparison.verify(project, known, network, golden, compute)
    return Verification(name, selftest, results)


def _verify_network(project: NetworkProject, paths: Sequence[Path | str]) -> Verification:
    inputs = dict(zip(golden_check.NAMES, golden_check.inputs(project.network), strict=True))
    for path in paths:
        for number, each in enumerate(read_inputs(project, path)):
            inputs[f"{path}:{number}"] = each
    name, results = network_image.verify(project, inputs)
    said = {each.result for each in network_image.golden(project)}
    selftest = "failed" if "FAILED" in said else "passed" if said == {"passed"} else None
    return Verification(name, selftest, inputs=results)


def _no_line(project: NetworkProject) -> AscError:
    return AscError(
        f"{project.folder}: --port is for classifiers; the board of a network alone prints "
        "the results of its golden inputs as text, for any serial terminal"
    )


@dataclass(frozen=True, repr=False)
class Benchmark(Displayed):
    """What a project costs.

    Attributes:
        costs: instructions or cycles, RAM, flash and stack.
        layers: instructions of each stage of the network, empty if they were not asked for.
        cycles: estimated cycles, None if they were not asked for.
    """

    costs: Costs | DeviceCosts | NetworkCosts
    layers: list[StageCosts]
    cycles: Cycles | None = None

    @property
    def summary(self) -> str:
        """One line for people."""
        return ", ".join(f"{name} {value}" for name, value in asdict(self.costs).items())

    def shown_blocks(self) -> Iterator[Table]:
        """Return what it costs, and the instructions of each stage."""
        costs = asdict(self.costs).items()
        yield pairs("Costs", [(name.replace("_", " "), value) for name, value in costs])
        rows = [
            [text(each.layer), each.kernel, *(f"{n:,}" for n in (each.runs, each.instructions))]
            for each in self.layers
        ]
        if rows:
            yield Table("Stages", ["layer", "kernel", "runs", "instructions"], rows, left=(0, 1))


def bench(
    project: NetworkProject,
    *,
    layers: bool = False,
    cycles: bool = False,
    wait_states: int = WAIT_STATES,
    port: str | None = None,
    baud: int = BAUD,
    signals: str = SIGNALS,
) -> Benchmark:
    """Measure a built project on its emulated board, or over a serial line.

    Instructions are counted on the emulated core and are no cycles; a board counts by its own
    counter. Flash and RAM in bytes come from the linker, the stack from painting it.

    Parameters
    ----------
    project
        A built project.
    layers
        Count the instructions of each stage, too; this builds a copy of the project.
    cycles
        Estimate cycles from what the emulated core executes, with ``layers`` of each stage, too.
    wait_states
        Wait states of the flash in that estimate, 0 to 15.
    port, baud, signals
        As for ``verify``.

    Returns
    -------
    Benchmark
        ``costs``, and ``layers`` and ``cycles`` if they were asked for.

    Raises
    ------
    AscError
        The project is not built or for this computer, the image fails, stages or cycles are asked
        for over a serial line, or cycles of a core whose manual states none.
    """
    for option, asked in {"--layers": layers, "--cycles": cycles}.items():
        if asked and port is not None:
            raise AscError(f"{option}: counts on an emulated board only, not over --port")
    projects.check_built(project)
    if cycles:
        trace.core_of(project.board)

    def estimated(instructions_per_hop: int = 0) -> Cycles | None:
        if not cycles:
            return None
        return estimate(
            project,
            wait_states=wait_states,
            layers=layers,
            instructions_per_hop=instructions_per_hop,
        )

    if not isinstance(project, Project):
        if port is not None:
            raise _no_line(project)
        alone = benchmark.measure_network(project)
        spent = alone.instructions_per_inference
        counted = stages.measure_stages(project, spent) if layers else []
        return Benchmark(alone, counted, estimated())
    if port is not None:
        with connected(port, Settings(baud, signals)) as device:
            checks.check_identity(device, project)
            return Benchmark(checks.measure(device, project), [])
    costs = benchmark.measure(project)
    counted = stages.measure_stages(project, costs.instructions_per_inference) if layers else []
    return Benchmark(costs, counted, estimated(costs.instructions_per_hop))


def inspect_firmware(
    path: Path | str | None = None,
    *,
    port: str | None = None,
    baud: int = BAUD,
    signals: str = SIGNALS,
) -> tuple[str, list[Found]]:
    """Find in firmware what it was made from.

    Parameters
    ----------
    path
        An ELF, Intel HEX, UF2 or raw binary file.
    port, baud, signals
        Serial line of a board, in place of ``path``, as for ``verify``.

    Returns
    -------
    tuple
        Name of the file's format, ``"device"`` for a board, and the records of provenance: hashes
        of model and front end, version of asc-tiny, runtime, prefix and labels, with the place of
        each record.

    Raises
    ------
    AscError
        The file cannot be read, or holds no record or a damaged one; not one of ``path`` and
        ``port`` is given.
    """
    if (path is None) == (port is None):
        raise AscError("give either a FIRMWARE file or the --port of a board")
    if path is not None:
        return records.inspect(Path(path))
    assert port is not None
    with connected(port, Settings(baud, signals)) as device:
        return "device", [Found(device.provenance(), None, None)]
