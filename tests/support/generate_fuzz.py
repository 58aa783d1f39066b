"""Mutated .tflite files for the network compiler: where they come from, and what must hold.

A file that the compiler refuses needs a reason in one line (``AscError``). The C of one that it
takes must compile without a warning, keep within its memory, have no undefined behaviour, and
compute what TensorFlow Lite Micro computes.
"""

from __future__ import annotations

import random
import re
import resource
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.supported import check_types
from asc_tiny.conformance.samples import samples
from asc_tiny.firmware.network import tflm
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError
from support.budget_fuzz import FindError, Mutator, deadline
from support.field_mutations import frozen, mutated
from support.graph_batch import (
    CompileError,
    NetworkCode,
    compiled_runtime,
    model_file,
    run_generated,
)
from support.network_models import inputs
from support.random_graphs import seeded
from support.random_int16 import mixed_graph
from support.tflm_worker import Failure, Worker

SECONDS = 10.0
"""What a file may take."""
MEMORY = 2**30
"""Bytes that a file may take more than the process has."""
SEEDS, SAMPLES = 1000, 6
TFLM_EVERY = 4
LARGE = 2**16
"""Elements of an input with which a network takes long under sanitisers."""
RUN_SECONDS = 60.0
"""What an interpreter may take on a busy machine."""
MOST_ARENA = 2**26
"""Bytes of an arena that is run; larger ones are compiled."""

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "layers": {"options": Options(schedule="layers")},
    "size": {"options": Options(optimize="size")},
    "time": {"options": Options(schedule="time")},
    "as-is": {"options": Options(io="as-is")},
}
"""Options of ``NetworkCode.of``; each case has one of them."""

EXCUSES: Mapping[str, str] = {
    r"Unsupported data type -?\d+ in tensor": "with a type of biases that int8 has not",
    r"Only int32_t are supported currently": "with places of 64 bits",
    # It stops at such numbers; C code gives them the root of 0.
    r"Node RSQRT \(number \d+\) failed to invoke": "with roots of numbers below 0",
}
"""What TensorFlow Lite Micro refuses and is compiled all the same: pattern to reason."""


@dataclass(frozen=True)
class Case:
    """A mutated file, and the options to compile it with."""

    number: int
    data: bytes
    options: str


