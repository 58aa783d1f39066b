"""The kinds of project there are, imported when they are asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asc_tiny.projects.generator import Kind

DEFAULT = "cmake"

NAMES = (
    "arduino",
    "cmake",
    "cmsis",
    "esp-idf",
    "platformio",
    "sources",
    "stm32cubeide",
    "zephyr",
)
"""As given to ``--project``; the modules beside this one have ``_`` in place of ``-``."""


def get(name: str) -> Kind:
    """Return the kind of that name, one of ``NAMES``."""
    module = importlib.import_module(f"asc_tiny.projects.{name.replace('-', '_')}")
    kind: Kind = module.KIND
    return kind
