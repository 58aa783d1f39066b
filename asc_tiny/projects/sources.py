"""``--project sources``: the library alone, to drop into a project."""

from __future__ import annotations

from asc_tiny.boards.catalog import ARM, RISCV, Board
from asc_tiny.projects import microphone_app, network_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
)

_EXAMPLES = ("bare_metal", "freertos")
"""Applications in C that the README shows: as files, recursive builds would compile them."""


class SourcesGenerator(ProjectGenerator):
    """The library, for every board and either runtime."""

    name = "sources"
    default_board = "mps2-an386"
    templates = TEMPLATES / "sources"
    is_folder = False

    def files(self, request: GenerationRequest) -> Files:
        """Return the library's files, beside which others may lie."""
        prefix = request.prefix
        values = {
            **microphone_app.values(request),
            **{name: self.render(f"{name}.c", {}, prefix) for name in _EXAMPLES},
            "compiler": compiler(request.board),
        }
        return {
            **microphone_app.listening_sources(request),
            f"{prefix}_README.md": self.render("README.md.j2", values, prefix),
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the network's files, beside which others may lie."""
        prefix = request.prefix
        values = {**network_app.values(request), "compiler": compiler(request.board)}
        return {
            **request.sources,
            f"{prefix}_README.md": self.render("network.md.j2", values, prefix),
        }


def compiler(board: Board) -> str:
    """Return the start of a compiler's command line for a board's core."""
    return " ".join((board.toolchain.compiler or _usual_compiler(board), *board.core_flags))


def _usual_compiler(board: Board) -> str:
    """Return the name of the compiler for the core of a board that this tool does not build for."""
    if board.cpu:
        return ARM.compiler
    if any(flag.startswith("-march=rv") for flag in board.core_flags):
        return RISCV.compiler
    # Espressif's, the only others that have a kind of project.
    chip = board.flash.target if board.flash else ""
    return f"xtensa-{chip}-elf-gcc" if board.core.startswith("Xtensa") and chip else "cc"
