"""The golden vectors in a generated project: right by float64, read back, and used by verify."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.firmware.golden import CLIPS, FEATURES, read_golden
from asc_tiny.frontend import reference
from asc_tiny.targets.build import project as projects
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.paths import MODEL


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "firmware"
    assert asc_tiny("generate", MODEL, "--out", folder, "--board", "host") == 0
    return projects.load(folder)


def test_files_hold_samples_and_the_codes_of_float64(project) -> None:
    config = project.frontend
    pcm = np.fromfile(project.folder / CLIPS, "<i2").reshape(-1, config.clip_samples)
    codes = np.fromfile(project.folder / FEATURES, np.int8).reshape(len(pcm), *config.shape)
    assert np.abs(pcm.astype(int)).max() == 32768
    assert len(np.unique(pcm, axis=0)) == len(pcm) == 8
    for clip, features in zip(pcm, codes, strict=True):
        expected = reference.quantize(reference.features(clip, config), config.quantization)
        assert np.abs(features.astype(int) - expected).max() <= 1
        assert np.mean(features == expected) >= 0.99


def test_they_are_read_back(project) -> None:
    clips, codes = read_golden(project.folder, project.frontend, project.feature_shape)
    assert list(clips)[:2] == ["silence", "square"]
    assert np.array_equal(
        np.concatenate(list(clips.values())), np.fromfile(project.folder / CLIPS, "<i2")
    )
    assert np.stack(list(codes.values())).tobytes() == (project.folder / FEATURES).read_bytes()


def test_verify_holds_the_image_to_the_files(project, capsys) -> None:
    assert asc_tiny("build", project.folder) == 0
    assert asc_tiny("verify", project.folder) == 0
    path = project.folder / FEATURES
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert asc_tiny("verify", project.folder) == 3
    assert "1 features and 0 scores differ" in capsys.readouterr().out
    data[100] ^= 1
    path.write_bytes(data)


def test_a_file_of_another_size_is_named(project, tmp_path) -> None:
    (tmp_path / "golden").mkdir()
    (tmp_path / CLIPS).write_bytes((project.folder / CLIPS).read_bytes())
    (tmp_path / FEATURES).write_bytes(b"123")
    with pytest.raises(AscError, match=r"features\.bin: 3 values, 221184 are needed"):
        read_golden(tmp_path, project.frontend, project.feature_shape)
    (tmp_path / CLIPS).unlink()
    with pytest.raises(AscError, match=r"clips\.pcm: cannot read"):
        read_golden(tmp_path, project.frontend, project.feature_shape)
