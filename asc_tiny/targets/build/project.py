"""A generated firmware project on disk: its manifest, model, build and execution."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import Options
from asc_tiny.decision.config import DecisionConfig
from asc_tiny.decision.windows import Windows
from asc_tiny.firmware.firmware_network import FirmwareNetwork, firmware_network
from asc_tiny.frontend import fixed
from asc_tiny.frontend.arrays import Samples
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model.ensemble import Ensemble, Model, load_model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.projects import manifest_reader
from asc_tiny.projects.generator import check_folder
from asc_tiny.projects.manifest_writer import (
    CLASSIFIER,
    ENSEMBLE_FILE,
    MANIFEST,
    MODEL_FILE,
    NETWORK,
)
from asc_tiny.targets.build import tools
from asc_tiny.targets.build.build_log import error_lines
from asc_tiny.targets.build.watchdog import Watch
from asc_tiny.util import child_processes, fields, labels, locks, scratch_folders
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import naming, read_bytes

_PRINTED = ".printed"
_MOST_WRITTEN = 1 << 30
_MOST_SHOWN = 1000
_MOST_LINES = 10

_CHOSEN = re.compile(rb"^CMAKE_GENERATOR:INTERNAL=(.*?)\r?$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class NetworkProject:
    """A folder that ``asc-tiny generate`` wrote; of a network alone if it is no ``Project``.

    Attributes:
        folder: the project.
        board: what it is built for.
        runtime: ``aot`` or ``tflm``.
        model_file: the model or the ensemble that it was generated from.
        options: options of the network's planner.
        prefix: prefix of all names in the C code.
    """

    folder: Path
    board: Board
    runtime: str
    model_file: Model
    options: Options = field(default_factory=Options)
    prefix: str = "asc"

    @property
    def image(self) -> Path:
        """The program that ``build`` makes."""
        return self.folder / "build" / ("firmware.elf" if self.board.machine else "firmware")

    @property
    def network(self) -> FirmwareNetwork:
        """The single network that the code was made from, with the inputs and outputs of the code.

        Raises:
            AscError: it cannot become code any more.
        """
        assert isinstance(self.model_file, ModelFile)
        if self.runtime == "tflm":
            # It was checked when it was generated; the manifest does not name kernels of the user.
            return FirmwareNetwork(model_file=self.model_file, options=self.options)
        return firmware_network(self.model_file, runtime=self.runtime, options=self.options)


@dataclass(frozen=True, kw_only=True)
class Project(NetworkProject):
    """A folder that ``asc-tiny generate`` wrote for a classifier.

    Attributes:
        frontend: the front end of the model.
        labels: class labels in output order.
        decision: windows, smoothing, hysteresis and threshold.
    """

    frontend: FrontEndConfig
    labels: tuple[str, ...]
    decision: DecisionConfig

    @property
    def frontends(self) -> tuple[FrontEndConfig, ...]:
        """The front end in every quantisation that the firmware computes, one for one network."""
        model = self.model_file
        return model.frontends if isinstance(model, Ensemble) else (self.frontend,)

    @property
    def windows(self) -> Windows:
        """Where the decisions' windows lie in a stream."""
        return Windows(self.frontend, self.decision)

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """Shape of a clip's features: (n_mels, columns, channels of all quantisations)."""
        height, width, channels = self.frontend.shape
        return height, width, channels * len(self.frontends)

    def features(self, pcm: Samples) -> NDArray[np.int8]:
        """Return a clip's int8 codes by the integer model, shape ``feature_shape``."""
        return fixed.joint_features(pcm, self.frontends)


