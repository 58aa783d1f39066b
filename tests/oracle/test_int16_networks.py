"""Networks of 16-bit activations as the converter makes them, against TensorFlow Lite Micro."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from support.graph_batch import compiled_runtime, model_file, run_all, run_all_emulated
from support.network_models import SMALL, TflmNetwork, converted, inputs

pytestmark = pytest.mark.slow


def test_networks_of_the_converter(tmp_path: Path) -> None:
    models = [model_file(converted(SMALL[name], codes="int16"), name) for name in SMALL]
    for model in models:
        activations = {each.dtype for each in model.graph.tensors if not each.is_constant}
        assert activations == {"INT16"}
    samples = [inputs(each.graph.tensor(each.graph.inputs[0]).shape, 8, "int16") for each in models]
    wanted = [
        np.stack([TflmNetwork(model.data).run(sample).copy() for sample in each])
        for model, each in zip(models, samples, strict=True)
    ]
    made = run_all(models, samples, tmp_path / "c", compiled_runtime(), {})
    for model, found, right in zip(models, made, wanted, strict=True):
        assert np.array_equal(found, right), model.path
        assert len(np.unique(right)) > 20, model.path


@pytest.mark.qemu
def test_networks_of_the_converter_on_an_emulated_core(tmp_path: Path) -> None:
    models = [model_file(converted(SMALL[name], codes="int16"), name) for name in SMALL]
    samples = [inputs(each.graph.tensor(each.graph.inputs[0]).shape, 6, "int16") for each in models]
    made = run_all_emulated(models, samples, tmp_path, "mps2-an386")
    for model, found, each in zip(models, made, samples, strict=True):
        reference = TflmNetwork(model.data)
        right = np.stack([reference.run(sample).copy() for sample in each])
        assert np.array_equal(found, right), model.path
