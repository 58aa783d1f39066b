"""Recordings of any length through an emulated board."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.clips import write_wav16
from asc_tiny.audio.raw import raw_pcm
from asc_tiny.frontend import fixed
from asc_tiny.targets.build import project
from asc_tiny.targets.emulator.simulate import simulate
from support.commands import asc_tiny
from support.device_lines import FRONTEND, LABELS, make, small_model
from support.patience import PATIENCE_S

pytestmark = pytest.mark.qemu
MAIN = "from asc_tiny.cli.main import main; main()"
RATE, CLIP = FRONTEND.sample_rate, FRONTEND.clip_samples


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    return small_model(tmp_path_factory.mktemp("model") / "small.tflite")


@pytest.fixture(scope="module")
def board(model: Path, tmp_path_factory: pytest.TempPathFactory) -> project.Project:
    return make(model, tmp_path_factory.mktemp("m4") / "firmware", "mps2-an386")


def recording(seconds: float, seed: int = 5) -> np.ndarray:
    """Noise whose level changes from clip to clip."""
    generator = np.random.default_rng(seed)
    levels = np.repeat(10.0 ** generator.uniform(0.0, 4.5, int(seconds * 2) + 1), CLIP)
    values = generator.normal(0.0, 1.0, int(seconds * RATE)) * levels[: int(seconds * RATE)]
    return np.clip(values, -32768, 32767).astype(np.int16)


def python_codes(target: project.Project, pcm: np.ndarray) -> np.ndarray:
    """Scores of every clip by the integer model and TensorFlow Lite Micro's kernels."""
    pytest.importorskip("tflite_micro")
    from asc_tiny.tflm.ensemble_interpreter import interpreter

    kernels = interpreter(target.model_file)
    clips = pcm[: len(pcm) // CLIP * CLIP].reshape(-1, CLIP)
    return np.stack([kernels.run(fixed.features(clip, target.frontend)) for clip in clips])


def test_a_timeline_has_the_decisions_of_python(
    board: project.Project, tmp_path: Path, capsys
) -> None:
    pcm = recording(20.3)
    write_wav16(tmp_path / "field.wav", pcm, RATE)
    out = tmp_path / "out"
    assert asc_tiny("simulate", board.folder, tmp_path / "field.wav", "--out", out, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"][0]["decisions"] == 40
    assert sorted(path.name for path in out.iterdir()) == ["field.csv", "field.png", "field.txt"]
    with (out / "field.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    codes = python_codes(board, pcm)
    assert len(rows) == len(codes) == 40
    for number, (row, expected) in enumerate(zip(rows, codes, strict=True)):
        assert float(row["start"]) == number / 2
        found = [float(row[f"score_{label}"]) for label in LABELS]
        assert found == pytest.approx((expected + 128.0) / 256.0, abs=1e-6)
        assert row["label"] == LABELS[int(expected.argmax())]
    assert len({tuple(row.tolist()) for row in codes}) > 20
    check_labels(out / "field.txt", rows)


def check_labels(path: Path, rows: list[dict[str, str]]) -> None:
    """Audacity's label track: start, end and text with tabs between, here without gaps."""
    entries = [line.split("\t") for line in path.read_text().splitlines()]
    assert entries[0][0] == "0.000000" and float(entries[-1][1]) == 20.0
    for before, after in pairwise(entries):
        assert before[1] == after[0] and before[2] != after[2]
    for row in rows:
        middle = float(row["start"]) + 0.25
        (label,) = [e[2] for e in entries if float(e[0]) <= middle < float(e[1])]
        assert label == row["label"]


def test_decisions_of_a_network_that_computes_while_columns_come(
    model: Path, tmp_path: Path
) -> None:
    target = make(model, tmp_path / "firmware", "mps2-an386", "--schedule", "time")
    pcm = recording(20.3)
    found = [each.codes for each in simulate(target, iter(np.array_split(pcm, 77)))]
    assert np.array_equal(np.stack(found), python_codes(target, pcm))


def test_the_same_input_gives_the_same_files(board: project.Project, tmp_path: Path) -> None:
    write_wav16(tmp_path / "a.wav", recording(3), RATE)
    for out in ("one", "two"):
        assert asc_tiny("simulate", board.folder, tmp_path / "a.wav", "--out", tmp_path / out) == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_other_encodings_and_rates(board: project.Project, tmp_path: Path, capsys) -> None:
    pcm = recording(4)
    soundfile.write(tmp_path / "deep.flac", pcm.astype(np.int32) << 16, RATE, subtype="PCM_24")
    write_wav16(tmp_path / "same.wav", pcm, RATE)
    write_wav16(tmp_path / "fast.wav", np.repeat(pcm, 2), 2 * RATE)
    wavs = [tmp_path / name for name in ("deep.flac", "same.wav")]
    assert asc_tiny("simulate", board.folder, *wavs, "--out", tmp_path / "out") == 0
    tables = [(tmp_path / "out" / f"{wav.stem}.csv").read_bytes() for wav in wavs]
    assert tables[0] == tables[1]
    arguments = ("simulate", board.folder, tmp_path / "fast.wav", "--out", tmp_path / "out")
    capsys.readouterr()
    assert asc_tiny(*arguments) == 2
    assert "16000 Hz, the model needs 8000 Hz; use --resample" in capsys.readouterr().err
    assert asc_tiny(*arguments, "--resample") == 0


def test_a_damaged_file_leaves_nothing(board: project.Project, tmp_path: Path, capsys) -> None:
    values = recording(4).astype(np.float64) / 32768.0
    values[30_000] = np.nan
    soundfile.write(tmp_path / "bad.wav", values, RATE, subtype="FLOAT")
    assert asc_tiny("simulate", board.folder, tmp_path / "bad.wav", "--out", tmp_path / "out") == 2
    assert "sample 30000 is nan, all must be finite" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def piped(data: bytes, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_raw_samples_from_standard_input(board: project.Project, tmp_path: Path) -> None:
    pcm = recording(4.2)
    write_wav16(tmp_path / "a.wav", pcm, RATE)
    out = tmp_path / "out"
    assert asc_tiny("simulate", board.folder, tmp_path / "a.wav", "--out", out) == 0
    done = piped(pcm.astype("<i2").tobytes(), "simulate", board.folder, "-", "--out", out)
    assert done.returncode == 0 and b"-: 8 decisions" in done.stdout
    assert (out / "stdin.csv").read_bytes() == (out / "a.csv").read_bytes()
    for data, reason in ((b"", b"holds no samples"), (b"123", b"ends within a sample")):
        done = piped(data, "simulate", board.folder, "-", "--out", tmp_path / "none")
        assert done.returncode == 2 and reason in done.stderr
        assert not list((tmp_path / "none").glob("*"))
    done = piped(b"", "simulate", board.folder, "-", "--resample", "--out", out)
    assert done.returncode == 2 and b"leave --resample out" in done.stderr


def test_a_microphone_is_heard_until_an_interrupt(
    board: project.Project, tmp_path: Path, monkeypatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> Iterator[object]:
        yield from islice(simulate(*arguments, **options), 3)
        raise KeyboardInterrupt

    monkeypatch.setattr("asc_tiny.targets.emulator.simulate.simulate", interrupted)
    stream = io.TextIOWrapper(io.BytesIO(recording(4).astype("<i2").tobytes()))
    monkeypatch.setattr("sys.stdin", stream)
    assert asc_tiny("simulate", board.folder, "-", "--out", tmp_path / "out") == 0
    assert len((tmp_path / "out" / "stdin.csv").read_text().splitlines()) == 4
    write_wav16(tmp_path / "a.wav", recording(4), RATE)
    assert asc_tiny("simulate", board.folder, tmp_path / "a.wav", "--out", tmp_path / "b") == 130
    assert not (tmp_path / "b").exists()


def test_raw_samples_of_24_bits() -> None:
    values = np.array([-(2**31), -257, 511, 2**31 - 1], "<i4")
    (block,) = raw_pcm(io.BytesIO(values.tobytes()), block=9, bits=24)
    assert block.tolist() == [-(2**31), -512, 256, 2**31 - 256]


def test_names_that_clash_are_refused(board: project.Project, tmp_path: Path, capsys) -> None:
    wavs = tmp_path / "a" / "x.wav", tmp_path / "b" / "x.wav"
    assert asc_tiny("simulate", board.folder, *wavs, "--out", tmp_path / "out") == 2
    assert "has the name of" in capsys.readouterr().err


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.slow
def test_an_hour_without_a_drop_in_flat_memory(board: project.Project) -> None:
    """Every decision comes, in order, and they are those of Python for each different clip."""
    minute = recording(60)
    codes = python_codes(board, minute)
    blocks: Iterator[np.ndarray] = (minute for _ in range(60))
    sizes = []
    for number, decision in enumerate(simulate(board, blocks)):
        assert decision.start == number / 2
        assert np.array_equal(decision.codes, codes[number % len(codes)])
        if number % 720 == 719:
            sizes.append(resident_bytes())
    assert number == 7199
    assert sizes[-1] - sizes[0] < 4 << 20


def test_a_decision_is_there_before_more_is_heard(model: Path, tmp_path: Path) -> None:
    """On this computer, too, where a pipe would hold back what fills no buffer."""
    host = make(model, tmp_path / "firmware", "host")
    decided = threading.Event()

    def blocks() -> Iterator[np.ndarray]:
        yield recording(1.2)
        assert decided.wait(PATIENCE_S), "no decision while the microphone is silent"
        yield recording(1.0)

    decisions = simulate(host, blocks())
    assert next(decisions).start == 0.0
    decided.set()
    assert len(list(decisions)) == 3
