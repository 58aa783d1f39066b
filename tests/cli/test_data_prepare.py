"""``asc-tiny data prepare``: from hand-made recordings to data sets that ``data check`` passes."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from asc_tiny import api
from asc_tiny.audio import prepare
from asc_tiny.audio.dataset import Dataset
from support.commands import asc_tiny, refused
from support.recordings import RATE, noise, text, write, write_noise

OPTIONS = ("--sample-rate", RATE)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two machines in four halls, 3.5 seconds each."""
    names = [f"{machine}/hall{i}/a.wav" for machine in ("fan", "pump") for i in range(4)]
    return write_noise(tmp_path / "source", names, seconds=3.5)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_data_set(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert asc_tiny("data", "prepare", source, "--out", out, *OPTIONS, "--hop", 0.5) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[-1] == f"{out}: layout folders, 8 recordings, 48 clips"
    assert lines[0] == "train: 24 clips (fan 12, pump 12)" and captured.err == ""
    assert asc_tiny("data", "check", out) == 0  # rate and length are those of the data set
    assert asc_tiny("data", "check", out, "--sample-rate", 44100) == 1
    data = Dataset.load(out)
    sides = [{clip.identifier for clip in data.split(n)} for n in ("train", "evaluate", "test")]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 4
    origins = {row["filename"]: row for row in table(out / "origins.csv")}
    assert len(origins) == 48
    for name, row in origins.items():
        assert (row["length"], row["rate"], row["channel"]) == ("8000", "8000", "mean")
        start, whole = int(row["start"]), samples(source / row["source"])
        assert start % 4000 == 0
        np.testing.assert_array_equal(samples(out / name), whole[start : start + 8000])
    rows = table(out / "sources.csv")
    assert sum(int(row["clips"]) for row in rows) == 48 and len(rows) == 8
    by_recording = {row["recording"]: row for row in rows}
    for name in origins:
        row = by_recording[Path(name).stem.rsplit("-", 1)[0]]
        assert row["origin"] == origins[name]["source"]
        clips = {clip.filename for clip in data.split(row["split"])}
        assert name in clips


def test_equal_commands_give_equal_bytes(source: Path, tmp_path: Path) -> None:
    for jobs, name in enumerate(["one", "two"], start=1):
        argv = ("data", "prepare", source, "--out", tmp_path / name, *OPTIONS, "--format", "flac")
        assert asc_tiny(*argv, "--bits", 24, "--jobs", jobs) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert api.read_pcm(next((tmp_path / "one" / "audio").iterdir()), RATE, bits=24).any()
    made = api.prepare_dataset(source, tmp_path / "three", sample_rate=RATE, seed=1)
    assert made.report.passed and made.recordings == 8
    train = "evaluation_setup/fold1_train.csv"
    assert (tmp_path / "three" / train).read_bytes() != (tmp_path / "one" / train).read_bytes()


def test_folds(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert asc_tiny("data", "prepare", source, "--out", out, *OPTIONS, "--folds", 4) == 0
    tested: list[str] = []
    for fold in range(1, 5):
        assert asc_tiny("data", "check", out, "--fold", fold) == 0
        data = api.load_dataset(out, fold=fold)
        assert data.split("evaluate") == data.split("test")
        assert len(data.split("train")) + len(data.split("test")) == len(data.clips) == 24
        tested += [clip.filename for clip in data.split("test")]
    assert len(set(tested)) == len(tested) == 24
    assert asc_tiny("data", "check", out, "--fold", 5) == 1
    assert {row["split"] for row in table(out / "sources.csv")} == {
        f"fold{i}" for i in (1, 2, 3, 4)
    }


def test_two_shares_caps_and_classes(source: Path, tmp_path: Path) -> None:
    write_noise(source, [f"valve/hall{i}/x.wav" for i in range(4)], seconds=1.0)
    argv = ["--split", "75,25", "--cap", 5, "--classes", "fan,pump", "--others", "rest"]
    out = tmp_path / "out"
    assert asc_tiny("data", "prepare", source, "--out", out, *OPTIONS, *argv) == 0
    data = Dataset.load(out)
    assert data.split("evaluate") == data.split("test") and data.labels == ("fan", "pump", "rest")
    counts = [sum(c.scene == name for c in data.split("train")) for name in data.labels]
    assert counts == [5, 5, 3]
    # Each hall gives its share.
    halls = [c.identifier for c in data.split("train") if c.scene == "fan"]
    assert sorted(map(halls.count, set(halls))) == [1, 2, 2]


def test_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loud, quiet = noise(1.0, 1, level=0.1), noise(1.0, 2, level=0.001)
    for name in ("a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"):
        write(tmp_path / "in" / name, np.concatenate([loud, quiet, np.zeros(RATE)]) * 0.5)
    argv = ("data", "prepare", tmp_path / "in", *OPTIONS, "--split", "1,1", "--peak", -6.0)
    assert asc_tiny(*argv, "--out", tmp_path / "x", "--silence", -70) == 0
    assert "left out: 4 silent clips" in capsys.readouterr().err
    peaks = {abs(samples(p).astype(int)).max() for p in (tmp_path / "x" / "audio").iterdir()}
    assert max(peaks) == round(32768 * 10 ** (-6 / 20)) and min(peaks) < 200
    assert asc_tiny(*argv, "--out", tmp_path / "y", "--quieter", 20) == 0
    assert len(list((tmp_path / "y" / "audio").iterdir())) == 4
    line = refused(capsys, *argv, "--out", tmp_path / "z", "--silence", 0)
    assert "class 'a': no clip is left (6 silent)" in line


def test_label_tracks_and_other_formats(tmp_path: Path) -> None:
    for day in range(3):
        path = tmp_path / "in" / f"day{day}.ogg"
        write(path, np.stack([noise(6.0, day, rate=44100)] * 2, axis=1), rate=44100)
        text(path.with_suffix(".txt"), "0.5\t2.75\tfan", "3.0\t5.0\tpump", "5.0\t5.5\tpump")
    argv = ("data", "prepare", tmp_path / "in", "--sample-rate", 16000, "--licence", "CC0")
    assert asc_tiny(*argv, "--out", tmp_path / "out", "--channel", 2) == 0
    rows = table(tmp_path / "out" / "origins.csv")
    starts = sorted(int(r["start"]) for r in rows if r["source"] == "day0.ogg")
    assert starts == [22050, 66150, 132300, 176400, 220500]
    assert {r["channel"] for r in rows} == {"2"}
    assert {r["length"] for r in rows} == {"44100", "22050"}
    assert {r["licence"] for r in table(tmp_path / "out" / "sources.csv")} == {"CC0"}
    assert asc_tiny(*argv, "--out", tmp_path / "less", "--short", "drop") == 0
    assert len(table(tmp_path / "less" / "origins.csv")) == 12


def test_splits_of_the_source(tmp_path: Path) -> None:
    rows = [f"{part}{i}.wav,{label},{part}" for part in ("train", "test") for i, label in
            enumerate("ab")]  # fmt: skip
    write_noise(tmp_path, [row.split(",")[0] for row in rows])
    path = text(tmp_path / "list.csv", "path,label,split", *rows)
    assert asc_tiny("data", "prepare", path, "--out", tmp_path / "o", *OPTIONS) == 0
    data = Dataset.load(tmp_path / "o")
    assert {clip.identifier for clip in data.split("test")} == {"file-test0", "file-test1"}
    assert data.split("evaluate") == data.split("test")


def test_what_is_refused(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    argv = ("data", "prepare", source, "--out", out, *OPTIONS)
    for more, expected in {
        ("--seconds", "nan"): "seconds = nan, allowed: 0.001 to 3600",
        ("--hop", 0): "hop = 0, allowed: 0.001 to 3600",
        ("--sample-rate", 10): "sample_rate = 10, allowed: 4000 to 192000",
        ("--folds", 1): "folds = 1, allowed: 2 to 100",
        ("--folds", 3, "--split", "1,1"): "split and folds cannot be given together",
        ("--split", "1"): "split = 1, allowed: shares above 0",
        ("--split", "1,-1"): "split = 1, -1, allowed: shares above 0",
        ("--split", "a,b"): "'a,b', must be numbers with commas",
        ("--channel", 2): "a.wav: 1 channels, allowed: 2 to 64",
        ("--others", "x"): "others needs classes",
        ("--column", "x"): "'x', must be WHAT=COLUMN",
        ("--column", "label=y"): "--column means nothing in the layout folders",
        ("--cap", 0): "cap = 0, allowed: 1 to 1e+09",
        ("--folds", 5): "class 'fan' has 4 groups for the 5 parts 1, 2, 3, 4, 5",
        ("--group", "(fan|pump)"): "class 'fan' has 1 group for the 3 parts",
        ("--layout", "csv"): "layout csv needs the table itself",
    }.items():
        assert expected in refused(capsys, *argv, *more), more
        assert {path.name for path in tmp_path.iterdir()} == {"source"}, more
    (source / "fan" / "hall0" / "b.wav").write_bytes(b"no audio")
    line = refused(capsys, *argv)
    assert f"{source}/fan/hall0/b.wav: not readable as audio" in line
    line = refused(capsys, *argv[:3], "--out", source / "new")
    assert f"{source}/new: lies in {source}, which would read what it writes" in line
    text(tmp_path / "full" / "mine.txt", "keep")
    line = refused(capsys, *argv[:3], "--out", tmp_path / "full")
    assert "full: is not empty, a new or empty folder is needed" in line
    assert asc_tiny(*argv, "--skip-unreadable") == 0
    assert "left out: 1 recordings that cannot be read" in capsys.readouterr().err


def test_regions_and_rows_that_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{i}.wav" for i in range(6)]
    write_noise(tmp_path, names)
    argv = ("data", "prepare", "--out", tmp_path / "out", *OPTIONS)
    rows = [f"{name},{label},,0.0,1.0" for name, label in zip(names, "aaabbb", strict=True)]
    path = text(tmp_path / "x.csv", "path,label,split,start,end", *rows, "0.wav,a,,0.5,1.2")
    assert "x.csv:8: from 0.5 s to 1.2 s, the recording ends at 1 s" in refused(capsys, *argv, path)
    rows[1] = rows[1].replace(",,", ",train,")
    text(path, "path,label,split,start,end", *rows)
    assert "group 'file-0' is in no part of the source's own split" in refused(capsys, *argv, path)
    assert asc_tiny(*argv, path, "--split", "2,1") == 0


def test_a_run_that_failed_is_gone_on_with(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    out, left = tmp_path / "out", tmp_path / ".out.partial"
    argv = ("data", "prepare", source, "--out", out, *OPTIONS)
    assert asc_tiny(*argv) == 0
    expected = contents(out)
    out.rename(tmp_path / "whole")
    bad = noise(3.5)
    bad[20000] = np.inf
    good = (source / "pump" / "hall1" / "a.wav").read_bytes()
    write(source / "pump" / "hall1" / "a.wav", bad, subtype="FLOAT")
    capsys.readouterr()
    assert asc_tiny(*argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pump/hall1/a.wav: sample 20000 is inf, all must be finite; clips that are" in line
    assert not out.exists() and len(list((left / "audio").iterdir())) >= 15
    (source / "pump" / "hall1" / "a.wav").write_bytes(good)
    with (left / "journal.jsonl").open("a") as file:
        file.write('{"key": "half of a li')
    cut: list[str] = []
    original = prepare._cut_one

    def counted(recording, *rest):
        cut.append(recording.name)
        return original(recording, *rest)

    monkeypatch.setattr(prepare, "_cut_one", counted)
    assert asc_tiny(*argv) == 0
    assert cut == ["pump/hall1/a.wav", "pump/hall2/a.wav", "pump/hall3/a.wav"]
    assert contents(out) == expected and not left.exists()


def test_other_options_start_anew(source: Path, tmp_path: Path) -> None:
    out, left = tmp_path / "out", tmp_path / ".out.partial"
    for record in ('{"run": "another"}', ""):
        text(left / "journal.jsonl", record, '{"key": "x", "clips": []}')
        text(left / "audio" / "strange.wav", "left by another run")
        assert asc_tiny("data", "prepare", source, "--out", out, *OPTIONS) == 0
        assert len(list((out / "audio").iterdir())) == 24
        out.rename(tmp_path / f"done{len(record)}")


def test_dataset_toml_that_is_damaged(source: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert asc_tiny("data", "prepare", source, "--out", out, *OPTIONS) == 0
    text(out / "dataset.toml", 'sample_rate = "x"')
    assert "dataset.toml: sample_rate = 'x', must be a whole number" in refused(
        capsys, "data", "check", out
    )


def test_json_of_check(source: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert asc_tiny("data", "prepare", source, "--out", out, *OPTIONS, "--seconds", 0.5) == 0
    capsys.readouterr()
    assert asc_tiny("data", "check", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["clips"] == 56
