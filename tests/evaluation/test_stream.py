"""Evaluation of streams: figures against loops by their definition, order, the command."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.clips import read_pcm
from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.cli.main import main
from asc_tiny.decision.config import DecisionConfig
from asc_tiny.decision.rule import decide
from asc_tiny.decision.windows import Windows
from asc_tiny.frontend import fixed, stream
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from asc_tiny.model.score_mixer import SOFTMAX
from support.paths import CLIPS, MODEL

pytest.importorskip("tflite_micro")

from asc_tiny.evaluation import stream as evaluation
from asc_tiny.evaluation.stream import Truth, stream_order
from asc_tiny.tflm.interpreter import Interpreter

SLIDING = "hop_columns = 20\nsmoothing = 3\nlead = 0.05\nhold = 2\nthreshold = 0.5\n"


def clip(name: str, device: str = "a") -> Clip:
    scene, city, place, *_ = name.split("-")
    return Clip(Path(name), f"audio/{name}", scene, f"{city}-{place}", device)


def test_recordings_stay_whole_and_scenes_take_turns() -> None:
    names = ["park-lyon-1-0-10", "park-lyon-1-0-9", "park-lyon-2-0-0", "park-oslo-1-0-0"]
    names += ["tram-lyon-1-1-0", "tram-lyon-1-0-7", "bus-lyon-10-0-0", "bus-lyon-9-0-0"]
    order = [each.filename.removeprefix("audio/") for each in stream_order(map(clip, names))]
    assert order == [
        "bus-lyon-10-0-0",
        "park-lyon-1-0-9",
        "park-lyon-1-0-10",
        "tram-lyon-1-0-7",
        "tram-lyon-1-1-0",
        "bus-lyon-9-0-0",
        "park-lyon-2-0-0",
        "park-oslo-1-0-0",
    ]
    two = [clip("park-lyon-1-0-0", "b"), clip("park-lyon-1-0-1", "a")]
    assert stream_order(two) == two[::-1]


def by_definition(
    labels: list[int], scenes: list[int], windows: Windows, unknown: int
) -> dict[str, object]:
    """The figures in plain loops over windows and seconds of scenes."""
    rate = windows.frontend.clip_samples
    hits, unmixed, known = [], [], []
    for window, label in enumerate(labels):
        first, end = windows.first(window), windows.end(window)
        hit = label == scenes[(windows.start(window) + end) // 2 // rate]
        hits.append(hit)
        if len({scenes[sample // rate] for sample in (*range(first, end, 999), end - 1)}) == 1:
            unmixed.append(hit)
        if label != unknown:
            known.append(hit)
    latencies, changes = [], 0
    for second in range(1, len(scenes)):
        if scenes[second] == scenes[second - 1]:
            continue
        changes += 1
        last = second
        while last < len(scenes) and scenes[last] == scenes[second]:
            last += 1
        for window, label in enumerate(labels):
            end = windows.end(window)
            if second * rate < end <= last * rate and label == scenes[second]:
                latencies.append((end - second * rate) / rate)
                break
    return {
        "accuracy": sum(hits) / len(hits),
        "accuracy_unmixed": sum(unmixed) / len(unmixed) if unmixed else None,
        "accuracy_known": sum(known) / len(known) if known else None,
        "unknown": 1 - len(known) / len(hits),
        "changes_per_minute": sum(a != b for a, b in pairwise(labels)) / (len(scenes) / 60),
        "found": len(latencies) / changes if changes else None,
        "latency_median": float(np.median(latencies)) if latencies else None,
        "latency_mean": sum(latencies) / len(latencies) if latencies else None,
    }


@pytest.mark.parametrize("hop", [None, 7, 36, 90])
@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_what_they_are_said_to_be(hop: int | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scenes = np.repeat(rng.integers(0, 3, 12), rng.integers(1, 6, 12))
    windows = Windows(FrontEndConfig(), DecisionConfig(hop_columns=hop))
    count = windows.count(len(scenes) * 44100)
    clips = [clip(f"{scene}-lyon-{i // 4}-0-0") for i, scene in enumerate(scenes)]
    truth = Truth(clips, scenes, windows, count)
    for labels in (rng.integers(0, 4, count), np.full(count, 3), np.full(count, 1)):
        figures = vars(truth.figures(labels, unknown=3))
        low, high = figures.pop("accuracy_interval")
        assert low <= figures["accuracy"] <= high
        expected = by_definition(labels.tolist(), scenes.tolist(), windows, 3)
        assert figures == pytest.approx(expected)


def write_dataset(root: Path, clips: dict[str, np.ndarray]) -> None:
    """Write clips "audio/SCENE-RECORDING-TAKE.wav" as all splits of a dataset."""
    (root / "audio").mkdir(parents=True)
    (root / "evaluation_setup").mkdir()
    meta, labeled = ["filename\tscene_label\tidentifier\tsource_label"], ["filename\tscene_label"]
    for name, pcm in clips.items():
        soundfile.write(root / name, pcm, 44100)
        scene, recording, _ = name.removeprefix("audio/").split("-")
        meta.append(f"{name}\t{scene}\tfold4-{recording}\ta")
        labeled.append(f"{name}\t{scene}")
    tables = {"meta": meta, "evaluation_setup/fold1_test": ["filename", *clips]}
    tables |= {f"evaluation_setup/fold1_{name}": labeled for name in ("train", "evaluate")}
    for table, lines in tables.items():
        (root / f"{table}.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips of the repository as the test split of a dataset, each twice."""
    root = tmp_path_factory.mktemp("clips")
    takes = {}
    for path in CLIPS:
        scene, _, recording, *_ = path.stem.split("-")
        pcm = read_pcm(path, 44100)
        takes[f"audio/{scene}-{recording}-0.wav"] = pcm
        takes[f"audio/{scene}-{recording}-1.wav"] = pcm[::-1]
    write_dataset(root, takes)
    return root


