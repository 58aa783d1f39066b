"""``asc-tiny data``: each kind of damage is found, named by file and line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.clips import read_pcm, resampled_length
from asc_tiny.audio.dataset import Dataset
from asc_tiny.cli.main import main
from asc_tiny.features.cache import clip_pcm
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError

META = "meta.csv"
TRAIN = "evaluation_setup/fold1_train.csv"
EVALUATE = "evaluation_setup/fold1_evaluate.csv"
TEST = "evaluation_setup/fold1_test.csv"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


@pytest.fixture
def data(synthetic: Path, tmp_path: Path) -> Path:
    return shutil.copytree(synthetic, tmp_path / "data")


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def put_line(path: Path, number: int, text: str) -> None:
    lines = lines_of(path)
    lines[number - 1] = text
    path.write_text("\n".join(lines) + "\n")


def findings_of(data: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert run("data", "check", data, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == 1 and report["passed"] is False
    return report["findings"]


def test_a_good_dataset_passes_with_its_class_balance(data, capsys):
    assert run("data", "check", data) == 0
    captured = capsys.readouterr()
    assert "24 clips, 0 findings" in captured.out
    assert ["tones_low", "6", "2", "2"] in [line.split() for line in captured.out.splitlines()]
    assert captured.err == ""

    assert run("data", "check", data, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is True and report["findings"] == []
    assert report["splits"]["train"]["scenes"] == {"noise_low": 6, "pulses_low": 6, "tones_low": 6}
    rows = [line.split("\t") for line in lines_of(data / META)[1:]]
    trained = {line.split("\t")[0] for line in lines_of(data / TRAIN)}
    for device in "a", "b", "c", "s1":
        count = sum(row[3] == device and row[0] in trained for row in rows)
        assert report["splits"]["train"]["devices"][device] == count
        noise = sum(
            row[1] == "noise_low" and row[3] == device and row[0] in trained for row in rows
        )
        assert report["balance"]["train"]["noise_low"][device] == noise


def test_every_kind_of_damage_to_audio_is_found(data, capsys):
    names = [line.split("\t")[0] for line in lines_of(data / META)]
    silence = np.zeros(44100, np.int16)
    (data / names[1]).unlink()
    (data / names[2]).write_bytes(b"RIFF, but no more")
    soundfile.write(data / names[3], np.zeros(16000, np.int16), 16000)
    soundfile.write(data / names[4], silence[:-1], 44100)
    soundfile.write(data / names[5], np.stack([silence, silence], axis=1), 44100)
    soundfile.write(data / names[6], np.full(44100, np.nan), 44100, subtype="FLOAT")
    found = [(f["file"], f["line"], f["message"]) for f in findings_of(data, capsys)]
    bad = f"{names[2]}: not readable as audio, must be a wav or flac file"
    assert found == [
        (META, 2, f"{names[1]}: file is missing"),
        (META, 3, bad),
        (META, 4, f"{names[3]}: 16000 Hz, must be 44100 Hz"),
        (META, 4, f"{names[3]}: 16000 samples, must be 44100"),
        (META, 5, f"{names[4]}: 44099 samples, must be 44100"),
        (META, 6, f"{names[5]}: 2 channels, must be mono"),
        (META, 7, f"{names[6]}: sample 0 is nan, all must be finite"),
    ]
    assert run("data", "check", data) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["missing file: 1", f"  {META}:2: {names[1]}: file is missing"]


def test_findings_are_grouped(data, capsys):
    names = [line.split("\t")[0] for line in lines_of(data / META)]
    for name in names[1:6]:
        soundfile.write(data / name, np.zeros(44099, np.int16), 44100)
    assert run("data", "check", data) == 1
    lines = capsys.readouterr().out.splitlines()
    wrong = [f"  {META}:{i + 1}: {names[i]}: 44099 samples, must be 44100" for i in range(1, 6)]
    assert lines[:5] == ["length: 5", *wrong[:3], "  and 2 more; --all shows them"]
    assert run("data", "check", data, "--all") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == ["length: 5", *wrong, "24 clips, 5 findings"]
    assert {finding["kind"] for finding in findings_of(data, capsys)} == {"length"}


def test_the_recipe_says_what_clips_must_be(data, tmp_path, capsys):
    recipe = tmp_path / "recipe.toml"
    text = 'name = "x"\n[frontend]\nsample_rate = 16000\nclip_samples = 16000\n'
    text += "f_max = 8000.0\nn_fft = 512\nhop = 256\n"
    recipe.write_text(text)
    assert run("data", "check", data, "--recipe", recipe) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sample rate: 24" and lines[5] == "length: 24"
    assert "44100 Hz, must be 16000 Hz" in lines[1]
    assert run("data", "check", data, "--recipe", recipe, "--resample") == 0
    dataset = Dataset.load(data, resample=True)
    frontend = recipes.load(recipe).frontend
    assert {len(clip_pcm(clip, frontend)) for clip in dataset.clips} == {16000}
    recipe.write_text(text.replace("clip_samples = 16000", "clip_samples = 15999"))
    assert run("data", "check", data, "--recipe", recipe, "--resample") == 1
    assert "16000 samples, must be 15999" in capsys.readouterr().out
    assert run("data", "check", data, "--recipe", recipe, "--sample-rate", 16000) == 2


@pytest.mark.parametrize(
    ("rate", "count"), [(48000, 48000), (44100, 44099), (22050, 3), (11025, 1)]
)
def test_the_length_after_resampling(rate, count, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(count, np.int16), rate)
    pcm = read_pcm(tmp_path / "x.wav", 16000, resample=True)
    assert len(pcm) == resampled_length(count, rate, 16000)


def test_names_of_classes(data, capsys):
    text = (data / META).read_text()
    changed = text.replace("\ttones_low\t", "\ttones_low \t", 1)
    (data / META).write_text(changed.replace("\tnoise_low\t", "\tNoise_low\t", 1))
    found = [f["message"] for f in findings_of(data, capsys) if f["kind"] == "name of a class"]
    assert len(found) == 3 and "scene_label 'tones_low ', allowed: 1 to 255 bytes" in found[0]
    assert any("'noise_low' differs from 'Noise_low' in case or blanks" in each for each in found)
    with pytest.raises(AscError, match=r"meta\.csv:\d+: "):
        Dataset.load(data)


def test_tables_with_a_byte_order_mark_and_other_line_ends(data, capsys):
    for path in (data / META, data / TRAIN):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert run("data", "check", data) == 0
    capsys.readouterr()
    (data / TRAIN).write_bytes(b"filename\tscene_label\n\xff")
    (finding,) = (f for f in findings_of(data, capsys) if f["kind"] == "file that cannot be read")
    assert (finding["file"], finding["line"]) == (TRAIN, 2)
    assert finding["message"] == "not UTF-8 text; save the file as UTF-8"


def test_samples_beyond_full_scale_are_found(data, capsys):
    names = [line.split("\t")[0] for line in lines_of(data / META)]
    samples = np.zeros(44100)
    samples[7] = 1.25
    soundfile.write(data / names[1], samples, 44100, subtype="FLOAT")
    soundfile.write(data / names[2], samples * 20000, 44100, subtype="FLOAT")
    found = [f["message"] for f in findings_of(data, capsys)]
    assert found == [
        f"{names[1]}: 1 samples beyond full scale saturate, the highest is 1.25",
        f"{names[2]}: floating-point samples of up to 25000, full scale is 1; "
        "divide them by 32768, or store them as integers",
    ]


def test_every_kind_of_damage_to_tables_is_found(data, capsys):
    train, evaluate = lines_of(data / TRAIN), lines_of(data / EVALUATE)
    put_line(data / TRAIN, 3, train[1])
    put_line(data / TRAIN, 4, "no tab here")
    put_line(data / TRAIN, 5, train[4].split("\t")[0] + "\twrong_scene")
    put_line(data / TRAIN, 6, "audio/unlisted.wav\ttones_low")
    put_line(data / META, 2, "a\tb")
    (data / TEST).unlink()
    found = {(f["file"], f["line"]): str(f["message"]) for f in findings_of(data, capsys)}
    assert "malformed row: 2 tab-separated fields, must be 4" in found[META, 2]
    assert "malformed row: 1 tab-separated fields, must be 2" in found[TRAIN, 4]
    assert "label 'wrong_scene', meta.csv says" in found[TRAIN, 5]
    assert "is not listed in meta.csv" in found[TRAIN, 6]
    assert found[TEST, None] == "file is missing"
    assert len(evaluate) == 7


def test_duplicate_rows_are_found(data, capsys):
    for file in META, TRAIN:
        lines = lines_of(data / file)
        (data / file).write_text("\n".join([*lines, lines[1]]) + "\n")
    found = [(f["file"], f["line"], str(f["message"])) for f in findings_of(data, capsys)]
    assert [(file, line) for file, line, _ in found] == [(META, 26), (TRAIN, 20)]
    assert all(message.endswith("duplicate of line 2") for _, _, message in found)


def test_a_location_on_both_sides_is_found(data, capsys):
    trained = next(line for line in lines_of(data / META) if "\tlisbon-0\t" in line).split("\t")
    for file in EVALUATE, TEST:
        row = "\t".join(trained[:2]) if file == EVALUATE else trained[0]
        put_line(data / file, 3, row)
    found = [(f["file"], f["line"], str(f["message"])) for f in findings_of(data, capsys)]
    assert [(file, line) for file, line, _ in found] == [(EVALUATE, 3), (TEST, 3)]
    assert all("location lisbon-0 is on both sides" in message for _, _, message in found)


def test_a_scene_that_is_never_trained_is_found(data, capsys):
    lines = [line for line in lines_of(data / TRAIN) if "noise_low" not in line]
    (data / TRAIN).write_text("\n".join(lines) + "\n")
    found = [(f["file"], str(f["message"])) for f in findings_of(data, capsys)]
    assert [file for file, _ in found] == [EVALUATE, TEST]
    assert all("unknown label 'noise_low'" in message for _, message in found)


def test_a_broken_header_is_one_finding(data, capsys):
    put_line(data / META, 1, "filename,scene_label,identifier,source_label")
    (finding,) = findings_of(data, capsys)
    assert (finding["file"], finding["line"]) == (META, 1)


def test_what_is_no_dataset_is_bad_input(tmp_path, capsys):
    for folder in tmp_path, tmp_path / "absent":
        assert run("data", "check", folder) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"asc-tiny: {folder}: not a dataset")


def test_synth_writes_what_check_accepts(tmp_path, capsys):
    options = ("--seed", 3, "--classes", 2, "--clips", 4, "--sample-rate", 16000)
    for name in "one", "two":
        assert run("data", "synth", tmp_path / name, *options) == 0
    assert capsys.readouterr().out == ""
    assert run("data", "check", tmp_path / "one", "--sample-rate", 16000) == 0
    assert run("data", "check", tmp_path / "one") == 1  # not 44100 Hz
    one = {p.name: p.read_bytes() for p in (tmp_path / "one").rglob("*") if p.is_file()}
    two = {p.name: p.read_bytes() for p in (tmp_path / "two").rglob("*") if p.is_file()}
    assert one == two and len(one) == 8 + 4


def test_synth_refuses_a_folder_with_contents(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    assert run("data", "synth", tmp_path) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert run("data", "synth", tmp_path / "mine.txt") == 2
    assert "is a file" in capsys.readouterr().err


def test_synth_leaves_nothing_behind_when_it_fails(tmp_path, capsys):
    assert run("data", "synth", tmp_path / "new", "--classes", 99) == 2
    assert "classes = 99, allowed: 2 to 12" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_esc10_has_no_findings(esc10, capsys):
    assert run("data", "check", esc10, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["clips"] == 1287 and report["findings"] == []
    assert sum(report["splits"]["train"]["scenes"].values()) == 957
