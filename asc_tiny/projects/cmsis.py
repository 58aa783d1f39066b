"""``--project cmsis``: a software layer, and a reference application that reads vStream audio."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    ProjectGenerator,
    check_board,
)


@dataclass(frozen=True)
class _Board:
    """What CMSIS-Toolbox calls a board.

    Attributes:
        target: name of the target type.
        board, device: as in the catalogue of packs.
        packs: that describe them.
        has_audio: whether board layers read a microphone; noise stands in for one else.
    """

    target: str
    board: str
    device: str
    packs: tuple[str, ...]
    has_audio: bool


BOARDS = {
    "disco_l475_iot1": _Board(
        "B-L475E-IOT01A",
        "STMicroelectronics::B-L475E-IOT01A",
        "STMicroelectronics::STM32L475VGTx",
        ("Keil::STM32L4xx_DFP",),
        has_audio=True,
    ),
    "mps3-an547": _Board(
        "SSE-300-FVP",
        "ARM::V2M-MPS3-SSE-300-FVP",
        "ARM::SSE-300-MPS3",
        ("ARM::V2M_MPS3_SSE_300_BSP",),
        has_audio=False,
    ),
}


class CmsisGenerator(ProjectGenerator):
    """A csolution for boards that packs describe, with either runtime."""

    name = "cmsis"
    default_board = "mps3-an547"
    templates = TEMPLATES / "cmsis"
    image_patterns = tuple(
        f"out/{{prefix}}_scenes/*/{build}/{{prefix}}_scenes.elf" for build in ("Release", "Debug")
    )

    def check(self, board: Board, runtime: str) -> None:
        """Check that packs describe the board."""
        check_board(self.name, board, BOARDS)

    def files(self, request: GenerationRequest) -> Files:
        """Return the solution, its application, and the library as a layer."""
        prefix, board = request.prefix, BOARDS[request.board.design]
        scenes = f"{prefix}_scenes"
        library = microphone_app.sources(request)
        names = {
            f"{prefix}/{prefix}.clayer.yml": "library/layer.clayer.yml.j2",
            f"{scenes}.csolution.yml": "scenes.csolution.yml.j2",
            f"{scenes}.cproject.yml": "scenes.cproject.yml.j2",
            "README.md": "README.md.j2",
            "src/app_main.c": "src/app_main.c.j2",
            "src/serial.c": "src/serial.c",
            "src/serial.h": "src/serial.h",
        }
        if not board.has_audio:
            names["synthetic/synthetic.clayer.yml"] = "synthetic/synthetic.clayer.yml.j2"
            names["synthetic/vstream_audio_in.c"] = "synthetic/vstream_audio_in.c"
        values: dict[str, object] = {
            **microphone_app.values(request),
            "board": board,
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        return {
            **{f"{prefix}/{name}": text for name, text in library.items()},
            **{path: self.render(name, values, prefix) for path, name in names.items()},
        }
