"""Recurrent layers as Keras converts them, over several inferences, against TensorFlow Lite Micro.

Layers are unrolled: of loops, the converter cannot make int8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")
pytest.importorskip("tensorflow")

from support.graph_batch import model_file
from support.network_models import CNetwork, TflmNetwork, converted

INFERENCES = 6

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gru": ("GRU", {}),
    "gru_all": ("GRU", {"return_sequences": True}),
    "gru_before": ("GRU", {"reset_after": False}),
    "gru_stateful": ("GRU", {"stateful": True}),
    "lstm": ("LSTM", {}),
    "lstm_all": ("LSTM", {"return_sequences": True}),
    "lstm_stateful": ("LSTM", {"stateful": True}),
    "rnn": ("SimpleRNN", {}),
    "rnn_stateful": ("SimpleRNN", {"stateful": True}),
}
QUICK = ("gru_stateful",)


def recurrent(name: str, bidirectional: bool = False) -> Any:
    from keras import Input, Model, layers

    kind, settings = LAYERS[name]
    layer = getattr(layers, kind)(7, unroll=True, **settings)
    inputs = Input((6, 5), batch_size=1)
    return Model(inputs, (layers.Bidirectional(layer) if bidirectional else layer)(inputs))


CASES = [
    *((name, False) for name in LAYERS),
    *((name, True) for name in ("gru", "lstm", "rnn")),
]


@pytest.mark.parametrize(
    ("name", "bidirectional"),
    [pytest.param(*each, marks=() if each[0] in QUICK else pytest.mark.slow) for each in CASES],
)
def test_inferences_in_a_row(name: str, bidirectional: bool, tmp_path: Path) -> None:
    model = model_file(converted(recurrent, name, bidirectional), name)
    network, reference = CNetwork(model, tmp_path), TflmNetwork(model.data)
    rng = np.random.default_rng(0)
    samples = [rng.integers(-128, 128, (1, 6, 5)).astype(np.int8) for _ in range(INFERENCES)]
    outputs = [network.run(sample) for sample in samples]
    for sample, made in zip(samples, outputs, strict=True):
        assert np.array_equal(made, reference.run(sample))
    assert len(np.unique(outputs, axis=0)) > 1
    network.reset()
    assert np.array_equal(network.run(samples[0]), outputs[0])
