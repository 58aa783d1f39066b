"""A classifier whose network keeps values: which windows begin with one that has heard nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.model.metadata_writer import embed
from asc_tiny.targets.image import image
from support.commands import asc_tiny
from support.ensemble_models import SMALL_FRONTEND
from support.network_models import TflmNetwork
from support.sliding_windows import RULES, make, stream_of, windows_of
from support.tflite_builder import Builder

LABELS = ("park", "tram", "bus")
SCALE, ZERO_POINT = 0.05, -20


def model(path: Path) -> Path:
    """Write a network whose scores are those of its input and of the input before, added up."""
    b, rng = Builder(), np.random.default_rng(0)
    height, width, channels = SMALL_FRONTEND.shape
    x = b.activation((1, height, width, channels), SCALE, ZERO_POINT)
    mean = b.activation((1, width * channels), SCALE, ZERO_POINT)
    flat = b.activation((1, height, width * channels), SCALE, ZERO_POINT)
    shape = b.constant(np.array(flat.shape, np.int32))
    b.operator("RESHAPE", [x, shape], [flat])
    b.operator("MEAN", [flat, b.constant(np.array([1], np.int32))], [mean], keepDims=False)
    weights = b.constant(rng.integers(-127, 128, (3, width * channels)).astype(np.int8), [0.002])
    now, old, total = (b.activation((1, 3), scale, 0) for scale in (0.02, 0.02, 0.03))
    b.operator("FULLY_CONNECTED", [mean, weights, None], [now])
    b.operator("READ_VARIABLE", [b.handle("old")], [old])
    b.operator("ADD", [now, old], [total])
    b.operator("ASSIGN_VARIABLE", [b.handle("old"), now], [])
    y = b.activation((1, 3), 1 / 256, -128)
    b.operator("SOFTMAX", [total], [y], beta=1.0)
    data = b.finish([x], [y])
    config = SMALL_FRONTEND.quantized(SCALE, ZERO_POINT)
    path.write_bytes(embed(data, {"frontend": config.to_dict(), "labels": list(LABELS)}))
    return path


def scores(path: Path, codes: list[np.ndarray], *, goes_on: bool) -> list[list[int]]:
    """Return what TensorFlow Lite Micro makes of windows, each alone or one after the other."""
    found, reference = [], TflmNetwork(path.read_bytes())
    for window in codes:
        reference = reference if goes_on else TflmNetwork(path.read_bytes())
        found.append(reference.run(window[None]).tolist())
    return found


COLUMNS = SMALL_FRONTEND.columns


@pytest.mark.parametrize(
    ("rule", "goes_on"),
    [
        ("", False),
        (f"hop_columns = {COLUMNS}", True),
        (f"hop_columns = {COLUMNS // 3}", False),
        (f"hop_columns = {COLUMNS + 5}", False),
    ],
    ids=["clips", "side by side", "overlap", "gaps"],
)
def test_only_windows_side_by_side_go_on(
    rule: str, goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, "stateful", rule + "\n")
    path = model(tmp_path / "model.tflite")
    project = make(tmp_path, "stateful", "host", path)
    assert asc_tiny("verify", project.folder) == 0
    pcm = stream_of(4)
    windows = [np.ascontiguousarray(each) for each in windows_of(project, pcm)]
    assert len(windows) > 2
    wanted = scores(path, windows, goes_on=goes_on)
    assert [list(each.codes) for each in image.classify(project, pcm)] == wanted
    assert scores(path, windows, goes_on=not goes_on) != wanted
