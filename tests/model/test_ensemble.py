"""Ensemble files, the integer combination, the memory layout and the fit of weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.network.ensemble import Arena, lay_out, rename_network
from asc_tiny.frontend.config import Quantization
from asc_tiny.model import ensemble
from asc_tiny.model.score_mixer import SOFTMAX, score_mixer
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.ensemble_models import perturbed, reference_codes, write_ensemble
from support.paths import MODEL

CLIP = sorted((MODEL.parent / "clips").glob("*.flac"))[0]
LOGITS = Quantization(scale=0.171, zero_point=-21)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The released model and its perturbed twin, found relative to the file."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "first.tflite").write_bytes(MODEL.read_bytes())
    perturbed(folder / "second.tflite")
    members = [Path("first.tflite"), Path("second.tflite")]
    return write_ensemble(folder / "pair.toml", members, [0.75, 0.25])


def test_load(pair: Path) -> None:
    loaded = ensemble.load(pair)
    assert [member.weight for member in loaded.members] == [0.75, 0.25]
    assert [member.name for member in loaded.members] == ["first", "second"]
    assert loaded.bias == (0.0,) * 10
    assert loaded.labels[0] == "baby_cry"
    assert len(loaded.frontends) == 1
    assert loaded.score_mixer.output == SOFTMAX


def test_text_gives_the_same_ensemble(pair: Path, tmp_path: Path) -> None:
    loaded = ensemble.load(pair)
    paths = [str(member.model_file.path) for member in loaded.members]
    copy = tmp_path / "copy.toml"
    fit = {"split": 'a "b"', "clips": 3, "log_loss": 0.25}
    copy.write_text(ensemble.to_toml(loaded.members, loaded.bias, paths, fit=fit))
    again = ensemble.load(copy)
    assert again.sha256 == loaded.sha256
    assert again.score_mixer == loaded.score_mixer
    copy.write_text(ensemble.to_toml(loaded.members, [0.1] * 9 + [0.2], paths))
    assert ensemble.load(copy).bias[8:] == (0.1, 0.2)
    assert ensemble.load(copy).sha256 != loaded.sha256


GOOD = 'schema = 1\n[[member]]\npath = "first.tflite"\nweight = 1.0\n'
BAD = {
    "not TOML": ("schema = ", "not TOML"),
    "no schema": (GOOD.replace("schema = 1\n", ""), "schema is missing"),
    "other schema": (GOOD.replace("1\n", "2\n", 1), "schema 2, this version reads schema 1"),
    "unknown key": ("colour = 1\n" + GOOD, "unknown key colour, allowed: schema, bias, member"),
    "no member": ("schema = 1\n", "member is missing"),
    "empty": ("schema = 1\nmember = []\n", "0 tables [[member]], allowed: 1 to 16"),
    "no table": ("schema = 1\nmember = [3]\n", "member 0: must be a table"),
    "no weight": (GOOD.replace("weight = 1.0\n", ""), "member 0: weight is missing"),
    "text as weight": (GOOD.replace("1.0", '"1"'), "weight = '1', must be a finite number"),
    "infinite weight": (GOOD.replace("1.0", "inf"), "weight = inf, must be a finite number"),
    "weight not a number": (GOOD.replace("1.0", "nan"), "weight = nan, must be a finite number"),
    "no weight at all": (GOOD.replace("1.0", "0.0"), "one must be at least 0.001"),
    "missing member": (GOOD.replace("first", "third"), "third.tflite: cannot read"),
    "changed member": (GOOD + 'sha256 = "abc"\n', "first.tflite has sha256"),
    "short bias": ("bias = [0.0, 0.1]\n" + GOOD, "bias has 2 numbers, there are 10 classes"),
    "text as bias": ("bias = '1'\n" + GOOD, "bias = '1', must be a number or"),
    "text in bias": (f"bias = {['1'] * 10}\n" + GOOD, "must be a number or a list of numbers"),
    "huge bias": ("bias = 1e9\n" + GOOD, "bias = 1000000000.0, allowed"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file(name: str, pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, reason = BAD[name]
    path = pair.parent / "bad.toml"
    path.write_text(text)
    for command in (["budget", path], ["generate", path, "--out", pair.parent / "out"]):
        capsys.readouterr()
        assert asc_tiny(*command) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert reason in line
        assert str(path) in line or "third.tflite" in line
    assert not (pair.parent / "out").exists()


DIFFERENT = {
    b'"chainsaw"': (b'"chainsow"', "label 1 is 'chainsow', in", "it is 'chainsaw'"),
    b'"log_floor":1e-08': (b'"log_floor":1e-07', "log_floor = 1e-07", "it is 1e-08"),
    b'"labels":': (b'"lobels":', "holds no labels", ""),
}


@pytest.mark.parametrize("old", DIFFERENT)
def test_members_that_do_not_go_together(old: bytes, pair: Path, tmp_path: Path) -> None:
    new, *reasons = DIFFERENT[old]
    assert MODEL.read_bytes().count(old) == 1
    other = tmp_path / "other.tflite"
    other.write_bytes(MODEL.read_bytes().replace(old, new))
    path = write_ensemble(tmp_path / "x.toml", [MODEL, other], [0.5, 0.5])
    with pytest.raises(AscError) as error:
        ensemble.load(path)
    for text in (str(other), *reasons):
        assert text in str(error.value)


def test_budget_adds_up(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert asc_tiny("budget", pair, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [model["macs"] for model in report["models"]] == [3_972_224] * 2
    assert [Path(model["path"]).name for model in report["models"]] == [
        "first.tflite",
        "second.tflite",
    ]
    assert report["total"]["macs"] == 7_944_448
    assert report["total"]["params"] == 14_420
    assert asc_tiny("budget", pair, "--max-macs", "7944447") == 1


@pytest.mark.parametrize("arithmetic", ["fixed", "float"])
def test_features_are_those_of_the_members(arithmetic: str, pair: Path, tmp_path: Path) -> None:
    arrays = []
    for model in (pair, MODEL):
        out = tmp_path / f"{model.stem}.npy"
        options = ["--model", model, "--arithmetic", arithmetic, "--out", out]
        assert asc_tiny("features", CLIP, *options) == 0
        arrays.append(np.load(out))
    assert arrays[0].shape == (256, 36, 3)
    assert np.array_equal(*arrays)


def test_options_that_an_ensemble_cannot_take(
    pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{i}\n" for i in range(10)))
    assert asc_tiny("generate", pair, "--out", tmp_path / "out", "--labels", labels) == 2
    assert str(pair) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


CASES = {
    "mean": ([0.5, 0.5], [0.0] * 3, [SOFTMAX, SOFTMAX]),
    "mixture with uniform": ([0.7, 0.24], [0.02] * 3, [SOFTMAX, SOFTMAX]),
    "beyond 1": ([0.8, 0.9], [0.0, 0.3, 0.1], [SOFTMAX, SOFTMAX]),
    "negative": ([1.5, -0.25], [-0.4, 0.3, 0.0], [SOFTMAX, SOFTMAX]),
    "logits": ([0.5, 0.3], [0.0, -2.0, 1.0], [LOGITS, SOFTMAX]),
    "large": ([1000.0] * 16, [-1000.0] * 3, [LOGITS] * 16),
    "tiny": ([0.001, 0.0], [0.0] * 3, [SOFTMAX, LOGITS]),
}


@pytest.mark.parametrize("name", CASES)
def test_codes_are_the_rounded_real_scores(name: str) -> None:
    weights, bias, members = CASES[name]
    result = score_mixer(weights, bias, members)
    expected = SOFTMAX if name.startswith("m") else result.output
    assert result.output == expected
    generator = np.random.default_rng(0)
    codes = generator.integers(-128, 128, (len(members), 5000, 3)).astype(np.int8)
    codes[:, 0], codes[:, 1] = -128, 127
    real = reference_codes(
        codes,
        weights,
        bias,
        [(q.scale, q.zero_point) for q in members],
        (result.output.scale, result.output.zero_point),
    )
    # Multipliers of 16 bits after the point: a code is off by little more than its rounding.
    assert np.abs(result.codes(codes) - real).max() <= 0.5 + len(members) * 2.0**-8
    if len(members) == 2:
        assert len(np.unique(result.codes(codes))) > 100


@pytest.mark.parametrize("name", CASES)
def test_sums_fit_32_bits(name: str) -> None:
    weights, bias, members = CASES[name]
    result = score_mixer(weights, bias, members)
    largest = sum(128 * abs(m) for m in result.multipliers) + max(map(abs, result.offsets))
    assert largest < 2**31


def test_halves_round_up() -> None:
    codes = np.array([[[-128, -127, 10]], [[-127, -128, 13]]], np.int8)
    result = score_mixer([0.5, 0.5], [0.0] * 3, [SOFTMAX, SOFTMAX])
    assert result.codes(codes).tolist() == [[-127, -127, 12]]


def test_layout_keeps_features_until_the_last_member() -> None:
    generator = np.random.default_rng(0)
    for _ in range(300):
        features = int(generator.integers(1, 500))
        arenas = []
        for _ in range(int(generator.integers(1, 5))):
            offset = 16 * int(generator.integers(0, 40))
            end = offset + features + int(generator.integers(0, 900))
            arenas.append(Arena(-(-end // 16) * 16, offset))
        layout = lay_out(arenas, features)
        assert sorted(layout.order) == list(range(len(arenas)))
        last = layout.order[-1]
        assert layout.features == layout.offsets[last] + arenas[last].input_offset
        for number, arena in enumerate(arenas):
            start = layout.offsets[number]
            assert start % 16 == 0
            assert start + arena.size <= layout.size
            apart = start + arena.size <= layout.features or start >= layout.features + features
            assert number == last or apart
        assert layout.features + features <= layout.size


def test_layout_lets_the_largest_member_overwrite_the_features() -> None:
    small, large = Arena(64, 0), Arena(112, 0)
    assert lay_out([large, small], 32).size == 112
    assert lay_out([large, small], 32).order == (1, 0)
    assert lay_out([large, large], 32).size == 144
    assert lay_out([large], 32).size == 112


def test_renaming_a_members_code() -> None:
    text = '#include "asc_net.h"\n#define ASC_NET_OK 0\nint asc_net_run(void); asc_network_t x;'
    assert rename_network(text, 3) == (
        '#include "asc_net3.h"\n#define ASC_NET3_OK 0\nint asc_net3_run(void); asc_network_t x;'
    )
