"""Datasets in the TAU layout: reading, fingerprint, the synthetic set."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import clip_info, read_pcm
from asc_tiny.audio.dataset import Dataset
from asc_tiny.audio.synth import write_synthetic
from asc_tiny.util.errors import AscError

TAU = {
    "meta.csv": (
        "filename\tscene_label\tidentifier\tsource_label\n"
        "audio/park-lyon-1117-0-0-s1.wav\tpark\tlyon-1117\ts1\n"
        "audio/airport-lisbon-1000-0-0-a.wav\tairport\tlisbon-1000\ta\n"
        "audio/airport-paris-1-0-0-b.wav\tairport\tparis-1\tb\n"
        "audio/bus-paris-7-0-0-c.wav\tbus\tparis-7\tc\n"
    ),
    "evaluation_setup/fold1_train.csv": (
        "filename\tscene_label\n"
        "audio/park-lyon-1117-0-0-s1.wav\tpark\n"
        "audio/airport-lisbon-1000-0-0-a.wav\tairport\n"
    ),
    "evaluation_setup/fold1_evaluate.csv": (
        "filename\tscene_label\naudio/airport-paris-1-0-0-b.wav\tairport\n"
    ),
    "evaluation_setup/fold1_test.csv": "filename\naudio/airport-paris-1-0-0-b.wav\n",
}


@pytest.fixture
def tau(tmp_path) -> Path:
    for name, text in TAU.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "audio").mkdir()
    for line in TAU["meta.csv"].splitlines()[1:]:
        name = line.split("\t")[0]
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def load_error(root: Path) -> str:
    with pytest.raises(AscError) as caught:
        Dataset.load(root)
    return str(caught.value)


def test_tau_layout_is_read(tau):
    data = Dataset.load(tau)
    assert data.labels == ("airport", "bus", "park")
    assert len(data.clips) == 4  # the bus is in no split
    train = data.split("train")
    assert [clip.scene for clip in train] == ["park", "airport"]
    assert train[0].identifier == "lyon-1117"
    assert train[0].device == "s1"
    assert train[0].path == tau / "audio" / "park-lyon-1117-0-0-s1.wav"
    (test,) = data.split("test")
    assert (test.scene, test.device) == ("airport", "b")  # the labels come from meta.csv
    with pytest.raises(AscError, match="split 'dev' is unknown, allowed: train, evaluate, test"):
        data.split("dev")


def test_windows_files_are_read(tau):
    for path in tau.rglob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert Dataset.load(tau).labels == ("airport", "bus", "park")


def test_fingerprint_is_the_documented_hash(tau):
    names = sorted(line.split("\t")[:2] for line in TAU["meta.csv"].splitlines()[1:])
    text = "".join(f"{n}\t{s}\t{hashlib.sha256(n.encode()).hexdigest()}\n" for n, s in names)
    assert Dataset.load(tau).fingerprint() == hashlib.sha256(text.encode()).hexdigest()


def test_fingerprint_follows_labels_and_audio_but_not_order(tau):
    before = Dataset.load(tau).fingerprint()
    header, *lines = TAU["meta.csv"].splitlines(keepends=True)
    (tau / "meta.csv").write_text(header + "".join(reversed(lines)))
    assert Dataset.load(tau).fingerprint() == before
    edit(tau / "meta.csv", "\tbus\t", "\ttram\t")
    relabeled = Dataset.load(tau).fingerprint()
    (tau / "audio" / "bus-paris-7-0-0-c.wav").write_bytes(b"other")
    assert len({before, relabeled, Dataset.load(tau).fingerprint()}) == 3


def test_a_folder_without_meta_is_not_a_dataset(tmp_path):
    assert load_error(tmp_path).startswith(f"{tmp_path}: not a dataset")


TRAIN = "evaluation_setup/fold1_train.csv"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("meta.csv", "scene_label", "scene", "meta.csv:1: column scene_label is missing"),
        ("meta.csv", "\tlyon-1117", "", "meta.csv:2: malformed row: 3 tab-separated fields"),
        ("meta.csv", "\tbus\t", "\t\t", "meta.csv:5: malformed row: scene_label is empty"),
        ("meta.csv", "bus-paris", "bus-rome", "bus-rome-7-0-0-c.wav: file is missing"),
        ("meta.csv", "audio/bus", "../bus", "meta.csv:5: ../bus-paris-7-0-0-c.wav: must be a path"),
        (TRAIN, "audio/park-lyon", "audio/park-rome", f"{TRAIN}:2: audio/park-rome-1117"),
        (
            TRAIN,
            "s1.wav\tpark",
            "s1.wav\tbus",
            f"{TRAIN}:2: audio/park-lyon-1117-0-0-s1.wav: label",
        ),
        (TRAIN, "\t", ",", f"{TRAIN}:1: column filename is missing"),
    ],
)
def test_errors_name_file_and_line(tau, file, old, new, expected):
    edit(tau / file, old, new)
    message = load_error(tau)
    assert expected in message and message.startswith(f"{tau}/{file}:") and "\n" not in message


def test_duplicates_and_missing_tables_are_errors(tau):
    meta = tau / "meta.csv"
    meta.write_text(TAU["meta.csv"] + TAU["meta.csv"].splitlines()[2])
    assert "meta.csv:6: audio/airport-lisbon-1000-0-0-a.wav: duplicate of line 3" in load_error(tau)
    meta.write_text(TAU["meta.csv"])
    (tau / "evaluation_setup" / "fold1_test.csv").unlink()
    assert load_error(tau) == f"{tau}/evaluation_setup/fold1_test.csv: file is missing"
    meta.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8 text" in load_error(tau)


def test_esc10_is_read_as_its_tables_say(esc10):
    data = Dataset.load(esc10)
    with (esc10 / "meta.csv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(data.clips) == len(rows) == 1287
    assert data.labels == tuple(sorted({row["scene_label"] for row in rows}))
    assert [len(data.split(name)) for name in ("train", "evaluate", "test")] == [957, 330, 330]
    scenes = {row["filename"]: row["scene_label"] for row in rows}
    assert all(clip.scene == scenes[clip.filename] for clip in data.split("test"))
    assert len(read_pcm(data.split("test")[0].path, 44100)) == 44100


def test_synthetic_dataset_is_whole_and_does_not_leak(synthetic):
    data = Dataset.load(synthetic)
    assert len(data.labels) == 3 and len(data.clips) == 24
    train, evaluate = data.split("train"), data.split("evaluate")
    assert evaluate == data.split("test")
    assert set(train) | set(evaluate) == set(data.clips)
    assert not {c.identifier for c in train} & {c.identifier for c in evaluate}
    for clips in (train, evaluate):
        assert {c.scene for c in clips} == set(data.labels)
    assert {c.device for c in train} == {"a", "b", "c", "s1"}
    info = clip_info(data.clips[0].path)
    assert (info.rate, info.frames, info.channels, info.subtype) == (44100, 44100, 1, "PCM_24")


def test_equal_seeds_give_equal_bytes(synthetic, tmp_path):
    write_synthetic(tmp_path / "same", seed=1, clips_per_class=8)
    write_synthetic(tmp_path / "other", seed=2, clips_per_class=8)
    files = sorted(p.relative_to(synthetic) for p in synthetic.rglob("*") if p.is_file())
    assert len(files) == 24 + 4
    for file in files:
        assert (tmp_path / "same" / file).read_bytes() == (synthetic / file).read_bytes()
    assert Dataset.load(tmp_path / "other").fingerprint() != Dataset.load(synthetic).fingerprint()


def test_synthetic_scenes_can_be_told_apart(tmp_path):
    """Nearest mean of coarse log spectra, trained on one side of the fold, tested on the other."""
    write_synthetic(tmp_path, seed=5, classes=6, clips_per_class=8, sample_rate=16000)
    data = Dataset.load(tmp_path)

    def feature(clip):
        frames = read_pcm(clip.path, 16000).reshape(40, 400) / 32768.0
        power = np.abs(np.fft.rfft(frames))[:, :200].reshape(40, 20, 10).mean(axis=2) ** 2
        logs = np.log(power + 1e-9)
        return np.concatenate([logs.mean(axis=0) - logs.mean(), logs.std(axis=0)])

    train = [(feature(clip), clip.scene) for clip in data.split("train")]
    means = {s: np.mean([f for f, t in train if t == s], axis=0) for s in data.labels}
    correct = [
        min(means, key=lambda s: np.linalg.norm(feature(clip) - means[s])) == clip.scene
        for clip in data.split("test")
    ]
    assert np.mean(correct) >= 0.7  # chance is 0.17


@pytest.mark.parametrize(
    "bad", [{"seed": -1}, {"classes": 1}, {"classes": 13}, {"clips_per_class": 3}]
)
def test_synthetic_arguments_are_checked(tmp_path, bad):
    with pytest.raises(AscError, match=r"= -?\d+, allowed: "):
        write_synthetic(tmp_path / "x", **{"seed": 0, **bad})
    assert not (tmp_path / "x").exists()


def test_a_copied_dataset_has_the_same_fingerprint(synthetic, tmp_path):
    shutil.copytree(synthetic, tmp_path / "copy")
    assert Dataset.load(tmp_path / "copy").fingerprint() == Dataset.load(synthetic).fingerprint()
