"""What projects of a network alone share: their sources and the words of their files."""

from __future__ import annotations

from asc_tiny.projects import application
from asc_tiny.projects.generator import NetworkRequest

_APPLICATION = ("asc_check.c", "asc_check.h", "asc_cycles.h", "asc_number.h")


def sources(request: NetworkRequest) -> dict[str, str]:
    """Return the network with the application that checks it, file name to text."""
    return {**request.sources, **application.files(_APPLICATION, request.prefix, {})}


def values(request: NetworkRequest) -> dict[str, object]:
    """Return what the templates of all these projects print, by name.

    Beside what ``application.values`` has, ``inputs`` and ``outputs`` are the network's tensors.
    """
    return {
        **application.values(request, "network"),
        "inputs": request.model.inputs,
        "is_network": True,
        "outputs": request.model.outputs,
    }
