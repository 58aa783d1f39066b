"""A network is verified: what is right passes, and of each kind of fault the layer is named."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")
if shutil.which("cc") is None:
    pytest.skip("no C compiler", allow_module_level=True)

from asc_tiny.boards import catalog
from asc_tiny.compiler.options import Options
from asc_tiny.conformance.samples import Sample
from asc_tiny.conformance.verification import NetworkVerification, verify_network
from asc_tiny.firmware import runtime
from asc_tiny.firmware.network import compiled
from asc_tiny.model.model_file import ModelFile
from support.bare_networks import with_state
from support.commands import asc_tiny
from support.exit_codes import refused
from support.graph_batch import model_file
from support.tflite_builder import Builder


def chain() -> bytes:
    """Return a convolution, a pool, a sum with a constant, and a mean."""
    b, rng = Builder(), np.random.default_rng(0)
    x, y = b.activation((1, 6, 6, 4), 0.1, -3), b.activation((1, 6, 6, 8), 0.1, 2)
    pooled, total = b.activation((1, 3, 3, 8), 0.1, 2), b.activation((1, 3, 3, 8), 0.15, 1)
    mean = b.activation((1, 1, 1, 8), 0.05, 0)
    weights = b.constant(rng.integers(-127, 128, (8, 3, 3, 4)).astype(np.int8), [0.001] * 8)
    bias = b.constant(np.arange(8, dtype=np.int32), [0.0001] * 8)
    steps = {"padding": "SAME", "strideW": 1, "strideH": 1}
    dilation = {"dilationHFactor": 1, "dilationWFactor": 1}
    b.operator("CONV_2D", [x, weights, bias], [y], **steps, **dilation)
    window = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
    b.operator("MAX_POOL_2D", [y], [pooled], padding="VALID", **window)
    other = b.constant(rng.integers(-99, 99, (1, 3, 3, 8)).astype(np.int8), [0.1], [0])
    b.operator("ADD", [pooled, other], [total])
    axes = b.constant(np.array([1, 2], np.int32))
    b.operator("MEAN", [total, axes], [mean], keepDims=True)
    return b.finish([x], [mean])


MODEL = model_file(chain(), "chain.tflite")

Change = Callable[[str], str]


def replacing(pattern: str, new: str) -> Change:
    """Return a change of the first text that a regular expression matches."""

    def change(text: str) -> str:
        return re.sub(pattern, new, text, count=1, flags=re.DOTALL)

    return change


def verified(
    monkeypatch: pytest.MonkeyPatch, code: Change, kernels: Change, model: ModelFile = MODEL
) -> NetworkVerification:
    """Verify a network with changes of the network's code and of the kernels."""
    emit, sources = compiled.emit, runtime.runtime_sources
    changed = []

    def noted(change: Change, text: str) -> str:
        changed.append(change(text) != text)
        return change(text)

    def emitted(*arguments: Any) -> dict[str, str]:
        files = emit(*arguments)
        return {**files, "asc_net.c": noted(code, files["asc_net.c"])}

    def read(*folders: str) -> dict[str, str]:
        return {name: noted(kernels, text) for name, text in sources(*folders).items()}

    monkeypatch.setattr(compiled, "emit", emitted)
    monkeypatch.setattr(runtime, "runtime_sources", read)
    found = verify_network(model, Options())
    assert any(changed), "nothing was changed"
    return found


def unchanged(text: str) -> str:
    return text


OPTIONS = [Options(), Options("layers"), Options("streaming"), Options(optimize="size")]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_is_right_passes(options: Options) -> None:
    found = verify_network(MODEL, options)
    assert found.passed and not found.differences and not found.first_layer
    assert len(found.samples) == 17
    assert found.stages == 5
    assert found.tflm_arena_bytes and found.tflm_host_arena_bytes > found.tflm_arena_bytes
    assert found.instructions


