"""What the applications of a classifier and of a network alone share in all kinds of project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asc_tiny import __version__
from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.c.templates import banner, environment
from asc_tiny.projects.generator import GenerationRequest, NetworkRequest

_RUNTIME_NAMES = {"aot": "ahead-of-time kernels", "tflm": "TensorFlow Lite Micro"}
"""What runs the network, for people."""


def files(names: Sequence[str], prefix: str, printed: Mapping[str, object]) -> dict[str, str]:
    """Return files of ``firmware_templates/app``, file name to text.

    Args:
        names: names of the files or, with ``.j2``, of their templates.
        prefix: prefix of all names in the C code.
        printed: what the templates print, by name.
    """
    found = {}
    for name in names:
        text = environment().get_template(f"app/{name}").render(printed)
        found[rename_prefix(name.removesuffix(".j2"), prefix)] = rename_prefix(text, prefix)
    return found


def values(request: GenerationRequest | NetworkRequest, program: str) -> dict[str, object]:
    """Return what the templates of both applications print, by name.

    ``banner`` is the line that begins every file. ``board_title`` is a text of others: templates
    print it through a filter of ``firmware.c.escape``. ``clock_hz`` is the core's clock in Hz.

    Args:
        request: what the project is made of.
        program: what the program's name has behind the prefix.
    """
    board, model_file = request.board, request.model.model_file
    return {
        "banner": banner(model_file),
        "board_title": board.title or board.name,
        "clock_hz": board.clock_hz,
        "model_hash": model_file.sha256[:16],
        "name": f"{request.prefix}_{program}",
        "prefix": request.prefix,
        "runtime": request.runtime,
        "runtime_name": _RUNTIME_NAMES[request.runtime],
        "version": __version__,
    }
