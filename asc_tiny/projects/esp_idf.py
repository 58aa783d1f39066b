"""``--project esp-idf``: a component, and an application that reads an I2S microphone."""

from __future__ import annotations

from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import BoardLike, Files, Kind, Request, check_board, render

TARGETS = {"esp32s3_devkitc": "esp32s3"}
"""Board to ESP-IDF's name of its chip."""

_COMPONENT = ("CMakeLists.txt", "Kconfig", "idf_component.yml")
_PROJECT = (
    "CMakeLists.txt",
    "README.md",
    "main/CMakeLists.txt",
    "main/Kconfig.projbuild",
    "main/idf_component.yml",
    "main/microphone.h",
    "sdkconfig.defaults",
)
_APPLICATION = ("main/main.c", "main/microphone.c", "main/serial.c", "main/serial.h")


def _check(board: BoardLike, runtime: str) -> None:
    """Serve boards with an ESP chip, with either runtime."""
    check_board("esp-idf", board, TARGETS)


def _files(request: Request) -> Files:
    prefix = request.prefix
    library = microphone_app.sources(request)
    values: dict[str, object] = {
        **microphone_app.values(request),
        "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        "target": TARGETS[request.board.design],
    }
    component = f"components/{prefix}"
    files: Files = {f"{component}/{name}": text for name, text in library.items()}
    for name in _COMPONENT:
        files[f"{component}/{name}"] = render(f"esp_idf/component/{name}.j2", values, prefix)
    for name in _PROJECT:
        files[name] = render(f"esp_idf/{name}.j2", values, prefix)
    for name in _APPLICATION:
        files[name] = render(f"esp_idf/{name}", values, prefix)
    return files


KIND = Kind(name="esp-idf", default_board="esp32s3_devkitc", check=_check, files=_files)
