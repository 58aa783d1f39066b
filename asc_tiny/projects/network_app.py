"""What projects of a network alone share: their sources and the words of their files."""

from __future__ import annotations

from asc_tiny import __version__
from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.c.templates import banner, environment
from asc_tiny.projects.generator import NetworkRequest
from asc_tiny.projects.microphone_app import RUNTIME_NAMES

_APPLICATION = ("asc_check.c", "asc_check.h", "asc_cycles.h", "asc_number.h")


def sources(request: NetworkRequest) -> dict[str, str]:
    """Return the network with the application that checks it, file name to text."""
    prefix, files = request.prefix, request.sources
    for name in _APPLICATION:
        text = environment().get_template(f"app/{name}").render()
        files[rename_prefix(name, prefix)] = rename_prefix(text, prefix)
    return files


def values(request: NetworkRequest) -> dict[str, object]:
    """Return what the templates of all these projects print, by name, as ``microphone_app`` does.

    ``inputs`` and ``outputs`` are the network's tensors.
    """
    board = request.board
    return {
        "banner": banner(request.model.model_file),
        "board_title": board.title or board.name,
        "clock_hz": board.clock_hz,
        "inputs": request.model.inputs,
        "is_network": True,
        "model_hash": request.model.model_file.sha256[:16],
        "name": f"{request.prefix}_network",
        "outputs": request.model.outputs,
        "prefix": request.prefix,
        "runtime": request.runtime,
        "runtime_name": RUNTIME_NAMES[request.runtime],
        "version": __version__,
    }
