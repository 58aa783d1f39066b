"""``--project stm32cubeide``: sources for a project of STM32CubeIDE, and its settings."""

from __future__ import annotations

from asc_tiny.projects import microphone_app, stm32l4
from asc_tiny.projects.generator import BoardLike, Files, Kind, Request, check_board, render


def _check(board: BoardLike, runtime: str) -> None:
    """Serve boards whose microphone a DFSDM reads, with either runtime."""
    check_board("stm32cubeide", board, stm32l4.BOARDS)


def _files(request: Request) -> Files:
    prefix = request.prefix
    readme = render("stm32cubeide/README.md.j2", stm32l4.values(request), prefix)
    return {
        **{f"{prefix}/{name}": text for name, text in microphone_app.sources(request).items()},
        **{f"App/{name}": text for name, text in stm32l4.application(request).items()},
        "README.md": readme,
    }


KIND = Kind(name="stm32cubeide", default_board="disco_l475_iot1", check=_check, files=_files)
