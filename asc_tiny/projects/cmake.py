"""``--project cmake``: a bare-metal application for emulated boards and this computer."""

from __future__ import annotations

from collections.abc import Mapping

from asc_tiny.boards.catalog import Board
from asc_tiny.firmware.c.templates import banner, environment
from asc_tiny.firmware.golden import golden_files
from asc_tiny.firmware.library import protocol_sources, selftest_sources
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
)
from asc_tiny.projects.manifest_writer import model_files
from asc_tiny.util.errors import AscError

STACK_BYTES = 8192

_EMULATED = ("board.h.j2", "emulated.c", "emulated.h", "link.ld.j2", "toolchain.cmake.j2")
PLATFORM_FILES = {
    "host": ("host.c",),
    "cortex_m": ("cortex_m.c", *_EMULATED),
    "riscv": ("riscv.c", *_EMULATED),
}
"""What a board's kind of processor adds to a project."""

_TFLM_PLATFORMS = ("cortex_m", "host")


def platform_sources(board: Board, *, stack_bytes: int, runtime: str = "aot") -> dict[str, str]:
    """Return start-up code, board description and linker script for a program of any kind.

    Args:
        board: a board of a toolchain with a platform.
        stack_bytes: bytes of the stack.
        runtime: ``aot`` or ``tflm``.

    Returns:
        File name to text.
    """
    folder = TEMPLATES / "cmake"
    values = {"banner": "asc-tiny", "board": board, "runtime": runtime, "stack_bytes": stack_bytes}
    found = {"platform.h": (folder / "src" / "platform.h").read_text(encoding="utf-8")}
    for name in PLATFORM_FILES[board.platform]:
        text = (folder / "platform" / name).read_text(encoding="utf-8")
        if name.endswith(".j2"):
            text = environment().from_string(text).render(values)
        found[name.removesuffix(".j2")] = text
    return found


class CMakeGenerator(ProjectGenerator):
    """An application without an operating system, which ``asc-tiny build`` builds."""

    name = "cmake"
    default_board = "mps2-an386"
    templates = TEMPLATES / "cmake"
    image_patterns = ("build/firmware.elf",)
    listening = Application(8 * 1024, 16 * 1024)

    def check(self, board: Board, runtime: str) -> None:
        """Check that a toolchain builds for the board, and TensorFlow Lite Micro's for its core."""
        if not board.platform:
            raise AscError(
                f"board {board.name}: --project cmake is for emulated boards and the host; "
                f"give a --project that `asc-tiny boards {board.path or board.name}` lists"
            )
        if runtime == "tflm" and board.platform not in _TFLM_PLATFORMS:
            raise AscError(
                f"board {board.name}: --runtime tflm with --project cmake is for Cortex-M boards "
                "and the host; --project sources writes files for any"
            )

    def files(self, request: GenerationRequest) -> Files:
        """Return library, application, model and golden vectors."""
        model, prefix = request.model, request.prefix
        library = {
            **request.library.sources,
            **protocol_sources(prefix=prefix),
            **selftest_sources(model, request.scores, prefix=prefix),
        }
        names = {
            "README.md": "README.md.j2",
            **{f"src/{name}": f"src/{name}" for name in _SOURCES},
        }
        return {
            **self._project(request, library, names, {"labels": model.labels}),
            **golden_files(model.frontends),
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return library, application and model."""
        names = {
            "README.md": "network.md.j2",
            "src/main.c": "network/main.c",
            **{f"src/{name}": f"src/{name}" for name in _SHARED},
        }
        ends = {"inputs": request.model.inputs, "outputs": request.model.outputs}
        return self._project(request, request.sources, names, ends)

    def _project(
        self,
        request: GenerationRequest | NetworkRequest,
        library: Mapping[str, str],
        names: Mapping[str, str],
        printed: Mapping[str, object],
    ) -> Files:
        """Return a project of a library.

        Args:
            request: what the project is made of.
            library: the library's files.
            names: the template of each file of the application.
            printed: what the templates print besides.
        """
        model, prefix, runtime = request.model, request.prefix, request.runtime
        linked = ("tflm.cmake", "tflm_support.c") if runtime == "tflm" else ()
        platform = (*PLATFORM_FILES[request.board.platform], *linked)
        make = {"Makefile": "Makefile.j2"} if runtime == "aot" else {}
        templates = {
            "CMakeLists.txt": "CMakeLists.txt.j2",
            **make,
            **names,
            **{f"platform/{name.removesuffix('.j2')}": f"platform/{name}" for name in platform},
        }
        values = {
            "application_sources": [name for name in templates if name.endswith(".c")],
            "banner": banner(model.model_file),
            "board": request.board,
            "library_sources": sorted(
                f"{prefix}/{name}" for name in library if name.endswith((".c", ".cc"))
            ),
            "prefix": prefix,
            "runtime": runtime,
            "optimisation": "-Os" if model.options.optimize == "size" else "-O2",
            "stack_bytes": STACK_BYTES,
            **printed,
        }
        return {
            **{f"{prefix}/{name}": text for name, text in library.items()},
            **{path: self.render(name, values, prefix) for path, name in templates.items()},
            **model_files(model.model_file),
        }


_SHARED = ("platform.h", "print.h")
_SOURCES = ("main.c", *_SHARED, "serve.c", "serve.h")
"""What every application has, and what a classifier's is."""