OTHER_SUM = replacing(r"\*second - other_zero", "(*second ^ 4) - other_zero")
FAULTS: dict[str, tuple[Change, Change, str]] = {
    "weight": (replacing(r"ASC_WEIGHTS\(-?\d+", "ASC_WEIGHTS(0"), unchanged, "0 CONV_2D"),
    "maximum of a pool": (
        replacing(r"(asc_net_layer1 = .*?\.maximum =) 127", r"\1 3"),
        unchanged,
        "1 MAX_POOL_2D",
    ),
    "constant": (
        replacing(r"(asc_net_constant\d+\[72\] = {\s+)-?\d+", r"\1 127"),
        unchanged,
        "2 ADD",
    ),
    "kernel of a sum": (unchanged, OTHER_SUM, "2 ADD"),
    "multiplier of a mean": (
        replacing(r"(asc_net_layer3 = .*?\.multiplier =) \d+", r"\1 1731655800"),
        unchanged,
        "3 MEAN",
    ),
}
"""Changes of the code and of the kernels, and the layer that they are in."""

QUICK = ("weight", "kernel of a sum")
NAMES = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in FAULTS]


@pytest.mark.parametrize("name", NAMES)
def test_the_layer_with_a_fault_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, kernels, layer = FAULTS[name]
    found = verified(monkeypatch, code, kernels)
    assert not found.passed and not found.fault
    assert found.differences
    assert found.first_layer and found.first_layer.title == layer
    assert found.first_layer.elements > 0
    assert found.first_layer.expected != found.first_layer.found


