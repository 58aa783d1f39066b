"""Two runs of a command into one place at once: the second is refused and changes nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from asc_tiny.util import locks, partial_files
from support.commands import asc_tiny
from support.device_lines import FRONTEND, make, small_model

pytest.importorskip("fcntl")
MAIN = "from asc_tiny.cli.main import main; main()"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    return small_model(tmp_path_factory.mktemp("model") / "small.tflite")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refused(capsys: pytest.CaptureFixture[str], path: Path, *arguments: object) -> None:
    capsys.readouterr()
    assert asc_tiny(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1
    assert printed.err.startswith(f"asc-tiny: {path}: is being written by another run")
    assert "; wait for it or stop it" in printed.err


@pytest.mark.parametrize("kind", ["cmake", "sources"])
def test_generate(model: Path, tmp_path: Path, capsys, kind: str) -> None:
    out = tmp_path / "out"
    command = ("generate", model, "--project", kind, "--out", out)
    assert asc_tiny(*command) == 0
    before = contents(tmp_path)
    with locks.exclusive(out):
        refused(capsys, out, *command, "--prefix", "other")
    assert contents(tmp_path) == before
    with locks.exclusive(tmp_path / "new"):
        refused(capsys, tmp_path / "new", "generate", model, "--out", tmp_path / "new")
    assert contents(tmp_path) == before


def test_build_and_generate_on_one_project(model: Path, tmp_path: Path, capsys) -> None:
    folder = make(model, tmp_path / "firmware", "host").folder
    before = contents(folder)
    with locks.exclusive(folder):
        refused(capsys, folder, "build", folder)
        refused(capsys, folder, "generate", model, "--out", folder)
        wav = tmp_path / "a.wav"
        write_wav16(wav, np.zeros(FRONTEND.clip_samples, np.int16), FRONTEND.sample_rate)
        assert asc_tiny("run", folder, "--wav", wav) == 0, "readers go on"
    assert contents(folder) == before


def test_simulate(model: Path, tmp_path: Path, capsys) -> None:
    """Into the same files; others in the same folder are free."""
    folder = make(model, tmp_path / "firmware", "host").folder
    for name in ("a", "b"):
        samples = np.zeros(2 * FRONTEND.clip_samples, np.int16)
        write_wav16(tmp_path / f"{name}.wav", samples, FRONTEND.sample_rate)
    out = tmp_path / "out"
    out.mkdir()
    with partial_files.file(out / "a.csv"):
        refused(capsys, out / "a.csv", "simulate", folder, tmp_path / "a.wav", "--out", out)
        assert asc_tiny("simulate", folder, tmp_path / "b.wav", "--out", out) == 0
    assert sorted(path.name for path in out.iterdir()) == ["b.csv", "b.png", "b.txt"]


def test_quantize_is_refused_before_it_begins(tmp_path: Path, synthetic: Path, capsys) -> None:
    pytest.importorskip("tensorflow")
    out = tmp_path / "x.tflite"
    with partial_files.file(out):
        # There is no such run, which it would find out later.
        refused(capsys, out, "quantize", tmp_path / "run", "--data", synthetic, "--out", out)


def test_two_at_the_same_moment(model: Path, tmp_path: Path) -> None:
    """One of the two is what there is, whole; the other was refused or came after."""
    runs: dict[str, Callable[[], subprocess.Popen[str]]] = {}
    for prefix in ("near", "far"):
        arguments = ["generate", model, "--prefix", prefix, "--out", tmp_path / "out"]
        command = [sys.executable, "-c", MAIN, *map(str, arguments)]
        assert asc_tiny(*arguments[:-1], tmp_path / prefix) == 0
        runs[prefix] = lambda command=command: subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True
        )
    started = [start() for start in runs.values()]
    for process in started:
        _, printed = process.communicate()
        assert process.returncode == 0 or "being written by another run" in printed
    assert 0 in [process.returncode for process in started]
    found = contents(tmp_path / "out")
    assert found in [contents(tmp_path / prefix) for prefix in runs]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far", "near", "out"]


def test_a_folder_that_cmake_has_made_keeps_its_generator(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    assert asc_tiny("generate", model, "--board", "host", "--out", folder) == 0
    options = ["-G", "Unix Makefiles", "-DDEFINITIONS=ASC_SELFTEST=1"]
    command = ["cmake", *options, "-S", folder, "-B", folder / "build"]
    subprocess.run(command, check=True, capture_output=True)
    assert asc_tiny("build", folder) == 0
    assert not (folder / "build" / "build.ninja").exists()
    done = subprocess.run([folder / "build" / "firmware", "selftest"], capture_output=True)
    assert done.stdout == b"selftest 0\n", "with the definitions that were given there"
