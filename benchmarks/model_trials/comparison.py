"""Comparisons of a compiled network with TensorFlow Lite Micro's kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asc_tiny import api
from asc_tiny.boards import catalog
from asc_tiny.conformance.samples import samples
from asc_tiny.conformance.verification import NetworkVerification, compare_on_board
from asc_tiny.firmware.network.compiled import DEFAULT
from asc_tiny.model.model_file import load
from asc_tiny.tflm.isolated import TflmProcess

CORE = "mps2-an386"
"""Board of the emulated Cortex-M4."""


def check_reference(path: Path) -> None:
    """Check that TensorFlow Lite Micro runs a file.

    Raises:
        AscError: it does not.
    """
    with TflmProcess() as process:
        interpreter = process.load(path.read_bytes(), path)
        interpreter.run([np.zeros(each.shape, each.dtype) for each in interpreter.inputs])


def on_this_computer(path: Path) -> NetworkVerification:
    """Compare the C code, under sanitizers, on extreme and random inputs and those beside the file.

    Args:
        path: the file; inputs of the same name that end in ``.npy`` or ``.npz`` are run, too.

    Raises:
        AscError: the comparison cannot be made.
    """
    beside = [path.with_suffix(suffix) for suffix in (".npy", ".npz")]
    return api.verify_model(path, inputs=[each for each in beside if each.is_file()])


def in_words(found: NetworkVerification) -> str:
    """Return what differs, in one line; empty if nothing does."""
    parts = [found.fault] if found.fault else []
    if found.differences:
        first = found.differences[0]
        parts.append(
            f"{len(found.differences)} outputs on {len(found.samples)} inputs, first output "
            f"{first.output} of {first.sample}: {first.elements:,} of {first.size:,} elements"
        )
    if found.first_layer:
        parts.append(f"first layer: {found.first_layer}")
    return "; ".join(parts)


def on_a_core(path: Path, count: int) -> tuple[str, int]:
    """Compare the C code on the emulated core, on the first inputs that are random.

    Args:
        path: the file.
        count: number of inputs.

    Returns:
        What differs, in one line, empty if nothing does; and the instructions of the costliest
        inference.

    Raises:
        AscError: the network does not fit the board, or a program is missing.
    """
    model = load(path)
    given = samples(model.graph, count)[-count:]
    differences, instructions = compare_on_board(model, DEFAULT, given, catalog.get(CORE))
    of = count * len(model.graph.outputs)
    return (f"{len(differences)} of {of} outputs" if differences else ""), instructions
