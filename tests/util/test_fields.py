"""Values of files: of the right type, or one line that says what is allowed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board, FlashMethod
from asc_tiny.boards.microphones import Microphone
from asc_tiny.compiler.options import Options
from asc_tiny.decision.config import DecisionConfig
from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.model.ensemble import to_toml
from asc_tiny.model.model_file import load
from asc_tiny.targets.build import project
from asc_tiny.train import recipe
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.recipe_tables import Augmentation, Devices, Distillation, Schedule
from asc_tiny.train.run import Run
from asc_tiny.util import fields, files
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.hostile_models import FRONTEND, MODEL, with_metadata

RIGHT: dict[str, list[Any]] = {
    "int": [0, -1, 2**70],
    "float": [0.5, 3, -1e300],
    "str": ["", "text", "é"],
    "bool": [True, False],
    "tuple[int, ...]": [[], [1, 2]],
    "tuple[float, ...]": [[1, 2.5], []],
    "tuple[str, ...]": [["a"], "a", []],
    "int | None": [None, 1],
}
WRONG: dict[str, list[Any]] = {
    "int": [16.0, "16", True, None, [1], {}, math.inf],
    "float": [math.inf, -math.inf, math.nan, "1", True, None, 10**400],
    "str": [1, None, True, ["a"], "a\0b"],
    "bool": [0, 1, "no", None, 1.0],
    "tuple[int, ...]": [1, [1.0], [True], ["1"], {"a": 1}],
    "tuple[float, ...]": [1.0, [math.nan], ["1"], [10**400]],
    "tuple[str, ...]": [1, [1], ["a\0"], {"a": "b"}],
    "int | None": [1.0, "None", False],
}


@pytest.mark.parametrize("annotation", RIGHT)
def test_types(annotation: str) -> None:
    for value in RIGHT[annotation]:
        wanted = tuple(value) if isinstance(value, list) else value
        wanted = ("a",) if annotation == "tuple[str, ...]" and value == "a" else wanted
        assert fields.typed(value, annotation, "x") == wanted
    for value in WRONG[annotation]:
        with pytest.raises(AscError, match=r"^x = .{,70}, must be [a-z ]+$"):
            fields.typed(value, annotation, "x")


CLASSES = [
    *(Augmentation, Board, DecisionConfig, Devices, Distillation, FlashMethod, FrontEndConfig),
    *(Microphone, Options, Quantization, Recipe, Schedule),
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_annotation_is_known(kind: type[Any]) -> None:
    """A field of a new type must get a check of its own or a place among the plain ones."""
    special = {"Fraction", "Toolchain", "Microphone", "FlashMethod", "Normalization"}
    special |= {"Quantization", "FrontEndConfig", "Mapping", "bytes", "Path"}
    # Tables of a recipe have their own fields checked.
    special |= {each.__name__ for each in recipe._TABLES.values()}
    for field in fields_of(kind):
        annotation = str(field.type)
        plain = annotation.removesuffix(" | None") in RIGHT
        assert plain or any(name in annotation for name in special), annotation


METADATA = {
    '"frontend": {"sample_bits": 16.0}': "frontend: sample_bits = 16.0, must be a whole number",
    '"frontend": {"deltas": "no"}': "frontend: deltas = 'no', must be true or false",
    '"frontend": {"deltas": 0}': "frontend: deltas = 0, must be true or false",
    '"frontend": {"f_max": 1e999}': "is not JSON: 1e999 is not a finite number",
    '"frontend": {"f_max": Infinity}': "is not JSON: Infinity is not a finite number",
    '"frontend": {"f_max": "8000"}': "frontend: f_max = '8000', must be a finite number",
    '"frontend": {"n_fft": true}': "frontend: n_fft = True, must be a whole number",
    '"frontend": {"hop": null}': "frontend: hop = None, must be a whole number",
    '"frontend": {"clip_samples": 9999999999999}': "allowed: up to 2147483647",
    '"frontend": {"window": ["hann"]}': "frontend: window = ['hann'], must be a text",
    '"frontend": {"quantisation": 1}': "frontend: quantisation = 1, must be a table",
    '"frontend": {"quantisation": {"scale": 1}}': "quantisation.zero_point is missing",
    '"frontend": {"quantisation": {"scale": 1, "zero_point": 1.5}}': "zero_point = 1.5, must be a",
    '"frontend": {"normalisation": {"means": 1, "scales": []}}': "means = 1, must be a list of",
    '"frontend": {"normalisation": {"means": ["1"], "scales": []}}': "must be a list of finite",
    '"frontend": {"normalisation": {"mean": []}}': "unknown key normalisation.mean, allowed",
    '"frontend": []': "metadata frontend must be a JSON object",
    f'"frontend": {{"hop": {"9" * 5000}}}': "is not JSON: ",
    '"network": "a\\u0000"': "metadata network = 'a\\x00', must be a name",
    '"network": "' + "x" * 1000 + '"': "must be a name",
    '"provenance": {"a": "\\ud800"}': "is not JSON: a text holds half of a surrogate pair",
    '"provenance": {"a": NaN}': "is not JSON: NaN is not a finite number",
    '"provenance": ' + '{"a":' * 1200: "is not JSON: ",
}


@pytest.mark.parametrize(("entry", "message"), METADATA.items(), ids=[k[:40] for k in METADATA])
def test_metadata(
    entry: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(with_metadata(f'{{"schema": 1, "labels": ["a", "b", "c"], {entry}}}'))
    assert asc_tiny("generate", model, "--frontend", FRONTEND, "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert message in error, error
    assert error.count("\n") == 1 and len(error) < 600
    assert not (tmp_path / "out").exists()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from([field.name for field in fields_of(FrontEndConfig)]), value=JSON)
def test_no_metadata_is_a_traceback(
    key: str, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("model") / "model.tflite"
    document = {"schema": 1, "labels": ["a"], "frontend": {key: value}, "network": value}
    path.write_bytes(with_metadata(json.dumps(document)[:8192]))
    try:
        frontend = load(path).frontend
    except AscError as error:
        assert len(str(error)) < 1000
    else:
        assert frontend is not None and type(frontend.n_fft) is int


def test_metadata_of_any_size_is_refused_at_once(tmp_path: Path) -> None:
    from asc_tiny.model import model_file

    with pytest.raises(AscError, match="has 100000000 bytes, allowed: 1048576"):
        model_file._metadata(tmp_path, b" " * 100_000_000)


BOARDS = {
    'core = "x"\nuart = 4294967296': "uart = 4294967296, allowed: 0 to 4294967295",
    'core = "x"\ntitle = "a\\nb"': "title = 'a\\nb', allowed: a line of up to 1000",
    'core = "x"\nmachine = "virt,dumpdtb=f"': "machine = 'virt,dumpdtb=f', allowed: a name",
    'core = "x"\ncore_flags = ["-mcpu=x; touch y"]': "core_flags: '-mcpu=x; touch y', allowed",
    'core = "x"\ncore_flags = ["-fplugin=x.so"]': "core_flags: '-fplugin=x.so', allowed: options",
    'core = "x"\n[flash]\ntool = "pyocd"\ntarget = "--script=x"': "flash.target = '--script=x'",
    'core = "x"\n[flash]\ntool = 1\ntarget = "x"': "flash.tool = 1, must be a text",
    'core = "x"\nflash = 3': "flash = 3, must be a table",
    'core = "x"\ntoolchain = ["arm"]': "toolchain = ['arm'], allowed: native, none, arm, riscv",
    'core = "x"\nmicrophone = {kind = "pdm", part = "p", source = "", rates = ["1e999999999"]}': (
        "microphone.rates: '1e999999999', allowed: numbers above 0 up to 1000000"
    ),
    'core = "x"\nmicrophone = {kind = "pdm", part = "p", source = "", rates = [inf]}': (
        "microphone.rates: inf, allowed"
    ),
    'core = "x"\nmicrophone = {kind = "pdm", part = 1, source = "", rates = [1]}': (
        "microphone.part = 1, must be a text"
    ),
    'core = "x"\nmicrophone = {kind = "p", part = "p", source = "", rates = [1], bits = 0}': (
        "microphone.bits = 0, allowed: 8 to 32"
    ),
    f"clock_hz = {'9' * 5000}": "not TOML: ",
}


@pytest.mark.parametrize(("text", "message"), BOARDS.items(), ids=[k[10:50] for k in BOARDS])
def test_boards(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(AscError) as error:
        catalog.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_files_as_people_write_them(tmp_path: Path) -> None:
    """A byte order mark and other line ends change nothing in any file that people write."""
    recipe_text = b'name = "x"\nnetwork = "mobilenet"\n'
    texts = {"recipe.toml": recipe_text, "board.toml": b'core = "x"\ntitle = "t"\n'}
    changes: list[Callable[[bytes], bytes]] = [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
    ]
    for number, change in enumerate(changes):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_bytes(change(text))
        assert recipe.load(folder / "recipe.toml").name == "x"
        assert recipe.load(folder / "recipe.toml", features="fixed").features == "fixed"
        assert recipe.load(folder / "recipe.toml", features="fixed").content["name"] == "x"
        assert catalog.load(folder / "board.toml").definition == texts["board.toml"].decode()
        frontend = folder / "frontend.toml"
        frontend.write_bytes(change(FRONTEND.read_bytes()))
        labels = folder / "labels.txt"
        labels.write_bytes(change(b"a\nb\nc\n"))
        out = folder / "out"
        options = ["--frontend", frontend, "--labels", labels, "--out", out]
        assert asc_tiny("generate", MODEL, *options, "--project", "sources") == 0
        budget = folder / "asc-budget.toml"
        budget.write_bytes(change(b"max-params = 10\n"))
        assert asc_tiny("budget", MODEL, "--config", budget) == 1
        (folder / "t.json").write_bytes(change(b'{"a":\n1}'))
        assert files.read_json(folder / "t.json") == {"a": 1}


def test_manifests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\n")
    out = tmp_path / "out"
    options = ["--frontend", FRONTEND, "--labels", labels, "--out", out, "--board", "host"]
    assert asc_tiny("generate", MODEL, *options) == 0
    path = out / "asc-tiny.json"
    good = json.loads(path.read_text())
    changes: dict[str, dict[str, Any]] = {
        "schema 1.5": {"schema": 1.5},
        "project = 1": {"project": 1},
        "prefix int: is a reserved word": {"prefix": "int"},
        "prefix = ['a']": {"prefix": ["a"]},
        "runtime = 'x', allowed: aot, tflm": {"runtime": "x"},
        "model.file = '/etc/passwd', allowed": {"model": {**good["model"], "file": "/etc/passwd"}},
        "labels: class name 'a\\n', allowed": {"labels": ["a\n", "b", "c"]},
        "plan.max_ram = 1.5, must be a whole": {"plan": {"max_ram": 1.5}},
        "plan = [], must be a table": {"plan": []},
        "effort = none, allowed: low, medium, high": {"plan": {"effort": "none"}},
        "schedule = up, allowed: rows": {"plan": {"order": "up"}},
        "decision = 3, must be a table": {"decision": 3},
        "hold = 1.0, must be a whole number": {"decision": {"hold": 1.0}},
        "= 3, must be a table": {"frontend": 3},
    }
    for message, change in changes.items():
        path.write_text(json.dumps({**good, **change}))
        capsys.readouterr()
        assert asc_tiny("build", out) == 2
        error = capsys.readouterr().err
        assert message in error, (message, error)
        assert error.count("\n") == 1
    for text in ("[]", "[" * 100_000, '{"schema": 1e999}', "\udcff"):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        capsys.readouterr()
        assert asc_tiny("build", out) == 2
        assert capsys.readouterr().err.count("\n") == 1


RUN = {"schema": 1, "labels": ["a", "b"], "dataset_fingerprint": "0", "frontend": {}}
RUN |= {"network": "mobilenet", "epochs": 1, "evaluate_accuracy": 0.5}


def test_descriptions_of_runs(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(RUN))
    assert Run(tmp_path).info().labels == ("a", "b")
    changes: dict[str, dict[str, Any]] = {
        "schema 2, must be 1": {"schema": 2},
        "epochs = 1.0, must be a whole number": {"epochs": 1.0},
        "evaluate_accuracy = 'x', must be a finite": {"evaluate_accuracy": "x"},
        "labels: class name 'a ', allowed": {"labels": ["a ", "b"]},
        "files.x = 1, must be a text": {"files": {"x": 1}},
        "frontend: hop = 1.5, must be": {"frontend": {"hop": 1.5}},
        "unknown key more": {"more": 1},
    }
    for message, change in changes.items():
        path.write_text(json.dumps({**RUN, **change}))
        with pytest.raises(AscError, match=r"^[^\n]*$") as error:
            Run(tmp_path).info()
        assert message in str(error.value)


def test_numbers_of_options(capsys: pytest.CaptureFixture[str]) -> None:
    many = "9" * 5000
    for option in ("--max-params", "--max-ram", "--max-growth"):
        for value in (many, f"{many}K", f"1.{many}%", f"{many}%", "1e999999999"):
            assert asc_tiny("budget", MODEL, option, value) == 2
            error = capsys.readouterr().err
            assert error.startswith(f"asc-tiny: {option} ") and error.count("\n") == 1
            assert len(error) < 300, error


def test_names_that_are_not_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model named in another encoding goes through projects, reports and baselines."""
    model = Path(os.fsdecode(os.fsencode(tmp_path / "x") + b"\xff|\x1b[2J.tflite"))
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    out = tmp_path / "out"
    assert asc_tiny("generate", model, "--frontend", FRONTEND, "--out", out, "--board", "host") == 0
    assert project.load(out).labels == ("a", "b", "c")
    baseline = tmp_path / "base.json"
    assert asc_tiny("budget", model, "--write-baseline", baseline) == 0
    assert asc_tiny("budget", model, "--baseline", baseline) == 0
    capsys.readouterr()
    for name in ("json", "junit", "sarif", "markdown", "github", "table"):
        report = tmp_path / f"report.{name}"
        command = ["budget", model, "--max-params", "1", "--report", f"{name}={report}"]
        assert asc_tiny(*command, "--format", name) == 1
        captured = capsys.readouterr().out + report.read_text(encoding="utf-8")
        assert "\x1b[2J" not in captured


def test_ensembles_hold_any_name_that_can_be_printed(tmp_path: Path) -> None:
    text = to_toml([], [0.0], [], fit={"tool_version": 'a"\\b\x7f\n é'})
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    assert files.read_toml(tmp_path / "e.toml")["fit"]["tool_version"] == 'a"\\b\x7f\n é'


def test_members_whose_names_no_file_can_hold(
    synthetic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = [tmp_path / "a.tflite", Path(os.fsdecode(os.fsencode(tmp_path / "x") + b"\xff"))]
    out = tmp_path / "both.toml"
    assert asc_tiny("ensemble", *members, "--data", synthetic, "--out", out) == 2
    assert "cannot hold this name; rename the member" in capsys.readouterr().err


def test_values_of_any_size_are_shown_in_short() -> None:
    for value in ["x" * 10**8, ["x" * 10**8] * 9, {"a": ["x" * 10**8]}, 10**5000, b"x" * 10**8]:
        text = shown(value)
        assert len(text) <= 63, text
    assert shown([1.5, "a"]) == "[1.5, 'a']"
