"""Report formats: each read by a reader of that format, or held to its exact text."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
import sarif_pydantic
from pydantic import BaseModel

from asc_tiny.cli.main import main
from asc_tiny.complexity.gate.formats import FORMATS
from asc_tiny.complexity.gate.formats.table import Style
from asc_tiny.complexity.gate.gate import GROWTH
from asc_tiny.complexity.gate.limits import FIGURES
from asc_tiny.complexity.report import CONVENTIONS
from support.paths import ROOT
from support.tflite_files import convolutions

SCHEMA = ROOT / "asc_tiny" / "complexity" / "gate" / "budget.schema.json"

# A path that means something to every format: XML, Markdown, properties of GitHub's commands
ODD = "a%b,c:d|`*<e>&'\"é _f_.tflite"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that has grown since its baseline was written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    Path("small.tflite").write_bytes(convolutions([4, 8]))
    with pytest.raises(SystemExit):
        main(["budget", "small.tflite", "--write-baseline", "base.json", "--format", "json"])
    Path("small.tflite").write_bytes(convolutions([4, 9]))
    return tmp_path


OPTIONS = ("--max-macs=1M", "--baseline=base.json", "--max-growth=9.96%")


def budget(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(["budget", *arguments])
    captured = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, captured.out, captured.err


def test_json_follows_the_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    for arguments in (["small.tflite"], ["small.tflite", *OPTIONS], ["small.tflite"] * 2):
        document = json.loads(budget(capsys, *arguments, "--format=json")[1])
        validator(schema).validate(document)
    # The schema allows nothing that it does not describe, at any level.
    for place in ((), ("models", 0), ("models", 0, "layers", 0), ("checks", 0), ("total",)):
        wrong = json.loads(json.dumps(document))
        inner = wrong
        for key in place:
            inner = inner[key]
        inner["unknown"] = 1
        with pytest.raises(jsonschema.ValidationError):
            validator(schema).validate(wrong)


def test_two_formats_are_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = budget(capsys, "small.tflite", "--json", "--format=junit")
    assert (code, err) == (2, "asc-tiny: --json and --format=junit, allowed: one of them\n")
    assert json.loads(out)["error"] == "--json and --format=junit, allowed: one of them"
    assert budget(capsys, "small.tflite", "--json", "--format=json")[0] == 0


def test_the_schema_names_every_figure() -> None:
    schema = json.loads(SCHEMA.read_text())
    definitions = schema["$defs"]
    assert list(definitions["limits"]["properties"]) == [figure.limit for figure in FIGURES]
    rules = [*(figure.limit for figure in FIGURES), GROWTH]
    assert definitions["check"]["properties"]["rule"]["enum"] == rules
    keys = [figure.key for figure in FIGURES]
    assert definitions["check"]["properties"]["figure"]["enum"] == keys
    assert set(definitions["comparison"]["properties"]["figures"]["properties"]) == set(keys)
    assert schema["properties"]["convention"]["enum"] == list(CONVENTIONS)


def test_junit_by_its_parser(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = budget(capsys, "small.tflite", *OPTIONS, "--format=junit")
    assert code == 1
    xml = junitparser.JUnitXml.fromstring(out.encode())
    # Two limits of the total; four figures beside the baseline's, of which MACs grew too much
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (6, 1, 0, 0)
    suites = list(xml)
    assert [(suite.name, suite.tests, suite.failures) for suite in suites] == [
        ("total", 2, 0),
        ("small.tflite", 4, 1),
    ]
    cases = [case for suite in suites for case in suite]
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    (failed,) = [case for case in cases if not case.is_passed]
    assert (failed.classname, failed.name) == ("small.tflite", "max_growth macs")
    (failure,) = failed.result
    assert isinstance(failure, junitparser.Failure)
    assert failure.type == "max_growth"
    assert failure.message == (
        "small.tflite: 25,344 MACs, 10.00% above the baseline's 23,040, allowed: 25,334"
    )
    assert "layer 1 CONV_2D 1x8x8x9: parameters 296 -> 333 (+37)" in failure.text


def unknown_fields(value: object) -> list[str]:
    """Names that the SARIF model does not have, at any depth."""
    if isinstance(value, list):
        return [name for each in value for name in unknown_fields(each)]
    if not isinstance(value, BaseModel):
        return []
    inner = [name for _, each in value for name in unknown_fields(each)]
    return [*(value.model_extra or {}), *inner]


def sarif(text: str) -> Any:
    log = sarif_pydantic.Sarif.model_validate_json(text)
    assert set(unknown_fields(log)) <= {"columnKind"}
    return log


def test_sarif_by_its_model(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = budget(capsys, "small.tflite", *OPTIONS, "--format=sarif")
    assert code == 1
    log = sarif(out)
    assert log.version == "2.1.0"
    (run,) = log.runs
    (result,) = run.results
    rules = run.tool.driver.rules
    assert [rule.id for rule in rules] == [*(figure.limit for figure in FIGURES), GROWTH]
    assert rules[result.rule_index].id == result.rule_id == "max_growth"
    assert result.level == "error"
    assert "layer 1 CONV_2D 1x8x8x9" in result.message.text
    (location,) = result.locations
    assert location.physical_location.artifact_location.uri == "small.tflite"
    assert location.physical_location.region.start_line == 1
    code, out, _ = budget(capsys, "small.tflite", "--format=sarif")
    assert (code, sarif(out).runs[0].results) == (0, [])


def test_sarif_by_the_official_schema(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against the schema of OASIS, where ASC_TINY_SARIF_SCHEMA names it."""
    path = os.environ.get("ASC_TINY_SARIF_SCHEMA")
    if not path:
        pytest.skip("no SARIF schema: set ASC_TINY_SARIF_SCHEMA to sarif-schema-2.1.0.json")
    schema = json.loads(Path(path).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    Path(ODD).write_bytes(convolutions([4]))
    absolute = str(project / "small.tflite")
    for arguments in (["small.tflite", *OPTIONS], ["small.tflite"], [ODD, absolute]):
        out = budget(capsys, *arguments, "--max-params=1", "--format=sarif")[1]
        validator.validate(json.loads(out))


def test_the_exact_text_for_github(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = project / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    Path(ODD).write_bytes(convolutions([4]))
    code, out, _ = budget(capsys, ODD, "--max-params=75", "--max-macs=none", "--format=github")
    assert code == 1
    assert (
        out
        == """\
::group::asc-tiny budget
a%b,c:d|`*<e>&'"é _f_.tflite
  layer  operator   output   params   MACs  other  moved B  weight B  live B
  0      CONV_2D    1x8x8x4      76  4,608      0        0        88     384
         sum, peak               76  4,608      0        0        88     384

  layer  operator  MACs                  params                memory
  0      CONV_2D   ████████████  100.0%  ████████████  100.0%  ████████████  100.0%

limits
  total  parameters  OVER  76  of 75  ████████████  101.3%

total: 76 parameters, 4,608 MACs, 88 bytes of weights, 384 bytes of activations at the peak
::endgroup::
::error file=a%25b%2Cc%3Ad|`*<e>&'"é _f_.tflite,title=asc-tiny budget%3A max_params::\
76 parameters, 1 over --max-params 75
"""
    )
    assert (
        summary.read_text()
        == """\
before
<!-- asc-tiny budget -->
### asc-tiny budget: over budget

* 76 parameters, 1 over --max-params 75

| model | parameters | MACs | peak activation bytes | weight bytes |
| --- | --- | --- | --- | --- |
| a%b,c:d\\|\\`\\*&lt;e&gt;&amp;'"é \\_f\\_.tflite | 76 | 4,608 | 384 | 88 |

| of | figure | value | limit | used |  |
| --- | --- | --- | --- | --- | --- |
| total | parameters | 76 | 75 | 101.3% ██████████ | **failed** |

<details>
<summary>Layers of a%b,c:d|`*&lt;e&gt;&amp;'"é _f_.tflite</summary>

| layer | operator | output | parameters | MACs | live bytes |
| --- | --- | --- | --- | --- | --- |
| 0 | CONV\\_2D | 1x8x8x4 | 76 | 4,608 ██████████ | 384 ██████████ |

</details>
"""
    )


def test_github_shows_growth_success_and_bad_input(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = budget(capsys, "small.tflite", *OPTIONS, "--format=github")[1]
    assert out.splitlines()[-1] == (
        "::error file=small.tflite,title=asc-tiny budget%3A max_growth::small.tflite: 25,344 MACs, "
        "10.00%25 above the baseline's 23,040, allowed: 25,334%0A  layer 1 CONV_2D 1x8x8x9: "
        "parameters 296 -> 333 (+37), MACs 18,432 -> 20,736 (+2,304), weight bytes 320 -> 360 "
        "(+40), live bytes 768 -> 832 (+64)"
    )
    out = budget(capsys, "small.tflite", "--format=github")[1]
    assert out.splitlines()[-1] == "::notice title=asc-tiny budget::2 checks passed"
    code, out, _ = budget(capsys, "gone%.tflite", "--format=github")
    assert code == 2
    assert out == (
        "::error title=asc-tiny budget::gone%25.tflite: cannot read: No such file or directory\n"
    )


def test_names_cannot_start_commands(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line break in a file's name starts no line of the log."""
    name = "x\n::stop-commands::y\n\x1b[31m.tflite"
    Path(name).write_bytes(convolutions([4]))
    for style in FORMATS:
        code, out, err = budget(capsys, name, "--max-params=1", f"--format={style}")
        assert code == 1
        assert not [line for line in (out + err).splitlines() if line.startswith("::stop")]
        assert "\x1b" not in out + err
    _, out, err = budget(capsys, f"gone{name}", "--format=github")
    assert len(out.splitlines()) == len(err.splitlines()) == 1


def test_markdown_shows_the_difference(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = budget(capsys, "small.tflite", *OPTIONS, "--format=markdown")[1]
    lines = out.splitlines()
    assert lines[0] == "<!-- asc-tiny budget -->"
    start = lines.index("**small.tflite: layers that differ from the baseline's**")
    assert lines[start + 2 : start + 5] == [
        "| layer | operator | output | change | parameters | MACs | weight bytes | live bytes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| 1 | CONV\\_2D | 1x8x8x9 | changed | 296 -> 333 (+37) | 18,432 -> 20,736 (+2,304) "
        "| 320 -> 360 (+40) | 768 -> 832 (+64) |",
    ]


def in_terminal(command: list[str], **environment: str) -> str:
    """What a command writes to a terminal."""
    inner, outer = pty.openpty()
    variables = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment}
    subprocess.run(command, stdout=outer, env=variables, check=False, stderr=subprocess.DEVNULL)
    os.close(outer)
    text = b""
    try:
        while part := os.read(inner, 65536):
            text += part
    except OSError:  # the end of a terminal
        pass
    os.close(inner)
    return text.decode()


def test_color_only_where_it_is_wanted(project: Path) -> None:
    command = [sys.executable, "-m", "asc_tiny.cli.main", "budget", "small.tflite"]
    colored = in_terminal(command, NO_COLOR="")
    assert "\x1b[36m" in colored  # bars
    assert "\x1b[32m" in colored  # limits that hold
    assert "\x1b[31m" in in_terminal([*command, "--max-params=1"], NO_COLOR="")
    plain = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "\x1b" not in plain
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": ""}):
        assert in_terminal(command, **variables).replace("\r", "") == plain
    ascii_only = subprocess.run(
        command, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    ).stdout.decode("ascii")
    assert "########" in ascii_only


def test_bars() -> None:
    style = Style()
    assert style.bar(0, 10) == " " * 12
    assert style.bar(10, 10) == style.bar(30, 10) == "█" * 12
    assert style.bar(5, 10) == "█" * 6 + " " * 6
    assert style.bar(1, 10**9) == "▏" + " " * 11
    assert style.bar(1, 32) == "▍" + " " * 11
    assert style.bar(0, 0) == style.bar(1, 0) == " " * 12
    assert Style(blocks=False).bar(5, 10) == "######" + " " * 6
