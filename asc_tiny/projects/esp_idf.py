"""``--project esp-idf``: a component, and an application that reads an I2S microphone."""

from __future__ import annotations

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    ProjectGenerator,
    check_board,
)

TARGETS = {"esp32s3_devkitc": "esp32s3"}
"""Board to ESP-IDF's name of its chip."""

_COMPONENT = ("CMakeLists.txt.j2", "Kconfig.j2", "idf_component.yml.j2")
_PROJECT = (
    "CMakeLists.txt.j2",
    "README.md.j2",
    "main/CMakeLists.txt.j2",
    "main/Kconfig.projbuild.j2",
    "main/idf_component.yml.j2",
    "main/main.c",
    "main/microphone.c",
    "main/microphone.h.j2",
    "main/serial.c",
    "main/serial.h",
    "sdkconfig.defaults.j2",
)


class EspIdfGenerator(ProjectGenerator):
    """A component and an application for boards with an ESP chip, with either runtime."""

    name = "esp-idf"
    default_board = "esp32s3_devkitc"
    templates = TEMPLATES / "esp_idf"
    image_patterns = ("build/{prefix}_scenes.bin",)

    def check(self, board: Board, runtime: str) -> None:
        """Check that ESP-IDF builds for the board's chip."""
        check_board(self.name, board, TARGETS)

    def files(self, request: GenerationRequest) -> Files:
        """Return the component and the application around it."""
        prefix = request.prefix
        library = microphone_app.sources(request)
        values: dict[str, object] = {
            **microphone_app.values(request),
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
            "target": TARGETS[request.board.design],
        }
        component = f"components/{prefix}"
        names = {f"{component}/{name}": f"component/{name}" for name in _COMPONENT}
        names.update({name: name for name in _PROJECT})
        return {
            **{f"{component}/{name}": text for name, text in library.items()},
            **{
                path.removesuffix(".j2"): self.render(name, values, prefix)
                for path, name in names.items()
            },
        }
