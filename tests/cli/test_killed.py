"""Commands killed at 3 moments each, or ASC_TINY_KILLS: run again, they end as if nothing had been.

See ``kill_nursery`` for what a moment is. Kills come in rows: what one has left is there for the
next, until the command runs undisturbed and must leave exactly what it leaves otherwise.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from support.commands import asc_tiny
from support.device_lines import FRONTEND, make, small_model
from support.paths import TESTS
from support.recordings import RATE, write_noise

pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes by /proc"),
]

KILLS = int(os.environ.get("ASC_TINY_KILLS", "3"))
NURSERY = TESTS / "support" / "kill_nursery.py"

RECIPE = """
name = "small"
network = "ds_cnn"
seed = 3
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 16
n_fft = 1024
[schedule]
cycles = [1]
batch = 5
[augmentation]
frequency_mask_bands = 4
"""

# Stands before a compiler, counts it, and kills the command that has started the build.
LAUNCHER = """#!/bin/sh
printf x >> "$KILL_COUNTER"
if [ "$KILL_AT" -gt 0 ] && [ "$(wc -c < "$KILL_COUNTER")" -ge "$KILL_AT" ]; then
    kill -s KILL "$KILL_PID"
fi
exec "$@"
"""


def killed(
    folder: Path,
    argv: Sequence[object],
    *,
    modules: Sequence[str] = (),
    functions: Sequence[str] = (),
    start: Path | None = None,
    ignored: Sequence[str] = (),
    together: int = 4,
    by_time: int = 0,
    variables: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Kill a command that writes below ``folder / "root"``; return what the nursery says."""
    plan = {
        "argv": list(map(str, argv)),
        "root": str(folder / "root"),
        "start": str(start) if start else None,
        "modules": ["asc_tiny.cli.main", f"asc_tiny.cli.{argv[0]}", *modules],
        "functions": list(functions),
        "ignored": list(ignored),
        "kills": KILLS,
        "together": together,
        "by_time": by_time * KILLS // 20,
    }
    environment = {**os.environ, "MPLCONFIGDIR": str(folder / "matplotlib"), **(variables or {})}
    # A build folder that others have filled must not decide about this one.
    done = subprocess.run(
        [sys.executable, NURSERY],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def check(report: dict[str, Any]) -> None:
    assert report["whole"]["code"] == 0, report
    ended = [kill["killed"] for kill in report["kills"]]
    assert len(ended) == KILLS
    assert set(ended) <= {0, signal.SIGKILL, signal.SIGPROF}
    # Processor time differs a little from run to run.
    assert sum(map(bool, ended)) >= KILLS * 9 // 10, report["kills"]
    assert report["wrong"] == []
    assert report["processes"] == []


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("model") / "small.tflite")


@pytest.fixture(scope="module")
def trained(synthetic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch and its quantised model."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "recipe.toml").write_text(RECIPE)
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    data = ["--data", synthetic]
    assert asc_tiny("train", folder / "recipe.toml", *data, "--out", folder / "run") == 0
    out = folder / "small.tflite"
    assert asc_tiny("quantize", folder / "run", *data, "--out", out, "--no-accuracy") == 0
    patch.undo()
    return folder


@pytest.mark.parametrize("before", [False, True])
def test_generate(model: Path, tmp_path: Path, before: bool) -> None:
    """Into a new folder, and over a project that is there."""
    start = None
    if before:
        start = tmp_path / "start"
        assert asc_tiny("generate", model, "--out", start / "firmware", "--prefix", "old") == 0
    out = tmp_path / "root" / "firmware"
    modules = ["asc_tiny.cli.explain", "asc_tiny.projects.generator", "asc_tiny.api.generation"]
    check(killed(tmp_path, ["generate", model, "--out", out], modules=modules, start=start))


def test_build(model: Path, tmp_path: Path) -> None:
    assert asc_tiny("generate", model, "--board", "host", "--out", tmp_path / "start" / "x") == 0
    launcher = tmp_path / "launcher"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    report = killed(
        tmp_path,
        ["build", tmp_path / "root" / "x"],
        modules=["asc_tiny.targets.build.project"],
        start=tmp_path / "start",
        # What says when, and in what order, things were done.
        ignored=[".ninja_log", ".ninja_deps", ".yaml", ".log", ".txt", ".cmake", ".ninja"],
        variables={"CMAKE_C_COMPILER_LAUNCHER": str(launcher)},
    )
    check(report)
    assert report["whole"]["compilers"] > 10


def test_simulate(model: Path, tmp_path: Path) -> None:
    folder = make(model, tmp_path / "firmware", "mps2-an386").folder
    noise = np.random.default_rng(1).normal(0.0, 3000.0, 4 * FRONTEND.sample_rate)
    write_wav16(tmp_path / "long.wav", noise.astype(np.int16), FRONTEND.sample_rate)
    argv = ["simulate", folder, tmp_path / "long.wav", "--out", tmp_path / "root" / "out"]
    modules = [
        "asc_tiny.targets.emulator.simulate",
        "asc_tiny.targets.emulator.timeline",
        "matplotlib.figure",
    ]
    added = ["asc_tiny.targets.emulator.timeline:Timeline.add"]
    check(killed(tmp_path, argv, modules=modules, functions=added))


def test_evaluate(trained: Path, synthetic: Path, tmp_path: Path) -> None:
    models = [trained / "run" / "model.keras", trained / "small.tflite"]
    html = tmp_path / "root" / "report.html"
    argv = ["evaluate", *models, "--data", synthetic, "--html", html]
    modules = [
        "asc_tiny.nets.mini_segnet",
        "asc_tiny.evaluation.evaluate",
        "asc_tiny.evaluation.report",
    ]
    run = ["asc_tiny.tflm.interpreter:Interpreter.run"]
    check(killed(tmp_path, argv, modules=modules, functions=run, by_time=6, together=5))


def test_quantize(trained: Path, synthetic: Path, tmp_path: Path) -> None:
    out = tmp_path / "root"
    argv = ["quantize", trained / "run", "--data", synthetic, "--out", out / "x.tflite"]
    argv += ["--report", out / "x.json", "--no-accuracy"]
    modules = ["asc_tiny.nets.mini_segnet", "asc_tiny.compress.quantize_run"]
    taken = ["asc_tiny.features.cache:FeatureSet.take"]
    check(killed(tmp_path, argv, modules=modules, functions=taken, by_time=8, together=5))


def test_data_prepare(tmp_path: Path) -> None:
    """Clips that are done stay, and the next run makes the same bytes of the rest."""
    names = [f"{machine}/hall{i}/a.wav" for machine in ("fan", "pump") for i in range(4)]
    source = write_noise(tmp_path / "source", names, seconds=5.0)
    argv = ["data", "prepare", source, "--out", tmp_path / "root" / "out", "--sample-rate", RATE]
    modules = ["asc_tiny.cli.data_prepare", "asc_tiny.api.preparing", "soundfile"]
    steps = ["asc_tiny.audio.cut:Piece", "asc_tiny.audio.journal:Journal.add"]
    check(killed(tmp_path, argv, modules=modules, functions=steps, together=5))
