"""Many compiled networks in one program of this computer, with every sanitizer.

The programs are the product's own (``asc_tiny.conformance``): each network runs in an arena of
exactly the planned size from ``malloc``, with its inputs and outputs in blocks of their own, so
that AddressSanitizer sees every access outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.boards import catalog
from asc_tiny.conformance import board as emulated
from asc_tiny.conformance import host
from asc_tiny.conformance.host import CompileError
from asc_tiny.conformance.programs import Inference, NetworkCode
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.files import sha256
from support import session_cache

__all__ = ["CompileError", "NetworkCode", "model_file", "run_all", "run_all_emulated"]

_PER_UNIT = 40

Samples = Sequence[np.ndarray | Inference]
"""Inputs of the inferences of a network: an array, or one for each of its inputs."""


def model_file(data: bytes, name: str) -> ModelFile:
    """Return the model of a file that is nowhere on disk."""
    return ModelFile(Path(name), sha256(data), data, parse_graph(data, source=name), None, None)


def run_all(
    models: Sequence[ModelFile],
    samples: Sequence[Samples],
    folder: Path,
    runtime: Path,
    options: Mapping[str, Any],
) -> list[Any]:
    """Compile all models with the same options, run each on its samples.

    Args:
        models, samples: each network and its inputs.
        folder: folder to build in.
        runtime: folder that ``compiled_runtime`` returned.
        options: the keyword ``options`` of ``NetworkCode.of``, or none.

    Returns:
        Output of every model, shape (samples, elements); a list of such of several outputs.
    """
    networks = [NetworkCode.of(model, **options) for model in models]
    outputs, failures = run_generated(networks, samples, folder, runtime)
    assert not failures, failures
    return outputs


def run_generated(
    networks: Sequence[NetworkCode], samples: Sequence[Samples], folder: Path, runtime: Path
) -> tuple[list[Any], dict[int, str]]:
    """Compile the C of several networks, run each on its samples.

    Returns:
        Outputs as from ``run_all``; what is wrong with those that fail, by their number.

    Raises:
        CompileError: one does not compile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs = host.run(networks, _inferences(samples), folder, runtime, per_unit=_PER_UNIT)
    outputs = [_stacked(each, run.outputs) for each, run in zip(networks, runs, strict=True)]
    return outputs, {number: run.fault for number, run in enumerate(runs) if run.fault}


def run_all_emulated(
    models: Sequence[ModelFile], samples: Sequence[Samples], folder: Path, board: str
) -> list[Any]:
    """Do the same on an emulated core, with bytes beside each arena that must not change."""
    networks = [NetworkCode.of(model) for model in models]
    image = folder / "image"
    image.mkdir(parents=True)
    target = catalog.get(board)
    runs = emulated.run(networks, _inferences(samples), image, target, per_unit=_PER_UNIT)
    return [_stacked(each, run.outputs) for each, run in zip(networks, runs, strict=True)]


def compiled_runtime() -> Path:
    """Return a folder with all kernels, which are compiled once in a run of the tests."""
    texts = [part for pair in sorted(runtime_sources("nn").items()) for part in pair]
    name = session_cache.key("runtime", *host.WARNINGS, *host.SANITIZERS, *texts)

    def make(folder: Path) -> None:
        folder.mkdir()
        host.compile_kernels(folder)

    return session_cache.entry(name, make)


def _inferences(samples: Sequence[Samples]) -> list[list[Inference]]:
    return [
        [[each] if isinstance(each, np.ndarray) else each for each in group] for group in samples
    ]


def _stacked(network: NetworkCode, outputs: Sequence[Sequence[np.ndarray]]) -> Any:
    found = [
        np.stack([each[number].ravel() for each in outputs])
        for number in range(len(network.outputs))
    ]
    return found[0] if len(found) == 1 else found