@dataclass(frozen=True, eq=False)
class Accepted:
    """A case that became C."""

    case: Case
    model: ModelFile
    network: NetworkCode

    @property
    def samples(self) -> list[Sequence[np.ndarray]]:
        """Extreme and random inputs of each inference; of a single one if they are large."""
        ends = self.network.inputs
        if all(tensor.dtype == "INT8" for tensor in ends):
            made = list(zip(*(inputs(tensor.shape, SAMPLES) for tensor in ends), strict=True))
        else:
            made = [tuple(each.inputs) for each in samples(self.model.graph, SAMPLES // 2)]
        return list(made if sum(tensor.size for tensor in ends) <= LARGE else made[-1:])

    @property
    def has_own_ends(self) -> bool:
        """Whether the C code begins and ends with what the file does, not with codes inside."""
        graph = self.model.graph
        own = [graph.tensor(index).dtype for index in (*graph.inputs, *graph.outputs)]
        return own == [each.dtype for each in (*self.network.inputs, *self.network.outputs)]

    @property
    def is_beyond_32_bits(self) -> bool:
        """Whether a QUANTIZE may meet numbers beyond 32 bits in steps of its scale.

        TensorFlow Lite Micro's conversion of them is undefined: it saturates on Arm cores, as C
        code does everywhere, and gives the smallest integer on this computer.
        """
        graph = self.model.graph
        scales = [
            scale
            for operator in graph.operators
            if operator.name == "DEQUANTIZE"
            for scale in graph.tensor(operator.inputs[0]).scales
        ]
        steps = [
            scale
            for operator in graph.operators
            if operator.name == "QUANTIZE" and graph.tensor(operator.inputs[0]).dtype == "FLOAT32"
            for scale in graph.tensor(operator.outputs[0]).scales
        ]
        return bool(scales and steps) and max(scales) * 2**15 >= min(steps) * 2**31


class Cases:
    """The cases; each follows from its number."""

    def case(self, number: int) -> Case:
        """Return a case: mostly changed fields of a random graph, else changed bytes."""
        rng = random.Random(number)
        seed = rng.randrange(SEEDS)
        options = rng.choice(list(OPTIONS))
        if rng.random() < 0.15:
            data, _ = Mutator({"seed": self.data(seed)}).case(number)
        else:
            data = mutated(rng, self.frozen(seed), rng.choice((1, 1, 1, 1, 2, 2, 3)))
        return Case(number, data, options)

    @cache  # noqa: B019
    def data(self, seed: int) -> bytes:
        """Return an intact file."""
        return mixed_graph(seeded(seed))

    @cache  # noqa: B019
    def frozen(self, seed: int) -> bytes:
        """Return an intact file as ``mutated`` takes it."""
        return frozen(self.data(seed))


def accepted(case: Case) -> Accepted | None:
    """Compile a file to C; None if it is refused.

    Raises:
        FindError: a crash, a hang, or a message that is no line.
    """
    try:
        with deadline(SECONDS), _limited(MEMORY):
            model = model_file(case.data, "file.tflite")
            if case.number % TFLM_EVERY == 0:
                _check_tflm(model)
            network = NetworkCode.of(model, **OPTIONS[case.options])
    except AscError as error:
        _check_message(error)
        return None
    except Exception as error:
        raise FindError(f"{type(error).__name__}: {error}") from error
    return Accepted(case, model, network)


def _check_tflm(model: ModelFile) -> None:
    """Generate the same for TensorFlow Lite Micro, which may be refused."""
    try:
        check_types(model.graph)
        tflm.generate(model)
    except AscError as error:
        _check_message(error)


def _check_message(error: AscError) -> None:
    message = str(error)
    if "\n" in message or not message.startswith("file.tflite: ") or len(message) > 1000:
        raise FindError(f"a message that is no line: {message!r}") from error


@contextmanager
def _limited(more: int) -> Iterator[None]:
    """Raise MemoryError in what takes so many bytes more than there are."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    old = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, old)


def _first_difference(wanted: Sequence[np.ndarray], made: Sequence[np.ndarray]) -> str | None:
    """Return how the first output that differs does, None if none does."""
    for right, wrong in zip(wanted, made, strict=True):
        if right.tobytes() != wrong.tobytes():
            count = int(np.count_nonzero(right.ravel() != wrong.ravel()))
            return f"{count} codes differ: {right.ravel()[:8]}, not {wrong.ravel()[:8]}"
    return None


class Judge:
    """Compiles and runs what was accepted, many at once, and compares.

    Attributes:
        compared: how many had the results of TensorFlow Lite Micro.
        excused: how often each reason of ``EXCUSES`` was needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worker = Worker(RUN_SECONDS)
        self.compared = 0
        self.excused: Counter[str] = Counter()
        self.runtime = compiled_runtime()

    def finds(self, group: Sequence[Accepted]) -> Iterator[tuple[Case, str]]:
        """Yield the cases that do what must not happen, and what it is."""
        running = [each for each in group if each.network.arena_bytes <= MOST_ARENA]
        outputs: list[np.ndarray] = []
        failures: dict[int, str] = {}
        while running:
            try:
                outputs, failures = self.run(running)
                break
            except CompileError as error:
                wrong = [running[n] for n in sorted(error.networks)] or running
                yield from ((each.case, f"does not compile: {error}") for each in wrong)
                running = [each for each in running if each not in wrong]
        for number, (each, made) in enumerate(zip(running, outputs, strict=True)):
            reason = failures.get(number) or self.difference(each, made)
            if reason:
                yield each.case, reason

    def run(self, group: Sequence[Accepted]) -> tuple[list[np.ndarray], dict[int, str]]:
        """Return outputs, and what fails by number."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            networks, samples = [each.network for each in group], [each.samples for each in group]
            return run_generated(networks, samples, Path(folder) / "c", self.runtime)

    def difference(self, each: Accepted, outputs: Any) -> str | None:
        """Return what is wrong with the outputs of a case."""
        if not each.has_own_ends:
            self.excused["with conversions at the ends"] += 1
            return None
        made = [outputs] if isinstance(outputs, np.ndarray) else outputs
        wanted = self.worker.run(each.case.data, each.samples)
        if not isinstance(wanted, Failure) and _first_difference(wanted, made):
            # A file before may have damaged the interpreter's memory.
            self.worker.close()
            wanted = self.worker.run(each.case.data, each.samples)
        if isinstance(wanted, Failure):
            return self.excuse(wanted)
        found = _first_difference(wanted, made)
        if found and each.is_beyond_32_bits:
            self.excused["with numbers beyond 32 bits"] += 1
            return None
        self.compared += 1
        return found

    def excuse(self, failure: Failure) -> str | None:
        for pattern, reason in EXCUSES.items():
            if re.search(pattern, failure.reason):
                self.excused[reason] += 1
                return None
        return f"compiled, but TensorFlow Lite Micro {failure.reason}"

    def close(self) -> None:
        """End the worker."""
        self.worker.close()
