"""Kinds of project: what each brings, the rendering of its templates, the writing to disk."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import jinja2

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.c.templates import environment, template_root
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.firmware.library import Library, NetworkLibrary, golden_sources
from asc_tiny.frontend.arrays import Int8Array
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.projects.manifest_writer import BOARD_FILE, MANIFEST, manifest
from asc_tiny.resample.design import Resampler
from asc_tiny.util import locks
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing_folder, write_bytes

Files = dict[str, str | bytes]
"""Path inside the project to contents; text is written as UTF-8."""

TEMPLATES = template_root() / "projects"
"""Folder with a folder of templates for each kind of project of this tool."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What every project is made of.

    Attributes:
        library: the network or the classifier, compiled and rendered.
        board: the board that the project is for.
    """

    library: NetworkLibrary
    board: Board

    @property
    def runtime(self) -> str:
        """What runs the network: ``aot`` or ``tflm``."""
        return self.library.runtime

    @property
    def prefix(self) -> str:
        """Prefix of all names in the C code."""
        return self.library.prefix


@dataclass(frozen=True, kw_only=True)
class GenerationRequest(_Request):
    """What a project of a classifier is made of.

    Attributes:
        library: the classifier, compiled and rendered.
        board: the board that the project is for.
        resampler: resampler between the microphone's rate and the model's, None if they are the
            same.
        scores: scores of the self-test's clip, shape (labels,); None leaves them unchecked.
    """

    library: Library
    resampler: Resampler | None = None
    scores: Int8Array | None = None

    @property
    def model(self) -> Classifier:
        """The classifier, with front end, labels and decisions."""
        return self.library.model

    @property
    def microphone_rate(self) -> Fraction:
        """Sample rate in Hz to record at."""
        if self.resampler is not None:
            return self.resampler.source_rate
        return Fraction(self.model.frontend.sample_rate)


@dataclass(frozen=True, kw_only=True)
class NetworkRequest(_Request):
    """What a project of a network alone is made of.

    Attributes:
        library: the network, compiled and rendered.
        board: the board that the project is for.
        checksums: those of the outputs for each golden input; None leaves them unchecked.
    """

    checksums: tuple[int, ...] | None = None

    @property
    def model(self) -> FirmwareNetwork:
        """The network."""
        return self.library.model

    @property
    def sources(self) -> dict[str, str]:
        """The network with its golden inputs, file name to text."""
        golden = golden_sources(self.model, self.checksums, prefix=self.prefix)
        return {**self.library.sources, **golden}


@dataclass(frozen=True)
class ToolCommand:
    """A call of the tool that a kind of project is made for.

    Attributes:
        arguments: the program and its arguments; it runs in the project's folder.
        hint: how to get the program, for people who do not have it.
    """

    arguments: tuple[str, ...]
    hint: str


@dataclass(frozen=True)
class Application:
    """What a kind of project takes of a board beside the library.

    Attributes:
        ram_bytes: bytes of RAM of application, drivers and operating system, with all stacks.
        flash_bytes: bytes of flash of the same, with the parts of the C library that are linked.
    """

    ram_bytes: int
    flash_bytes: int


class ProjectGenerator(ABC):
    """A kind of project: its files, and how what its tool builds gets into a board.

    A subclass gives ``name``, ``default_board``, ``templates`` and ``files``; all else has a
    default. Without ``network_files`` it is for classifiers alone.

    Attributes:
        name: as given to ``--project``.
        default_board: name of the board that is generated for where none is given.
        templates: folder of the kind's templates and of files that are copied.
        tables: tables of a board's file that the kind reads; it serves the boards that have them.
        is_folder: whether the project owns its folder and is written with a manifest; else the
            files are put beside what is there.
        listening, network_alone: the most that programs take beside the library of a classifier,
            and beside a network, in the records of builds (docs/reference/builds.md); None
            where nobody has linked one by the kind's own system.
        image_patterns: where the kind's tool leaves the firmware's image, relative to the
            project's folder: patterns of ``Path.glob``, in which ``{prefix}``, ``{name}`` and
            ``{folder}`` stand for the prefix of C names, the name of the program (the prefix with
            ``_scenes`` or ``_network``) and that of the folder. The first that is there counts;
            none if the tool builds elsewhere or keeps no image.
    """

    name: ClassVar[str]
    default_board: ClassVar[str]
    templates: ClassVar[Path]
    tables: ClassVar[tuple[BoardTable[Any], ...]] = ()
    is_folder: ClassVar[bool] = True
    image_patterns: ClassVar[tuple[str, ...]] = ()
    listening: ClassVar[Application | None] = None
    network_alone: ClassVar[Application | None] = None

    @property
    def is_built_elsewhere(self) -> bool:
        """Whether nobody knows where the image will lie: ``asc-tiny flash`` has to be told."""
        return not self.image_patterns and type(self).flash is ProjectGenerator.flash

    def application(self, board: Board, is_classifier: bool) -> Application | None:
        """Return what a program takes beside its library, None where that was not measured.

        Args:
            board: a board that the kind serves.
            is_classifier: whether it listens to a microphone, or runs a network alone.
        """
        return self.listening if is_classifier else self.network_alone

    def check(self, board: Board, runtime: str) -> None:
        """Check that the kind serves a board with a runtime, ``aot`` or ``tflm``.

        Raises:
            AscError: it does not, one line says which it serves; or a value of the board's tables
                is not allowed.
        """
        for table in self.tables:
            if not table.is_of(board):
                raise self._not_served(board, table)
            table.read(board)

    def _not_served(self, board: Board, table: BoardTable[Any]) -> AscError:
        own = (
            f"; a board's own file has a table [{table.name}], or says by `like` which of them it "
            "is built like"
        )
        served = ", ".join(table.boards) or f"boards with a table [{table.name}]"
        return AscError(
            f"board {board.name}: --project {self.name} is for {served}"
            f"{own if board.definition else ''}"
        )

    @abstractmethod
    def files(self, request: GenerationRequest) -> Files:
        """Return the project's files, for a board and a runtime that ``check`` lets pass."""

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the files of a project of a network alone, as ``files`` does.

        Raises:
            AscError: the kind has no such project.
        """
        raise AscError(
            f"--project {self.name}: is for classifiers; give --frontend FILE.toml and --labels "
            "FILE, or --project sources for the network alone"
        )

    def flash(
        self, project: Manifest, *, probe: str | None, port: str | None
    ) -> ToolCommand | None:
        """Return how the kind's own tool flashes a project; None leaves it to the board's tool.

        Args:
            project: what ``generate`` wrote, its image built if the kind has ``image_patterns``.
            probe: id of the debug probe, where the user gives one.
            port: serial port of the board, where the user gives one.

        Raises:
            AscError: the tool needs a probe or a port that is not given, or another board.
        """
        return None

    def render(self, name: str, values: Mapping[str, object], prefix: str) -> str:
        """Return the text of a file in ``templates``; see the function ``render``."""
        return render(self.templates / name, values, prefix)


_CODE = (".c", ".cc", ".cpp", ".h", ".hpp", ".ino")


def render(path: Path, values: Mapping[str, object], prefix: str) -> str:
    """Return the text of a project's file.

    Args:
        path: a template of Jinja if it ends in ``.j2``; else a file that is copied.
        values: what a template prints, by name.
        prefix: prefix of all names in the C code: files in C and C++, templates too, are
            written with ``asc`` and get it.
    """
    if path.suffix == ".j2":
        text = _environment(path.parent).get_template(path.name).render(values)
    else:
        text = path.read_text(encoding="utf-8")
    is_code = path.name.removesuffix(".j2").endswith(_CODE)
    return rename_prefix(text, prefix) if is_code else text


@cache
def _environment(folder: Path) -> jinja2.Environment:
    return environment().overlay(loader=jinja2.FileSystemLoader([folder, TEMPLATES]))


_NOT_IN_FOLDERS = '";[]|' + ("" if os.sep == "\\" else "\\")
"""What CMake and Ninja do not build with in the path of a project."""


def check_folder(folder: Path) -> None:
    """Check that the programs that build projects can work in a folder.

    Raises:
        AscError: its path has a character that they cannot take.
    """
    path = str(folder.resolve())
    wrong = next((c for c in path if c in _NOT_IN_FOLDERS or ord(c) < 0x20), None)
    if wrong is not None:
        raise AscError(
            f"{folder}: CMake cannot build in a folder with {wrong!r} in its path; "
            "choose another folder"
        )


def check(generator: ProjectGenerator, board: Board, runtime: str, out: Path) -> None:
    """Check all that can be checked before a network is compiled.

    Raises:
        AscError: the kind does not serve the board or the runtime, or ``out`` holds something
            else than a generated project.
    """
    generator.check(board, runtime)
    if not generator.is_folder:
        return
    check_folder(out)
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise AscError(f"{out}: is not empty and holds no generated project; give another folder")


def write(
    generator: ProjectGenerator, request: GenerationRequest | NetworkRequest, out: Path
) -> None:
    """Write a project to the folder ``out``.

    Raises:
        AscError: the kind does not serve the board or the runtime; ``out`` holds something else
            than a generated project, or cannot be written.
    """
    check(generator, request.board, request.runtime, out)
    if isinstance(request, NetworkRequest):
        files = generator.network_files(request)
    else:
        files = generator.files(request)
    if not generator.is_folder:
        with locks.exclusive(out):
            _write_files(files, out)
        return
    if request.board.definition:
        files[BOARD_FILE] = request.board.definition
    files[MANIFEST] = manifest(
        request.model,
        kind=generator.name,
        runtime=request.runtime,
        board=request.board.name,
        prefix=request.prefix,
    )
    with replacing_folder(out) as folder:
        _write_files(files, folder)


def _write_files(files: Files, folder: Path) -> None:
    for name, content in files.items():
        data = content.encode("utf-8") if isinstance(content, str) else content
        write_bytes(folder / name, data)
