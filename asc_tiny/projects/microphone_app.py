"""What projects that read a microphone share: their sources and how long they may be busy."""

from __future__ import annotations

import math

from asc_tiny.firmware.c.templates import banner
from asc_tiny.firmware.library import (
    audio_sources,
    protocol_sources,
    selftest_sources,
)
from asc_tiny.projects import application
from asc_tiny.projects.audio_buffering import Pace, pace
from asc_tiny.projects.generator import GenerationRequest

_LISTENER = ("asc_line.c", "asc_line.h", "asc_listen.c.j2", "asc_listen.h")
_CONSOLE = ("asc_console.c", "asc_console.h", "asc_cycles.h", "asc_number.h")


def sources(request: GenerationRequest) -> dict[str, str]:
    """Return ``listening_sources`` with what prints decisions, file name to text."""
    return {
        **listening_sources(request),
        **application.files(_CONSOLE, request.prefix, {}),
    }


def listening_sources(request: GenerationRequest) -> dict[str, str]:
    """Return the library with the path from a microphone's interrupt, file name to text."""
    prefix = request.prefix
    files = dict(request.library.sources)
    blocks = _pace(request).blocks
    files.update(audio_sources(request.model, request.resampler, prefix=prefix, blocks=blocks))
    files.update(selftest_sources(request.model, request.scores, prefix=prefix))
    files.update(protocol_sources(prefix=prefix))
    values = {
        "banner": banner(request.model.model_file),
        "resampler": request.resampler,
        "sample_bits": request.model.frontend.sample_bits,
    }
    return {**files, **application.files(_LISTENER, prefix, values)}


def _pace(request: GenerationRequest) -> Pace:
    library = request.library
    return pace(
        library.model,
        request.board,
        runtime=library.runtime,
        rate=request.microphone_rate,
        networks=library.networks,
    )


def values(request: GenerationRequest) -> dict[str, object]:
    """Return what the templates of all these projects print, by name.

    Beside what ``application.values`` has: ``labels`` are texts of others, which templates print
    through a filter of ``firmware.c.escape``. ``blocks`` is the number of blocks of samples that
    wait while the network runs, ``busy_ms`` the milliseconds for which they last, and
    ``microphone_rate`` the rate to record at, in Hz.
    """
    model, waiting = request.model, _pace(request)
    return {
        **application.values(request, "scenes"),
        "blocks": waiting.blocks,
        "busy_ms": math.floor(1000 * waiting.busy_s),
        "is_network": False,
        "labels": model.labels,
        "microphone_rate": round(request.microphone_rate),
        "resampler": request.resampler,
        "sample_rate": model.frontend.sample_rate,
    }
