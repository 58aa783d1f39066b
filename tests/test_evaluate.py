"""Metrics against figures worked out by hand, and the command on real files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.cli.main import main
from asc_tiny.errors import AscError
from asc_tiny.train import evaluate

LABELS = ("park", "street", "tram")
MODEL = Path(__file__).parents[1] / "models" / "mobilenet_esc10.tflite"


def clip(scene: str, device: str = "a") -> Clip:
    return Clip(Path(f"{scene}.wav"), f"audio/{scene}.wav", scene, "x", device)


CLIPS = [clip("park"), clip("park", "b"), clip("street"), clip("park"), clip("street", "b")]
SCORES = np.array(
    [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.8, 0.1, 0.1], [0.5, 0.0, 0.5]]
)


def test_metrics_by_hand():
    result = evaluate.metrics(SCORES, CLIPS, LABELS)
    assert result.overall.clips == 5
    assert result.overall.accuracy == pytest.approx(3 / 5)
    assert result.classes["park"].accuracy == pytest.approx(2 / 3)
    assert result.classes["street"].accuracy == pytest.approx(1 / 2)
    assert result.macro_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    park = (math.log(2) + math.log(4) - math.log(0.8)) / 3
    street = (math.log(2) + math.log(1e15)) / 2
    assert result.classes["park"].log_loss == pytest.approx(park)
    assert result.classes["street"].log_loss == pytest.approx(street)
    assert result.overall.log_loss == pytest.approx((3 * park + 2 * street) / 5)
    assert result.macro_log_loss == pytest.approx((park + street) / 2)
    assert list(result.classes) == ["park", "street"], "no clip of a tram"
    assert {name: (f.clips, f.accuracy) for name, f in result.devices.items()} == {
        "a": (3, 1.0),
        "b": (2, 0.0),
    }


def test_floor_bounds_the_loss_and_keeps_the_sum():
    result = evaluate.metrics(SCORES[4:], CLIPS[4:], LABELS, floor=1 / 512)
    floored = [0.5, 1 / 512, 0.5]
    assert result.overall.log_loss == pytest.approx(-math.log(floored[1] / sum(floored)))


def test_equal_scores_go_to_the_first_label():
    result = evaluate.metrics(np.full((2, 3), 1 / 3), [clip("park"), clip("tram")], LABELS)
    assert result.classes["park"].accuracy == 1.0
    assert result.classes["tram"].accuracy == 0.0


def test_json_has_the_overall_figures_on_top():
    values = evaluate.metrics(SCORES, CLIPS, LABELS).to_json()
    assert values["accuracy"] == pytest.approx(0.6)
    assert values["classes"]["park"]["clips"] == 3
    assert json.loads(json.dumps(values)) == values


def test_unknown_scene_is_named():
    with pytest.raises(AscError, match=r"bus.wav: scene 'bus', the model knows park, street, tram"):
        evaluate.metrics(SCORES[:1], [clip("bus")], LABELS)


def run(arguments: list[str], capsys) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    output = capsys.readouterr()
    return int(ended.value.code or 0), output.out, output.err


def test_int8_evaluation_needs_no_tensorflow():
    modules = ("cli.train", "cli.quantize", "cli.evaluate", "train.evaluate", "train.recipe")
    code = "import sys\n" + "".join(f"import asc_tiny.{name}\n" for name in modules)
    code += "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_other_kinds_of_file_are_refused(synthetic, tmp_path, capsys):
    path = tmp_path / "model.onnx"
    code, _, err = run(["evaluate", str(path), "--data", str(synthetic)], capsys)
    assert code == 2
    assert "model.onnx: unknown kind of model, allowed: .keras, .tflite" in err


def test_a_dataset_with_other_scenes_is_refused(synthetic, capsys):
    code, out, _ = run(["evaluate", str(MODEL), "--data", str(synthetic), "--json"], capsys)
    assert code == 2
    assert "the model knows baby_cry, chainsaw" in json.loads(out)["error"]


@pytest.mark.slow
def test_released_model_on_held_out_recordings(esc10, capsys):
    """The accuracy that the model card states, with the arithmetic of the chip."""
    pytest.importorskip("tflite_micro")
    code, out, _ = run(["evaluate", str(MODEL), "--data", str(esc10), "--json"], capsys)
    assert code == 0
    results = json.loads(out)["results"]
    assert set(results) == {"int8", "int8_integer_frontend"}
    chip = results["int8_integer_frontend"]
    assert chip["clips"] == 330
    assert chip["accuracy"] >= 0.83
    assert abs(chip["accuracy"] - results["int8"]["accuracy"]) <= 0.01
    assert set(chip["classes"]) == set(Dataset.load(esc10).labels)
    assert set(chip["devices"]) == {"a"}
