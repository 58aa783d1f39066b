"""Mutated .tflite files for the budget gate: where they come from, and what must hold for them.

A file that the gate refuses needs a reason in one line (``AscError``). One that it measures must be
sound by the flatbuffers library, and cost what an independent count finds in it.
"""

from __future__ import annotations

import ctypes
import random
import signal
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import tflite

from asc_tiny.complexity.gate.formats import FORMATS, render
from asc_tiny.complexity.gate.gate import TOTAL, Subject, Verdict, check_limits
from asc_tiny.complexity.gate.limits import Limits
from asc_tiny.complexity.report import ModelComplexity, measure
from asc_tiny.model import model_file
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.errors import AscError
from support.paths import MODELS
from support.tflite_count import count
from support.tflite_files import File, convolutions

SECONDS = 5.0
"""Processor time that a file may take; the largest here takes a hundredth."""


class FindError(Exception):
    """What must not happen."""


def seeds() -> dict[str, bytes]:
    """Return the intact files: the released models, and small ones with all kinds of operators."""
    released = {path.stem: path.read_bytes() for path in sorted(MODELS.glob("*.tflite"))}
    return {
        **released,
        "convolutions": convolutions([4, 8], size=6),
        "branches": branches(),
        "products": products(),
        "recurrent": recurrent(),
        "conditional": conditional(),
        "constants": constants(),
        "variables": variables(),
    }


