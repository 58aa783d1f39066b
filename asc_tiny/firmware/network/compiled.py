"""Emits a full int8 network as C: constants, stages, the order of their runs, an arena."""

from __future__ import annotations

import functools
from typing import Any

from asc_tiny.compiler.options import AS_IS, INT8_CODES, Options
from asc_tiny.compiler.pipeline import check_compiled, compile_graph
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.firmware.network import interface
from asc_tiny.firmware.network.c_values import values
from asc_tiny.model import classifier_network
from asc_tiny.model.model_file import ModelFile

KERNELS_VERSION = 9
"""Must equal ASC_KERNELS_VERSION in asc_kernels.h; the C compiler checks it."""

DEFAULT = Options()
"""As little memory as possible."""


def compile_network(model_file: ModelFile, options: Options = DEFAULT) -> Compiled:
    """Run all passes over a model; the latest results are kept.

    Raises:
        AscError: the model is not full int8, has an operator or option that is not supported, or
            does not fit the memory that the options allow.
    """
    # The cache would take a call without options for another one than a call with the default.
    return _compiled(model_file, options)


@functools.lru_cache(maxsize=8)
def _compiled(model_file: ModelFile, options: Options) -> Compiled:
    return compile_graph(model_file.graph, options)


def check_supported(model_file: ModelFile, options: Options = DEFAULT) -> None:
    """Check that a model becomes C, as far as that is known before it is compiled.

    Raises:
        AscError: it has an operator, a type or a size that is not supported.
    """
    check_compiled(model_file.graph, options)


def generate(
    model_file: ModelFile, fingerprints: Fingerprints | None = None, options: Options = DEFAULT
) -> dict[str, str]:
    """Return ``asc_net.h`` and ``asc_net.c``, file name to text.

    Args:
        model_file: the model.
        fingerprints: fingerprints of the classifier whose network it is, None for a network alone.
        options: the options of the compiler.

    Raises:
        AscError: the same as ``compile_network`` raises.
    """
    return emit(model_file, compile_network(model_file, options), fingerprints)


def emit(
    model_file: ModelFile, compiled: Compiled, fingerprints: Fingerprints | None = None
) -> dict[str, str]:
    """Return ``asc_net.h`` and ``asc_net.c`` of a network that is compiled, file name to text.

    Args:
        model_file: the model.
        compiled: the network that ``compile_network`` made of it.
        fingerprints: hashes of the classifier that it is the network of, None for none.
    """
    model_file = without_conversions(model_file, compiled.io)
    context: dict[str, Any] = {
        **values(model_file.graph, compiled.lowered, compiled.schedule, compiled.arena),
        "banner": banner(model_file),
        "hash": model_file.sha256,
        "fingerprints": fingerprints,
        "interface_version": interface.VERSION,
        "kernels_version": KERNELS_VERSION,
        "lines": value_lines,
        "title": "Network",
    }
    return render_files(context, "network/asc_net.h", "network/asc_net.c")


def without_conversions(model_file: ModelFile, io: str = INT8_CODES) -> ModelFile:
    """Return a model without conversions of its inputs and outputs from and to other types.

    Args:
        model_file: the model.
        io: as in ``Options``; with ``as-is`` the model stays the same.
    """
    if io == AS_IS:
        return model_file
    return classifier_network.without_conversions(model_file)
