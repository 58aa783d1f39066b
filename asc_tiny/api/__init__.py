"""The face of the package: what programs call, some thirty names with their documentation.

    from asc_tiny import api

    verdict = api.check_budget(["model.tflite"])

A name is imported from its module when it is first used: a program that measures a model loads
neither TensorFlow nor an emulator's tools. Nothing else in the package is promised to stay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asc_tiny.api.generation import Generated as Generated
    from asc_tiny.api.generation import compile_network as compile_network
    from asc_tiny.api.generation import generate as generate
    from asc_tiny.api.measuring import check_budget as check_budget
    from asc_tiny.api.measuring import measure as measure
    from asc_tiny.api.measuring import write_baseline as write_baseline
    from asc_tiny.costs.estimates import estimate_costs as estimate_costs
    from asc_tiny.model.ensemble import load_model as load_model
    from asc_tiny.util.errors import AscError as AscError

_MODULES = {
    "AscError": "asc_tiny.util.errors",
    "Generated": "asc_tiny.api.generation",
    "check_budget": "asc_tiny.api.measuring",
    "compile_network": "asc_tiny.api.generation",
    "estimate_costs": "asc_tiny.costs.estimates",
    "generate": "asc_tiny.api.generation",
    "load_model": "asc_tiny.model.ensemble",
    "measure": "asc_tiny.api.measuring",
    "write_baseline": "asc_tiny.api.measuring",
}
"""Module of each name; the imports above tell type checkers the same."""

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
