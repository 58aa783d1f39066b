"""An emulated board on its line: flash, monitor, verify and bench as a user runs them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from asc_tiny.boards import catalog
from asc_tiny.frontend import golden
from asc_tiny.targets.build import project
from asc_tiny.targets.device import emulator
from asc_tiny.targets.device.line import open_line
from asc_tiny.targets.device.monitor import Connected, Decided, Heard, Lost, watch
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure
from support.commands import asc_tiny
from support.device_lines import LABELS, make, small_model
from support.paths import ROOT
from support.patience import PATIENCE_S

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    return small_model(tmp_path_factory.mktemp("model") / "small.tflite")


@pytest.fixture(scope="module")
def board(model: Path, tmp_path_factory: pytest.TempPathFactory) -> project.Project:
    target = make(model, tmp_path_factory.mktemp("m4") / "firmware", "mps2-an386")
    project.build(target, definitions=["ASC_SELFTEST=1"])
    return target


@pytest.fixture(scope="module")
def streaming_board(model: Path, tmp_path_factory: pytest.TempPathFactory) -> project.Project:
    """Its network computes while the columns come."""
    folder = tmp_path_factory.mktemp("streaming") / "firmware"
    target = make(model, folder, "mps2-an386", "--schedule", "time")
    project.build(target, definitions=["ASC_SELFTEST=1"])
    return target


@pytest.fixture(params=["board", pytest.param("streaming_board", marks=pytest.mark.slow)])
def either(request: pytest.FixtureRequest) -> project.Project:
    return request.getfixturevalue(request.param)


def recording(target: project.Project, folder: Path, seconds: int) -> Path:
    """All golden clips in turn."""
    clips = np.concatenate(list(golden.clips(target.frontend).values()))
    path = folder / "recording.wav"
    write_wav16(path, np.resize(clips, seconds * 8000), 8000)
    return path


@contextmanager
def flashed(target: project.Project, *options: object) -> Iterator[str]:
    """Run ``asc-tiny flash`` as a program and give the line that it names."""
    command = [sys.executable, "-m", "asc_tiny.cli.main", "flash", str(target.folder)]
    process = subprocess.Popen(
        [*command, *map(str, options)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:2] == [target.board.name, "is"]
        yield words[-1]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
    finally:
        process.kill()
        process.wait()


def test_flash_verify_bench_monitor(either: project.Project, tmp_path: Path, capsys) -> None:
    wav = recording(either, tmp_path, 60)
    with flashed(either, "--wav", wav) as line:
        assert asc_tiny("monitor", "--port", line, "--count", "2", "--json") == 0
        rows = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
        assert [row["event"] for row in rows] == ["connected", "decision", "decision"]
        assert rows[0]["model_sha256"] == either.model_file.sha256
        assert rows[2]["window"] == rows[1]["window"] + 1 + rows[2]["missed"]
        expected = {json.dumps(d.scores) for d in image.classify(either, read(wav))}
        assert json.dumps(rows[1]["scores"]) in expected

        arguments = ("--port", line, "--model", either.folder / "model.tflite", "--json")
        assert asc_tiny("inspect", *arguments) == 0
        (record,) = json.loads(capsys.readouterr().out)["models"]
        assert record["labels"] == list(LABELS) and record["runtime"] == "aot"

        assert asc_tiny("verify", either.folder, "--port", line, "--json") == 0
        verified = json.loads(capsys.readouterr().out)
        assert verified["passed"] and len(verified["clips"]) == 8
        assert verified["selftest"] == "passed"

        assert asc_tiny("bench", either.folder, "--port", line, "--json") == 0
        costs = json.loads(capsys.readouterr().out)
        # Both have given the microphone back.
        assert asc_tiny("monitor", "--port", line, "--count", "1", "--json") == 0
    exact = measure(either)
    assert costs["unit"] == "instructions"
    # Either reading of a counter may be a tick of 40 instructions early or late.
    assert abs(costs["ticks_worst_hop"] - exact.instructions_worst_hop) <= 80
    assert abs(costs["ticks_last_hop"] - exact.instructions_last_hop) <= 80
    # Each column adds its call.
    columns = either.feature_shape[1]
    assert abs(costs["ticks_per_inference"] - exact.instructions_per_inference) <= 80 * columns
    # A hop comes in pieces here, each with its own call.
    assert costs["ticks_per_hop"] == pytest.approx(exact.instructions_per_hop, rel=0.05)
    assert 0 < costs["stack_bytes"] < 4096


def read(wav: Path) -> np.ndarray:
    from asc_tiny.audio.clips import read_pcm

    return read_pcm(wav, 8000)


def test_the_microphone_hears_files_again_and_again(
    board: project.Project, tmp_path: Path, capsys
) -> None:
    wavs = []
    for number in range(2):
        clips = golden.noise(board.frontend) // (1 + 60 * number)
        write_wav16(tmp_path / f"{number}.wav", clips[: board.frontend.clip_samples], 8000)
        wavs.append(tmp_path / f"{number}.wav")
    with flashed(board, "--wav", wavs[0], "--wav", wavs[1]) as line:
        assert asc_tiny("monitor", "--port", line, "--count", "5", "--json") == 0
    rows = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    heard = {json.dumps(row["scores"]) for row in rows if row["event"] == "decision"}
    expected = [json.dumps(image.classify(board, read(wav))[0].scores) for wav in wavs]
    assert heard == set(expected) and len(heard) == 2
    write_wav16(tmp_path / "fast.wav", clips, 16000)
    assert asc_tiny("flash", board.folder, "--wav", tmp_path / "fast.wav") == 2
    assert "16000 Hz, the model needs 8000 Hz; use --resample" in capsys.readouterr().err


def test_the_spectrogram_is_what_the_board_computes(
    either: project.Project, tmp_path: Path
) -> None:
    wav = recording(either, tmp_path, 8)
    pcm = read(wav)
    features = [either.features(clip) for clip in pcm.reshape(-1, 4000)]
    columns = features[0].shape[1]
    picture = tmp_path / "heard.png"
    with flashed(either, "--wav", wav) as line:
        events = watch(lambda: open_line(line), unknown="unknown", columns=True)
        assert isinstance(connected := next(events), Connected)
        assert connected.info.columns == columns
        # One column may be seen several times: how often depends on the load of this computer.
        heard = []
        different: set[tuple[int, int]] = set()
        hang = time.monotonic() + PATIENCE_S
        while len(different) <= 5 and time.monotonic() < hang:
            if isinstance(event := next(events), Heard):
                heard.append(event.column)
                different.add((event.column.window, event.column.number))
        events.close()
        assert asc_tiny("monitor", "--port", line, "--count", "2", "--plot", picture) == 0
    assert len(different) > 5
    for column in heard:
        # The recording comes again and again.
        wanted = features[column.window % len(features)][:, column.number, 0]
        assert np.array_equal(column.codes, wanted)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_another_model_is_told(board: project.Project, tmp_path: Path, capsys) -> None:
    released = ROOT / "models" / "mobilenet_esc10.tflite"
    other = make(released, tmp_path / "other", "mps2-an386")
    wav = recording(board, tmp_path, 30)
    with flashed(board, "--wav", wav) as line:
        assert asc_tiny("verify", other.folder, "--port", line) == 3
        assert "the device runs model" in capsys.readouterr().err
        arguments = ("monitor", "--port", line, "--model", released, "--count", "1")
        assert asc_tiny(*arguments) == 0
        captured = capsys.readouterr()
    assert "asc-tiny: the device runs another model" in captured.err
    assert any(label in captured.out for label in LABELS)


def test_monitor_comes_back_when_the_board_does(board: project.Project, tmp_path: Path) -> None:
    pcm = read(recording(board, tmp_path, 30))
    port = emulator.free_port()
    blocks = [pcm[start : start + 400] for start in range(0, len(pcm), 400)]
    with emulator.switched_on(board, port=port, microphone=blocks) as line:
        events = watch(lambda: open_line(line), unknown="unknown")
        assert isinstance(next(events), Connected)
        assert isinstance(next(events), Decided)
    lost = next(event for event in events if not isinstance(event, Decided))
    assert isinstance(lost, Lost) and "the line is" in lost.reason
    with emulator.switched_on(board, port=port, microphone=blocks):
        assert isinstance(next(events), Connected)
        # On a busy computer a restart may be seen by the first decision only, and is told then.
        decided = next(event for event in events if isinstance(event, Decided))
        assert decided.label in LABELS
    events.close()


def test_bad_ports_are_one_clear_line(board: project.Project, capsys) -> None:
    port = emulator.free_port()
    for name in (f"socket://127.0.0.1:{port}", "socket://nowhere", "/dev/no-such-port"):
        assert asc_tiny("monitor", "--port", name) == 2
        assert f"asc-tiny: {name}: cannot be opened" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=pytest.mark.slow if n == "virt-rv32" else pytest.mark.exhaustive)
        for n, b in catalog.BOARDS.items()
        if b.machine and n != "mps2-an386"
    ],
)
def test_every_emulated_board_answers(name: str, model: Path, tmp_path: Path, capsys) -> None:
    target = make(model, tmp_path / "firmware", name)
    with emulator.switched_on(target) as line:
        assert asc_tiny("verify", target.folder, "--port", line) == 0
    assert "8 clips on socket://" in capsys.readouterr().out


def test_the_port_of_another_program_is_not_taken_for_the_board(
    board: project.Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert asc_tiny("flash", board.folder, "--tcp", port) == 2
    assert f"asc-tiny: --tcp {port}: cannot be used (Address already in use)" in (
        capsys.readouterr().err
    )
