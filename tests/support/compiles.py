"""Which models the compiler takes."""

from __future__ import annotations

from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError


def compiles(model: ModelFile) -> bool:
    try:
        compiled.compile_network(model)
    except AscError:
        return False
    return True
