"""Data movements: which of them vanish, and TensorFlow Lite Micro's results without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.compiler import pipeline
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.passes.data_movement import simplify_movements
from asc_tiny.compiler.passes.float_islands import without_float_islands
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile

pytest.importorskip("tflite_micro")

from support.chain import SCALE, ZERO, Chain, check
from support.emulated import EmulatedNetwork
from support.graph_batch import compiled_runtime, run_all
from support.network_models import TflmNetwork, inputs
from support.tflite_builder import Value

POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
LINEAR = {"fusedActivationFunction": "NONE"}


class Moves(Chain):
    """A chain that begins with a convolution, whose result has the shape 1x7x6x8."""

    def __init__(self, shape: tuple[int, ...] = (1, 7, 6, 3), filters: int = 8) -> None:
        super().__init__(shape=shape)
        self.conv({}, filters=filters)

    def numbers(self, *values: int) -> Value:
        return self.builder.constant(np.array(values, np.int32))

    def transpose(self, *order: int) -> Moves:
        shape = tuple(self.x.shape[axis] for axis in order)
        return self.moved("TRANSPOSE", [self.numbers(*order)], shape)

    def slice(self, begin: tuple[int, ...], size: tuple[int, ...]) -> Moves:
        return self.moved("SLICE", [self.numbers(*begin), self.numbers(*size)], size)

    def strided(self, *bounds: tuple[int, int, int], shrink: int = 0) -> Moves:
        places = [range(*each) for each in bounds]
        shape = tuple(len(each) for n, each in enumerate(places) if not shrink >> n & 1)
        constants = [self.numbers(*each) for each in zip(*bounds, strict=True)]
        masks = {"beginMask": 0, "endMask": 0, "shrinkAxisMask": shrink}
        return self.moved("STRIDED_SLICE", constants, shape, **masks)

    def padded(self, value: int, *amounts: tuple[int, int]) -> Moves:
        """Fill with any code."""
        shape = tuple(np.array(self.x.shape) + np.sum(amounts, axis=1))
        code = self.builder.constant(np.array(value, np.int8), [SCALE], [ZERO])
        padded = self.builder.constant(np.array(amounts, np.int32))
        return self.moved("PADV2", [padded, code], shape)

    def quantize(self, scale: float = SCALE, zero_point: int = ZERO) -> Moves:
        y = self.builder.activation(self.x.shape, scale, zero_point)
        return self.of("QUANTIZE", [self.x], y)

    def resized(self, name: str, *size: int, **options: Any) -> Moves:
        shape = (1, *size, self.x.shape[3])
        return self.moved(name, [self.numbers(*size)], shape, **options)

    def tiled(self, *times: int) -> Moves:
        shape = tuple(int(size) for size in np.multiply(self.x.shape, times))
        return self.moved("TILE", [self.numbers(*times)], shape)

    def upsampled(self, rows: int, columns: int) -> Moves:
        """Repeat pixels as Keras does."""
        _, height, width, channels = self.x.shape
        self.reshape(1, height, 1, width, channels).tiled(1, 1, rows, 1, 1)
        height *= rows
        self.reshape(1, height, width, 1, channels).tiled(1, 1, 1, columns, 1)
        return self.reshape(1, height, width * columns, channels)

    def split(self, axis: int, count: int) -> list[Value]:
        size = self.x.shape[axis] // count
        shape = (*self.x.shape[:axis], size, *self.x.shape[axis + 1 :])
        parts = [self.activation(shape) for _ in range(count)]
        inputs = [self.numbers(axis), self.x]
        self.builder.operator("SPLIT", inputs, parts, numSplits=count)
        return parts

    def unpack(self, axis: int) -> list[Value]:
        shape = (*self.x.shape[:axis], *self.x.shape[axis + 1 :])
        parts = [self.activation(shape) for _ in range(self.x.shape[axis])]
        self.builder.operator("UNPACK", [self.x], parts, num=len(parts), axis=axis)
        return parts

    def joined(self, parts: list[Value], axis: int) -> Moves:
        size = sum(part.shape[axis] for part in parts)
        shape = (*parts[0].shape[:axis], size, *parts[0].shape[axis + 1 :])
        return self.of("CONCATENATION", parts, self.activation(shape), axis=axis)

    def packed(self, parts: list[Value], axis: int) -> Moves:
        shape = (*parts[0].shape[:axis], len(parts), *parts[0].shape[axis:])
        y = self.activation(shape)
        return self.of("PACK", parts, y, valuesCount=len(parts), axis=axis)

    def of(self, name: str, operands: list[Value], y: Value, **options: Any) -> Moves:
        self.builder.operator(name, operands, [y], **options)
        self.x = y
        return self

    def activation(self, shape: tuple[int, ...]) -> Value:
        return self.builder.activation(shape, SCALE, ZERO)

    def moved(self, name: str, operands: list[Any], shape: tuple[int, ...], **more: Any) -> Moves:
        self.add(name, operands, shape, **more)
        return self

    def end(self, filters: int = 5) -> ModelFile:
        """Let a convolution read the result, or a dense layer what is no image."""
        is_image = len(self.x.shape) == 4 and self.x.shape[0] == 1
        return (self.conv({}, filters=filters) if is_image else self.dense()).model()


def same() -> list[tuple[int, int, int]]:
    return [(0, 1, 1), (0, 7, 1), (0, 6, 1), (0, 8, 1)]


def two_readers() -> ModelFile:
    chain = Moves().transpose(0, 2, 1, 3)
    turned = chain.x
    chain.transpose(0, 2, 1, 3).conv({}, filters=8)
    chain.transpose(0, 2, 1, 3)
    return chain.plus(turned).model()


def round_trip(scale: float) -> ModelFile:
    """From codes to numbers, and back."""
    chain = Moves()
    numbers = chain.builder.activation(chain.x.shape, 0.0, 0, "FLOAT32")
    return chain.of("DEQUANTIZE", [chain.x], numbers).quantize(scale).end()


def halves(*order: int) -> ModelFile:
    chain = Moves()
    parts = chain.split(3, 2)
    return chain.joined([parts[number] for number in order], 3).end()


def unpacked(axis: int, step: int = 1) -> ModelFile:
    chain = Moves((1, 6, 6, 3))
    return chain.packed(chain.unpack(1)[::step], axis).end()


def branches() -> ModelFile:
    """Two kinds of pooling that each have a PAD of their own."""
    chain = Moves()
    source = chain.x
    first = chain.pad((1, 1), (1, 1)).pool("AVERAGE_POOL_2D", **LINEAR).x
    chain.x = source
    return chain.pad((1, 1), (1, 1)).pool(**LINEAR).plus(first).model()


def of_one(join: Callable[..., Moves]) -> ModelFile:
    chain = Moves()
    return join(chain, [chain.x], 1).reshape(1, 7, 6, 8).end()


NOTHING: list[str] = []
CASES: dict[str, tuple[Callable[[], ModelFile], list[str]]] = {
    "PAD by 0": (lambda: Moves().pad((0, 0), (0, 0)).end(), NOTHING),
    "PADV2 by 0": (lambda: Moves().padded(9, *[(0, 0)] * 4).end(), NOTHING),
    "QUANTIZE": (lambda: Moves().quantize().end(), NOTHING),
    "DEQUANTIZE and QUANTIZE": (lambda: round_trip(SCALE), NOTHING),
    "DEQUANTIZE and other QUANTIZE": (lambda: round_trip(SCALE / 2), ["QUANTIZE"]),
    "RESHAPE": (lambda: Moves().reshape(1, 7, 6, 8).end(), NOTHING),
    "two of RESHAPE": (lambda: Moves().reshape(1, 42, 8).reshape(336).end(), ["RESHAPE"]),
    "RESHAPE and back": (lambda: Moves().reshape(1, 42, 8).reshape(1, 7, 6, 8).end(), NOTHING),
    "SLICE": (lambda: Moves().slice((0, 0, 0, 0), (1, 7, 6, 8)).end(), NOTHING),
    "STRIDED_SLICE": (
        lambda: Moves().strided((0, 1, 1), (0, 7, 1), (0, 6, 1), (0, 8, 1)).end(),
        NOTHING,
    ),
    "two of SLICE": (
        lambda: Moves().slice((0, 1, 0, 2), (1, 6, 5, 6)).slice((0, 1, 2, 1), (1, 4, 3, 2)).end(),
        ["STRIDED_SLICE"],
    ),
    "steps of steps": (
        lambda: (
            Moves()
            .strided((0, 1, 1), (1, 7, 2), (0, 6, 1), (1, 8, 3))
            .strided((0, 1, 1), (0, 3, 2), (1, 6, 2), (1, 3, 1))
            .end()
        ),
        ["STRIDED_SLICE"],
    ),
    "TRANSPOSE": (lambda: Moves().transpose(0, 1, 2, 3).end(), NOTHING),
    "two of TRANSPOSE": (
        lambda: Moves().transpose(0, 3, 1, 2).transpose(0, 1, 3, 2).end(),
        ["TRANSPOSE"],
    ),
    "TRANSPOSE and back": (
        lambda: Moves().transpose(0, 3, 1, 2).transpose(0, 2, 3, 1).end(),
        NOTHING,
    ),
    "TRANSPOSE in other shapes": (
        lambda: (
            Moves()
            .reshape(1, 42, 8)
            .transpose(0, 2, 1)
            .reshape(8, 42)
            .transpose(1, 0)
            .reshape(1, 7, 6, 8)
            .end()
        ),
        NOTHING,
    ),
    "TRANSPOSE of 1": (
        lambda: Moves((1, 1, 6, 3)).transpose(0, 2, 1, 3).reshape(1, 1, 6, 8).end(),
        NOTHING,
    ),
    "two of PAD": (
        lambda: Moves().pad((1, 0), (2, 1)).pad((0, 3), (1, 1), (1, 0)).end(),
        ["PAD"],
    ),
    "two of PADV2": (
        lambda: Moves().padded(7, *[(0, 1)] * 4).padded(7, *[(1, 0)] * 4).reshape(1, 2160).end(),
        ["PADV2", "RESHAPE"],
    ),
    "PADV2 with the zero point": (
        lambda: Moves().pad((1, 0), (0, 0)).padded(ZERO, (0, 0), (0, 0), (1, 2), (0, 1)).end(),
        ["PAD"],
    ),
    "PAD and SLICE": (
        lambda: Moves().pad((1, 2), (2, 0)).slice((0, 1, 2, 0), (1, 7, 6, 8)).end(),
        NOTHING,
    ),
    "SLICE of a PAD": (
        lambda: Moves().pad((1, 2), (2, 0)).slice((0, 0, 1, 0), (1, 9, 7, 8)).end(),
        ["PAD"],
    ),
    "nearest": (lambda: Moves().resized("RESIZE_NEAREST_NEIGHBOR", 7, 6).end(), NOTHING),
    "nearest corners": (
        lambda: Moves().resized("RESIZE_NEAREST_NEIGHBOR", 7, 6, alignCorners=True).end(),
        NOTHING,
    ),
    "bilinear": (lambda: Moves().resized("RESIZE_BILINEAR", 7, 6).end(), NOTHING),
    "bilinear corners": (
        lambda: Moves().resized("RESIZE_BILINEAR", 7, 6, alignCorners=True).end(),
        NOTHING,
    ),
    "bilinear centers": (
        lambda: Moves().resized("RESIZE_BILINEAR", 7, 6, halfPixelCenters=True).end(),
        NOTHING,
    ),
    "upsampled": (lambda: Moves().upsampled(2, 2).end(), ["RESIZE_NEAREST_NEIGHBOR"]),
    "upsampled twice": (
        lambda: Moves((1, 3, 2, 3)).upsampled(3, 2).upsampled(2, 4).end(),
        ["RESIZE_NEAREST_NEIGHBOR"],
    ),
    "TILE of 1": (lambda: Moves().tiled(1, 1, 1, 1).end(), NOTHING),
    "CONCATENATION of one": (lambda: of_one(Moves.joined), NOTHING),
    "PACK of one": (lambda: of_one(Moves.packed), NOTHING),
    "SPLIT and CONCATENATION": (lambda: halves(0, 1), NOTHING),
    "UNPACK and PACK": (lambda: unpacked(1), NOTHING),
    "UNPACK and PACK elsewhere": (lambda: unpacked(2), ["TRANSPOSE"]),
    "identical PADs": (branches, ["PAD"]),
    "TRANSPOSE and back for one of two": (two_readers, ["TRANSPOSE", "TRANSPOSE"]),
    # What no single operator does stays.
    "other QUANTIZE": (lambda: Moves().quantize(SCALE * 1.01).end(), ["QUANTIZE"]),
    "other zero point": (lambda: Moves().quantize(SCALE, ZERO + 1).end(), ["QUANTIZE"]),
    "halves change places": (lambda: halves(1, 0), ["SPLIT", "CONCATENATION"]),
    "places change": (lambda: unpacked(1, -1), ["UNPACK", "PACK"]),
    "PADs of other codes": (
        lambda: Moves().padded(7, *[(0, 1)] * 4).padded(8, *[(1, 0)] * 4).reshape(1, 2160).end(),
        ["PADV2", "PADV2", "RESHAPE"],
    ),
    "PAD of a SLICE": (
        lambda: Moves().slice((0, 1, 2, 0), (1, 6, 4, 8)).pad((1, 2), (2, 0)).end(),
        ["SLICE", "PAD"],
    ),
    "TRANSPOSE of a SLICE": (
        lambda: Moves().slice((0, 1, 2, 0), (1, 6, 4, 8)).transpose(0, 2, 1, 3).end(),
        ["SLICE", "TRANSPOSE"],
    ),
    "image beside itself": (lambda: Moves().tiled(1, 1, 2, 1).end(), ["TILE"]),
    "backwards": (
        lambda: Moves().strided((0, 1, 1), (0, 7, 1), (5, 0, -1), (0, 8, 1)).end(),
        ["STRIDED_SLICE"],
    ),
    "output": (lambda: Moves().transpose(0, 1, 2, 3).model(), ["RESHAPE"]),
    "output of three": (
        lambda: Moves().transpose(0, 3, 1, 2).transpose(0, 2, 3, 1).model(),
        ["RESHAPE"],
    ),
}
"""Networks, and the data movements that are left of them."""


def movements(model: ModelFile) -> list[str]:
    graph = simplify_movements(without_float_islands(model.graph))
    names = [operator.name for operator in graph.operators]
    return [name for name in names if name not in ("ADD", "CONV_2D", "FULLY_CONNECTED", *POOLS)]


@pytest.mark.parametrize("case", CASES)
def test_what_is_left(case: str) -> None:
    make, expected = CASES[case]
    assert movements(make()) == expected


@pytest.mark.parametrize("schedule", [None, "layers", "streaming"])
def test_results(schedule: str | None, tmp_path: Path) -> None:
    models = [make() for make, _ in CASES.values()]
    models = [m for m in models if all(each.name != "TILE" for each in m.graph.operators)]
    check(models, tmp_path, Options(schedule=schedule))


@pytest.mark.parametrize("schedule", [None, "streaming"])
def test_results_of_repeated_pixels(schedule: str | None, tmp_path: Path) -> None:
    """TensorFlow Lite Micro has no TILE; it runs the networks that resize instead."""
    factors = [[(2, 2)], [(1, 3)], [(4, 1)], [(3, 2), (2, 4)]]
    repeating, resizing = [], []
    for each in factors:
        one, other = Moves((1, 3, 2, 3)), Moves((1, 3, 2, 3))
        for rows, columns in each:
            one.upsampled(rows, columns)
            _, height, width, _ = other.x.shape
            other.resized("RESIZE_NEAREST_NEIGHBOR", rows * height, columns * width)
        repeating.append(one.end())
        resizing.append(other.end())
    samples = [inputs(model.graph.tensor(0).shape, 4) for model in repeating]
    options = {"options": Options(schedule=schedule)}
    made = run_all(repeating, samples, tmp_path, compiled_runtime(), options)
    for model, each, outputs in zip(resizing, samples, made, strict=True):
        reference = TflmNetwork(model.data)
        assert np.array_equal(outputs, [reference.run(sample).copy() for sample in each])


def test_a_graph_without_movements_stays() -> None:
    graph = Moves().end().graph
    assert simplify_movements(graph) is graph


SMALLER = ["upsampled", "TRANSPOSE and back", "PACK of one", "UNPACK and PACK", "bilinear"]
CHEAPER = ["QUANTIZE", "two of PAD", "identical PADs", *SMALLER]


@pytest.mark.parametrize("case", SMALLER)
def test_arena_falls(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = CASES[case][0]().graph
    with_pass = compile_graph(graph, Options()).arena.size
    without_the_pass(monkeypatch)
    assert with_pass < compile_graph(graph, Options()).arena.size


@pytest.mark.qemu
@pytest.mark.parametrize("case", CHEAPER)
def test_instructions_fall(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = CASES[case][0]()
    sample = inputs(model.graph.tensor(0).shape, 5)[-1:]
    _, with_pass = EmulatedNetwork(model, "mps2-an386", tmp_path / "with").run(sample)
    without_the_pass(monkeypatch)
    other = replace(model, path=Path("without"))
    _, without = EmulatedNetwork(other, "mps2-an386", tmp_path / "without").run(sample)
    assert with_pass < without


def without_the_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = [each for each in pipeline.STAGE_PASSES if each.name != "data_movement"]
    assert len(passes) < len(pipeline.STAGE_PASSES)
    monkeypatch.setattr(pipeline, "STAGE_PASSES", passes)
    # Not a plan that was kept
    monkeypatch.setattr(compiled, "compile_graph", compile_graph)
