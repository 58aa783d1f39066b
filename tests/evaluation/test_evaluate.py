"""Metrics against hand-written loops, intervals against brute force, the released model."""

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
from asc_tiny.evaluation import bootstrap
from asc_tiny.evaluation.metrics import Figures, metrics
from asc_tiny.util.errors import AscError
from support.paths import MODEL

LABELS = ("park", "street", "tram")


def clip(scene: str, device: str = "a", identifier: str = "lyon-1") -> Clip:
    return Clip(Path(f"{scene}.wav"), f"audio/{scene}.wav", scene, identifier, device)


CLIPS = [clip("park"), clip("park", "b"), clip("street"), clip("park"), clip("street", "b")]
SCORES = np.array(
    [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.8, 0.1, 0.1], [0.5, 0.0, 0.5]]
)


def random_case(count: int = 90) -> tuple[list[Clip], np.ndarray]:
    """Clips of 12 recordings in 3 cities, two of the classes rare, with uncertain scores."""
    rng = np.random.default_rng(5)
    clips = []
    for _ in range(count):
        place = int(rng.integers(12))
        scene = LABELS[0] if place < 9 else LABELS[1 + place % 2]
        identifier = f"{('lyon', 'paris', 'new-york')[place % 3]}-{place}"
        clips.append(clip(scene, "abc"[rng.integers(3)], identifier))
    return clips, rng.dirichlet(np.ones(3), count)


def looped(clips: list[Clip], scores: np.ndarray) -> tuple[float, float]:
    """Accuracy and log loss, clip by clip."""
    hits, loss = 0, 0.0
    for one, row in zip(clips, scores.tolist(), strict=True):
        truth = LABELS.index(one.scene)
        hits += max(range(3), key=row.__getitem__) == truth
        loss -= math.log(row[truth] / sum(row))
    return hits / len(clips), loss / len(clips)


def test_metrics_by_hand():
    result = metrics(SCORES, CLIPS, LABELS)
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
    assert result.confusion == ((2, 1, 0), (1, 1, 0), (0, 0, 0)), "rows are the truth"


def test_every_group_against_loops():
    clips, scores = random_case()
    result = metrics(scores, clips, LABELS)
    keys = {
        "classes": lambda one: one.scene,
        "devices": lambda one: one.device,
        "cities": lambda one: one.identifier[: one.identifier.rindex("-")],
    }
    for group, key in keys.items():
        found = getattr(result, group)
        assert set(found) == {key(one) for one in clips}
        for name, figures in found.items():
            chosen = [i for i, one in enumerate(clips) if key(one) == name]
            accuracy, loss = looped([clips[i] for i in chosen], scores[chosen])
            assert figures.clips == len(chosen)
            assert figures.recordings == len({clips[i].identifier for i in chosen})
            assert figures.accuracy == pytest.approx(accuracy)
            assert figures.log_loss == pytest.approx(loss)
    assert result.overall.recordings == 12
    for i, row in enumerate(result.confusion):
        for j, count in enumerate(row):
            wanted = sum(
                one.scene == LABELS[i] and max(range(3), key=values.__getitem__) == j
                for one, values in zip(clips, scores.tolist(), strict=True)
            )
            assert count == wanted


def brute_force(clips: list[Clip], scores: np.ndarray, scene: str | None) -> list[list[float]]:
    """Accuracy and log loss in every draw, from a data set put together clip by clip."""
    recordings = sorted({one.identifier for one in clips})
    found: list[list[float]] = [[], []]
    for drawn in bootstrap.draw(len(recordings)).tolist():
        indices = [
            index
            for number in drawn
            for index, one in enumerate(clips)
            if one.identifier == recordings[number] and scene in (None, one.scene)
        ]
        if indices:
            figures = looped([clips[i] for i in indices], scores[indices])
            for values, value in zip(found, figures, strict=True):
                values.append(value)
    return found


