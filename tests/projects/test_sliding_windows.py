"""Windows that slide: what a generated project says about a stream is what Python says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure
from support.commands import asc_tiny
from support.ensemble_models import small, write_ensemble
from support.native import compile_for
from support.paths import CLIPS, MODEL
from support.sliding_windows import RULES, check, make, stream_of


@pytest.mark.qemu
def test_overlapping_windows_on_cortex_m4(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "overlap", "mps2-an386")
    labels = check(project, stream_of(4), tmp_path, capsys)
    assert "unknown" in labels
    assert len(set(labels)) >= 3
    # Columns that the next window begins with are kept while the network runs.
    shared = 256 * (36 - 12) * 3
    state = 3 * 10 + 2 * 10 + 10 + 4 * 4
    without = measure(targets.load(make_default(tmp_path)))
    costs = measure(project)
    assert abs(costs.ram_bytes - without.ram_bytes - shared - state) <= 32
    assert costs.instructions_per_hop <= 1.02 * without.instructions_per_hop


def make_default(folder: Path) -> Path:
    out = folder / "default"
    assert asc_tiny("generate", MODEL, "--out", out) == 0
    assert asc_tiny("build", out) == 0
    return out


@pytest.mark.parametrize(
    "rule",
    [
        "gaps",
        "clips",
        *(pytest.param(r, marks=pytest.mark.slow) for r in RULES if r not in ("gaps", "clips")),
    ],
)
def test_every_kind_of_window_on_host(rule: str, tmp_path: Path, capsys) -> None:
    check(make(tmp_path, rule, "host"), stream_of(6), tmp_path, capsys)


def test_an_ensemble_of_two_quantizations(tmp_path: Path, capsys) -> None:
    pytest.importorskip("tensorflow")
    members = [
        small(tmp_path / f"{width}.tflite", ("park", "tram", "bus"), filters=6, width=width)
        for width in (1.0, 4.0)
    ]
    ensemble = write_ensemble(tmp_path / "both.toml", members, [0.5, 0.5])
    project = make(tmp_path, "overlap", "host", ensemble)
    assert len(project.frontends) == 2
    check(project, stream_of(3), tmp_path, capsys)


@pytest.mark.qemu
def test_golden_vectors_hold_for_a_continuous_front_end(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "overlap", "mps2-an386")
    capsys.readouterr()
    assert asc_tiny("verify", project.folder, "--wav", CLIPS[0], "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [clip["passed"] for clip in report["clips"]] == [True] * 9


def test_a_shifted_stream_gives_the_same_scores(tmp_path: Path) -> None:
    project = make(tmp_path, "overlap", "host")
    pcm = stream_of(3)
    decisions = image.classify(project, pcm)
    assert len(decisions) == project.windows.count(len(pcm))
    shift = project.decision.hop_columns * 1024
    late = image.classify(project, np.concatenate([np.zeros(shift, np.int16), pcm]))
    # Once no window holds anything of before the stream.
    for now, then in zip(decisions[1:], late[2:], strict=True):
        assert np.array_equal(now.codes, then.codes)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m55"])
@pytest.mark.parametrize("rule", ["overlap", "gaps"])
def test_sources_compile_without_warnings(core: str, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "decision.toml"
    path.write_text(RULES[rule])
    out = tmp_path / "sources"
    arguments = ("generate", MODEL, "--project", "sources", "--decision", path, "--out", out)
    assert asc_tiny(*arguments) == 0
    compile_for(core, out)


def test_a_stream_shorter_than_a_window(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "overlap", "host")
    wav = tmp_path / "short.wav"
    write_wav16(wav, np.zeros(project.windows.end(0) - 1, np.int16), 44100)
    capsys.readouterr()
    assert asc_tiny("run", project.folder, "--wav", wav) == 2
    assert "45055 samples, at least 45056 are needed (1.02" in capsys.readouterr().err


def test_a_bad_value_is_named(tmp_path: Path, capsys) -> None:
    path = tmp_path / "decision.toml"
    path.write_text("threshold = 2\n")
    out = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--decision", path, "--out", out) == 2
    assert f"{path}: threshold = 2.0, allowed: above 0, up to 0.996" in capsys.readouterr().err
    assert not out.exists()
