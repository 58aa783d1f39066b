"""Networks without front end and labels: built, run on boards, compared, measured, refused."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny import api
from asc_tiny.firmware import golden_check
from asc_tiny.model.model_file import load
from support.bare_networks import NETWORKS, convolution, with_state, write
from support.commands import asc_tiny, refused
from support.paths import MODEL

runtime = pytest.importorskip("tflite_micro").runtime
pytestmark = pytest.mark.qemu

BOARDS = ("host", "mps2-an386")


@pytest.fixture(scope="module", params=[(n, b) for n in NETWORKS for b in BOARDS], ids="-".join)
def project(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project of each network for each board."""
    name, board = request.param
    folder = tmp_path_factory.mktemp("network")
    model = write(folder, name)
    assert asc_tiny("generate", model, "--board", board, "--out", folder / "firmware") == 0
    assert asc_tiny("build", folder / "firmware") == 0
    return folder / "firmware"


def tflm(model: bytes, inferences: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """The outputs by TensorFlow Lite Micro's kernels."""
    interpreter = runtime.Interpreter.from_bytes(model)
    found = []
    for inputs in inferences:
        for number, values in enumerate(inputs):
            interpreter.set_input(values, number)
        interpreter.invoke()
        count = len(load_outputs(model))
        found.append([np.array(interpreter.get_output(number)) for number in range(count)])
    return found


def load_outputs(model: bytes) -> tuple[int, ...]:
    from asc_tiny.tflite.reader import parse_graph

    return parse_graph(model, source="model").outputs


def random_inputs(project: Path, count: int) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(3)
    shapes = [end.shape for end in api.load_project(project).network.inputs]
    return [[rng.integers(-128, 128, shape, np.int8) for shape in shapes] for _ in range(count)]


def same(first: list[list[np.ndarray]], second: list[list[np.ndarray]]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(a, b) and a.dtype == b.dtype and a.shape == b.shape
        for one, other in zip(first, second, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def test_the_board_computes_what_tflm_does(project: Path) -> None:
    given = random_inputs(project, 7)
    target = api.load_project(project)
    assert isinstance(target, api.NetworkProject) and not isinstance(target, api.Project)
    assert same(api.infer(target, given), tflm((project / "model.tflite").read_bytes(), given))


def test_golden_inputs_pass_and_are_those_of_the_formula(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert asc_tiny("verify", project, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reference"] == "TensorFlow Lite Micro" and found["passed"]
    # The image makes the inputs itself, and has the checksums of what these must lead to.
    assert found["selftest"] == "passed"
    assert [each["name"] for each in found["inputs"]] == list(golden_check.NAMES)


def test_golden_inputs_cover_the_codes(project: Path) -> None:
    inputs = golden_check.inputs(api.load_project(project).network)
    *random, smallest, largest = inputs
    for each, value in ((smallest, -128), (largest, 127)):
        assert all(np.all(values == value) for values in each)
    codes = np.concatenate([values.reshape(-1) for each in random for values in each])
    assert len(set(codes.tolist())) > 100 and abs(codes.astype(float).mean()) < 15
    assert not any(np.array_equal(a[0], b[0]) for a, b in itertools.pairwise(random))


def test_inputs_from_a_file(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = random_inputs(project, 3)
    arrays = [np.concatenate(values) for values in zip(*given, strict=True)]
    if len(arrays) == 1:
        path, out = tmp_path / "x.npy", tmp_path / "y.npy"
        np.save(path, arrays[0])
    else:
        path, out = tmp_path / "x.npz", tmp_path / "y.npz"
        np.savez(path, input0=arrays[0], input1=arrays[1])
    capsys.readouterr()
    assert asc_tiny("run", project, "--input", path, "--out", out, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    expected = tflm((project / "model.tflite").read_bytes(), given)
    for number, result in enumerate(document["results"]):
        for row, wanted in zip(result["outputs"], expected[number], strict=True):
            assert row["codes"] == wanted.tolist() and row["type"] == "int8"
    stacked = [np.concatenate(values) for values in zip(*expected, strict=True)]
    loaded = np.load(out)
    written = [loaded] if out.suffix == ".npy" else [loaded[f"output{n}"] for n in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(written, stacked, strict=True))
    assert asc_tiny("run", project, "--input", path) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3 * len(stacked)
    assert asc_tiny("verify", project, "--input", path) == 0
    assert "11 inputs on " in capsys.readouterr().out


def test_costs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if api.load_project(project).board.name == "host":
        assert "counts no instructions" in refused(capsys, "bench", project)
        return
    assert asc_tiny("bench", project, "--layers", "--json") == 0
    costs = json.loads(capsys.readouterr().out)
    assert 0 < costs["instructions_per_inference"] < 100_000
    assert costs["arena_bytes"] <= costs["ram_bytes"] < costs["arena_bytes"] + 1000
    assert costs["stack_bytes"] <= costs["stack_bound_bytes"] < 1500
    assert 0 < costs["network_flash_bytes"] < costs["flash_bytes"]
    counted = sum(layer["instructions"] for layer in costs["layers"])
    assert counted == pytest.approx(costs["instructions_per_inference"], rel=0.02)
    assert asc_tiny("flash", project) == 0
    assert capsys.readouterr().out.count("passed     golden input") == len(golden_check.NAMES)


def test_the_image_says_what_it_was_made_from(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = api.load_project(project).image
    assert asc_tiny("inspect", image, "--model", project / "model.tflite", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["models"]
    assert found["labels"] == [] and found["frontend_sha256"] == "0" * 64
    manifest = json.loads((project / "asc-tiny.json").read_text())
    assert manifest["content"] == "network" and "frontend" not in manifest


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose network has another weight than the model's."""
    folder = tmp_path_factory.mktemp("broken")
    model = write(folder, "one")
    assert asc_tiny("generate", model, "--out", folder / "firmware") == 0
    source = folder / "firmware" / "asc" / "asc_net.c"
    text = source.read_text()
    start = text.index("ASC_WEIGHTS(") + len("ASC_WEIGHTS(")
    first = text[start:].split(",")[0]
    other = "0" if first != "0" else "9"
    source.write_text(text[:start] + other + text[start + len(first) :])
    assert asc_tiny("build", folder / "firmware") == 0
    return folder / "firmware"


def test_another_weight_is_found(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert asc_tiny("verify", broken, "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert not found["passed"] and found["selftest"] == "failed"
    assert any(sum(each["mismatches"]) > 0 for each in found["inputs"])
    assert asc_tiny("flash", broken) == 2
    assert "a golden input has other outputs" in capsys.readouterr().err


def test_without_tflm_the_code_on_this_computer_is_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write(tmp_path, "several")
    assert asc_tiny("generate", model, "--project", "sources", "--out", tmp_path / "with") == 0
    monkeypatch.setattr("asc_tiny.tflm.network_reference.find_spec", lambda name: None)
    assert asc_tiny("generate", model, "--project", "sources", "--out", tmp_path / "without") == 0
    texts = [
        (tmp_path / name / "asc_golden_expected.h").read_text() for name in ("with", "without")
    ]
    assert texts[0] == texts[1] and "ASC_GOLDEN_IS_CHECKED 1" in texts[0]


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


HOSTILE = {
    "pickle": pickle.dumps(np.zeros(3)),
    "objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([1])),
    "huge": npy("{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999999999,), }"),
    "negative": npy("{'descr': '|i1', 'fortran_order': False, 'shape': (-1,), }"),
    "code": npy("{'descr': '|i1', 'fortran_order': False, 'shape': (__import__('os'),), }"),
    "deep": npy("(" * 9000),
    "short": npy("{'descr': '|i1', 'fortran_order': False, 'shape': (1, 6, 5, 2), }", b"x"),
    "empty": b"",
    "text": b"1 2 3\n",
    "not a zip": b"PK\x03\x04" + bytes(60),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_files_that_are_no_arrays_are_refused(
    name: str, broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(HOSTILE[name])
    assert refused(capsys, "run", broken, "--input", path).startswith(f"asc-tiny: {path}")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((1, 5, 6, 2), np.int8), "shape (1, 5, 6, 2), must be"),
        (np.zeros((2, 2, 6, 5, 2), np.int8), "shape (2, 2, 6, 5, 2), must be"),
        (np.full((6, 5, 2), 128), "128"),
        (np.full((6, 5, 2), np.nan), "not finite"),
        (np.full((6, 5, 2), np.inf, np.float32), "not finite"),
        (np.zeros((6, 5, 2), complex), "complex128"),
        (np.full((6, 5, 2), "x"), "must be numbers"),
        (np.zeros((0, 6, 5, 2), np.int8), "no inputs"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    values: np.ndarray,
    message: str,
    broken: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "x.npy"
    np.save(path, values)
    line = refused(capsys, "run", broken, "--input", path)
    assert line.startswith(f"asc-tiny: {path}") and message in line


def test_real_values_are_quantized(broken: Path, tmp_path: Path) -> None:
    """By the input's scale 0.1 and zero point 3, to the ends of the codes."""
    values = np.full((6, 5, 2), 1.26, np.float32)
    values[0, 0] = 1000.0, -1000.0
    np.save(tmp_path / "x.npy", values)
    ((found,),) = api.read_inputs(api.load_project(broken), tmp_path / "x.npy")
    assert found.shape == (1, 6, 5, 2) and found.dtype == np.int8
    assert found[0, 0, 0].tolist() == [127, -128] and np.all(found[0, 1:] == 16)


def test_what_is_for_the_other_content_is_refused(
    broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = tmp_path / "x.wav"
    for command in (
        ("run", broken, "--wav", wav),
        ("verify", broken, "--wav", wav),
        ("simulate", broken, wav, "--out", tmp_path / "out"),
    ):
        assert "holds a network alone, which hears nothing" in refused(capsys, *command)
    for option in (("--wav", wav), ("--tcp", 5555), ("--resample",)):
        line = refused(capsys, "flash", broken, *option)
        assert f"{option[0]}: {broken} holds a network alone, which runs its golden inputs" in line
    assert "--port: board mps2-an386 is emulated" in refused(capsys, "flash", broken, "--port", "x")
    assert "--port is for classifiers" in refused(capsys, "verify", broken, "--port", "x")
    assert "--port is for classifiers" in refused(capsys, "bench", broken, "--port", "x")
    assert "either --wav, or --input" in refused(capsys, "run", broken)
    assert (
        "ends in .npy or .npz"
        in refused(capsys, "run", broken, "--input", wav, "--out", tmp_path / "y.txt")
        or wav.exists() is False
    )
    model = write(tmp_path, "one")
    out = ("--out", tmp_path / "classifier")
    for option, message in (
        (("--schedule", "streaming"), "--schedule streaming is for a classifier"),
        (("--resample",), "--resample is for a classifier"),
        (("--decision", wav), "--decision is for a classifier"),
    ):
        assert message in refused(capsys, "generate", model, *option, *out)
    (tmp_path / "labels.txt").write_text("a\nb")
    line = refused(capsys, "generate", model, "--labels", tmp_path / "labels.txt", *out)
    assert "holds no front end; give --frontend FILE.toml" in line
    assert not (tmp_path / "classifier").exists()


def test_a_classifier_takes_no_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asc_tiny("generate", MODEL, "--out", tmp_path / "firmware") == 0
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((1, 256, 36, 3), np.int8))
    for command in ("run", "verify"):
        line = refused(capsys, command, tmp_path / "firmware", "--input", path)
        assert "holds a classifier, whose board gets samples" in line
    assert json.loads((tmp_path / "firmware" / "asc-tiny.json").read_text())["content"] == (
        "classifier"
    )


def test_a_manifest_that_lies_is_refused(
    broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    folder = tmp_path / "firmware"
    shutil.copytree(broken, folder)
    manifest = json.loads((folder / "asc-tiny.json").read_text())
    for value in ("classifier", "song", 5, None):
        (folder / "asc-tiny.json").write_text(json.dumps({**manifest, "content": value}))
        assert "not a manifest of asc-tiny" in refused(capsys, "bench", folder)


def test_whether_a_board_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write(tmp_path, "one")
    assert asc_tiny("boards", "nrf52840dk", "--model", model, "--json") == 0
    (board,) = json.loads(capsys.readouterr().out)["boards"]
    assert board["fit"]["fits"] and set(board["fit"]["ram_bytes"]) == {"network", "stack"}
    assert set(board["fit"]["flash_bytes"]) == {"code", "constants"}
    assert 0 < board["fit"]["inference_s"] < 0.01 and board["fit"]["cpu_share"] is None
    assert "how often" in board["fit"]["absent"]["cpu_share"]
    assert load(model).frontend is None


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        (
            NETWORKS["several"](),
            [
                f"| input 0 | int8 | 1 x 4 x 6 | {np.float32(0.1):.9g} * (code - 3) |",
                f"| input 1 | int8 | 1 x 4 x 6 | {np.float32(0.2):.9g} * (code + 7) |",
                f"| output 0 | int8 | 1 x 4 x 6 | {np.float32(0.3):.9g} * (code - 1) |",
                "| output 1 | int8 | 1 x 4 x 6 | 2 * code |",
            ],
        ),
        (
            convolution("FLOAT32"),
            [
                "| input 0 | float32 | 1 x 6 x 5 x 2 | - |",
                "| output 0 | float32 | 1 x 4 x 3 x 4 | - |",
            ],
        ),
    ],
    ids=["codes", "floating point"],
)
def test_the_readme_says_what_the_network_takes(
    model: bytes, rows: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(model)
    api.generate(path, tmp_path / "firmware")
    lines = (tmp_path / "firmware" / "README.md").read_text().splitlines()
    head = lines.index("| | type | shape | real value of a code |")
    assert lines[head + 1 :] == ["|---|---|---|---|", *rows]


def test_a_board_without_room_for_the_arena_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, board = write(tmp_path, "one"), tmp_path / "small.toml"
    board.write_text('core = "x"\nram_bytes = 64\n')
    out = ("--project", "sources", "--out", tmp_path / "sources")
    assert asc_tiny("generate", model, "--board", board, *out) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "board small: the project needs" in lines[0]
    assert lines[0].endswith(", has 64; give another --board")
    board.write_text('core = "x"\nram_bytes = 65536\n')
    assert asc_tiny("generate", model, "--board", board, *out) == 0
    assert "bytes of RAM" not in capsys.readouterr().err


def test_a_board_must_hold_the_ends_of_the_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a file with floating-point ends the arena is that which ``generate`` takes for it."""
    model = tmp_path / "model.tflite"
    model.write_bytes(convolution("FLOAT32"))
    done = api.generate(model, tmp_path / "firmware")
    codes = api.compile_network(api.load_model(model))
    assert asc_tiny("boards", "nrf52840dk", "--model", model, "--json") == 0
    (board,) = json.loads(capsys.readouterr().out)["boards"]
    assert board["fit"]["ram_bytes"]["network"] == done.networks[0].arena_bytes
    assert done.networks[0].arena_bytes > codes.arena_bytes


@pytest.mark.parametrize("board", BOARDS)
def test_real_values_from_a_file_for_floating_point_inputs(
    board: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out, given = (tmp_path / name for name in ("model.tflite", "firmware", "x.npy"))
    model.write_bytes(convolution("FLOAT32"))
    np.save(given, np.random.default_rng(4).normal(0, 4, (3, 6, 5, 2)))
    assert asc_tiny("generate", model, "--board", board, "--out", out) == 0
    assert asc_tiny("build", out) == 0
    capsys.readouterr()
    assert asc_tiny("verify", out, "--input", given, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] and found["selftest"] == "passed"
    assert [each["name"] for each in found["inputs"][-3:]] == [f"{given}:{n}" for n in range(3)]
    assert asc_tiny("run", out, "--input", given, "--out", tmp_path / "y.npy") == 0
    results = np.load(tmp_path / "y.npy")
    wanted = tflm(model.read_bytes(), api.read_inputs(api.load_project(out), given))
    assert results.dtype == np.float32
    assert np.array_equal(results, np.concatenate([each[0] for each in wanted]))


@pytest.mark.parametrize("board", BOARDS)
def test_inferences_of_a_file_follow_each_other(
    board: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network with state goes on from one to the next; each command begins anew."""
    model, out, given = (tmp_path / name for name in ("model.tflite", "firmware", "x.npy"))
    model.write_bytes(with_state())
    np.save(given, np.array([[1], [2], [5]], np.int8))
    assert asc_tiny("generate", model, "--board", board, "--out", out) == 0
    assert asc_tiny("build", out) == 0
    for _ in range(2):
        assert asc_tiny("run", out, "--input", given, "--out", tmp_path / "y.npy") == 0
        assert np.load(tmp_path / "y.npy").reshape(-1).tolist() == [1, 1 + 2, 2 + 5]
    capsys.readouterr()
    assert asc_tiny("verify", out, "--input", given, "--json") == 0
    assert json.loads(capsys.readouterr().out)["selftest"] == "passed"


@pytest.mark.parametrize("io", ["as-is", "int8"])
@pytest.mark.parametrize("ends", ["FLOAT32", "UINT8"])
def test_ends_of_other_types(
    ends: str, io: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code takes and gives what the file does, or the int8 codes within."""
    model, out = tmp_path / "model.tflite", tmp_path / "firmware"
    model.write_bytes(convolution(ends))
    assert asc_tiny("generate", model, "--io", io, "--out", out) == 0
    assert asc_tiny("build", out) == 0
    capsys.readouterr()
    assert asc_tiny("verify", out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["selftest"] == "passed" and len(found["inputs"]) == len(golden_check.NAMES)
    target = api.load_project(out)
    dtype = np.dtype("int8" if io == "int8" else ends.lower())
    values = np.random.default_rng(2).normal(0, 4, (2, 6, 5, 2))
    np.save(tmp_path / "x.npy", values)
    given = api.read_inputs(target, tmp_path / "x.npy")
    assert {array.dtype for each in given for array in each} == {dtype}
    results = api.infer(target, given)
    assert {array.dtype for each in results for array in each} == {dtype}
    if io == "as-is":
        assert same(results, tflm(model.read_bytes(), given))
