"""The kinds of project there are, imported when they are asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asc_tiny.projects.generator import ProjectGenerator

DEFAULT = "cmake"

_GENERATORS = {
    "arduino": "ArduinoGenerator",
    "cmake": "CMakeGenerator",
    "cmsis": "CmsisGenerator",
    "esp-idf": "EspIdfGenerator",
    "platformio": "PlatformioGenerator",
    "sources": "SourcesGenerator",
    "stm32cubeide": "Stm32CubeIdeGenerator",
    "zephyr": "ZephyrGenerator",
}
"""Classes by name; the modules beside this one have ``_`` in place of ``-``."""

NAMES = tuple(_GENERATORS)
"""As given to ``--project``."""


def get(name: str) -> ProjectGenerator:
    """Return the generator of the kind of that name, one of ``NAMES``."""
    module = importlib.import_module(f"asc_tiny.projects.{name.replace('-', '_')}")
    generator: ProjectGenerator = getattr(module, _GENERATORS[name])()
    return generator
