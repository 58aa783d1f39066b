"""SVDF and LSTM layers as parts of networks that tests build."""

from __future__ import annotations

import numpy as np

from support.tflite_builder import Builder, Value


def svdf(
    b: Builder,
    rng: np.random.Generator,
    x: Value,
    *,
    units: int,
    rank: int,
    memory: int,
    dtype: str = "INT8",
    state_zero_point: int = 0,
    output_scale: float = 0.1,
) -> Value:
    """Add an SVDF with random weights whose results fill their ranges, and return its output."""
    batch, depth = x.shape
    filters = units * rank
    state_scale = x.scale * 0.02 * 50.0 * depth**0.5 / (1.0 if dtype == "INT8" else 256.0)
    state = b.variable((batch, filters * memory), state_scale, state_zero_point, dtype)
    reach = 127 if dtype == "INT8" else 20000
    times = rng.integers(-reach, reach + 1, (filters, memory)).astype(dtype.lower())
    time_scale = 1.0 / reach
    bias = rng.integers(-3000, 3000, units).astype(np.int32)
    inputs = [
        x,
        b.constant(rng.integers(-127, 128, (filters, depth)).astype(np.int8), [0.02]),
        b.constant(times, [time_scale]),
        b.constant(bias, [float(np.float32(state_scale) * np.float32(time_scale))]),
        state,
    ]
    y = b.activation((batch, units), output_scale, -5)
    b.operator("SVDF", inputs, [y], rank=rank)
    return y


def lstm(
    b: Builder,
    rng: np.random.Generator,
    x: Value,
    *,
    units: int,
    time_major: bool = False,
    clip: float = 0.0,
    cell_scale: float = 2.0**-11,
    hidden_zero_point: int = -3,
    weight_scale: float = 0.01,
) -> Value:
    """Add an LSTM with random weights, and return its output."""
    first, second, depth = x.shape
    batch = second if time_major else first

    def weights(columns: int) -> list[Value]:
        shape = (units, columns)
        return [
            b.constant(
                rng.integers(-127, 128, shape).astype(np.int8),
                [weight_scale * float(rng.uniform(0.5, 1.5))],
            )
            for _ in range(4)
        ]

    def biases() -> list[Value]:
        return [
            b.constant(rng.integers(-4000, 4000, units).astype(np.int32), [x.scale * weight_scale])
            for _ in range(4)
        ]

    hidden = b.variable((batch, units), 2.0**-7, hidden_zero_point)
    cells = b.variable((batch, units), cell_scale, 0, "INT16")
    absent: list[Value | None] = [None]
    inputs = [x, *weights(depth), *weights(units), *absent * 3, *biases(), *absent * 2]
    inputs += [hidden, cells, *absent * 4]
    y = b.activation((first, second, units), 2.0**-7, hidden_zero_point)
    b.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        inputs,
        [y],
        fusedActivationFunction="TANH",
        timeMajor=time_major,
        cellClip=clip,
    )
    return y
