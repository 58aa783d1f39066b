"""``--project sources``: the library alone, to drop into a project."""

from __future__ import annotations

from asc_tiny.firmware.library import audio_sources, library_sources, selftest_sources
from asc_tiny.projects.generator import BoardLike, Files, Kind, Request


def _check(board: BoardLike, runtime: str) -> None:
    """Serve every board and runtime."""


def _files(request: Request) -> Files:
    return {
        **library_sources(request.model, runtime=request.runtime, prefix=request.prefix),
        **audio_sources(request.model, request.resampler, prefix=request.prefix),
        **selftest_sources(request.model, request.scores, prefix=request.prefix),
    }


KIND = Kind(name="sources", default_board="mps2-an386", check=_check, files=_files, is_folder=False)
