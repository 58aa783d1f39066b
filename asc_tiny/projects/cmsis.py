"""``--project cmsis``: a software layer, and a reference application that reads vStream audio."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.projects import microphone_app, network_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
)
from asc_tiny.util import fields

_ID = r"[A-Za-z0-9][A-Za-z0-9_.()/+-]{0,63}"
_VENDOR_ID = rf"{_ID}::{_ID}"


@dataclass(frozen=True, kw_only=True)
class CmsisBoard:
    """What CMSIS-Toolbox calls a board: its table ``[cmsis]``.

    Attributes:
        target: name of the target type.
        board, device: as in the catalog of packs, ``VENDOR::NAME``.
        packs: names of the packs that describe them, ``VENDOR::NAME`` and perhaps a version such
            as ``@1.2.0`` or ``@>=1.2.0``.
        has_audio: whether board layers read a microphone; noise stands in for one else.
    """

    target: str = fields.matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", "up to 32 letters, digits, _-")
    board: str = fields.matching(_VENDOR_ID, "VENDOR::NAME")
    device: str = fields.matching(_VENDOR_ID, "VENDOR::NAME")
    packs: tuple[str, ...] = fields.matching(
        _VENDOR_ID + r"(@(>=)?\d{1,9}\.\d{1,9}\.\d{1,9})?", "VENDOR::NAME or VENDOR::NAME@VERSION"
    )
    has_audio: bool


TABLE = BoardTable("cmsis", CmsisBoard)


class CmsisGenerator(ProjectGenerator):
    """A csolution for boards that packs describe, with either runtime."""

    name = "cmsis"
    default_board = "mps3-an547"
    templates = TEMPLATES / "cmsis"
    image_patterns = tuple(f"out/{{name}}/*/{build}/{{name}}.elf" for build in ("Release", "Debug"))
    tables = (TABLE,)
    listening = Application(13 * 1024, 12 * 1024)

    def files(self, request: GenerationRequest) -> Files:
        """Return the solution, its application, and the library as a layer."""
        prefix, board = request.prefix, TABLE.read(request.board)
        scenes = f"{prefix}_scenes"
        library = microphone_app.sources(request)
        names = {
            f"{prefix}/{prefix}.clayer.yml": "library/layer.clayer.yml.j2",
            f"{scenes}.csolution.yml": "scenes.csolution.yml.j2",
            f"{scenes}.cproject.yml": "scenes.cproject.yml.j2",
            "README.md": "README.md.j2",
            "src/app_main.c": "src/app_main.c.j2",
            "src/serial.c": "src/serial.c",
            "src/serial.h": "src/serial.h",
        }
        if not board.has_audio:
            names["synthetic/synthetic.clayer.yml"] = "synthetic/synthetic.clayer.yml.j2"
            names["synthetic/vstream_audio_in.c"] = "synthetic/vstream_audio_in.c"
        values: dict[str, object] = {
            **microphone_app.values(request),
            "board": board,
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        return {
            **{f"{prefix}/{name}": text for name, text in library.items()},
            **{path: self.render(name, values, prefix) for path, name in names.items()},
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the solution, an application that checks the network, and that as a layer."""
        prefix = request.prefix
        library = network_app.sources(request)
        values = {
            **network_app.values(request),
            "board": TABLE.read(request.board),
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        names = {
            f"{prefix}/{prefix}.clayer.yml": "library/layer.clayer.yml.j2",
            f"{values['name']}.csolution.yml": "scenes.csolution.yml.j2",
            f"{values['name']}.cproject.yml": "scenes.cproject.yml.j2",
            "README.md": "network.md.j2",
            "src/app_main.c": "network/app_main.c",
        }
        return {
            **{f"{prefix}/{name}": text for name, text in library.items()},
            **{path: self.render(name, values, prefix) for path, name in names.items()},
        }
