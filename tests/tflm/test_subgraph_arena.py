"""The head of models of several subgraphs, with variables or with offsets of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("tflite_micro")

from support.kernel_models import CONVERTED, planned_offline, variable
from support.recorded_arena import measured, recorded_head


def branches() -> bytes:
    """A float model by the converter whose branches need less and more than what runs later."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 16)), tf.TensorSpec((), tf.bool)])
    def function(x: Any, condition: Any) -> Any:
        wide = tf.concat([x, 2.0 * x, tf.abs(x)], 1)

        def costly() -> Any:
            return tf.reduce_mean(tf.reshape(tf.tanh(tf.concat([wide] * 5, 1)), (1, 15, 16)), 1)

        return tf.cond(condition, costly, lambda: tf.nn.relu(x)) + tf.reduce_sum(wide)

    concrete = function.get_concrete_function()
    data = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    assert isinstance(data, bytes)
    return data


@pytest.mark.parametrize(
    ("make", "operators", "parameters"),
    [
        (branches, {"IF"}, 1),
        (lambda: variable(alone=True), {"CALL_ONCE", "READ_VARIABLE"}, 3200),
    ],
)
def test_head_with_subgraphs_is_the_recorded_one(
    make: Callable[[], bytes], operators: set[str], parameters: int
) -> None:
    """All subgraphs are planned together: what runs later may lie where a branch has been."""
    data = make()
    found = measured(data)
    assert {layer.op for layer in found.layers} >= operators
    assert (found.unmeasured, found.params) == ({}, parameters)
    assert found.peak_activation_bytes == recorded_head(data)


def test_working_memory_of_16_bit_codes() -> None:
    """Sums of 64 bits, by the converter; those of eight-bit codes are of 32."""
    data = (CONVERTED / "transpose_conv_int16.tflite").read_bytes()
    assert measured(data).peak_activation_bytes == recorded_head(data) == 9856


@pytest.mark.parametrize(
    "offsets", [(0, -1, -1, 0), (4096, -1, -1, -1), (-1, -1, -1, 48), (8, -1, -1, 1024)]
)
def test_head_where_the_file_prescribes_offsets(offsets: Sequence[int]) -> None:
    data = planned_offline(offsets=offsets)
    assert measured(data).head_bytes == recorded_head(data)
