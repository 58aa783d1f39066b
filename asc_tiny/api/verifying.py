"""Anybody's network compiled, run under sanitizers, and compared with TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from asc_tiny.boards import catalog
from asc_tiny.compiler.options import MEDIUM, Options, default_io
from asc_tiny.conformance.samples import Sample
from asc_tiny.conformance.verification import NetworkVerification, verify_network
from asc_tiny.model.model_file import load
from asc_tiny.model.network_inputs import read_inputs


def verify_model(
    model: Path | str,
    *,
    inputs: Sequence[Path | str] = (),
    schedule: str | None = None,
    max_ram: int | None = None,
    optimize: str = "speed",
    effort: str = MEDIUM,
    io: str | None = None,
    board: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> NetworkVerification:
    """Compile a network, run it under sanitizers, and compare it with TensorFlow Lite Micro.

    The network runs on this computer, built with all warnings, AddressSanitizer and
    UndefinedBehaviorSanitizer, on extreme and random inputs and those that are given, one after the
    other as on a board, twice. Every bit of every output must be that of TensorFlow Lite Micro's
    reference kernels. If one differs, the first layer that does is looked for.

    Parameters
    ----------
    model
        A ``.tflite`` file; front end and labels in its metadata play no part.
    inputs
        Files of inputs to run besides: ``.npy`` for a network of one input, ``.npz`` for one of
        several; integers are codes, numbers with a fraction real values.
    schedule, max_ram, optimize, effort
        Options of the compiler, as for ``compile_network``.
    io
        ``"int8"`` for the code without conversions of the file's inputs and outputs, ``"as-is"``
        with them; None as ``generate`` has it.
    board
        Name of an emulated board to run the same inputs on; None for this computer alone.
    progress
        Called with the name of each step when it begins; None keeps quiet.

    Returns
    -------
    NetworkVerification
        ``passed``; arenas in bytes, number of stages and estimated instructions; what differs, and
        the first layer that does.

    Raises
    ------
    AscError
        The network cannot be compiled, TensorFlow Lite Micro does not run it, the inputs do not
        fit, or a compiler, an emulator or the package tflite-micro is missing.

    Examples
    --------
    >>> from asc_tiny import api
    >>> found = api.verify_model("models/mobilenet_esc10.tflite")
    >>> found.passed
    True
    >>> found.arena_bytes
    30256
    """
    network = load(Path(model))
    tensors = [network.graph.tensor(index) for index in network.graph.inputs]
    given = [
        Sample(f"{path} {number}", each)
        for path in map(Path, inputs)
        for number, each in enumerate(read_inputs(path, tensors))
    ]
    io = io or default_io(is_alone=network.is_alone)
    options = Options(schedule, max_ram, optimize, effort, io)
    target = catalog.get(board) if board is not None else None
    return verify_network(network, options, given, target, progress)
