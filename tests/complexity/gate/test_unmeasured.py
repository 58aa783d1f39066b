"""Memory that cannot be measured fails the gate, in every report and beside a baseline."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from asc_tiny.complexity.gate import formats
from asc_tiny.complexity.gate.formats import FORMATS

pytest.importorskip("tflite_micro")

from support.commands import budget
from support.kernel_models import CASES, INT8, Maker, planned_offline, svdf, variable
from support.tflite_builder import schema
from support.tflite_files import File

SCHEMA = Path(formats.__file__).parents[1] / "budget.schema.json"


def svdf_of_other_codes() -> bytes:
    m = Maker(INT8)
    svdf(m)
    m.builder.graph.tensors[m.output.index].type = schema.TensorType.INT16
    return m.builder.finish(m.inputs, [m.output])


def initialized_by_itself() -> bytes:
    file, other = File(), File()
    for each in (file, other):
        each.operators.append(("CALL_ONCE", [], [], {"init_subgraph_index": 1}))
        each.add("RELU", [each.input(1, 4)], 1, 4)
    file.others = [other]
    return file.data()


MARKS = {
    "github": "::error",
    "json": '"passed": false',
    "junit": "<failure",
    "markdown": "**failed**",
    "sarif": '"level": "error"',
    "table": "NOT MEASURED",
}
"""How each report shows a failure."""

UNKNOWN = {
    "calls of subgraphs more than 16 deep": initialized_by_itself,
    "never runs": lambda: variable(alone=False),
    "OfflineMemoryAllocation are not those of 4 tensors": lambda: planned_offline(5),
    "OfflineMemoryAllocation are not those of 4": lambda: planned_offline(4, (0, 0)),
    "OfflineMemoryAllocation have the offset -7": lambda: planned_offline(4, (-7, -1, -1, 0)),
    "scratch memory TensorFlow Lite Micro needs for operator 0 (SVDF), which gives INT16": (
        svdf_of_other_codes
    ),
}


@pytest.mark.parametrize("reason", UNKNOWN)
def test_what_cannot_be_measured_fails_the_gate_with_2(
    reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(UNKNOWN[reason]())
    reports = {name: tmp_path / name for name in FORMATS}
    written = [f"--report={name}={file}" for name, file in reports.items()]
    code, out, err = budget(capsys, path, "--max-ram", "1M", "--max-params", "1M", *written)
    assert code == 2
    (line,) = err.splitlines()
    assert line.startswith(
        "asc-tiny: not measured: peak activation bytes cannot be measured, but --max-ram limits "
        f"them: {path}: "
    )
    assert reason in line
    assert "NOT MEASURED" in out and "at least" in out
    for name, file in reports.items():
        text = file.read_text()
        assert "cannot be measured" in text, name
        assert MARKS[name] in text, name
    report = json.loads(reports["json"].read_text())
    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    assert report["passed"] is False
    assert report["total"]["peak_activation_bytes"] is None
    assert reason in report["models"][0]["unmeasured"]["peak_activation_bytes"]
    assert [check["value"] is None for check in report["checks"]] == [False, False, True]
    # Nothing depends on it without a limit.
    code, out, err = budget(capsys, path, "--max-params", "1M")
    assert (code, err) == (0, "")
    assert reason in out


def test_a_baseline_does_not_take_what_is_not_measured_for_less(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, baseline = tmp_path / "model.tflite", tmp_path / "baseline.json"
    path.write_bytes(CASES["SVDF"][1](Maker(INT8)))
    assert budget(capsys, path, "--write-baseline", baseline)[0] == 0
    path.write_bytes(svdf_of_other_codes())
    code, _, err = budget(capsys, path, "--baseline", baseline)
    assert code == 2
    assert "peak activation bytes are measured only in the baseline" in err
