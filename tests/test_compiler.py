"""Compiled networks against TensorFlow Lite Micro: random graphs, common networks, every core."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import compilers
import numpy as np
import pytest
from emulated import EmulatedNetwork
from network_models import SMALL, CNetwork, TflmNetwork, inputs, quantized

from asc_tiny.compiler.planner.arena_allocator import live_bytes
from asc_tiny.compiler.planner.planner import Options
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile, load

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

MODELS = Path(__file__).parents[1] / "models"
RELEASED = ("mobilenet_esc10", "mini_segnet_esc10")
ORDERS = (None, "time")
BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "virt-rv32")
CORTEX_M0PLUS = ("-mcpu=cortex-m0plus", "-mthumb")
"""Code for this core runs on the Cortex-M3 as well."""
VECTORS_AND_PAIRS = ("mps2-an386", "mps3-an547")
"""Cores whose kernels are written with instructions of their own: Cortex-M4 and M55."""


def keyword_spotting() -> Any:
    """DS-CNN in small: a wide first kernel, depthwise and pointwise layers."""
    from keras import Input, Model, layers

    source = Input((49, 10, 1), batch_size=1)
    x = layers.Conv2D(16, (10, 4), strides=2, padding="same", activation="relu")(source)
    for _ in range(2):
        x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
        x = layers.Conv2D(16, 1, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(source, layers.Softmax()(layers.Dense(12)(x)))


def residual() -> Any:
    """ResNet-8 in small: sums of branches of different depth and stride."""
    from keras import Input, Model, layers

    source = Input((16, 16, 3), batch_size=1)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(source)
    for filters, stride in ((8, 1), (12, 2)):
        y = layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu")(x)
        y = layers.Conv2D(filters, 3, padding="same")(y)
        shortcut = x if stride == 1 else layers.Conv2D(filters, 1, strides=stride)(x)
        x = layers.ReLU()(layers.Add()([y, shortcut]))
    x = layers.AveragePooling2D(8)(x)
    return Model(source, layers.Dense(10)(layers.Flatten()(x)))


def autoencoder() -> Any:
    """Dense layers only."""
    from keras import Input, Model, layers

    source = x = Input((64,), batch_size=1)
    for size in (33, 8, 33):
        x = layers.Dense(size, activation="relu")(x)
    return Model(source, layers.Dense(64)(x))


def baseline() -> Any:
    """The DCASE baseline: 7x7 kernels, depth multiplier 16, large pools."""
    from keras import Input, Model, layers

    source = Input((40, 51, 1), batch_size=1)
    x = layers.DepthwiseConv2D(7, depth_multiplier=16, padding="same", activation="relu")(source)
    x = layers.Conv2D(16, 7, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(5)(x)
    x = layers.Conv2D(32, 7, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D((4, 10))(x)
    x = layers.Dense(20, activation="relu")(layers.Flatten()(x))
    return Model(source, layers.Softmax()(layers.Dense(10)(x)))


def dilated() -> Any:
    """Windows with gaps, along both axes."""
    from keras import Input, Model, layers

    source = Input((15, 13, 3), batch_size=1)
    x = layers.Conv2D(5, 3, dilation_rate=2, padding="same", activation="relu")(source)
    x = layers.Conv2D(6, (2, 3), dilation_rate=(3, 2), padding="valid")(x)
    x = layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)
    return Model(source, layers.Flatten()(x))


def single() -> Any:
    """Layers of one filter, windows one by one and in pairs."""
    from keras import Input, Model, layers

    source = Input((11, 7, 2), batch_size=1)
    x = layers.Conv2D(1, 3, padding="same", activation="relu")(source)
    x = layers.Conv2D(3, (1, 3), padding="same")(x)
    x = layers.Conv2D(1, (2, 7))(x)
    return Model(source, layers.Flatten()(x))


def upsampled() -> Any:
    """Convolutions over repeated pixels: windows of one to five columns, padded and not."""
    from keras import Input, Model, layers

    def resized(x: Any, height: int, width: int) -> Any:
        return layers.Resizing(height, width, interpolation="nearest")(x)

    source = Input((5, 4, 3), batch_size=1)
    x = layers.Conv2D(5, (2, 3), padding="same", activation="relu")(resized(source, 10, 8))
    x = layers.Conv2D(9, (3, 4), padding="valid", activation="relu6")(resized(x, 11, 24))
    x = layers.Conv2D(2, 1)(resized(x, 9, 42))
    x = layers.Conv2D(6, (2, 5), dilation_rate=(3, 1), padding="same")(layers.MaxPooling2D(3)(x))
    x = layers.Conv2D(7, (3, 2), padding="same")(resized(x, 7, 28))
    # With two readers, the resized tensor is needed.
    y = resized(x, 14, 56)
    y = layers.Add()([y, layers.Conv2D(7, 3, padding="same")(y)])
    return Model(source, layers.Dense(3)(layers.GlobalAveragePooling2D()(y)))


COMMON: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        keyword_spotting,
        residual,
        autoencoder,
        baseline,
        dilated,
        single,
        upsampled,
    )
}


def random_network(seed: int) -> Any:
    """A chain of random layers with odd sizes, now and then a branch that is added or joined."""
    from keras import Input, Model, layers

    rng = np.random.default_rng(seed)

    def one_of(*choices: Any) -> Any:
        return choices[rng.integers(len(choices))]

    def layer(x: Any) -> Any:
        _, height, width, channels = x.shape
        kernel = (int(rng.integers(1, min(4, height) + 1)), int(rng.integers(1, min(4, width) + 1)))
        stride = int(rng.integers(1, 3)) if min(height, width) > 3 else 1
        padding = one_of("same", "valid")
        activation = one_of(None, "relu", "relu6")
        kind = one_of("conv", "conv", "depthwise", "max", "average", "resize", "pad", "branch")
        if kind == "conv":
            filters = int(rng.integers(1, 11))
            return layers.Conv2D(
                filters, kernel, strides=stride, padding=padding, activation=activation
            )(x)
        if kind == "depthwise":
            multiplier = int(rng.integers(1, 3)) if channels < 8 else 1
            return layers.DepthwiseConv2D(
                kernel, strides=stride, depth_multiplier=multiplier, padding=padding
            )(x)
        if kind == "max":
            return layers.MaxPooling2D(kernel, strides=stride, padding=padding)(x)
        if kind == "average":
            return layers.AveragePooling2D(kernel, strides=stride, padding=padding)(x)
        if kind == "resize" and height * width < 80:
            return layers.Resizing(height + 1, 2 * width, interpolation="nearest")(x)
        if kind == "pad" and height * width < 80:
            return layers.ZeroPadding2D(((1, 0), (0, 2)))(x)
        y = layers.Conv2D(channels, 3, padding="same", activation=activation)(x)
        if rng.random() < 0.5:
            return layers.Add()([x, y])
        return layers.Concatenate(axis=int(rng.integers(1, 4)))([x, y])

    shape = (int(rng.integers(5, 14)), int(rng.integers(4, 12)), int(rng.integers(1, 6)))
    source = x = Input(shape, batch_size=1)
    for _ in range(int(rng.integers(2, 7))):
        x = layer(x)
    if rng.random() < 0.5:
        x = layers.GlobalAveragePooling2D()(x)
        return Model(source, layers.Dense(int(rng.integers(1, 9)))(x))
    return Model(source, layers.Flatten()(x))


def model_file(data: bytes, folder: Path) -> ModelFile:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.tflite"
    path.write_bytes(data)
    return load(path)


def expected(model: ModelFile, samples: list[np.ndarray]) -> np.ndarray:
    reference = TflmNetwork(model.data)
    return np.stack([reference.run(sample).copy() for sample in samples])


def samples_of(model: ModelFile, count: int) -> list[np.ndarray]:
    return inputs(model.graph.tensor(model.graph.inputs[0]).shape, count)


@pytest.mark.parametrize("name", COMMON)
def test_common_networks(name: str, tmp_path: Path) -> None:
    model = model_file(quantized(COMMON[name]()), tmp_path)
    samples = samples_of(model, 12)
    compiled = CNetwork(model, tmp_path / "c")
    outputs = np.stack([compiled.run(sample) for sample in samples])
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 60))]
)
def test_random_networks(seed: int, tmp_path: Path) -> None:
    width = float(10.0 ** np.random.default_rng(seed).uniform(-1.5, 1.5))
    model = model_file(quantized(random_network(seed), width=width), tmp_path)
    samples = samples_of(model, 34)
    compiled = CNetwork(model, tmp_path / "c")
    outputs = np.stack([compiled.run(sample) for sample in samples])
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.qemu
@pytest.mark.parametrize("board", VECTORS_AND_PAIRS)
@pytest.mark.parametrize("name", [*SMALL, *COMMON])
def test_networks_on_cores(name: str, board: str, tmp_path: Path) -> None:
    """Assembly and vectors with odd channels, single windows, activations and wide sums."""
    model = model_file(quantized({**SMALL, **COMMON}[name]()), tmp_path)
    samples = samples_of(model, 16)
    outputs, _ = EmulatedNetwork(model, board, tmp_path / "c").run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("board", VECTORS_AND_PAIRS)
@pytest.mark.parametrize("seed", range(60, 76))
def test_random_networks_on_cores(seed: int, board: str, tmp_path: Path) -> None:
    width = float(10.0 ** np.random.default_rng(seed).uniform(-1.5, 1.5))
    model = model_file(quantized(random_network(seed), width=width), tmp_path)
    samples = samples_of(model, 16)
    outputs, _ = EmulatedNetwork(model, board, tmp_path / "c").run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize(
    ("board", "flags"), [*((board, ()) for board in BOARDS), ("mps2-an385", CORTEX_M0PLUS)]
)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", RELEASED)
def test_released_networks_on_every_core(
    name: str, order: str | None, board: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    model = load(MODELS / f"{name}.tflite")
    samples = samples_of(model, 16)
    options = Options(schedule=order)
    outputs, _ = EmulatedNetwork(model, board, tmp_path, flags=flags, options=options).run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", RELEASED)
def test_released_networks_on_many_inputs(name: str, order: str | None, tmp_path: Path) -> None:
    model = load(MODELS / f"{name}.tflite")
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    rng = np.random.default_rng(7)
    compiled = CNetwork(model, tmp_path, Options(schedule=order), sanitizer=())
    reference = TflmNetwork(model.data)
    labels = set()
    for _ in range(1000):
        # Noise of every width around every level, as of quiet and loud clips
        noise = rng.normal(rng.uniform(-100.0, 100.0), rng.uniform(1.0, 80.0), shape)
        sample = np.clip(noise, -128, 127).astype(np.int8)
        output = compiled.run(sample)
        assert np.array_equal(output, reference.run(sample))
        labels.add(int(output.argmax()))
    assert len(labels) > 1


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["convolutions", "upsampled"])
@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
def test_every_optimization_level(name: str, level: str, tmp_path: Path) -> None:
    model = model_file(quantized({**SMALL, **COMMON}[name]()), tmp_path)
    samples = samples_of(model, 8)
    emulated = EmulatedNetwork(model, "mps2-an386", tmp_path / "c", optimization=level)
    assert np.array_equal(emulated.run(samples)[0], expected(model, samples))


# Instructions of the costliest inference; a figure above its limit is a regression.
MARGIN = compilers.margin()
INSTRUCTIONS = {
    ("mobilenet_esc10", "mps2-an386"): 9_350_000,
    ("mini_segnet_esc10", "mps2-an386"): 21_570_000,
    ("mobilenet_esc10", "mps2-an385"): 34_200_000,
    ("mini_segnet_esc10", "mps2-an385"): 75_700_000,
    ("mobilenet_esc10", "mps3-an547"): 3_450_000,
    ("mini_segnet_esc10", "mps3-an547"): 6_480_000,
}


@pytest.mark.qemu
@pytest.mark.parametrize(("name", "board"), INSTRUCTIONS)
def test_instructions(name: str, board: str, tmp_path: Path) -> None:
    model = load(MODELS / f"{name}.tflite")
    _, instructions = EmulatedNetwork(model, board, tmp_path).run(samples_of(model, 5)[-1:])
    assert 0 < instructions <= MARGIN * INSTRUCTIONS[name, board]


def test_resized_rows_exist_only_where_they_must(tmp_path: Path) -> None:
    stages = compile_network(model_file(quantized(upsampled()), tmp_path)).lowered.stages
    kernels = [stage.kernel for stage in stages]
    assert kernels.count("asc_upsampled_conv") == 4
    assert kernels.count("asc_resize_nearest") == 1
    stages = compile_network(load(MODELS / "mini_segnet_esc10.tflite")).lowered.stages
    assert sum(stage.work for stage in stages) == 12_480_512
    assert "asc_resize_nearest" not in [stage.kernel for stage in stages]


@pytest.mark.parametrize(
    ("name", "bytes_"), [("mobilenet_esc10", 29_616), ("mini_segnet_esc10", 29_168)]
)
def test_arena_of_released_networks(name: str, bytes_: int) -> None:
    """A third of what TensorFlow Lite Micro needs, input included."""
    assert compile_network(load(MODELS / f"{name}.tflite")).arena.size <= bytes_


@pytest.mark.parametrize("seed", range(4))
def test_blocks_do_not_meet(seed: int, tmp_path: Path) -> None:
    plan = compile_network(model_file(quantized(random_network(seed)), tmp_path)).arena
    blocks = list({id(block): (block, offset) for block, offset in plan.placements}.values())
    for i, (block, offset) in enumerate(blocks):
        assert 0 <= offset <= offset + block.size <= plan.size
        for other, place in blocks[:i]:
            apart = offset + block.size <= place or place + other.size <= offset
            assert apart or not block.meets(other)
    steps = max(block.last for block, _ in blocks) + 1
    assert plan.size >= max(live_bytes([block for block, _ in blocks], steps))
