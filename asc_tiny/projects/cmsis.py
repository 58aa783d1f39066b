"""``--project cmsis``: a software layer, and a reference application that reads vStream audio."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import BoardLike, Files, Kind, Request, check_board, render


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


def _check(board: BoardLike, runtime: str) -> None:
    """Serve boards that packs describe, with either runtime."""
    check_board("cmsis", board, BOARDS)


def _files(request: Request) -> Files:
    prefix, board = request.prefix, BOARDS[request.board.design]
    library = microphone_app.sources(request)
    values: dict[str, object] = {
        **microphone_app.values(request),
        "board": board,
        "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
    }
    scenes = f"{prefix}_scenes"
    files: Files = {f"{prefix}/{name}": text for name, text in library.items()}
    files[f"{prefix}/{prefix}.clayer.yml"] = _rendered("library/layer.clayer.yml", values, prefix)
    files[f"{scenes}.csolution.yml"] = _rendered("scenes.csolution.yml", values, prefix)
    files[f"{scenes}.cproject.yml"] = _rendered("scenes.cproject.yml", values, prefix)
    files["README.md"] = _rendered("README.md", values, prefix)
    files["src/app_main.c"] = microphone_app.application("cmsis/src/app_main.c.j2", values, prefix)
    for name in ("src/serial.c", "src/serial.h"):
        files[name] = render(f"cmsis/{name}", values, prefix)
    if not board.has_audio:
        files["synthetic/synthetic.clayer.yml"] = _rendered(
            "synthetic/synthetic.clayer.yml", values, prefix
        )
        name = "synthetic/vstream_audio_in.c"
        files[name] = render(f"cmsis/{name}", values, prefix)
    return files


def _rendered(name: str, values: dict[str, object], prefix: str) -> str:
    return render(f"cmsis/{name}.j2", values, prefix)


KIND = Kind(name="cmsis", default_board="mps3-an547", check=_check, files=_files)