@pytest.mark.parametrize("name", NAMES)
def test_the_layer_is_found_where_several_outputs_do_not_compile(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a streamed input: the network is cut off behind one layer after the other."""
    from asc_tiny.util.errors import AscError

    compile_network = compiled.compile_network

    def one_output(model: Any, *options: Any) -> Any:
        if len(model.graph.outputs) > 1:
            raise AscError("one output is enough")
        return compile_network(model, *options)

    monkeypatch.setattr(compiled, "compile_network", one_output)
    code, kernels, layer = FAULTS[name]
    found = verified(monkeypatch, code, kernels)
    assert found.first_layer and found.first_layer.title == layer


def test_what_writes_elsewhere_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    change = replacing(r"\*output\+\+( = asc_to_output\(&range, multiply)", r"output[-4096]\1")
    found = verified(monkeypatch, unchanged, change)
    assert not found.passed
    assert "AddressSanitizer" in found.fault and "in add_small" in found.fault
    assert found.first_layer and found.first_layer.title == "2 ADD"
    assert "AddressSanitizer" in str(found.first_layer)


@pytest.mark.slow
def test_undefined_behaviour_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    change = replacing(
        "int32_t sum = multiply_small",
        "int32_t sum = (INT32_MAX - 9) + layer->size * multiply_small",
    )
    found = verified(monkeypatch, unchanged, change)
    assert "signed integer overflow" in found.fault
    assert found.first_layer and found.first_layer.title == "2 ADD"


@pytest.mark.slow
def test_what_depends_on_earlier_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """An element that a kernel does not write is what was there before."""
    b = Builder()
    x, y = b.activation((1, 4, 4, 8), 0.1, -3), b.activation((1, 4, 4, 8), 0.1, 2)
    b.operator("ADD", [x, b.constant(np.ones((1, 4, 4, 8), np.int8), [0.1])], [y])
    model = model_file(b.finish([x], [y]), "sum.tflite")
    change = replacing(
        r"\*output\+\+( = asc_to_output\(&range, multiply[^;]*;)",
        r"if (first + 1 < end) { *output\1 } output++;",
    )
    found = verified(monkeypatch, unchanged, change, model)
    assert found.fault == "the outputs depend on what memory held before"
    assert found.first_layer and found.first_layer.title == "0 ADD"


def test_a_fault_of_the_plan_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool reads a row twice in plans where two rows of its input are kept."""
    change = replacing(r"(asc_net_layer1_rows.*?{{NULL, \d+, \d+, 0, 2, 1}, 6, 2,) 1,", r"\1 0,")
    found = verified(monkeypatch, change, unchanged)
    assert found.differences
    assert found.first_layer and found.first_layer.title == "1 MAX_POOL_2D"
    assert found.first_layer.is_of_plan
    assert "the same kernels are right" in str(found.first_layer)


def test_what_a_network_remembers_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify_network(model_file(with_state(), "state.tflite"), Options()).passed
    change = replacing(
        r"(void asc_net_reset\(int8_t \*arena\) {)(?=\s+mem)", r"\1 if (arena != NULL) return;"
    )
    found = verified(monkeypatch, change, unchanged, model_file(with_state(), "state.tflite"))
    assert not found.passed
    assert found.first_layer and found.first_layer.title == "0 SVDF"


@pytest.mark.parametrize("io", ["int8", "as-is"])
def test_ends_of_other_types(io: str) -> None:
    b = Builder()
    x, y = (b.activation((1, 8), 1.0, 0, "FLOAT32") for _ in range(2))
    codes, total = b.activation((1, 8), 0.1, -3), b.activation((1, 8), 0.2, 4)
    b.operator("QUANTIZE", [x], [codes])
    b.operator("ADD", [codes, codes], [total])
    b.operator("DEQUANTIZE", [total], [y])
    model = model_file(b.finish([x], [y]), "float.tflite")
    assert verify_network(model, Options(io=io)).passed


@pytest.mark.qemu
def test_the_same_on_an_emulated_core() -> None:
    found = verify_network(MODEL, Options(), board=catalog.get("mps2-an386"))
    assert found.passed and found.board == "mps2-an386"


def test_given_inputs_are_used() -> None:
    given = Sample("mine", [np.full((1, 6, 6, 4), 5, np.int8)])
    assert verify_network(MODEL, Options(), [given]).samples[-1] == "mine"


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, array = tmp_path / "chain.tflite", tmp_path / "x.npy"
    path.write_bytes(chain())
    np.save(array, np.zeros((3, 6, 6, 4), np.int8))
    assert asc_tiny("verify", path, "--input", array, "--schedule", "rows") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{path}: same, 20 inferences on this computer against TensorFlow Lite")
    assert asc_tiny("verify", path, "--json", "--max-ram", "10k") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is True and document["arena_bytes"] <= 10_000
    sources = runtime.runtime_sources

    def changed(*folders: str) -> dict[str, str]:
        return {name: OTHER_SUM(text) for name, text in sources(*folders).items()}

    monkeypatch.setattr(runtime, "runtime_sources", changed)
    assert asc_tiny("verify", path) == 3
    said = capsys.readouterr().out
    assert "DIFFERENT" in said and "first layer   2 ADD: " in said
    assert asc_tiny("verify", path, "--json") == 3
    assert json.loads(capsys.readouterr().out)["first_layer"]["operator"] == 2


def test_a_name_of_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "modle.tflite"
    assert refused(["verify", path], capsys).endswith(
        f"{path}: no such .tflite file, and no such folder of a project"
    )


def test_options_of_the_other_kind_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chain.tflite"
    path.write_bytes(chain())
    assert refused(["verify", path, "--port", "x"], capsys).endswith("--port: is for a project")
    assert refused(["verify", tmp_path, "--board", "host"], capsys).endswith(
        "--board: is for a .tflite file"
    )
    assert "is not emulated" in refused(["verify", path, "--board", "host"], capsys)
    assert "arena of" in refused(["verify", path, "--max-ram", "100"], capsys)


def test_a_missing_compiler_or_interpreter_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chain.tflite"
    path.write_bytes(chain())
    package = tmp_path / "packages" / "tflite_micro"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('gone')\n")
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(package.parent))
        said = refused(["verify", path], capsys)
    assert said == "asc-tiny: tflite-micro is not installed: pip install 'asc-tiny[verify]'"
    monkeypatch.setenv("PATH", str(tmp_path))
    said = refused(["verify", path], capsys)
    assert said == "asc-tiny: cc is not installed; try: apt-get install gcc libc6-dev"


def test_what_is_no_network_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.tflite"
    for data in (b"", b"TFL3TFL3", chain()[:300]):
        path.write_bytes(data)
        refused(["verify", path], capsys)
    refused(["verify", tmp_path / "none.tflite"], capsys)
