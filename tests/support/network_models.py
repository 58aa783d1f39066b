"""Small quantised networks that between them use every kernel, and ways to run them."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network import compiled, ensemble
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.model.ensemble import Ensemble, Model
from support import session_cache
from support.native import SANITISER, shared_library, write


def quantized(model: Any, *, width: float = 1.0, codes: str = "int8", **settings: object) -> bytes:
    """Convert a Keras model to int8 or int16 codes with random weights, biases and batch norms.

    ``width`` is the deviation of the inputs, so it sets the scale of the input codes.
    """
    import tensorflow as tf

    rng = np.random.default_rng(0)
    set_random_weights(model, rng)
    samples = [rng.normal(0.0, width, model.input_shape).astype(np.float32) for _ in range(8)]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    kinds = tf.lite.OpsSet
    converter.target_spec.supported_ops = [
        kinds.TFLITE_BUILTINS_INT8
        if codes == "int8"
        else kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    converter.inference_input_type = converter.inference_output_type = getattr(tf, codes)
    for name, value in settings.items():
        setattr(converter, name, value)
    data = converter.convert()
    assert isinstance(data, bytes)
    return data


def set_random_weights(model: Any, rng: np.random.Generator) -> None:
    """Give a Keras model random weights, biases and batch norms."""
    for layer in model.layers:
        weights = layer.get_weights()
        if type(layer).__name__ == "BatchNormalization":
            # Gamma if there is one, beta, mean, variance.
            low_high = [(0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 1.5)][-len(weights) :]
            layer.set_weights([rng.uniform(*r, weights[0].shape) for r in low_high])
        else:
            # Activations keep about the same width from layer to layer.
            is_depthwise = type(layer).__name__ == "DepthwiseConv2D"
            depths = [w.shape[:2] if is_depthwise else w.shape[:-1] for w in weights]
            widths = [
                1.5 * float(np.prod(depth)) ** -0.5 if w.ndim > 1 else 0.3
                for w, depth in zip(weights, depths, strict=True)
            ]
            shapes = [w.shape for w in weights]
            layer.set_weights([rng.normal(0.0, *pair) for pair in zip(widths, shapes, strict=True)])


def converted(make: Callable[..., Any], *arguments: Any, **settings: Any) -> bytes:
    """Return ``quantized(make(*arguments), **settings)``, converted once in a run of the tests."""
    called = (make.__module__, make.__qualname__, arguments, sorted(settings.items()))
    made = session_cache.entry(
        f"{session_cache.key(repr(called))}.tflite",
        lambda path: path.write_bytes(quantized(make(*arguments), **settings)),
    )
    return made.read_bytes()


def convolutions() -> Any:
    """Odd sizes, even and long kernels, strides beyond the kernel, no bias, all activations."""
    from keras import Input, Model, layers

    inputs = Input((13, 9, 3), batch_size=1)
    x = layers.Conv2D(6, (2, 3), strides=2, padding="same", activation="relu")(inputs)
    y = layers.Conv2D(6, (3, 2), padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.Add()([x, y]))
    y = layers.Conv2D(5, (4, 5), padding="same", activation="relu6")(x)
    z = layers.Conv2D(5, 1, strides=(3, 2))(y)
    z = layers.Conv2D(17, (3, 2), padding="valid")(z)
    return Model(inputs, layers.Flatten()(z))


def depthwise() -> Any:
    """Depth multipliers, strides, padding; mean; dense layers; softmax and requantisation."""
    from keras import Input, Model, layers

    inputs = Input((11, 8, 4), batch_size=1)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(inputs)
    x = layers.DepthwiseConv2D((2, 3), depth_multiplier=3, padding="same", use_bias=False)(x)
    x = layers.DepthwiseConv2D((3, 1), padding="valid")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dense(9, activation="relu")(x)
    x = layers.Dense(7)(layers.Flatten()(x))
    # A softmax has a scale of its own, so that joining it needs a QUANTIZE.
    return Model(inputs, layers.Concatenate()([layers.Softmax()(x), x]))


def pooling() -> Any:
    """Pools with and without padding, concatenation of channels, activations on their own."""
    from keras import Input, Model, layers

    inputs = Input((10, 7, 3), batch_size=1)
    a = layers.MaxPooling2D((3, 2), strides=(2, 1), padding="same")(inputs)
    b = layers.AveragePooling2D((2, 3), strides=(2, 1), padding="same")(inputs)
    x = layers.ReLU()(layers.Concatenate(axis=3)([a, b]))
    x = layers.AveragePooling2D(2)(layers.ZeroPadding2D(((1, 0), (2, 3)))(x))
    x = layers.MaxPooling2D((2, 1))(x)
    x = layers.Concatenate(axis=2)([x, layers.ReLU(6.0)(x), x])
    return Model(inputs, layers.Flatten()(x))


def pieces() -> Any:
    """Slices and splits as views and as copies, joined again in place and by copy."""
    from keras import Input, Model, layers, ops

    inputs = Input((16, 7, 3), batch_size=1)
    a = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs[:, :8])
    b = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs[:, 8:])
    x = layers.Concatenate(axis=1)([a, b, a])
    first, second, third = ops.split(x, 3, axis=1)
    left, right = ops.split(layers.Add()([first, third]), 2, axis=3)
    x = layers.Concatenate(axis=3)([right, left, second])
    strided = layers.Conv2D(8, 1)(inputs[:, ::2, 1:7:2])
    corner = layers.Conv2D(8, 1)(ops.slice(inputs, (0, 3, 2, 1), (1, 9, 4, 2)))
    y = layers.GlobalAveragePooling2D(keepdims=True)(x)
    z = layers.GlobalAveragePooling2D(keepdims=True)(strided)
    w = layers.Flatten()(layers.MaxPooling2D((9, 4))(corner))
    return Model(inputs, layers.Add()([layers.Flatten()(layers.Add()([y, z])), w]))


def segmentation() -> Any:
    """Mini-SegNet in small: 2x3 kernels, pools to odd sizes, resizing by whole and odd factors."""
    from keras import Input, Model, layers

    inputs = Input((12, 10, 2), batch_size=1)
    x = inputs
    for filters in (5, 7):
        x = layers.Conv2D(filters, (2, 3), padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D(2)(x)
    for height, width in ((6, 4), (13, 9)):
        x = layers.Resizing(height, width, interpolation="nearest")(x)
        x = layers.Conv2D(4, (2, 3), padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return Model(inputs, layers.Dense(5)(layers.Dense(40)(x)))


SMALL: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (convolutions, depthwise, pooling, pieces, segmentation)
}


def emit(model: Model, folder: Path, options: Options = compiled.DEFAULT) -> None:
    """Write the C code of a model or an ensemble with its kernels."""
    if isinstance(model, Ensemble):
        write(ensemble.generate(model, options=options), folder)
    else:
        write(compiled.generate(model, options=options), folder)
    write(runtime_sources("nn"), folder)


class CNetwork:
    """The C code of a model, compiled for this computer."""

    def __init__(
        self,
        model: Model,
        folder: Path,
        options: Options = compiled.DEFAULT,
        *,
        sanitizer: Sequence[str] = SANITISER,
    ) -> None:
        emit(model, folder, options)
        self.folder = folder
        self.library = shared_library(folder, sanitizer=sanitizer)
        self.output_size = self.macro("OUTPUT_SIZE")
        header = (folder / "asc_net.h").read_text(encoding="utf-8")
        (kind,) = re.findall(r"const (int\d+)_t \*\w+_net_output\(", header)
        self.output_type = np.dtype(kind)
        size = self.macro("ARENA_SIZE")
        # Guard bytes on both sides of the arena; filled at random as real memory is.
        self.memory = np.random.default_rng(0).integers(-128, 128, size + 48, dtype=np.int8)
        self.start = 16 - self.memory.ctypes.data % 16
        self.guards = np.r_[0 : self.start, self.start + size : len(self.memory)]

        self.reset()

    def reset(self) -> None:
        """Prepare the arena, whose states become what they are before the first run."""
        assert self.library.asc_net_init(ctypes.c_void_p(self.memory.ctypes.data + self.start)) == 0

    def macro(self, name: str) -> int:
        text = (self.folder / "asc_net.h").read_text(encoding="utf-8")
        match = re.search(rf"#define ASC_NET_{name} (\d+)$", text, re.MULTILINE)
        assert match
        return int(match[1])

    def run(self, values: np.ndarray) -> np.ndarray:
        """Run one int8 input and check that nothing outside the arena is written."""
        values = np.ascontiguousarray(values, dtype=np.int8)
        output = np.zeros(self.output_size, self.output_type)
        before = self.memory[self.guards].copy()
        code = self.library.asc_net_infer(
            ctypes.c_void_p(self.memory.ctypes.data + self.start),
            ctypes.c_void_p(values.ctypes.data),
            ctypes.c_void_p(output.ctypes.data),
        )
        assert code == 0
        assert np.array_equal(self.memory[self.guards], before)
        return output


class TflmNetwork:
    """The same model run by TensorFlow Lite Micro's reference kernels."""

    def __init__(self, data: bytes) -> None:
        from tflite_micro import runtime

        self.interpreter = runtime.Interpreter.from_bytes(data, arena_size=2_000_000)

    def run(self, values: np.ndarray) -> np.ndarray:
        self.interpreter.set_input(values, 0)
        self.interpreter.invoke()
        return np.asarray(self.interpreter.get_output(0)).ravel()


def inputs(shape: tuple[int, ...], count: int, dtype: str = "int8") -> list[np.ndarray]:
    """Extreme inputs, then noise of several widths."""
    rng = np.random.default_rng(1)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    values = [np.full(shape, code, dtype) for code in (low, high, 0)]
    values.append(rng.choice(np.array([low, high], dtype), shape))
    while len(values) < count:
        width = (5.0 + 10.0 * len(values)) * high / 127
        values.append(np.clip(rng.normal(0.0, width, shape), low, high).astype(dtype))
    return values
