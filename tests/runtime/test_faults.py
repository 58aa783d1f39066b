"""Mistakes and failures are told by codes, without undefined behaviour, whatever the runtime."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.commands import asc_tiny
from support.native import FLAGS
from support.paths import DOUBLES, MODEL, C

UNDEFINED = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g")
CXX_FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror", "-O1")
FAULTS = ("none", "version", "operator", "arena", "type", "size", "inputs", "run")
"""Of the double of TensorFlow Lite Micro, by number; see its header."""

ALWAYS = {
    "init_null": -1,
    "init_misaligned": -2,
    "run_null": -1,
    "run_misaligned": -2,
    "infer_null_arena": -1,
    "infer_null_input": -1,
    "infer_null_output": -1,
    "result_untouched": 1,
    "fits": 1,
}
NORMAL = {
    "init": 0,
    "run": 0,
    "infer": 0,
    "classifier_init": 0,
    "result_too_early": 0,
    "result_before_the_clip_ends": 0,
    "result": 1,
    "result_twice": 0,
}


@pytest.fixture(scope="module", params=["aot", "tflm"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier for this computer, with a double of TensorFlow Lite Micro that can fail."""
    folder = tmp_path_factory.mktemp(request.param)
    options = ["--runtime", request.param, "--project", "sources"]
    assert asc_tiny("generate", MODEL, "--out", folder, *options) == 0
    include = [f"-I{folder}", f"-isystem{DOUBLES / 'tflm'}"]
    objects = []
    for source in [*sorted(folder.glob("*.c*")), C / "faults_main.c"]:
        language = ["cc", *FLAGS] if source.suffix == ".c" else ["c++", *CXX_FLAGS]
        result = folder / f"{source.name}.o"
        command = [*language, *UNDEFINED, *include, "-c", source, "-o", result]
        subprocess.run(command, check=True)
        objects.append(result)
    subprocess.run(["c++", *UNDEFINED, *objects, "-o", folder / request.param], check=True)
    return folder / request.param


def codes(program: Path, fault: str) -> dict[str, int]:
    command = [program, str(FAULTS.index(fault))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: int(code) for name, code in (line.split() for line in done.stdout.splitlines())}


def test_mistakes_have_codes(program: Path) -> None:
    # The C code needs no preparation, TensorFlow Lite Micro's interpreter does.
    unprepared = -5 if program.name == "tflm" else 0
    found = codes(program, "none")
    assert found.pop("run_unprepared") == found.pop("infer_unprepared") == unprepared
    assert found == {**ALWAYS, **NORMAL}


@pytest.mark.parametrize(
    ("fault", "code"),
    [("version", -3), ("operator", -3), ("arena", -4), ("type", -3), ("size", -3), ("inputs", -3)],
)
@pytest.mark.parametrize("program", ["tflm"], indirect=True)
def test_failed_preparation_stops_the_classifier(program: Path, fault: str, code: int) -> None:
    found = codes(program, fault)
    assert {name: found[name] for name in ALWAYS} == ALWAYS
    assert found["init"] == found["classifier_init"] == found["result"] == code
    assert found["result_too_early"] == code
    assert found["run_unprepared"] == found["run"] == found["infer"] == -5


@pytest.mark.parametrize("program", ["tflm"], indirect=True)
def test_failed_run_stops_the_classifier(program: Path) -> None:
    found = codes(program, "run")
    assert found["init"] == found["classifier_init"] == 0
    assert found["result_too_early"] == found["result_before_the_clip_ends"] == 0
    assert found["run"] == found["infer"] == found["result"] == found["result_twice"] == -6
