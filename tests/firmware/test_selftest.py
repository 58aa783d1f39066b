"""The self-test passes where firmware is right, and fails where an expected value is not."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.library import render_library
from asc_tiny.frontend import selftest_clip
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import reference
from asc_tiny.targets.image.bench import memory
from asc_tiny.tflm import ensemble_interpreter
from asc_tiny.util.errors import AscError
from support import compilers
from support.commands import asc_tiny
from support.native import FLAGS
from support.paths import MODEL, MODELS
from support.patience import PATIENCE_S
from support.selftests import EXPECTED, SPOILED, generate_sources, run_on_host, spoil
from support.tflm_firmware import find

FLASH_BYTES = 472
"""Measured on mps2-an386, the application's part included."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_sources(tmp_path_factory.mktemp("sources"), MODEL)


def test_clip_fades_by_6_db_a_level() -> None:
    pcm = selftest_clip.samples(FrontEndConfig()).astype(np.int64)
    levels = [int(np.abs(pcm[start : start + 2757]).max()) for start in range(0, 44100, 2757)]
    assert len(levels) == 16
    assert levels[0] > 32700
    assert levels[-1] <= 1
    for before, level in pairwise(levels):
        assert before // 2 - 16 <= level <= before // 2 + 16


@pytest.mark.parametrize(
    ("model", "name", "text"),
    [
        ("mobilenet_esc10.tflite", "", ""),
        ("mobilenet_esc10.tflite", "frontend", "sample_bits = 24\n"),
        ("mobilenet_esc10.tflite", "decision", "hop_columns = 12\n"),
        ("ensemble2_esc10.toml", "", ""),
    ],
    ids=["clips", "24 bits", "sliding", "ensemble"],
)
def test_passes_on_host(model: str, name: str, text: str, tmp_path: Path) -> None:
    options: list[object] = []
    if name:
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        options = [f"--{name}", path]
    assert run_on_host(generate_sources(tmp_path / "sources", MODELS / model, *options)) == 0


@pytest.mark.parametrize(
    ("macro", "code"), [("ASC_SELFTEST_CHECKSUM", 1), ("ASC_SELFTEST_SCORES", 2)]
)
def test_wrong_expectation_fails_on_host(
    macro: str, code: int, sources: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sources, tmp_path / "sources"))
    spoil(folder / EXPECTED, macro)
    assert run_on_host(folder) == code


def selftest(project: targets.Project, tflm: targets.Tflm | None = None) -> str:
    targets.build(project, tflm, definitions=["ASC_SELFTEST=1"])
    command = targets.run_command(project.board, project.image, ["selftest"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == (0 if "selftest 0\n" in done.stdout + done.stderr else 1)
    return (done.stdout + done.stderr).strip()


@pytest.mark.qemu
def test_on_cortex_m4(tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--out", folder) == 0
    project = targets.load(folder)
    targets.build(project)
    without = memory(project.image)[0]
    assert selftest(project) == "selftest 0"
    assert memory(project.image)[0] - without <= FLASH_BYTES * compilers.margin()
    expected = folder / "asc" / EXPECTED
    right = expected.read_text()
    for macro, result in SPOILED:
        expected.write_text(right)
        spoil(expected, macro)
        assert selftest(project) == f"selftest {result}"


@pytest.mark.qemu
@pytest.mark.slow
@pytest.mark.parametrize("model", ["mobilenet_esc10.tflite", "ensemble2_esc10.toml"])
def test_passes_with_real_tensorflow_lite_micro(model: str, tmp_path: Path) -> None:
    build, folder = find(), tmp_path / "firmware"
    options = ["--runtime", "tflm", "--board", build.board.name, "--out", folder]
    assert asc_tiny("generate", MODELS / model, *options) == 0
    assert selftest(targets.load(folder), build.tflm) == "selftest 0"


def test_of_another_model_does_not_compile(sources: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sources, tmp_path / "sources"))
    header = folder / EXPECTED
    hashes = re.search(r"ASC_NET_HASH != (0x\w+)", header.read_text())
    assert hashes
    header.write_text(header.read_text().replace(hashes[1], "0x12345678"))
    command = ["cc", *FLAGS, "-c", folder / "asc_selftest.c", "-o", tmp_path / "x.o"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "is for another model than asc_net.h" in done.stderr


def test_scores_without_tensorflow_lite_micro(monkeypatch: pytest.MonkeyPatch) -> None:
    """The C code on this computer gives the same; without a compiler there are none."""
    model = classifier(model_file.load(MODEL), runtime="aot")
    library = render_library(model)
    pytest.importorskip("tflite_micro")
    run = ensemble_interpreter.kernels(model.model_file)
    assert run
    kernels = run(selftest_clip.features(model.frontends))
    monkeypatch.setattr(ensemble_interpreter, "find_spec", lambda name: None)
    assert ensemble_interpreter.kernels(model.model_file) is None
    c_code, missing = reference.host_scores(library)
    assert not missing
    assert np.array_equal(c_code, kernels)

    def no_compiler(*arguments: object) -> None:
        raise AscError("cc is not installed")

    monkeypatch.setattr("asc_tiny.targets.image.verify.host_scores", no_compiler)
    assert reference.host_scores(library) == (None, "cc is not installed")


def test_without_scores_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ensemble_interpreter, "find_spec", lambda name: None)
    monkeypatch.setattr(reference, "host_scores", lambda library: (None, "cc is not installed"))
    folder = generate_sources(tmp_path, MODEL)
    assert "checks the front end alone: cc is not installed" in capsys.readouterr().err
    assert run_on_host(folder) == 0
    spoil(folder / EXPECTED, "ASC_SELFTEST_CHECKSUM")
    assert run_on_host(folder) == 1
