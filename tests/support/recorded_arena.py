"""What TensorFlow Lite Micro's recorder says of an arena, and networks to ask it about."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from asc_tiny.complexity.report import ModelComplexity, measure
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.kernel_memory import needs
from asc_tiny.tflm.structs import TYPES, Abi
from asc_tiny.util.captured_output import captured_output
from support.network_models import SMALL


def branches() -> Any:
    """Many activations at the same time, of equal and of different sizes."""
    from keras import Input, Model, layers

    inputs = Input((9, 11, 4), batch_size=1)
    parts = [layers.Conv2D(n, 3, padding="same")(inputs) for n in (4, 8, 4, 2, 8, 4)]
    parts = [layers.DepthwiseConv2D(3, padding="same")(part) for part in parts]
    x = layers.Concatenate()(parts)
    return Model(inputs, layers.Dense(6)(layers.GlobalAveragePooling2D()(x)))


def skips() -> Any:
    """Activations that outlive others, which tears holes into the plan."""
    from keras import Input, Model, layers

    inputs = Input((20, 16, 2), batch_size=1)
    a = layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(inputs)
    b = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(a)
    c = layers.Conv2D(6, 1)(b)
    d = layers.Resizing(10, 8, interpolation="nearest")(c)
    x = layers.Add()([a, d])
    x = layers.Multiply()([layers.Conv2D(6, 1)(x), a])
    x = layers.Subtract()([x, d])
    return Model(inputs, layers.Softmax()(layers.Dense(5)(layers.Flatten()(x))))


def activations() -> Any:
    """Activations with kernels of their own."""
    from keras import Input, Model, layers, ops

    inputs = Input((6, 5, 3), batch_size=1)
    x = layers.LeakyReLU(0.1)(layers.Conv2D(5, 2)(inputs))
    x = ops.sigmoid(layers.Conv2D(4, 1)(x))
    x = ops.hard_swish(layers.Conv2D(4, 1)(x))
    return Model(inputs, layers.Flatten()(x))


def dense() -> Any:
    """Hardly any activations: what is kept decides."""
    from keras import Input, Model, layers

    inputs = Input((7,), batch_size=1)
    return Model(inputs, layers.Dense(3)(layers.Dense(40, activation="relu")(inputs)))


def transposed() -> Any:
    """Upsampling by transposed convolutions, which sum up in 32 bits, and by interpolation."""
    from keras import Input, Model, layers

    inputs = Input((6, 5, 3), batch_size=1)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same")(inputs)
    x = layers.Conv2DTranspose(4, (2, 3), strides=(1, 2), padding="valid", activation="relu")(x)
    x = layers.Resizing(20, 30, interpolation="bilinear")(x)
    return Model(inputs, layers.GlobalAveragePooling2D()(x))


def groups() -> Any:
    """Grouped and dilated convolutions beside each other."""
    from keras import Input, Model, layers

    inputs = Input((12, 10, 8), batch_size=1)
    x = layers.Conv2D(16, 3, groups=4, padding="same", activation="relu")(inputs)
    y = layers.Conv2D(16, 3, dilation_rate=2, padding="same")(inputs)
    x = layers.Maximum()([x, layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(y)])
    return Model(inputs, layers.GlobalMaxPooling2D()(x))


def outputs() -> Any:
    """Three outputs: what is read early exists to the end."""
    from keras import Input, Model, layers, ops

    inputs = Input((8, 8, 4), batch_size=1)
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(inputs)
    left, right = ops.split(x, 2, axis=-1)
    y = layers.Conv2D(12, 3, strides=2)(ops.tanh(left))
    z = layers.Dense(5)(layers.GlobalAveragePooling2D()(layers.Concatenate()([left, right])))
    return Model(inputs, [right, y, layers.Softmax()(z)])


def autoencoder() -> Any:
    """Dense layers only, wide, narrow, wide."""
    from keras import Input, Model, layers

    source = x = Input((64,), batch_size=1)
    for size in (33, 8, 33):
        x = layers.Dense(size, activation="relu")(x)
    return Model(source, layers.Dense(64)(x))


def rearranged() -> Any:
    """Tensors that are turned, taken apart and put together."""
    from keras import Input, Model, layers, ops

    inputs = Input((4, 6, 3), batch_size=1)
    x = layers.Conv2D(3, 1)(ops.transpose(inputs, (0, 2, 1, 3)))
    x = layers.PReLU(shared_axes=(1, 2))(x)
    parts = [ops.sum(x, axis=1), ops.max(x, axis=1), ops.minimum(x[:, 0], x[:, 1])]
    first, second, third = parts
    x = ops.stack([first, ops.tanh(second), third], axis=1)
    return Model(inputs, layers.Flatten()(x))


MADE: dict[str, Callable[[], Any]] = {
    **SMALL,
    **{
        function.__name__: function
        for function in (
            branches,
            skips,
            activations,
            dense,
            transposed,
            groups,
            outputs,
            autoencoder,
            rearranged,
        )
    },
}


def recorded(data: bytes) -> str:
    from tflite_micro import runtime

    with captured_output() as log:
        interpreter = runtime.Interpreter.from_bytes(data, arena_size=4 << 20)
        interpreter.print_allocations()
        return log()


def recorded_head(data: bytes) -> int:
    """Return the bytes of the head: activations and scratch memory."""
    (head,) = re.findall(r"Arena allocation head (\d+) bytes", recorded(data))
    return int(head)


def measured(data: bytes) -> ModelComplexity:
    """Return what the budget measures of a model."""
    return measure(parse_graph(data, source="file.tflite"))


def check_kept(data: bytes) -> None:
    """Compare what a model keeps in the arena with what the recorder counts."""
    text, graph = recorded(data), parse_graph(data, source="file.tflite")

    def figures(title: str) -> tuple[int, int]:
        (pair,) = re.findall(rf"'{title}' used .*requested (\d+) bytes for (\d+)", text)
        return int(pair[0]), int(pair[1])

    def expected(kind: str, count: int) -> tuple[int, int]:
        return TYPES[kind].size(Abi.LP64) * count, count

    graphs = (graph, *graph.others)
    tensors = sum(len(each.tensors) for each in graphs)
    assert figures("TfLiteEvalTensor data") == expected("TfLiteEvalTensor", tensors)
    nodes = expected("NodeAndRegistration", sum(len(each.operators) for each in graphs))
    assert figures("NodeAndRegistration struct") == nodes
    states = [each.byte_count for one in graphs for each in one.tensors if each.is_variable]
    if states:
        assert figures("TfLiteTensor variable buffer data") == (sum(states), len(states))
    ends = len(graph.inputs) + len(graph.outputs)
    assert figures("Persistent TfLiteTensor data") == expected("TfLiteTensor", ends)
    steps = [
        needs(each, operator, None, Abi.LP64) for each in graphs for operator in each.operators
    ]
    sizes = [step.data for step in steps if step.data]
    sizes += [size for step in steps if step.variable is None for size in step.persistent]
    # The memory of a variable is kept once, and a description of each, with one of all.
    variables = {step.variable: step.persistent[0] for step in steps if step.variable}
    sizes += variables.values()
    if variables:
        one, all_of_them = (
            TYPES[name].size(Abi.LP64)
            for name in ("MicroResourceVariables::MicroResourceVariable", "MicroResourceVariables")
        )
        sizes += [one * len(variables), all_of_them]
    # The package is built for compressed models, with numbers of buffers for each operator.
    names = [operator.name for each in graphs for operator in each.operators]
    sizes += [4] * names.count("ASSIGN_VARIABLE")
    weighted = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
    extra = 8 * sum(n in weighted for n in names) + 40 * names.count("CONCATENATION")
    pointers = [8 * len(graph.inputs), 8 * len(graph.outputs)]
    total = sum(sizes) + sum(pointers) + extra
    assert figures("Persistent buffer data") == (total, len(sizes) + len(pointers))
