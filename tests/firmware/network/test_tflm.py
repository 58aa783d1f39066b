"""Emitted C++ compiled against TensorFlow Lite Micro's headers as PyPI has them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.network import tflm
from asc_tiny.model.ensemble import load_model
from asc_tiny.tflm.kernel_memory import memory_rule
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.ensemble_models import perturbed
from support.paths import DOUBLES, MODEL

pytest.importorskip("tensorflow")

HEADERS = Path(sys.prefix) / "tflm-headers"
RESOLVER = "tensorflow/lite/micro/micro_mutable_op_resolver.h"
WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror")


@pytest.fixture(scope="module")
def headers() -> Path:
    """What tools/setup.sh takes out of the wheel of xmos-ai-tools."""
    if not (HEADERS / RESOLVER).is_file():
        assert os.environ.get("CI") != "true", f"tools/setup.sh did not make {HEADERS}"
        pytest.skip(f"no headers of TensorFlow Lite Micro in {HEADERS}: run tools/setup.sh test")
    return HEADERS


@pytest.mark.parametrize("name", ["mobilenet_esc10.tflite", "ensemble1_esc10.toml"])
def test_compiles_against_the_headers(name: str, headers: Path, tmp_path: Path) -> None:
    options = ["--runtime", "tflm", "--project", "sources", "--prefix", "scene"]
    assert asc_tiny("generate", MODEL.parent / name, "--out", tmp_path, *options) == 0
    spec = find_spec("tensorflow")
    assert spec
    assert spec.origin
    gemmlowp = Path(spec.origin).parent / "include/external/gemmlowp"
    # The wheel's fork has another namespace and a larger TfLiteTensor.
    flags = ["-std=c++17", "-Dtflite=tflite_micro", "-fno-rtti", "-fno-exceptions", *WARNINGS]
    include = [f"-isystem{headers}", f"-isystem{gemmlowp}"]
    sources = sorted(tmp_path.glob("*.cc"))
    assert [source.name for source in sources] == ["scene_net.cc"]
    subprocess.run(["c++", *flags, *include, "-fsyntax-only", *sources], check=True)


def test_files_of_two_models_do_not_compile(tmp_path: Path) -> None:
    other = perturbed(tmp_path / "other.tflite")
    folders = [tmp_path / "ours", tmp_path / "others"]
    options = ["--runtime", "tflm", "--project", "sources"]
    for model, folder in zip((MODEL, other), folders, strict=True):
        assert asc_tiny("generate", model, "--out", folder, *options) == 0
    double = f"-isystem{DOUBLES / 'tflm'}"
    command = ["c++", "-std=c++17", double, f"-I{folders[0]}", "-fsyntax-only"]
    command.append(str(folders[0] / "asc_net.cc"))
    subprocess.run(command, check=True)
    for name in ("asc_net.h", "asc_model.h"):
        ours = (folders[0] / name).read_bytes()
        (folders[0] / name).write_bytes((folders[1] / name).read_bytes())
        failed = subprocess.run(command, capture_output=True, text=True, check=False)
        (folders[0] / name).write_bytes(ours)
        assert failed.returncode != 0
        assert name in failed.stderr
        assert "generate both anew" in failed.stderr


def test_resolver_has_a_method_for_every_operator(headers: Path) -> None:
    text = (headers / RESOLVER).read_text(encoding="utf-8")
    known = set(re.findall(r"TfLiteStatus (Add\w+)\(", text))
    assert {tflm.method(operator) for operator in memory_rule.names} <= known


def test_operators_are_those_of_the_model() -> None:
    source = tflm.generate(load_model(MODEL))["asc_net.cc"]
    graph = load_model(MODEL).graph
    used = {tflm.method(operator.name) for operator in graph.operators}
    assert set(re.findall(r"operators->(\w+)\(\)", source)) == used
    assert f"MicroMutableOpResolver<{len(used)}>" in source


def test_operator_that_is_not_known_is_named(tmp_path: Path) -> None:
    from keras import Input, Model, ops

    from support.network_models import quantized

    inputs = Input((4, 4, 2), batch_size=1)
    path = tmp_path / "abs.tflite"
    path.write_bytes(quantized(Model(inputs, ops.abs(inputs))))
    with pytest.raises(AscError, match="is ABS, supported with runtime tflm are ADD"):
        classifier(load_model(path), runtime="tflm")


@pytest.mark.parametrize("name", ["mobilenet_esc10.tflite", "ensemble1_esc10.toml"])
def test_header_states_what_each_build_needs(name: str) -> None:
    header = tflm.generate(load_model(MODEL.parent / name))["asc_net.h"]
    needs = [int(size) for size in re.findall(r"^ \* +(\d+)  \S", header, re.MULTILINE)]
    sizes = [int(size) for size in re.findall(r"ARENA_SIZE (\d+)", header)]
    assert len(needs) == 6
    assert sizes[1] == max(needs)
    assert all(size % 16 == 0 for size in sizes)


def test_project_for_a_core_that_is_not_arm_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (board,) = (name for name, board in catalog.BOARDS.items() if board.platform == "riscv")
    options = ["--runtime", "tflm", "--board", board]
    assert asc_tiny("generate", MODEL, "--out", tmp_path / "firmware", *options) == 2
    assert "--project sources writes files for any" in capsys.readouterr().err
    sources = [*options, "--project", "sources"]
    assert asc_tiny("generate", MODEL, "--out", tmp_path / "sources", *sources) == 0


def test_build_without_tflm_says_what_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TFLM_ROOT", raising=False)
    monkeypatch.delenv("TFLM_LIB", raising=False)
    folder = tmp_path / "firmware"
    assert asc_tiny("generate", MODEL, "--runtime", "tflm", "--out", folder) == 0
    assert asc_tiny("build", folder) == 2
    assert "--tflm-root and --tflm-lib" in capsys.readouterr().err
    library = tmp_path / "lib.a"
    assert asc_tiny("build", folder, "--tflm-root", tmp_path, "--tflm-lib", library) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert f'TFLM_ROOT="{tmp_path}" holds no TensorFlow Lite Micro' in message
