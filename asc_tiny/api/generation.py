"""Firmware from a model: compiled networks, what boards they fit, generated projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.diagnostics import CustomOperatorError, NotCompiledError
from asc_tiny.compiler.options import AS_IS, INT8_CODES, MEDIUM, Options, default_io
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.costs import board_fit, remedies
from asc_tiny.costs.board_fit import Fit
from asc_tiny.costs.board_fits import BoardFits
from asc_tiny.decision.config import read_toml as read_decision
from asc_tiny.firmware.c.prefix import check_prefix
from asc_tiny.firmware.classifier import Classifier, classifier
from asc_tiny.firmware.firmware_network import FirmwareNetwork, firmware_network
from asc_tiny.firmware.library import render_library, render_network
from asc_tiny.firmware.network import compiled, tflm
from asc_tiny.frontend.config import read_toml as read_frontend
from asc_tiny.model.ensemble import load_model, output_quantization
from asc_tiny.model.model_file import ModelFile
from asc_tiny.projects import generator, registry
from asc_tiny.projects.audio_path import audio_path
from asc_tiny.projects.generator import ProjectGenerator
from asc_tiny.resample.design import Resampler
from asc_tiny.targets.image import network_image, reference
from asc_tiny.tflm.options import DEFAULT, CustomOperator, TflmOptions
from asc_tiny.util.blocks import Table
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.errors import AscError
from asc_tiny.util.labels import read as read_labels

AOT, TFLM = "aot", "tflm"


def compile_network(
    model: ModelFile,
    *,
    schedule: str | None = None,
    max_ram: int | None = None,
    optimize: str = "speed",
    effort: str = MEDIUM,
    io: str = INT8_CODES,
) -> Compiled:
    """Compile an int8 network to a schedule of kernels and a plan of its memory.

    Parameters
    ----------
    model
        A single network, as ``load_model`` gives it; compile the members of an ensemble one by
        one.
    schedule
        ``"rows"`` runs rows of all layers in turn, ``"layers"`` layer by layer,
        ``"streaming"`` with each column that the front end delivers. None takes what needs least
        memory of the first two.
    max_ram
        Most bytes that the arena may have: the cheapest plan within it is taken. None takes the
        smallest arena, and up to a 16th more where that saves instructions.
    optimize
        ``"speed"`` for the fewest instructions, ``"size"`` for the smallest flash.
    effort
        How long plans are searched for: ``"low"``, ``"medium"`` or ``"high"``.
    io
        ``"int8"`` leaves out conversions of inputs and outputs from and to other types, so that
        the code takes and gives int8 codes; ``"as-is"`` compiles them.

    Returns
    -------
    Compiled
        ``arena_bytes``, ``schedule_text`` for people, and ``cost``: instructions of one inference
        by the planner's model, to compare plans by.

    Raises
    ------
    AscError
        The model is not full int8, has an operator that is not supported, or does not fit
        ``max_ram``. The message names file, operator and layer.

    Examples
    --------
    >>> from asc_tiny import api
    >>> network = api.compile_network(api.load_model("models/mobilenet_esc10.tflite"))
    >>> network.arena_bytes
    30256
    """
    return compiled.compile_network(model, Options(schedule, max_ram, optimize, effort, io))


@dataclass(frozen=True, repr=False)
class Generated(Displayed):
    """What ``generate`` has written.

    Attributes:
        folder: folder of the project.
        networks: the compiled network, one for each member of an ensemble; none with runtime
            ``"tflm"``.
        resampler: resampler between the microphone's sample rate and the model's, None if both
            are the same.
        is_classifier: whether front end and labels are in it; else it is of the network alone.
    """

    folder: Path
    networks: tuple[Compiled, ...]
    resampler: Resampler | None
    is_classifier: bool = True

    @property
    def summary(self) -> str:
        """One line for people."""
        what = "a classifier" if self.is_classifier else "a network alone"
        return f"{self.folder}: {what}"

    def shown_blocks(self) -> Iterator[Table]:
        """Return where it is, and what its networks take."""
        arenas = [f"{each.arena_bytes:,}" for each in self.networks]
        yield pairs(
            f"Project of {'a classifier' if self.is_classifier else 'a network alone'}",
            [
                ("folder", self.folder),
                ("arena (bytes)", ", ".join(arenas) if arenas else None),
                ("resampled", "yes" if self.resampler else "no"),
            ],
        )


def generate(
    model: Path | str,
    out: Path | str,
    *,
    project: str = registry.DEFAULT,
    board: str | None = None,
    runtime: str = AOT,
    resample: bool = False,
    schedule: str | None = None,
    max_ram: int | None = None,
    optimize: str | None = None,
    effort: str | None = None,
    io: str | None = None,
    tflm_arena: int | None = None,
    tflm_operators: Sequence[str] = (),
    prefix: str = "asc",
    frontend: Path | str | None = None,
    labels: Path | str | None = None,
    decision: Path | str | None = None,
    warn: Callable[[str], None] | None = None,
) -> Generated:
    """Write the firmware source of a model.

    Parameters
    ----------
    model
        A ``.tflite`` file or the ``.toml`` file of an ensemble.
    out
        Folder to write to: new, empty, or one with a generated project, which is replaced. With
        ``project="sources"`` files are put beside those that are there.
    project
        Kind of project, such as ``"cmake"``, ``"zephyr"`` or ``"sources"``; docs/how_to/projects.md
        lists them.
    board
        Name of a board or path of a board's ``.toml`` file; None takes the default of the kind.
    runtime
        ``"aot"`` compiles the network to C, ``"tflm"`` runs it by TensorFlow Lite Micro.
    resample
        Add a resampler if the board's microphone cannot give the model's sample rate.
    schedule, max_ram, optimize, effort
        As for ``compile_network``, with runtime ``"aot"``.
    io
        As for ``compile_network``, with runtime ``"aot"``. None takes ``"as-is"`` for a network
        without front end and labels; a front end gives int8 codes, so that a classifier takes
        ``"int8"`` alone.
    tflm_arena
        Bytes of the arena with runtime ``"tflm"``; None computes them, or measures them on this
        computer.
    tflm_operators
        Kernels of custom operators with runtime ``"tflm"``, ``NAME=HEADER:FUNCTION`` each: the
        function, which the header declares, returns the ``TFLMRegistration`` of operator NAME.
    prefix
        Prefix of all names in the C code.
    frontend, labels
        TOML file of the front end and text file of the class names, for a ``.tflite`` file
        without metadata. Without both the network stands alone: its code, golden inputs and an
        application that runs them.
    decision
        TOML file of windows, smoothing, hysteresis and threshold; None decides about each clip.
    warn
        Called with a line about each thing that is doubtful; None keeps quiet.

    Returns
    -------
    Generated
        What was written.

    Raises
    ------
    AscError
        The model cannot become firmware, an option does not fit it, the board or another option,
        or ``out`` holds something else.

    Examples
    --------
    >>> from asc_tiny import api
    >>> done = api.generate("models/mobilenet_esc10.tflite", out / "firmware", board="host")
    >>> (done.folder / "asc" / "asc_net.c").is_file()
    True
    """
    tell = warn or _keep_quiet
    check_prefix(prefix)
    options = _options(
        runtime, schedule=schedule, max_ram=max_ram, optimize=optimize, effort=effort, io=io
    )
    tflm_options = _tflm_options(runtime, tflm_arena, tflm_operators)
    kind = registry.get(project)
    target = catalog.get(board or kind.default_board)
    if target.definition:
        registry.check_tables(target, registry.load()[0])
    kind.check(target, runtime)
    with _pointing_to_tflm(model):
        complete = _complete(
            model,
            runtime,
            options,
            frontend,
            labels,
            decision,
            has_io=io is not None,
            tflm_options=tflm_options,
        )
    if not isinstance(complete, Classifier):
        if resample:
            raise _for_classifiers(model, "--resample")
        generator.check(kind, target, runtime, Path(out))
        return _network_alone(complete, kind, target, runtime, prefix, Path(out), tell)
    if options.io == AS_IS:
        raise AscError(f"{model}: --io as-is: a front end gives int8 codes, take --io int8")
    if frontend:
        _tell(tell, (f"{frontend}: {line}" for line in complete.frontend.warnings()))
    audio = audio_path(complete, target, resample=resample)
    generator.check(kind, target, runtime, Path(out))
    with _pointing_to_tflm(model):
        library = render_library(complete, runtime=runtime, prefix=prefix)
    scores, missing = reference.kernel_scores(library)
    if scores is None and not missing:
        scores, missing = reference.host_scores(library)
    request = generator.GenerationRequest(
        library=library, board=target, resampler=audio.resampler, scores=scores
    )
    generator.write(kind, request, Path(out))
    _tell(tell, _shortages(complete, kind, target, runtime))
    if missing:
        tell(f"the self-test checks the front end alone: {missing}")
    _tell(tell, audio.warnings)
    return Generated(Path(out), library.networks, audio.resampler)


def _network_alone(
    network: FirmwareNetwork,
    kind: ProjectGenerator,
    board: Board,
    runtime: str,
    prefix: str,
    out: Path,
    tell: Callable[[str], None],
) -> Generated:
    """Write a project of a network without front end and labels."""
    with _pointing_to_tflm(network.model_file.path):
        library = render_network(network, runtime=runtime, prefix=prefix)
    checksums, missing = network_image.golden_checksums(library)
    request = generator.NetworkRequest(library=library, board=board, checksums=checksums)
    generator.write(kind, request, out)
    _tell(tell, _shortages(network, kind, board, runtime))
    if missing:
        tell(f"the golden inputs are not checked: {missing}")
    return Generated(out, library.networks, None, is_classifier=False)


def _shortages(
    model: FirmwareNetwork, kind: ProjectGenerator, board: Board, runtime: str
) -> Iterator[str]:
    """Yield what says that a board has too little for a project: memory, or time."""
    if not board.ram_bytes:
        return
    found = board_fit.fit(model, board, runtime, [kind])
    shortages = list(found.shortages(board, kind.name))
    if not shortages:
        yield from _gap(model, board, found, runtime, kind)
        return
    ways = [remedies.remedy(model, board, kind, found, runtime), "another --board"]
    room = remedies.network_room(board, kind, found) or 0
    if 0 < room < found.ram_bytes["network"]:
        ways.append(f"a model whose network needs at most {room:,} bytes of RAM")
    advice = ", or ".join(filter(None, ways))
    for shortage in shortages:
        yield f"board {board.name}: the project {shortage}; give {advice}"


def _gap(
    model: FirmwareNetwork, board: Board, found: Fit, runtime: str, kind: ProjectGenerator
) -> Iterator[str]:
    """Yield what says that a board cannot keep the samples that come while the network runs."""
    if found.gap:
        option = remedies.gap_remedy(model, board, found, runtime, kind)
        advice = ", or ".join(filter(None, [option, "another --board"]))
        yield f"board {board.name}: it {found.gap}; give {advice}"


def fit_boards(
    model: Path | str,
    boards: Iterable[Board],
    *,
    frontend: Path | str | None = None,
    labels: Path | str | None = None,
) -> BoardFits:
    """Estimate what a model, compiled ahead of time, takes of boards with their microphones.

    Parameters
    ----------
    model, frontend, labels
        Files as for ``generate``.
    boards
        Boards as ``boards`` and ``load_board`` give them.

    Returns
    -------
    BoardFits
        A dictionary: for the name of each board that has RAM of its own, a ``Fit`` with
        ``ram_bytes``, ``flash_bytes`` and ``instructions_per_s`` by part, ``cpu_share`` of 1 at one
        instruction per cycle, and ``absent``, why a figure is missing; ``applications``, what comes
        with the kinds of project that serve the board and were measured; ``remedies``, the option
        of ``generate`` with which one of them fits after all; ``gap``, what says that samples can
        be lost while the network runs, and ``gap_remedy``, the option that keeps them.
        ``fits(board, kind)`` says whether a project of a kind fits, ``shortages(board, kind)`` what
        is missing.

    Raises
    ------
    AscError
        The model cannot be compiled.

    Examples
    --------
    >>> from asc_tiny import api
    >>> board = api.load_board("nrf52840dk")
    >>> fit = api.fit_boards("models/mobilenet_esc10.tflite", [board])["nrf52840dk"]
    >>> fit.fits(board)
    True
    """
    complete = _complete(model, AOT, Options(), frontend, labels, None)
    generators, _ = registry.load()
    known = [board for board in boards if board.ram_bytes]
    fits = {
        board.name: _with_remedies(complete, board, registry.serving(board, generators))
        for board in known
    }
    return BoardFits(Path(model).name, known, fits)


def _with_remedies(model: FirmwareNetwork, board: Board, kinds: Sequence[ProjectGenerator]) -> Fit:
    """Estimate what a model takes, and look what options help the kinds that were measured."""
    found = board_fit.fit(model, board, kinds=kinds)
    helping = {
        kind.name: remedies.remedy(model, board, kind, found)
        for kind in kinds
        if kind.name in found.applications
    }
    return replace(
        found,
        remedies={kind: option for kind, option in helping.items() if option},
        gap_remedy=remedies.gap_remedy(model, board, found),
    )


def check_compiled(runtime: str, option: str, value: object) -> None:
    """Check that an option of the compiler is given only where it compiles the network.

    Args:
        runtime: ``aot`` or ``tflm``.
        option: name of the option on the command line.
        value: value of the option, None if it is not given.

    Raises:
        AscError: another runtime runs the network.
    """
    if value is not None and runtime != AOT:
        raise AscError(f"{option}: is for --runtime aot, whose network is compiled")


def _options(
    runtime: str,
    *,
    schedule: str | None,
    max_ram: int | None,
    optimize: str | None,
    effort: str | None,
    io: str | None,
) -> Options:
    if runtime not in (AOT, TFLM):
        raise AscError(f"runtime = {runtime}, allowed: {AOT}, {TFLM}")
    check_compiled(runtime, "--schedule", schedule)
    check_compiled(runtime, "--max-ram", max_ram)
    check_compiled(runtime, "--optimize", optimize)
    check_compiled(runtime, "--effort", effort)
    check_compiled(runtime, "--io", io)
    return Options(schedule, max_ram, optimize or "speed", effort or MEDIUM, io or INT8_CODES)


def _tflm_options(runtime: str, arena: int | None, operators: Sequence[str]) -> TflmOptions:
    for option, value in (("--tflm-arena", arena), ("--tflm-op", operators)):
        if value and runtime != TFLM:
            raise AscError(f"{option}: is for --runtime tflm")
    return TflmOptions(arena, tuple(map(CustomOperator.parse, operators)))


@contextmanager
def _pointing_to_tflm(path: Path | str) -> Iterator[None]:
    """Say that the other runtime takes what is not compiled, if it does."""
    try:
        yield
    except NotCompiledError as error:
        # A custom operator's message says it itself, with the user's kernel.
        is_said = isinstance(error, CustomOperatorError)
        if is_said or not tflm.takes(load_model(path, is_interpreted=True)):
            raise
        raise AscError(f"{error}; --runtime tflm takes the model") from error


def _complete(
    path: Path | str,
    runtime: str,
    options: Options,
    frontend: Path | str | None,
    labels: Path | str | None,
    decision: Path | str | None,
    *,
    has_io: bool = False,
    tflm_options: TflmOptions = DEFAULT,
) -> FirmwareNetwork:
    """Return a model with all that its firmware needs; without front end and labels it is alone.

    A network alone takes and gives what its file does, unless ``has_io`` says that the options
    tell.
    """
    model = load_model(path, is_interpreted=runtime == TFLM)
    config = read_frontend(Path(frontend)) if frontend else None
    names = read_labels(Path(labels)) if labels else None
    if isinstance(model, ModelFile) and model.is_alone and not (config or names):
        if decision:
            raise _for_classifiers(path, "--decision")
        if runtime == AOT and not has_io:
            options = replace(options, io=default_io(is_alone=True))
        return firmware_network(model, runtime=runtime, options=options, tflm_options=tflm_options)
    complete = classifier(
        model, runtime=runtime, frontend=config, labels=names, tflm_options=tflm_options
    )
    if decision:
        output = output_quantization(complete.model_file)
        rule = read_decision(Path(decision), complete.frontend, output)
        complete = replace(complete, decision=rule)
    return replace(complete, options=options)


def _for_classifiers(model: Path | str, option: str) -> AscError:
    return AscError(
        f"{model}: {option} is for a classifier, but the file holds neither front end nor labels; "
        "give --frontend FILE.toml and --labels FILE"
    )


def _tell(tell: Callable[[str], None], lines: Iterable[str]) -> None:
    for line in lines:
        tell(line)


def _keep_quiet(line: str) -> None:
    """Tell nobody."""
