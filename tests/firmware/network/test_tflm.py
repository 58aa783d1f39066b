"""Emitted C++ compiled against TensorFlow Lite Micro's headers as PyPI has them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.firmware.network import tflm, tflm_arena
from asc_tiny.model.classifier_network import classifier_network
from asc_tiny.model.ensemble import load_model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.ops import OPS
from asc_tiny.tflm import resolver
from asc_tiny.tflm.options import DEFAULT, CustomOperator, TflmOptions
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.ensemble_models import perturbed
from support.paths import DOUBLES, MODEL

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from support.classifier_ends import write_classifier
from support.graph_batch import model_file
from support.kernel_models import Maker, four_bits
from support.tflite_builder import Builder
from support.tflm_networks import WHIRL, WHIRL_SOURCES, custom, ends_of_many_types, streaming
from support.wrapped_ends import ENDS

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


def compile_against(headers: Path, sources: Sequence[Path]) -> None:
    spec = find_spec("tensorflow")
    assert spec
    assert spec.origin
    gemmlowp = Path(spec.origin).parent / "include/external/gemmlowp"
    # The wheel's fork has another namespace and a larger TfLiteTensor.
    flags = ["-std=c++17", "-Dtflite=tflite_micro", "-fno-rtti", "-fno-exceptions", *WARNINGS]
    include = [f"-isystem{headers}", f"-isystem{gemmlowp}"]
    subprocess.run(["c++", *flags, *include, "-fsyntax-only", *sources], check=True)


@pytest.mark.parametrize("name", ["mobilenet_esc10.tflite", "ensemble1_esc10.toml"])
def test_compiles_against_the_headers(name: str, headers: Path, tmp_path: Path) -> None:
    options = ["--runtime", "tflm", "--project", "sources", "--prefix", "scene"]
    assert asc_tiny("generate", MODEL.parent / name, "--out", tmp_path, *options) == 0
    sources = sorted(tmp_path.glob("*.cc"))
    assert [source.name for source in sources] == ["scene_net.cc"]
    compile_against(headers, sources)


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


NEWER = {"AddDecode", "AddDynamicUpdateSlice", "AddReduceAll", "AddReduceMin", "AddReverseV2"}
"""Methods that came after the headers in the wheel."""


def test_methods_are_those_of_the_resolver(headers: Path) -> None:
    text = (headers / RESOLVER).read_text(encoding="utf-8")
    there = set(re.findall(r"TfLiteStatus (Add\w+)\(", text)) - {"AddBuiltin", "AddCustom"}
    methods = {name: found for name in OPS if (found := resolver.method(name)) is not None}
    assert there | NEWER == {*methods.values(), *resolver.CUSTOM.values()}
    added = dict(re.findall(r"TfLiteStatus (Add\w+)\([^{]*\{[^}]*?BuiltinOperator_(\w+)", text))
    for found, name in added.items():
        assert methods.get(name, found) == found
    assert len(added) > 90


def generated(model: Path, folder: Path) -> dict[str, str]:
    options = ["--runtime", "tflm", "--project", "sources"]
    assert asc_tiny("generate", model, "--out", folder, *options) == 0
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("ends", ENDS)
def test_a_classifier_of_any_ends_is_the_network_inside(ends: str, tmp_path: Path) -> None:
    """Of its files the array differs, and the bytes for descriptions of two tensors."""
    labels = ("one", "two", "three")
    models = [
        write_classifier(tmp_path / f"{each}.tflite", 1, each, labels) for each in ("INT8", ends)
    ]
    plain, other = (generated(model, tmp_path / model.stem) for model in models)
    for files, model in zip((plain, other), models, strict=True):
        # The record of provenance has the hash as bytes.
        for name in ("asc_model.h", "asc_model.c", "asc_provenance.c"):
            del files[name]
        hashed = load_model(model).sha256
        for name, text in files.items():
            for word in (model.name, hashed, hashed[:8], f"{int(hashed[:8], 16) | 1:08X}"):
                text = text.replace(word, "")
            files[name] = re.sub(r"(?m)^#define ASC_NET_ARENA_SIZE.*|^.*kLeast = .*", "", text)
    assert {"asc_net.cc", "asc_net.h", "asc_selftest_expected.h"} < plain.keys()
    assert "ASC_SELFTEST_HAS_SCORES 1" in plain["asc_selftest_expected.h"]
    different = {name for name in plain if plain[name] != other[name]}
    # Bytes that each build needs, and how many of the size given.
    assert different <= {"asc_net.h"}
    sizes = [tflm_arena.arena_size(classifier_network(model_of(model))) for model in models]
    assert sizes[0].size < sizes[1].size <= sizes[0].size + 48


def model_of(path: Path) -> ModelFile:
    model = load_model(path)
    assert isinstance(model, ModelFile)
    return model


def test_operators_are_those_of_the_model() -> None:
    source = tflm.generate(load_model(MODEL))["asc_net.cc"]
    graph = load_model(MODEL).graph
    used = {resolver.method(operator.name) for operator in graph.operators}
    assert set(re.findall(r"operators->(\w+)\(\)", source)) == used
    assert f"MicroMutableOpResolver<{len(used)}>" in source


@pytest.mark.parametrize(
    ("model", "options"),
    [
        pytest.param(ends_of_many_types, DEFAULT, marks=pytest.mark.slow),
        pytest.param(streaming, DEFAULT, marks=pytest.mark.slow),
        (custom, WHIRL),
    ],
    ids=["ends", "streaming", "custom"],
)
def test_any_network_compiles(
    model: Callable[[], ModelFile], options: TflmOptions, headers: Path, tmp_path: Path
) -> None:
    files = tflm.generate(model(), options=options)
    for name, text in {**files, **WHIRL_SOURCES}.items():
        (tmp_path / name).write_text(text)
    compile_against(headers, [tmp_path / "asc_net.cc"])


def test_names_and_types_of_several_ends() -> None:
    header = tflm.generate(ends_of_many_types())["asc_net.h"]
    for line in (
        "#define ASC_NET_INPUTS 3",
        "float *asc_net_input1(int8_t *arena);",
        "int16_t *asc_net_input2(int8_t *arena);",
        "#define ASC_NET_INPUT2_BYTES 14",
        "const float *asc_net_output0(int8_t *arena);",
    ):
        assert line in header


def test_variables_can_be_reset() -> None:
    files = tflm.generate(streaming())
    assert "MicroResourceVariables::Create(memory, 1)" in files["asc_net.cc"]
    assert "void asc_net_reset(int8_t *arena);" in files["asc_net.h"]
    assert "asc_net_reset" not in tflm.generate(ends_of_many_types())["asc_net.h"]


def with_weights_of_four_bits() -> ModelFile:
    """Return a network whose arena is not computed, but which the package runs."""
    return model_file(four_bits("CONV_2D")(Maker("INT8")), "four_bits.tflite")


@pytest.mark.parametrize("network", [ends_of_many_types, streaming])
def test_arena_of_many_types_and_variables_is_computed(network: Callable[[], ModelFile]) -> None:
    size = tflm_arena.arena_size(network())
    assert size.measured == 0
    assert size.size == max(needed for _, needed in size.needs)


def test_arena_that_is_measured_is_an_upper_bound() -> None:
    """Of reference kernels, with networks whose arena is computed for 32 bits, too."""
    for name in ("mobilenet_esc10.tflite", "mini_segnet_esc10.tflite"):
        model = load_model(MODEL.parent / name)
        measured = tflm_arena.measured(model)
        assert measured
        computed = tflm_arena.arena_size(model)
        assert dict(computed.needs)[tflm_arena.REFERENCE] < measured.measured < measured.size
        assert measured.least < computed.least
    size = tflm_arena.arena_size(with_weights_of_four_bits())
    assert (size.measured, size.needs) == (size.size_64, ())
    header = tflm.generate(with_weights_of_four_bits())["asc_net.h"]
    assert f"with all its objects: {size.measured}, which were measured" in header


def test_arena_that_nothing_tells_must_be_given() -> None:
    options = replace(WHIRL, arena_bytes=None)
    with pytest.raises(AscError, match=r"^custom.tflite: the arena .*Whirl.*--tflm-arena BY"):
        tflm.generate(custom(), options=options)
    header = tflm.generate(custom(), options=WHIRL)["asc_net.h"]
    assert "#define ASC_NET_ARENA_SIZE 5000" in header
    assert "as they were given" in header
    with pytest.raises(AscError, match=r"--tflm-arena 1000: .* needs [0-9]+ bytes or more"):
        tflm.generate(load_model(MODEL), options=TflmOptions(1000))


def test_arena_without_the_package_must_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflm_arena, "find_spec", lambda name: None)
    with pytest.raises(AscError, match=r"INT4.*pip install .*or give --tflm-arena BYTES"):
        tflm.generate(with_weights_of_four_bits())
    assert tflm.generate(load_model(MODEL))
    assert tflm.generate(with_weights_of_four_bits(), options=TflmOptions(20000))


def test_custom_operators() -> None:
    with pytest.raises(AscError, match=r"operator 0 \(CUSTOM Whirl.*--tflm-op Whirl=my_op.h:Regis"):
        tflm.generate(custom())
    with pytest.raises(AscError, match=r"operator 0 \(CUSTOM FlexErf.*no microcontroller runs"):
        tflm.generate(custom("FlexErf"))
    with pytest.raises(AscError, match=r"--tflm-op Whirl: is no custom operator.*has: Other"):
        tflm.generate(custom("Other"), options=WHIRL)
    source = tflm.generate(custom(), options=WHIRL)["asc_net.cc"]
    assert '#include "whirl.h"' in source
    assert 'operators->AddCustom("Whirl", registration(my::Register_WHIRL())) == kTf' in source
    npu = tflm.generate(custom("ethos-u"), options=TflmOptions(20000))["asc_net.cc"]
    assert "operators->AddEthosU() == kTfLiteOk &&" in npu
    assert 'operators->FindOp("ethos-u") != nullptr;' in npu


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("MyOp=my_op.h:my::Register", CustomOperator("MyOp", "my_op.h", "my::Register")),
        ("A=B=ops/op.h", None),
        ("MyOp=ops/op.h", CustomOperator("MyOp", "ops/op.h", "Register_MyOp")),
        ("MyOp", None),
        ("=op.h:f", None),
        ('MyOp=op".h:f', None),
        ("MyOp=op.h:f()", None),
        ("MyOp=op.h:", None),
    ],
)
def test_registrations_are_read(text: str, operator: CustomOperator | None) -> None:
    if operator is None:
        with pytest.raises(AscError, match=r"--tflm-op .*NAME=HEADER:FUNCTION"):
            CustomOperator.parse(text)
    else:
        assert CustomOperator.parse(text) == operator


def test_what_tflm_has_no_kernel_for_is_refused() -> None:
    builder = Builder()
    x, y = builder.activation((1, 4), 0.1, 0), builder.activation((1, 4), 0.1, 0)
    builder.operator("GELU", [x], [y])
    model = model_file(builder.finish([x], [y]), "gelu.tflite")
    refused = r"^gelu.tflite: operator 0 \(GELU, layer t1\): TensorFlow Lite Micro has no kernel"
    with pytest.raises(AscError, match=refused):
        tflm.generate(model)


def test_types_that_no_kernel_takes_are_refused() -> None:
    """An interpreter says so: rules know operators and not their types."""
    builder = Builder()
    x, y = (builder.activation((1, 4), 0.1, 0, "INT32") for _ in range(2))
    builder.operator("LOGISTIC", [x], [y])
    model = model_file(builder.finish([x], [y]), "sigmoid.tflite")
    with pytest.raises(
        AscError, match=r"^sigmoid.tflite: TensorFlow Lite Micro fails while it runs: "
    ):
        tflm.generate(model)


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
