"""``asc-tiny features --plot``: what the panels show, and the same picture each time."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile

from asc_tiny.audio.clips import read_pcm
from asc_tiny.cli.main import main
from asc_tiny.evaluation import plots
from asc_tiny.features import recording
from asc_tiny.frontend import fixed, reference
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from support.paths import MODEL, MODELS

CLIP = MODELS / "clips" / "rooster-fold4-164021-0-1-a.flac"
PNG = b"\x89PNG\r\n\x1a\n"


def features(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["features", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture
def figures(monkeypatch):
    """Collect figures instead of drawing them."""
    found = []
    monkeypatch.setattr(plots, "saved", lambda figure, _: found.append(figure) or PNG)
    return found


def panels(figure):
    """Return the title of each panel and the values in it."""
    shown = [axes for axes in figure.axes if axes.get_title()]
    return {axes.get_title(): np.asarray(axes.get_images()[0].get_array()) for axes in shown}


def test_panels_show_values_codes_and_error(figures, tmp_path):
    pytest.importorskip("matplotlib")
    # Two clips, with samples left over.
    wav = tmp_path / "long.wav"
    first = read_pcm(CLIP, 44100)
    soundfile.write(wav, np.concatenate([first, first[::-1], first[:99]]), 44100)
    assert features(wav, "--model", MODEL, "--plot", tmp_path / "x.png") == 0
    config = model_file.load(MODEL).frontend
    scale, zero_point = config.quantization.scale, config.quantization.zero_point
    found = panels(figures[0])
    assert len(found) == 9
    for channel, name in enumerate(("log-mel", "delta", "second delta")):
        clips = (first, first[::-1])
        exact = np.hstack([reference.features(clip, config)[:, :, channel] for clip in clips])
        codes = np.hstack([fixed.features(clip, config)[:, :, channel] for clip in clips])
        np.testing.assert_array_equal(found[f"{name}, float64"], exact)
        np.testing.assert_array_equal(found[f"{name}, int8 codes"], codes)
        within = (codes > -128) & (codes < 127)
        error = codes - (exact / scale + zero_point)
        shown = found[f"{name}, error in codes"]
        np.testing.assert_allclose(shown[within], error[within], atol=1e-9)
        assert np.abs(shown).max() < 0.51
        assert np.abs(shown).max() > 0.45


@pytest.mark.parametrize(("compression", "name"), [("log", "log-mel"), ("pcen", "PCEN")])
def test_saturated_codes_are_no_error(compression, name, figures):
    pytest.importorskip("matplotlib")
    config = FrontEndConfig(n_mels=16, deltas=False, compression=compression).quantized(0.1, 0)
    values = np.full(config.shape, 20.0)
    codes = np.full(config.shape, 127, np.int8)
    values[0, 0], codes[0, 0] = 1.02, 11
    plots.feature_panels(values, codes, config, "clip")
    found = panels(figures[0])
    assert list(found) == [f"{name}, {row}" for row in ("float64", "int8 codes", "error in codes")]
    error = found[f"{name}, error in codes"]
    assert error[0, 0] == pytest.approx(0.8)
    assert np.count_nonzero(error) == 1


def test_the_same_clip_gives_the_same_bytes(tmp_path):
    pytest.importorskip("matplotlib")
    assert features(CLIP, "--model", MODEL, "--plot", tmp_path / "one.png") == 0
    both = ("--out", tmp_path / "x.npy", "--plot", tmp_path / "two.png")
    assert features(CLIP, "--model", MODEL, *both) == 0
    picture = (tmp_path / "one.png").read_bytes()
    assert picture.startswith(PNG)
    assert (tmp_path / "two.png").read_bytes() == picture
    config = model_file.load(MODEL).frontend
    codes = fixed.features(read_pcm(CLIP, 44100), config)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), codes)


def test_processes_give_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_PART", 2)
    wav, clip = tmp_path / "long.wav", read_pcm(CLIP, 44100)
    clips = [clip, clip[::-1], clip // 2]
    soundfile.write(wav, np.concatenate(clips), 44100)
    for jobs in (1, 2):
        out = tmp_path / f"{jobs}.npy"
        assert features(wav, "--model", MODEL, "--out", out, "--jobs", jobs) == 0
    assert (tmp_path / "1.npy").read_bytes() == (tmp_path / "2.npy").read_bytes()
    config = model_file.load(MODEL).frontend
    expected = np.stack([fixed.features(each, config) for each in clips])
    np.testing.assert_array_equal(np.load(tmp_path / "2.npy"), expected)


def test_missing_matplotlib_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    both = ("--out", tmp_path / "x.npy", "--plot", tmp_path / "x.png")
    assert features(CLIP, "--model", MODEL, *both) == 2
    shown = capsys.readouterr()
    assert shown.err == "asc-tiny: matplotlib is not installed: pip install 'asc-tiny[train]'\n"
    assert shown.out == ""
    assert not list(tmp_path.iterdir())


def test_nothing_to_write_is_refused(capsys):
    assert features(CLIP, "--model", MODEL) == 2
    assert "give --out X.npy, --plot X.png or both" in capsys.readouterr().err
