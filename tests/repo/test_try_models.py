"""``tools/try_models``: each file's row, whatever the file does to the process that tries it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

import try_models
from model_trials.limited import Limits, resident_bytes, run_limited
from model_trials.outcome import Outcome, from_json, last_of
from model_trials.table import kind, report, summary, table

from support.tflite_builder import Builder

MIB = 1 << 20


def two_layers() -> bytes:
    """Return a dense layer and a RELU of its own, int8."""
    rng, b = np.random.default_rng(0), Builder()
    x, y, z = (b.activation((1, size), 0.1, 3) for size in (8, 5, 5))
    weights = b.constant(rng.integers(-127, 128, (5, 8)).astype(np.int8), [0.01])
    bias = b.constant(rng.integers(-99, 99, 5).astype(np.int32), [0.001])
    b.operator("FULLY_CONNECTED", [x, weights, bias], [y])
    b.operator("RELU", [y], [z])
    return b.finish([x], [z])


def float_layer() -> bytes:
    """Return a sum in floating point, which TensorFlow Lite Micro alone runs."""
    b = Builder()
    x, y = (b.activation((1, 4), 1.0, 0, "FLOAT32") for _ in range(2))
    b.operator("ADD", [x, x], [y])
    return b.finish([x], [y])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    (made / "below").mkdir()
    (made / "below" / "good.tflite").write_bytes(two_layers())
    (made / "float.tflite").write_bytes(float_layer())
    (made / "cut.tflite").write_bytes(two_layers()[:200])
    (made / "link.tflite").symlink_to(made / "float.tflite")
    (made / "loop").symlink_to(made)
    (made / "notes.txt").write_text("no model")
    return made


def rows(said: str) -> dict[str, list[str]]:
    """Return the cells of each row by the name of the file."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in said.splitlines()]
    return {row[0].strip("| `"): row[1:] for row in cells if row[0].startswith(("`", "| `"))}


def test_each_file_has_its_row(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    argv = [str(folder), "--kept", str(tmp_path / "kept")]
    assert try_models.main(argv) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 files: 1 equal, ")
    assert "\n### below\n\n1 file: 1 equal\n" in said
    found = rows(said)
    assert [*found] == ["good.tflite", "cut.tflite", "float.tflite"]
    operators, params, macs, _, _, _, verdict = found["good.tflite"]
    assert (operators, params, macs) == ("FULLY_CONNECTED 1, RELU 1", "45", "40")
    assert re.fullmatch(r"equal: \d\d inputs on this computer", verdict)
    assert "damaged .tflite file" in found["cut.tflite"][-1]
    assert "aot: tensor 0, input, is FLOAT32" in found["float.tflite"][-1]
    assert str(folder) not in said
    # What is known is not tried again: a run that was stopped goes on where it was.
    monkeypatch.setattr(try_models, "run_limited", None)
    assert try_models.main(argv) == 0
    assert capsys.readouterr().out == said


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        try_models.main([str(tmp_path)])
    assert stopped.value.code == 2


def test_limits_hold_for_all_that_a_program_starts() -> None:
    child = f"import time; hog = bytearray({200 * MIB}); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    text, reason = run_limited([sys.executable, "-c", parent], Limits(50.0, 150 * MIB))
    assert (text, reason) == ("", "more than 150 MiB of memory")
    endless = "import itertools\nprint('begun', flush=True)\nfor _ in itertools.count(): pass"
    assert run_limited([sys.executable, "-c", endless], Limits(1.0, 500 * MIB)) == (
        "begun\n",
        "longer than 1 s",
    )


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("pass", ""),
        ("raise SystemExit(3)", "exit code 3"),
        ("import os; os.kill(os.getpid(), 11)", "signal 11"),
    ],
)
def test_how_a_program_ends_is_told(program: str, reason: str) -> None:
    assert run_limited([sys.executable, "-c", program], Limits(50.0, 500 * MIB))[1] == reason


def test_memory_is_told() -> None:
    assert resident_bytes(1 << 40) == 0
    hog = bytearray(64 * MIB)
    assert resident_bytes(os.getpid()) > len(hog)


def test_what_was_known_before_the_end_is_kept() -> None:
    known = Outcome(params=7, rung="aot", refusals={"budget": "a reason"}, equal=("a", "b"))
    assert from_json(known.to_json()) == known
    assert last_of(["noise", Outcome().to_json(), known.to_json(), '{"half":']) == known
    assert last_of([]) == Outcome()


def test_kinds_of_outcomes() -> None:
    equal = Outcome(equal=("16 on this computer",))
    outcomes = {
        "equal": equal,
        "stopped": Outcome(equal=("16",), stopped="signal 11", rung="aot"),
        "DIFFERENT": Outcome(equal=("16",), differs="2 of 3 values"),
        "refused": Outcome(refusals={"aot": "no", "tflm": "no"}),
        "with --runtime tflm alone": Outcome(refusals={"aot": "a | b"}),
        "not compared": Outcome(refusals={"reference": "no"}),
    }
    assert {name: kind(each) for name, each in outcomes.items()} == {n: n for n in outcomes}
    assert summary([equal, equal, outcomes["refused"]]) == "3 files: 2 equal, 1 refused"
    text = table(outcomes)
    assert "| **DIFFERENT**: 2 of 3 values |" in text
    assert "| refused; aot, tflm: no |" in text
    assert "aot: a \\| b |" in text
    assert "stopped: signal 11, aot |" in text


def test_a_folder_of_many_files_names_those_that_are_not_equal() -> None:
    many = {f"many/{n:02}.tflite": Outcome(equal=("1",)) for n in range(50)}
    many["many/25.tflite"] = Outcome(stopped="signal 9", rung="aot")
    few = {f"few/{n}.tflite": Outcome(equal=("1",)) for n in range(2)}
    assert [*rows(report({**many, **few}))] == ["25.tflite", "0.tflite", "1.tflite"]
    assert "### many\n\n50 files: 49 equal, 1 stopped" in report({**many, **few})