def load(folder: Path) -> Project | NetworkProject:
    """Read a project.

    Raises:
        AscError: the folder holds no generated project, or one of an unknown format.
    """
    found = manifest_reader.read(folder)
    content = found.content
    path = folder / MANIFEST
    if found.kind != "cmake":
        raise AscError(
            f"{folder}: a project of kind {found.kind}, which its own tools build; "
            "see its README.md"
        )
    try:
        kind = _one_of(content.get("content", CLASSIFIER), "content", (CLASSIFIER, NETWORK))
        runtime = _one_of(content["runtime"], "runtime", ("aot", "tflm"))
        project = NetworkProject(
            folder=found.folder,
            board=found.board,
            runtime=runtime,
            model_file=load_model(
                folder / _model_file(content["model"]), is_interpreted=runtime == "tflm"
            ),
            options=_options(content.get("plan", {}), path),
            prefix=found.prefix,
        )
        if kind == NETWORK:
            return _of_network(project, path)
        return Project(
            **vars(project),
            frontend=FrontEndConfig.from_dict(content["frontend"], source=str(path)),
            labels=labels.check(content["labels"], source=f"{path}: labels"),
            decision=DecisionConfig.from_dict(content.get("decision", {}), source=str(path)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise manifest_reader.damaged(path, error) from error


def _of_network(project: NetworkProject, path: Path) -> NetworkProject:
    if isinstance(project.model_file, Ensemble):
        raise AscError(f"{path}: content = {NETWORK!r}, but the model is an ensemble")
    return project


def _options(value: object, path: Path) -> Options:
    try:
        return Options.from_dict(fields.table(value, "plan"))
    except AscError as error:
        raise AscError(f"{path}: {error}") from error


def _model_file(model: Mapping[str, Any]) -> str:
    """Return the name of a project's model, which lies in its folder."""
    return _one_of(model.get("file", MODEL_FILE), "model.file", (MODEL_FILE, ENSEMBLE_FILE))


def _one_of(value: object, name: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} = {shown(value)}, allowed: {', '.join(allowed)}")
    return str(value)


@dataclass(frozen=True)
class Tflm:
    """What a project of runtime ``tflm`` is linked with.

    Attributes:
        root: folder with the sources of TensorFlow Lite Micro.
        library: library that its makefile built for the board's core.
        operators: folder with headers and sources of custom operators, None without any.
    """

    root: Path
    library: Path
    operators: Path | None = None


class BuildError(AscError):
    """A build failed; the details are the lines that say why.

    Attributes:
        log: all that the tools printed.
    """

    def __init__(self, folder: Path, log: str) -> None:
        super().__init__(f"{folder}: the build failed", details=error_lines(log))
        self.log = log


def build(
    project: NetworkProject, tflm: Tflm | None = None, *, definitions: Sequence[str] = ()
) -> Path:
    """Compile a project with CMake and return its image.

    Args:
        project: as generated.
        tflm: what a project of runtime ``tflm`` is linked with.
        definitions: definitions of C and C++ macros for the whole build, such as ``NAME=1``.

    Raises:
        BuildError: the build fails.
        AscError: CMake cannot build in the folder, a program or TensorFlow Lite Micro is missing.
    """
    check_folder(project.folder)
    cmake = tools.require("cmake")
    compiler = project.board.toolchain.compiler
    tools.require(compiler)
    build = project.folder / "build"
    generator = _generator(build)
    configure = [cmake, *generator, "-S", ".", "-B", "build"]
    configure += [f"-DDEFINITIONS={';'.join(definitions)}"] if definitions else []
    if project.runtime == "tflm":
        if tflm is None:
            raise AscError(
                f"{project.folder}: runtime tflm is linked with TensorFlow Lite Micro; give "
                "--tflm-root and --tflm-lib, or set TFLM_ROOT and TFLM_LIB"
            )
        tools.require(compiler.replace("gcc", "g++") if project.board.machine else "c++")
        configure += [f"-DTFLM_ROOT={tflm.root.resolve()}", f"-DTFLM_LIB={tflm.library.resolve()}"]
        configure += [f"-DTFLM_OPS={tflm.operators.resolve()}"] if tflm.operators else []
    with locks.exclusive(project.folder):
        _remove_unfinished(build, is_ninja=bool(generator))
        for command in (configure, [cmake, "--build", "build"]):
            done = tools.execute(command, folder=project.folder)
            if done.returncode != 0:
                raise BuildError(project.folder, done.stdout + done.stderr)
        # Programs that CMake has tried to compile: it removes them itself unless it is killed.
        shutil.rmtree(build / "CMakeFiles" / "CMakeScratch", ignore_errors=True)
    return project.image


def _generator(build: Path) -> list[str]:
    """Return the options of CMake that choose what builds: Ninja, if nobody has chosen yet.

    Raises:
        AscError: Ninja is chosen and not installed.
    """
    cache = build / "CMakeCache.txt"
    chosen = _CHOSEN.search(read_bytes(cache)) if cache.is_file() else None
    if chosen is None or chosen[1] == b"Ninja":
        tools.require("ninja")
        return ["-G", "Ninja"]
    return []


def _remove_unfinished(build: Path, *, is_ninja: bool) -> None:
    """Remove what CMake has left in a build folder if it was killed while it configured that."""
    if is_ninja and not (build / "build.ninja").is_file():
        shutil.rmtree(build / "CMakeFiles", ignore_errors=True)
        (build / "CMakeCache.txt").unlink(missing_ok=True)


def check_built(project: NetworkProject) -> None:
    """Make sure that a project has an image.

    Raises:
        AscError: it has none.
    """
    if not project.image.is_file():
        raise AscError(f"{project.folder}: not built; run asc-tiny build {project.folder} first")


def execute(
    project: NetworkProject,
    arguments: Sequence[str],
    files: Mapping[str, bytes],
    outputs: Sequence[str],
    *,
    plugin: str | None = None,
) -> tuple[str, dict[str, bytes]]:
    """Run a project's image on its board.

    Args:
        project: a built project.
        arguments: the image's arguments; files are named as in ``files`` and ``outputs``.
        files: files that the image reads.
        outputs: names of the files that it writes.
        plugin: path and arguments of a plugin of the emulator, None to run without one.

    Returns:
        The text that the image printed, and the contents of ``outputs``.

    Raises:
        AscError: the project is not built, the emulator is missing, or the image fails, does not
            end or does not write its files.
    """
    check_built(project)
    command = run_command(project.board, project.image, arguments)
    command += ["-plugin", plugin] if plugin else []
    with scratch_folders.folder() as workdir:
        with naming(workdir):
            for name, data in files.items():
                (workdir / name).write_bytes(data)
        code, text = _executed(project, command, workdir)
        if code != 0:
            raise stopped(project, code, text)
        missing = [name for name in outputs if not (workdir / name).is_file()]
        if missing:
            raise AscError(f"{project.image}: did not write {missing[0]} on {project.board.name}")
        return text, {name: (workdir / name).read_bytes() for name in outputs}


def printed(project: NetworkProject, arguments: Sequence[str], *, allowed: Sequence[int]) -> str:
    """Return what a project's image prints on its board.

    Args:
        project: a built project.
        arguments: the image's arguments.
        allowed: exit codes that are no error.

    Raises:
        AscError: the project is not built, the emulator is missing, or the image ends with another
            code or does not end.
    """
    check_built(project)
    with scratch_folders.folder() as workdir:
        command = run_command(project.board, project.image, arguments)
        code, text = _executed(project, command, workdir)
    if code not in allowed:
        raise stopped(project, code, text)
    return text


def _executed(project: NetworkProject, command: Sequence[str], workdir: Path) -> tuple[int, str]:
    """Return the exit code and the text of an image that runs in a folder."""
    printed = workdir / _PRINTED
    with printed.open("wb") as stream:
        # Semihosting prints on the emulator's standard error.
        errors, handle = subprocess.STDOUT, stream.fileno()
        with (
            child_processes.running(
                command, folder=workdir, stdout=handle, stderr=errors
            ) as process,
            Watch(process, lambda: _written(workdir)) as watch,
        ):
            process.wait()
    if watch.stuck:
        raise stuck(project)
    return process.returncode, printed.read_bytes().decode("utf-8", errors="replace")


def _written(workdir: Path) -> int | None:
    """Return the bytes of what an image has written so far, None if that has no end."""
    total = 0
    for path in workdir.iterdir():
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total if total < _MOST_WRITTEN else None


def stopped(project: NetworkProject, code: int, printed: str) -> AscError:
    """Return what to raise for an image that ended with an error, with the last that it printed."""
    lines = printed[-_MOST_SHOWN:].strip().splitlines()[-_MOST_LINES:] or ["no output"]
    return AscError(
        f"{project.image}: stopped with code {code} on {project.board.name}: {lines[-1]}",
        details=lines[:-1],
    )


def stuck(project: NetworkProject) -> AscError:
    """Return what to raise for an image that was killed since it did not get on."""
    return AscError(
        f"{project.image}: ran on and on without a result on {project.board.name} and was stopped"
    )


def run_command(
    board: Board, image: Path, arguments: Sequence[str], *, serial: str = "null"
) -> list[str]:
    """Return the command line that runs an image on its board.

    ``serial`` is what QEMU connects the board's UART with.

    Raises:
        AscError: the emulator is not installed.
    """
    if not board.machine:
        return [str(image), *arguments]
    semihosting = "".join(f",arg={argument}" for argument in (image.stem, *arguments))
    return [
        tools.require(board.toolchain.emulator),
        *("-M", board.machine),
        *board.toolchain.emulator_options,
        # One instruction per nanosecond of virtual time: counts are exact and repeatable.
        *("-icount", "shift=0"),
        *("-display", "none", "-monitor", "none", "-serial", serial),
        *("-semihosting-config", f"enable=on,target=native{semihosting}"),
        *("-kernel", str(image)),
    ]


def available_programs() -> dict[str, str | None]:
    """Return the paths of the external programs, None where something is missing."""
    return {program: tools.find(program) for program in sorted(tools.PACKAGES)}
