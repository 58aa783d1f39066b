"""What projects that read a microphone share: their sources and how long they may be busy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from asc_tiny import __version__
from asc_tiny.codegen.library import (
    audio_sources,
    library_sources,
    protocol_sources,
    selftest_sources,
)
from asc_tiny.codegen.prefix import rename_prefix
from asc_tiny.codegen.projects.kind import Request
from asc_tiny.codegen.templates import banner, environment
from asc_tiny.complexity.artefact import Artefact
from asc_tiny.complexity.counting import work
from asc_tiny.complexity.ensemble import Model

BLOCK = 1024
"""Samples in a block, ``ASC_AUDIO_BLOCK``."""

CYCLES_PER_MAC = {"aot": 3.0, "tflm": 7.5}
"""On Cortex-M4, at the most: the released networks take 1.5 and 2.5 instructions per MAC compiled
ahead of time, 3.4 and 6.0 by TensorFlow Lite Micro with CMSIS-NN."""

_LISTEN = ("asc_cycles.h", "asc_line.c", "asc_line.h", "asc_listen.c.j2", "asc_listen.h")
_RAM_SHARE = 6
_RUNTIME_NAMES = {"aot": "ahead-of-time kernels", "tflm": "TensorFlow Lite Micro"}


@dataclass(frozen=True)
class Pace:
    """How many blocks of samples wait while a network runs.

    Attributes:
        blocks: ``ASC_AUDIO_BLOCKS``.
        inference_s: time for which they are enough, in seconds.
    """

    blocks: int
    inference_s: float


def pace(request: Request) -> Pace:
    """Return as many blocks as an inference takes, but at most a share of the board's RAM.

    An emulated board has no clock: its samples wait for it.
    """
    if not request.board.clock_hz:
        return Pace(2, 0.0)
    seconds = macs(request.model.artefact) * CYCLES_PER_MAC[request.runtime]
    seconds /= request.board.clock_hz
    rate = request.microphone_rate
    # One block is being filled, one may be almost full.
    wanted = 2 + math.ceil(Fraction(seconds) * rate / BLOCK)
    most = request.board.ram_bytes // _RAM_SHARE // (2 * BLOCK)
    blocks = max(2, min(wanted, most))
    return Pace(blocks, float((blocks - 2) * BLOCK / rate))


def macs(model: Model) -> int:
    """Return the multiply-accumulates of an inference."""
    members = [model] if isinstance(model, Artefact) else [m.artefact for m in model.members]
    graphs = [member.graph for member in members]
    return sum(work(graph, operator).macs for graph in graphs for operator in graph.operators)


def sources(request: Request) -> dict[str, str]:
    """Return the library with the path from a microphone's interrupt, file name to text."""
    prefix = request.prefix
    files = library_sources(request.model, runtime=request.runtime, prefix=prefix)
    files.update(audio_sources(request.model, request.resampler, prefix=prefix))
    files.update(selftest_sources(request.model, request.scores, prefix=prefix))
    files.update(protocol_sources(prefix=prefix))
    header = f"{prefix}_audio.h"
    name = f"{prefix.upper()}_AUDIO_BLOCKS"
    files[header] = files[header].replace(f"{name} 2u", f"{name} {pace(request).blocks}u")
    values = {
        "banner": banner(request.model.artefact),
        "resampler": request.resampler,
        "sample_bits": request.model.frontend.sample_bits,
    }
    for name in _LISTEN:
        text = environment().get_template(f"listen/{name}").render(values)
        files[rename_prefix(name.removesuffix(".j2"), prefix)] = rename_prefix(text, prefix)
    return files


def application(name: str, values: dict[str, object], prefix: str) -> str:
    """Return the text of a template of C or C++ code, whose names get the prefix."""
    text = environment().get_template(f"projects/{name}").render(values)
    return rename_prefix(text, prefix)


def values(request: Request) -> dict[str, object]:
    """Return what the templates of all these projects print."""
    model, waiting = request.model, pace(request)
    return {
        "banner": banner(model.artefact),
        "blocks": waiting.blocks,
        "clock_hz": request.board.clock_hz,
        "inference_ms": math.floor(1000 * waiting.inference_s),
        "labels": model.labels,
        "microphone_rate": round(request.microphone_rate),
        "model_hash": model.artefact.sha256[:16],
        "prefix": request.prefix,
        "resampler": request.resampler,
        "runtime": request.runtime,
        "runtime_name": _RUNTIME_NAMES[request.runtime],
        "sample_rate": model.frontend.sample_rate,
        "version": __version__,
    }