def percentiles(values: list[float]) -> tuple[float, float]:
    """2.5 % and 97.5 % by linear interpolation between order statistics."""
    ordered = sorted(values)
    ends = []
    for share in (0.025, 0.975):
        place = share * (len(ordered) - 1)
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        ends.append(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
    return ends[0], ends[1]


@pytest.mark.parametrize("scene", [None, "tram"])
def test_intervals_against_brute_force(scene, monkeypatch):
    monkeypatch.setattr(bootstrap.draw, "__defaults__", (300, 0))
    monkeypatch.setitem(bootstrap.Bootstrap.__init__.__kwdefaults__, "draws", 300)
    clips, scores = random_case()
    result = metrics(scores, clips, LABELS)
    figures = result.overall if scene is None else result.classes[scene]
    accuracies, losses = brute_force(clips, scores, scene)
    if scene:
        assert len(accuracies) < 300, "the rare class must be missing in some draws"
    assert figures.accuracy_interval == pytest.approx(percentiles(accuracies))
    assert figures.log_loss_interval == pytest.approx(percentiles(losses))
    low, high = figures.accuracy_interval
    assert low < figures.accuracy < high


def test_macro_interval_is_of_the_mean_over_classes():
    clips = [clip(scene, "a", f"lyon-{i}") for i, scene in enumerate(["park"] * 20 + ["tram"] * 2)]
    scores = np.tile([1.0, 0.0, 0.0], (22, 1))
    result = metrics(scores, clips, LABELS)
    assert result.macro_accuracy == 0.5
    assert result.macro_accuracy_interval == (0.5, 1.0), "no tram in some draws: the rest counts"


@pytest.mark.parametrize(("recordings", "each"), [(400, 1), (40, 10)])
def test_interval_is_as_wide_as_the_normal_approximation(recordings, each):
    """Alike clips of a recording add nothing: the width is that of the number of recordings."""
    clips = [clip("park", "a", f"lyon-{i}") for i in range(recordings) for _ in range(each)]
    right = np.repeat(np.arange(recordings) % 4 > 0, each)
    scores = np.where(right[:, None], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1])
    low, high = metrics(scores, clips, LABELS).overall.accuracy_interval
    wanted = 2 * 1.96 * math.sqrt(0.75 * 0.25 / recordings)
    assert high - low == pytest.approx(wanted, rel=0.08)


def test_a_single_recording_has_no_spread():
    result = metrics(SCORES, CLIPS, LABELS)
    assert result.overall.recordings == 1
    assert result.overall.accuracy_interval == (0.6, 0.6)


def test_intervals_do_not_depend_on_the_order_of_clips():
    clips, scores = random_case()
    backwards = metrics(scores[::-1], clips[::-1], LABELS).overall
    assert backwards.accuracy_interval == metrics(scores, clips, LABELS).overall.accuracy_interval


@pytest.mark.parametrize(
    ("identifier", "city"),
    [("lisbon-1021", "lisbon"), ("fold4-164021", "fold4"), ("new-york-7", "new-york"), ("x", "x")],
)
def test_city_of_an_identifier(identifier, city):
    assert clip("park", "a", identifier).city == city


def test_floor_bounds_the_loss_and_keeps_the_sum():
    result = metrics(SCORES[4:], CLIPS[4:], LABELS, floor=1 / 512)
    floored = [0.5, 1 / 512, 0.5]
    assert result.overall.log_loss == pytest.approx(-math.log(floored[1] / sum(floored)))


def test_equal_scores_go_to_the_first_label():
    result = metrics(np.full((2, 3), 1 / 3), [clip("park"), clip("tram")], LABELS)
    assert result.classes["park"].accuracy == 1.0
    assert result.classes["tram"].accuracy == 0.0


def test_json_has_the_overall_figures_on_top():
    values = metrics(SCORES, CLIPS, LABELS).to_json()
    assert values["accuracy"] == pytest.approx(0.6)
    assert values["classes"]["park"]["clips"] == 3
    assert set(values["classes"]["park"]) == set(Figures.__dataclass_fields__)
    assert json.loads(json.dumps(values)) == values


def test_unknown_scene_is_named():
    with pytest.raises(AscError, match=r"bus.wav: scene 'bus', the model knows park, street, tram"):
        metrics(SCORES[:1], [clip("bus")], LABELS)


def test_int8_evaluation_needs_no_tensorflow():
    modules = ("cli.train", "cli.quantize", "cli.evaluate", "evaluation.report", "train.recipe")
    code = "import sys\n" + "".join(f"import asc_tiny.{name}\n" for name in modules)
    heavy = ("tensorflow", "keras", "matplotlib")
    code += f"sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_released_model_on_held_out_recordings(esc10, capsys):
    """The accuracy that the model card states, with the arithmetic of the chip."""
    pytest.importorskip("tflite_micro")
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(MODEL), "--data", str(esc10), "--json"])
    assert ended.value.code == 0
    values = json.loads(capsys.readouterr().out)
    results = values["results"]
    assert set(results) == {"int8", "int8_integer_frontend"}
    chip = results["int8_integer_frontend"]
    assert chip["clips"] == 330
    assert chip["recordings"] == 59
    assert chip["accuracy"] >= 0.83
    assert abs(chip["accuracy"] - results["int8"]["accuracy"]) <= 0.01
    assert set(chip["classes"]) == set(Dataset.load(esc10).labels)
    assert set(chip["devices"]) == {"a"}
    assert set(chip["cities"]) == {"fold4"}
    assert (values["params"], values["macs"]) == (7210, 3972224)
