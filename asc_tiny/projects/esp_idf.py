"""``--project esp-idf``: a component, and an application that reads an I2S microphone."""

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


@dataclass(frozen=True, kw_only=True)
class EspIdfBoard:
    """What ESP-IDF is told of a board: its table ``[esp-idf]``.

    Attributes:
        target: ESP-IDF's name of the chip.
        cores: number of the chip's cores: with 2, the microphone's task has one of its own.
        bit_clock_pin, word_select_pin, data_pin: GPIOs of the microphone unless menuconfig changes
            them: SCK, WS and SD.
    """

    target: str = fields.matching(r"esp[a-z0-9]{1,29}", "a chip such as esp32c3")
    cores: int = fields.between(1, 2, default=2)
    bit_clock_pin: int = fields.between(0, 63, default=4)
    word_select_pin: int = fields.between(0, 63, default=5)
    data_pin: int = fields.between(0, 63, default=6)


TABLE = BoardTable("esp-idf", EspIdfBoard)

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

_NETWORK_COMPONENT = ("CMakeLists.txt.j2", "idf_component.yml.j2")
_NETWORK_PROJECT = (
    "CMakeLists.txt.j2",
    "main/CMakeLists.txt.j2",
    "main/idf_component.yml.j2",
    "sdkconfig.defaults.j2",
)


class EspIdfGenerator(ProjectGenerator):
    """A component and an application for boards with an ESP chip, with either runtime."""

    name = "esp-idf"
    default_board = "esp32c3_devkitm"
    templates = TEMPLATES / "esp_idf"
    image_patterns = ("build/{name}.bin",)
    tables = (TABLE,)
    listening = Application(66 * 1024, 188 * 1024)

    def files(self, request: GenerationRequest) -> Files:
        """Return the component and the application around it."""
        prefix = request.prefix
        library = microphone_app.sources(request)
        values: dict[str, object] = {
            **microphone_app.values(request),
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
            "board": TABLE.read(request.board),
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

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the component and an application that checks it."""
        prefix = request.prefix
        library = network_app.sources(request)
        values: dict[str, object] = {
            **network_app.values(request),
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
            "board": TABLE.read(request.board),
        }
        component = f"components/{prefix}"
        names = {f"{component}/{name}": f"component/{name}" for name in _NETWORK_COMPONENT}
        names |= {name: name for name in _NETWORK_PROJECT}
        names |= {"README.md": "network.md.j2", "main/main.c": "network/main.c"}
        return {
            **{f"{component}/{name}": text for name, text in library.items()},
            **{
                path.removesuffix(".j2"): self.render(name, values, prefix)
                for path, name in names.items()
            },
        }
