"""The spectrogram as a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.monitor import picture
from asc_tiny.monitor.scale import scale
from asc_tiny.util.errors import AscError

pytest.importorskip("matplotlib")
CODES = np.array([[0.0, np.nan, 9.0], [1.0, np.nan, 127.0]]).repeat(8, axis=0)


def drawn(monkeypatch: pytest.MonkeyPatch, codes: np.ndarray, config: FrontEndConfig | None):
    """Return the axes of the picture, and what its texts say."""
    from asc_tiny.util import figures

    kept = []
    monkeypatch.setattr(picture, "write_bytes", lambda path, data: None)
    monkeypatch.setattr(figures, "saved", lambda figure, format: kept.append(figure))
    picture.write(Path("x.png"), codes, "a title", scale(16, config))
    axes, *rest = kept[0].axes
    return axes, [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()], rest


def test_units_and_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    config = FrontEndConfig(n_mels=16).quantized(0.1, 0)
    axes, texts, (bar,) = drawn(monkeypatch, CODES, config)
    assert texts == ["a title", "time before the end (s)", "center of the mel band (Hz)"]
    assert bar.get_ylabel() == "level (dB re full scale)"
    (image,) = axes.images
    assert image.get_extent()[0] == pytest.approx(-3 * 1024 / 44100)
    assert image.get_array().mask[:, 1].all() and not image.get_array().mask[:, [0, 2]].any()
    (legend,) = axes.get_legend().get_texts()
    assert legend.get_text() == "not received: 33.3% of the columns"


def test_without_a_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    axes, texts, (bar,) = drawn(monkeypatch, CODES[:, [0, 2]], None)
    assert texts == ["a title", "columns before the end", "mel band"]
    assert bar.get_ylabel() == "level (int8 code)" and axes.get_legend() is None


def test_nothing_came(monkeypatch: pytest.MonkeyPatch) -> None:
    axes, _, _ = drawn(monkeypatch, np.empty((0, 0)), None)
    assert [text.get_text() for text in axes.texts] == ["no column was received"]


@pytest.mark.parametrize(("name", "message"), [("x.svg", "writes .png"), ("no/x.png", "folder no")])
def test_what_cannot_be_written_is_told_at_once(name: str, message: str) -> None:
    with pytest.raises(AscError, match=message):
        picture.check(Path(name))