def branches() -> bytes:
    """Residual, split, concatenation, pools, depthwise and transposed convolutions, means."""
    file = File()
    window = {"padding": 1, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
    same = {"padding": 0, "stride_w": 1, "stride_h": 1}
    x = file.input(1, 8, 6, 4)
    y = file.conv(x, 4)
    x = file.add("ADD", [x, y], 1, 8, 6, 4)
    weights, bias = file.tensor(1, 3, 3, 8, full=True), file.tensor(8, dtype="INT32", full=True)
    x = file.add("DEPTHWISE_CONV_2D", [x, weights, bias], 1, 8, 6, 8, depth_multiplier=2, **same)
    left, right = file.add_several("SPLIT", [file.integers(3), x], [(1, 8, 6, 4)] * 2, num_splits=2)
    left = file.add("MAX_POOL_2D", [left], 1, 4, 3, 4, **window)
    right = file.add("AVERAGE_POOL_2D", [right], 1, 4, 3, 4, **window)
    x = file.add("CONCATENATION", [left, right], 1, 4, 3, 8, axis=3)
    x = file.add("PAD", [x, file.integers(0, 0, 1, 0, 0, 1, 0, 0)], 1, 5, 4, 8)
    weights = file.tensor(4, 2, 2, 8, full=True)
    out = file.integers(1, 10, 8, 4)
    strides = {"padding": 0, "stride_w": 2, "stride_h": 2}
    x = file.add("TRANSPOSE_CONV", [out, weights, x], 1, 10, 8, 4, **strides)
    x = file.add("RESIZE_NEAREST_NEIGHBOR", [x, file.integers(20, 16)], 1, 20, 16, 4)
    x = file.add("L2_POOL_2D", [x], 1, 10, 8, 4, **window)
    x = file.add("MEAN", [x, file.integers(1, 2)], 1, 4)
    x = file.add("FULLY_CONNECTED", [x, file.tensor(3, 4, full=True), -1], 1, 3)
    file.add("SOFTMAX", [x], 1, 3, beta=1.0)
    return file.data()


def products() -> bytes:
    """Matrix products and the operators around attention."""
    file = File()
    x = file.input(1, 6, 8)
    y = file.add("TRANSPOSE", [x, file.integers(0, 2, 1)], 1, 8, 6)
    z = file.add("BATCH_MATMUL", [x, y], 1, 6, 6, adj_x=False, adj_y=False)
    z = file.add("SOFTMAX", [z], 1, 6, 6, beta=0.5)
    x = file.add("BATCH_MATMUL", [z, x], 1, 6, 8, adj_x=False, adj_y=False)
    x = file.add("MUL", [x, file.tensor(8, full=True)], 1, 6, 8)
    x = file.add("RESHAPE", [x, file.integers(1, 48)], 1, 48)
    x = file.add("LOGISTIC", [x], 1, 48)
    x = file.add(
        "STRIDED_SLICE", [x, *(file.integers(*v) for v in ((0, 4), (1, 40), (1, 1)))], 1, 36
    )
    x = file.add("LEAKY_RELU", [x], 1, 36, alpha=0.1)
    weights, bias = file.tensor(5, 36, full=True), file.tensor(5, dtype="INT32", full=True)
    file.add("FULLY_CONNECTED", [x, weights, bias], 1, 5)
    return file.data()


def recurrent() -> bytes:
    """An LSTM and an SVDF."""
    file = File()
    x = file.input(1, 4, 3)
    matrices = [file.tensor(5, 3, full=True) for _ in range(4)]
    matrices += [file.tensor(5, 5, full=True) for _ in range(4)]
    biases = [file.tensor(5, dtype="INT32", full=True) for _ in range(4)]
    inputs = [x, *matrices, -1, -1, -1, *biases]
    x = file.add("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, 1, 4, 5, time_major=False)
    x = file.add("RESHAPE", [x, file.integers(1, 20)], 1, 20)
    weights = [file.tensor(6, 20, full=True), file.tensor(6, 7, full=True)]
    file.add("SVDF", [x, *weights, file.tensor(3, dtype="INT32", full=True)], 1, 3)
    return file.data()


def conditional() -> bytes:
    """An IF with a branch that costs and one that does not."""
    file, costly, cheap = File(), File(), File()
    x = costly.input(1, 6)
    costly.add("FULLY_CONNECTED", [x, costly.tensor(6, 6, full=True), -1], 1, 6)
    cheap.add("RELU", [cheap.input(1, 6)], 1, 6)
    condition, x = file.tensor(dtype="BOOL"), file.input(1, 6)
    file.inputs.insert(0, condition)
    branches = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    x = file.add("IF", [condition, x], 1, 6, **branches)
    file.add("RELU", [x], 1, 6)
    file.others = [costly, cheap]
    return file.data()


def constants() -> bytes:
    """Learnt values behind operators on constants, and constants that are none."""
    file = File()
    x = file.add("RELU6", [file.input(1, 6)], 1, 6)
    sixth = file.tensor(dtype="FLOAT32", content=struct.pack("<f", 1 / 6))
    x = file.add("MUL", [x, sixth], 1, 6)
    weights = file.tensor(6, 9, full=True)
    weights = file.add("TRANSPOSE", [weights, file.integers(1, 0)], 9, 6)
    x = file.add("FULLY_CONNECTED", [x, weights, -1], 1, 9)
    parts = [file.tensor(1, 2, full=True), file.tensor(1, 3, dtype="FLOAT32", full=True)]
    token = file.add("CONCATENATION", parts, 1, 5, axis=1)
    x = file.add("CONCATENATION", [x, token], 1, 14, axis=1)
    x = file.add("MAXIMUM", [x, file.tensor(14, full=True)], 1, 14)
    x = file.add("MINIMUM", [x, file.tensor(full=True)], 1, 14)
    sizes = [file.tensor(dtype="INT32", content=struct.pack("<i", size)) for size in (2, 7)]
    shape = file.tensor(2, dtype="INT32")
    file.operators.append(("PACK", sizes, [shape], {"values_count": 2}))
    x = file.add("RESHAPE", [x, shape], 2, 7)
    table = file.add("GATHER", [file.tensor(8, 7, full=True), file.integers(3, 5)], 2, 7)
    x = file.add("SQUARED_DIFFERENCE", [x, table], 2, 7)
    file.outputs = [x, file.tensor(4, full=True)]
    return file.data()


def variables() -> bytes:
    """Weights that an initialising subgraph assigns, and a subgraph that nothing calls."""
    initial, unused = File(), File()
    handle = initial.tensor(dtype="RESOURCE")
    initial.operators.append(("VAR_HANDLE", [], [handle], {}))
    weights = initial.add(
        "TRANSPOSE", [initial.tensor(5, 6, full=True), initial.integers(1, 0)], 6, 5
    )
    initial.operators.append(("ASSIGN_VARIABLE", [handle, weights], [], {}))
    initial.outputs = [handle]
    unused.add("MUL", [unused.input(1, 3), unused.tensor(3, full=True)], 1, 3)
    file = File()
    x, handle = file.input(1, 6), file.tensor(dtype="RESOURCE")
    file.operators.append(("CALL_ONCE", [], [], {"init_subgraph_index": 1}))
    file.operators.append(("VAR_HANDLE", [], [handle], {}))
    weights = file.add("READ_VARIABLE", [handle], 6, 5)
    x = file.add("BATCH_MATMUL", [x, weights], 1, 5, adj_x=False, adj_y=False)
    file.add("ADD", [x, file.tensor(5, full=True)], 1, 5)
    file.others = [initial, unused]
    return file.data()


class Mutator:
    """Mutates the intact files; the case's number says all that happens.

    Most mutations hit the structure: the weights make up most of a file, and hide nothing.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files = seeds() if files is None else dict(files)
        self.names = list(self.files)
        self.places = {name: _structure(data) for name, data in self.files.items()}

    def case(self, number: int) -> tuple[bytes, bool]:
        """Return the file of a case, and whether it is only cut off."""
        rng = random.Random(number)
        name = rng.choice(self.names)
        data = bytearray(self.files[name])
        if rng.random() < 0.1:
            return bytes(data[: self._cut(rng, len(data))]), True
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            mutation = rng.choice(_MUTATIONS)
            mutation(self, rng, name, data)
        return bytes(data), False

    def _cut(self, rng: random.Random, size: int) -> int:
        return rng.choice((rng.randrange(size), size - 1 - rng.randrange(min(size, 64))))

    def _place(self, rng: random.Random, name: str, data: bytearray, size: int) -> int:
        places = self.places[name]
        place = rng.choice(places) if rng.random() < 0.9 else rng.randrange(len(data))
        return max(0, min(place - place % size, len(data) - size))

    def _flip(self, rng: random.Random, name: str, data: bytearray) -> None:
        data[self._place(rng, name, data, 1)] ^= 1 << rng.randrange(8)

    def _byte(self, rng: random.Random, name: str, data: bytearray) -> None:
        data[self._place(rng, name, data, 1)] = rng.choice(
            (0, 1, 127, 128, 255, rng.randrange(256))
        )

    def _short(self, rng: random.Random, name: str, data: bytearray) -> None:
        value = rng.choice((0, 2, 4, 6, 8, 0xFFFF, 0x8000, rng.randrange(64)))
        struct.pack_into("<H", data, self._place(rng, name, data, 2), value)

    def _word(self, rng: random.Random, name: str, data: bytearray) -> None:
        place = self._place(rng, name, data, 4)
        (old,) = struct.unpack_from("<I", data, place)
        chosen = (
            0,
            1,
            2,
            0x7FFFFFFF,
            0x80000000,
            0xFFFFFFFF,
            0x01000000,
            len(data),
            len(data) // 4,
        )
        near = old + rng.choice((-8, -4, -1, 1, 4, 8))
        forward = rng.randrange(len(data)) - place
        backward = place - rng.randrange(len(data))
        value = rng.choice((*chosen, near, near, forward, backward, old * 2, rng.randrange(64)))
        struct.pack_into("<I", data, place, value & 0xFFFFFFFF)

    def _copy(self, rng: random.Random, name: str, data: bytearray) -> None:
        """Put a piece of this or another file over one of this."""
        other = self.files[rng.choice((name, name, rng.choice(self.names)))]
        size = min(4 * rng.choice((1, 1, 2, 4, 16, 64)), len(other) - 4, len(data) - 4)
        source = rng.randrange(len(other) - size) & ~3
        place = min(self._place(rng, name, data, 4), len(data) - size)
        data[place : place + size] = other[source : source + size]

    def _swap(self, rng: random.Random, name: str, data: bytearray) -> None:
        one, two = (self._place(rng, name, data, 4) for _ in range(2))
        data[one : one + 4], data[two : two + 4] = data[two : two + 4], data[one : one + 4]

    def _insert(self, rng: random.Random, name: str, data: bytearray) -> None:
        place = self._place(rng, name, data, 4)
        data[place:place] = bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 16))))

    def _remove(self, rng: random.Random, name: str, data: bytearray) -> None:
        place = self._place(rng, name, data, 4)
        if len(data) > 64:
            del data[place : place + rng.choice((1, 4, 16))]

    def _append(self, rng: random.Random, name: str, data: bytearray) -> None:
        data.extend(bytes(rng.randrange(256) for _ in range(rng.choice((1, 4, 64)))))


_MUTATIONS: tuple[Callable[[Mutator, random.Random, str, bytearray], None], ...] = (
    *(Mutator._flip, Mutator._byte, Mutator._short, Mutator._copy, Mutator._swap),
    *(Mutator._word, Mutator._word, Mutator._word),
    *(Mutator._insert, Mutator._remove, Mutator._append),
)


def _structure(data: bytes) -> list[int]:
    """Return the places of a file that are not contents of buffers."""
    model = tflite.Model.GetRootAs(data)
    inside = bytearray(len(data))
    for number in range(model.BuffersLength()):
        buffer = model.Buffers(number)
        if buffer.DataLength():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            inside[start : start + buffer.DataLength()] = b"\1" * buffer.DataLength()
    return [place for place, flag in enumerate(inside) if not flag]


def load_verifier(path: Path) -> Callable[[bytes], bool]:
    """Return the flatbuffers library's own verifier; see tools/fuzz_budget."""
    library = ctypes.CDLL(str(path))
    return lambda data: bool(library.verify(data, ctypes.c_ulong(len(data))))


def judge(
    data: bytes,
    *,
    cut: bool = False,
    verifier: Callable[[bytes], bool] | None = None,
    reports: bool = False,
) -> bool:
    """Measure a file and check what must hold; return whether it was accepted.

    Raises:
        FindError: a crash, a hang, or a file that is measured and must not be or costs otherwise.
    """
    try:
        with deadline(SECONDS):
            measured = measure(parse_graph(data, source="file.tflite"))
            if reports:
                _report(measured)
    except AscError as error:
        message = str(error)
        if "\n" in message or not message.startswith("file.tflite: "):
            raise FindError(f"a message that is no line: {message!r}") from error
        return False
    except Exception as error:
        raise FindError(f"{type(error).__name__}: {error}") from error
    if cut:
        raise FindError("a file that is cut off was measured")
    if verifier and not verifier(data):
        raise FindError("measured, but no sound flatbuffer")
    _compare(measured, data)
    return True


def judge_model_file(path: Path) -> None:
    """Read a file with its metadata, as for an ensemble.

    Raises:
        FindError: a crash or a hang.
    """
    try:
        with deadline(SECONDS):
            model_file.load(path)
    except AscError:
        pass
    except Exception as error:
        raise FindError(f"model file: {type(error).__name__}: {error}") from error


def _report(measured: ModelComplexity) -> None:
    models, limits = (measured,), Limits()
    checks = tuple(check_limits(Subject(TOTAL, models), limits))
    for name in FORMATS:
        render(name, Verdict("exact", models, limits, checks))


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what computes longer; on a busy machine waiting does not count."""

    def expired(*_: object) -> None:
        raise TimeoutError(f"more than {seconds:g} s")

    old = signal.signal(signal.SIGPROF, expired)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def _compare(measured: ModelComplexity, data: bytes) -> None:
    try:
        expected = count(data)
    except Exception as error:
        raise FindError(f"measured, but the tflite package fails: {error!r}") from error
    live = max(layer.activation_bytes for layer in measured.layers)
    found = {"macs": measured.macs, "params": measured.params, "live_bytes": live}
    found = {key: found[key] for key in expected}
    # A planner may leave gaps between activations, but cannot do with less.
    if found != expected or measured.peak_activation_bytes < live:
        raise FindError(f"measured {found}, an independent count gives {expected}")
