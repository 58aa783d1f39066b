"""What all kinds of project share: the request, the rendering of templates, the writing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.c.templates import environment, template_root
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.frontend.arrays import Int8Array
from asc_tiny.projects.manifest_writer import BOARD_FILE, MANIFEST, manifest
from asc_tiny.resample.design import Resampler
from asc_tiny.util import locks
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing_folder, write_bytes

Files = dict[str, str | bytes]
"""Path inside the project to contents; text is written as UTF-8."""


class BoardLike(Protocol):
    """What projects need of a board; see ``boards.catalog.Board``."""

    @property
    def name(self) -> str:
        """Name as given to ``--board``."""

    @property
    def design(self) -> str:
        """Name of the board of this tool that it is or is built like, by which kinds know it."""

    @property
    def machine(self) -> str:
        """QEMU's machine name, empty for a native build."""

    @property
    def platform(self) -> str:
        """One of ``cmake.PLATFORM_FILES``; empty if there is no CMake project for it."""

    @property
    def clock_hz(self) -> int:
        """Clock of the core as the board's tools set it up, 0 for an emulated board."""

    @property
    def definition(self) -> str:
        """Text of the user's file that describes it, empty for a board of this tool."""

    @property
    def ram_bytes(self) -> int:
        """Size of the RAM."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What ``generate`` is asked for.

    Attributes:
        model: with front end, labels and decisions.
        board: to generate for.
        runtime: ``aot`` or ``tflm``.
        prefix: of all names in the C code.
        resampler: between the microphone's rate and the model's, None if they are the same.
        scores: of the self-test's clip, shape (labels,); None leaves them unchecked.
    """

    model: Classifier
    board: BoardLike
    runtime: str = "aot"
    prefix: str = "asc"
    resampler: Resampler | None = None
    scores: Int8Array | None = None

    @property
    def microphone_rate(self) -> Fraction:
        """Sample rate in Hz to record at."""
        if self.resampler is not None:
            return self.resampler.source_rate
        return Fraction(self.model.frontend.sample_rate)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of project.

    Attributes:
        name: as given to ``--project``.
        default_board: where none is given.
        check: raises AscError, in one line, for a board or a runtime that it does not serve.
        files: returns the project's files.
        is_folder: whether the project owns its folder and is written with a manifest; else the
            files are put beside what is there.
    """

    name: str
    default_board: str
    check: Callable[[BoardLike, str], None]
    files: Callable[[Request], Files]
    is_folder: bool = True


def check_board(kind: str, board: BoardLike, served: Iterable[str]) -> None:
    """Refuse a board that is not among those that a kind of project serves.

    Raises:
        AscError: with the names of those that are.
    """
    names = sorted(served)
    if board.design not in names:
        own = "; a board's own file says by `like` which of them it is built like"
        raise AscError(
            f"board {board.name}: --project {kind} is for {', '.join(names)}"
            f"{own if board.definition else ''}"
        )


def render(name: str, values: Mapping[str, object], prefix: str) -> str:
    """Return the text of a project's file, without the ending ``.j2`` of its template.

    Args:
        name: of a file under ``firmware_templates/projects``: a template if it ends in ``.j2``,
            which takes the prefix from ``values``; else C code whose names get the prefix.
        values: of the template.
        prefix: of all names in the C code.
    """
    if name.endswith(".j2"):
        return environment().get_template(f"projects/{name}").render(values)
    text = (template_root() / "projects" / name).read_text(encoding="utf-8")
    return rename_prefix(text, prefix)


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


def write(kind: Kind, request: Request, out: Path) -> None:
    """Write a project to the folder ``out``.

    Raises:
        AscError: the kind does not serve the board or the runtime; ``out`` holds something else
            than a generated project, or cannot be written.
    """
    kind.check(request.board, request.runtime)
    if not kind.is_folder:
        files = kind.files(request)
        with locks.exclusive(out):
            _write_files(files, out)
        return
    check_folder(out)
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise AscError(f"{out}: is not empty and holds no generated project; give another folder")
    files = kind.files(request)
    if request.board.definition:
        files[BOARD_FILE] = request.board.definition
    files[MANIFEST] = manifest(
        request.model,
        kind=kind.name,
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
