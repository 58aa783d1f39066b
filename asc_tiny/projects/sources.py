"""``--project sources``: the library alone, to drop into a project."""

from __future__ import annotations

from asc_tiny.firmware.library import audio_sources, selftest_sources
from asc_tiny.projects.generator import (
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
)


class SourcesGenerator(ProjectGenerator):
    """The library, for every board and either runtime."""

    name = "sources"
    default_board = "mps2-an386"
    is_folder = False

    def files(self, request: GenerationRequest) -> Files:
        """Return the library's files, beside which others may lie."""
        return {
            **request.library.sources,
            **audio_sources(request.model, request.resampler, prefix=request.prefix),
            **selftest_sources(request.model, request.scores, prefix=request.prefix),
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the network's files, beside which others may lie."""
        return dict(request.sources)