def evaluate(capsys, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *(str(argument) for argument in arguments)])
    output = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, output.out, output.err


@pytest.mark.parametrize("sliding", [False, True])
def test_the_command_follows_the_firmwares_arithmetic(
    sliding, dataset, tmp_path, capsys, monkeypatch
) -> None:
    """Whatever the parts are, and in whichever processes they are computed."""
    monkeypatch.setattr(evaluation, "PART", 7)
    config = DecisionConfig()
    arguments: list[object] = []
    if sliding:
        config = DecisionConfig(hop_columns=20, smoothing=3, lead=0.05, hold=2, threshold=0.5)
        (tmp_path / "decision.toml").write_text(SLIDING)
        arguments = ["--decision", tmp_path / "decision.toml"]
    arguments += ["--jobs", 1 + sliding]
    code, out, _ = evaluate(capsys, MODEL, "--data", dataset, "--stream", "--json", *arguments)
    assert code == 0
    document = json.loads(out)
    model = model_file.load(MODEL)
    assert model.frontend and model.labels
    clips = stream_order(Dataset.load(dataset).split("test"))
    scenes = [model.labels.index(each.scene) for each in clips]
    pcm = np.concatenate([read_pcm(each.path, 44100) for each in clips])
    features = [fixed.features(second, model.frontend) for second in pcm.reshape(-1, 44100)]
    if sliding:
        columns = stream.features(pcm, model.frontend)
        starts = range(0, columns.shape[1] - 35, 20)
        features = [np.ascontiguousarray(columns[:, s : s + 36]) for s in starts]
    network = Interpreter(model.data, MODEL)
    scores = np.stack([network.run(each) for each in features])
    smoothed, reported = decide(scores, config, SOFTMAX)
    labelings = {
        "raw": scores.argmax(axis=1),
        "smoothed": smoothed.argmax(axis=1),
        "reported": reported,
    }
    assert (document["schema"], document["split"]) == (1, "test")
    assert document["decision"] == config.to_dict()
    assert document["seconds"] == len(clips) == 20
    assert document["recordings"] == 10
    assert document["scene_changes"] == 9
    assert document["windows"] == len(scores)
    assert list(document["results"]) == list(labelings)
    windows = Windows(model.frontend, config)
    for name, labels in labelings.items():
        figures = document["results"][name]
        assert len(figures.pop("accuracy_interval")) == 2
        expected = by_definition(labels.tolist(), scenes, windows, len(model.labels))
        assert figures == pytest.approx(expected)


def test_table(dataset, capsys) -> None:
    code, out, _ = evaluate(capsys, MODEL, "--data", dataset, "--stream")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].endswith("split test as a stream: 20 s, 10 recordings, 9 changes of scene")
    assert lines[1] == "  20 windows, 0 of them with several scenes"
    assert lines[2].split() == ["raw", "smoothed", "reported"]
    assert lines[3].startswith("  accuracy  ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--decision", "x.toml"], "--decision needs --stream"),
        (["--stream", "--table"], "--stream does not go with --table, --html"),
        (["--stream", "--html", "x.html"], "--stream does not go with --table, --html"),
        (["--stream", "--decision", "none.toml"], "none.toml: cannot read"),
    ],
)
def test_what_does_not_go_together(arguments, message, dataset, capsys) -> None:
    code, out, err = evaluate(capsys, MODEL, "--data", dataset, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_window_longer_than_the_stream(tmp_path, capsys) -> None:
    (tmp_path / "decision.toml").write_text("hop_columns = 1\n")
    root = tmp_path / "short"
    write_dataset(root, {"audio/rooster-1-0.wav": np.zeros(44100, np.int16)})
    arguments = (MODEL, "--data", root, "--stream", "--decision", tmp_path / "decision.toml")
    code, _, err = evaluate(capsys, *arguments)
    assert code == 2
    assert "a window needs 45056 samples, the stream has 44100" in err


@pytest.mark.slow
def test_clips_of_a_stream_are_the_clips_of_the_split(esc10, capsys) -> None:
    _, out, _ = evaluate(capsys, MODEL, "--data", esc10, "--json")
    clips = json.loads(out)["results"]["int8_integer_frontend"]
    _, out, _ = evaluate(capsys, MODEL, "--data", esc10, "--stream", "--json")
    results = json.loads(out)["results"]
    for name in ("raw", "smoothed", "reported"):
        assert results[name]["accuracy"] == pytest.approx(clips["accuracy"])
        assert results[name]["accuracy_interval"] == pytest.approx(clips["accuracy_interval"])
