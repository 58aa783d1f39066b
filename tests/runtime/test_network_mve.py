"""Networks in vectors (Helium) on an emulated Cortex-M55: TensorFlow Lite Micro's bits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.firmware.runtime import runtime_sources
from support.emulated import EmulatedImage, EmulatedNetwork
from support.native import write
from support.network_models import converted
from support.paths import C
from support.references import expected, model_file, samples_of

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")
pytestmark = pytest.mark.qemu

M55 = "mps3-an547"
WITHOUT_VECTORS = ("-mcpu=cortex-m55+nomve", "-mthumb", "-mfloat-abi=hard")


def few_channels() -> Any:
    """Columns too tall for scattered stores, and windows over one to nine channels."""
    from keras import Input, Model, layers

    source = x = Input((26, 11, 1), batch_size=1)
    x = layers.Conv2D(2, (20, 3), activation="relu")(x)
    for filters, kernel in ((9, 3), (8, 2), (3, 3), (5, (1, 4)), (1, 1)):
        x = layers.Conv2D(filters, kernel, padding="same")(x)
    return Model(source, layers.Flatten()(x))


def many_channels() -> Any:
    """Channels that fill vectors and begin another, in every kernel that has vectors."""
    from keras import Input, Model, layers

    source = Input((9, 7, 5), batch_size=1)
    x = layers.Conv2D(37, 1, activation="relu")(source)
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    y = layers.ReLU()(layers.Conv2D(37, (2, 3), padding="same")(y))
    x = layers.MaxPooling2D(2)(layers.Add()([x, y]))
    x = layers.MaxPooling2D((3, 2), strides=1, padding="same")(x)
    x = layers.DepthwiseConv2D((2, 1), depth_multiplier=2)(x)
    x = layers.Resizing(7, 8, interpolation="nearest")(x)
    x = layers.Conv2D(33, (3, 2), strides=2, activation="relu6")(x)
    return Model(source, layers.Dense(18)(layers.GlobalAveragePooling2D()(x)))


SHAPES: dict[str, Callable[[], Any]] = {"few": few_channels, "many": many_channels}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str, tmp_path: Path) -> None:
    model = model_file(converted(SHAPES[name]), tmp_path)
    samples = samples_of(model, 16)
    outputs, _ = EmulatedNetwork(model, M55, tmp_path / "c").run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.parametrize(
    "optimization",
    ["-Os", *(pytest.param(each, marks=pytest.mark.slow) for each in ("-O0", "-O1", "-O3"))],
)
def test_no_optimization_changes_the_bits(optimization: str, tmp_path: Path) -> None:
    model = model_file(converted(many_channels), tmp_path)
    samples = samples_of(model, 8)
    emulated = EmulatedNetwork(model, M55, tmp_path / "c", optimization=optimization)
    assert np.array_equal(emulated.run(samples)[0], expected(model, samples))


def test_a_core_without_vectors(tmp_path: Path) -> None:
    model = model_file(converted(many_channels), tmp_path)
    samples = samples_of(model, 8)
    emulated = EmulatedNetwork(model, M55, tmp_path / "c", flags=WITHOUT_VECTORS)
    assert np.array_equal(emulated.run(samples)[0], expected(model, samples))


@pytest.mark.parametrize("optimization", ["-O0", "-O2"])
def test_rounding_of_vectors(optimization: str, tmp_path: Path) -> None:
    """Extreme and random values, multipliers and shifts against those of single values."""
    headers = {n: text for n, text in runtime_sources("nn").items() if n.endswith(".h")}
    write(headers, tmp_path)
    shutil.copy(C / "vectors_main.c", tmp_path)
    assert EmulatedImage(tmp_path, M55, optimization=optimization).execute() == "same\n"


@pytest.mark.parametrize("name", SHAPES)
def test_layers_of_wide_range(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounding for sums and shifts of any size gives what the short one does."""
    for family in ("weights", "fully_connected"):
        name_ = f"asc_tiny.compiler.lower.{family}.narrowness"
        monkeypatch.setattr(name_, lambda *_: 0)
    monkeypatch.setattr("asc_tiny.compiler.lower.weights.is_narrow", lambda *_: False)
    model = model_file(converted(SHAPES[name]), tmp_path)
    samples = samples_of(model, 8)
    outputs, _ = EmulatedNetwork(model, M55, tmp_path / "c").run(samples)
    text = (tmp_path / "c" / "asc_net.c").read_text()
    assert "127, 0, 0}" in text and "127, 0, 1}" not in text and "127, 0, 3}" not in text
    assert np.array_equal(outputs, expected(model, samples))
