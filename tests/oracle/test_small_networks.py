"""Emitted network code against TensorFlow Lite Micro's reference kernels, bit for bit."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.firmware.c.prefix import check_prefix, rename_prefix
from asc_tiny.firmware.network import compiled, model_array
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.util.errors import AscError
from support.native import CORES, FLAGS, compile_for
from support.network_models import SMALL, CNetwork, TflmNetwork, converted, emit, inputs, quantized
from support.objects import compiled as compiled_objects

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelFile]:
    """Every small network, and the dense layers of one quantised per tensor."""
    folder = tmp_path_factory.mktemp("models")
    contents = {name: converted(build) for name, build in SMALL.items()}
    setting = "_experimental_disable_per_channel_quantization_for_dense_layers"
    contents["per_tensor"] = converted(SMALL["depthwise"], **{setting: True})
    model_files = {}
    for name, data in contents.items():
        path = folder / f"{name}.tflite"
        path.write_bytes(data)
        model_files[name] = load(path)
    return model_files


def released_layers() -> Any:
    """Return MobileNet as it was released, with a batch of 1."""
    from asc_tiny import nets

    return nets.build("mobilenet", (256, 36, 3), 10, batch_size=1)


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("mobilenet") / "mobilenet.tflite"
    path.write_bytes(converted(released_layers))
    return load(path)


def check_bit_exact(model_file: ModelFile, folder: Path, count: int) -> CNetwork:
    emitted, reference = CNetwork(model_file, folder), TflmNetwork(model_file.data)
    shape = model_file.graph.tensor(model_file.graph.inputs[0]).shape
    outputs = []
    for values in inputs(shape, count):
        expected = reference.run(values)
        outputs.append(expected)
        assert np.array_equal(emitted.run(values), expected)
    assert len(np.unique(np.stack(outputs), axis=0)) > count // 2, "the inputs do not matter"
    return emitted


@pytest.mark.parametrize("name", [*SMALL, "per_tensor"])
def test_small_networks_bit_exact(name: str, models: dict[str, ModelFile], tmp_path: Path) -> None:
    check_bit_exact(models[name], tmp_path, 40)


@pytest.mark.parametrize("width", [0.02, 1.0, 60.0])
def test_softmax_bit_exact(width: float, tmp_path: Path) -> None:
    from keras import Input, Model, layers

    source = Input((23, 11), batch_size=1)
    path = tmp_path / "softmax.tflite"
    path.write_bytes(quantized(Model(source, layers.Softmax()(source)), width=width))
    check_bit_exact(load(path), tmp_path / "code", 40)


def test_mobilenet_bit_exact_in_less_memory(mobilenet: ModelFile, tmp_path: Path) -> None:
    emitted = check_bit_exact(mobilenet, tmp_path, 8)
    # TensorFlow Lite Micro needs 96,768 bytes for the same activations.
    assert emitted.macro("ARENA_SIZE") <= 73_728
    shape = [emitted.macro(f"INPUT_{name}") for name in ("HEIGHT", "WIDTH", "CHANNELS", "SIZE")]
    assert shape == [256, 36, 3, 256 * 36 * 3]


def test_models_quantize_dense_layers_in_both_ways(models: dict[str, ModelFile]) -> None:
    scales = [
        len(model_file.graph.tensor(op.inputs[1]).scales)
        for model_file in models.values()
        for op in model_file.graph.operators
        if op.name == "FULLY_CONNECTED"
    ]
    assert min(scales) == 1 < max(scales), "dense layers per tensor and per channel"


@pytest.fixture(scope="module")
def sources(models: dict[str, ModelFile], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per small network, with its code and the kernels."""
    folder = tmp_path_factory.mktemp("sources")
    for name, model_file in models.items():
        emit(model_file, folder / name)
    return folder


@pytest.mark.parametrize(
    "core",
    [
        "rv32imc",
        *(
            pytest.param(core, marks=pytest.mark.slow)
            for core in ("cortex-m0plus", "cortex-m4", "cortex-m55")
        ),
    ],
)
def test_compiles_for_every_kind_of_core(core: str, sources: Path) -> None:
    compiler = CORES[core][0].compiler
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    for folder in sources.iterdir():
        compile_for(core, folder)


def symbols(source: Path, *options: str) -> set[str]:
    """Names in the object file of a C source, as ``nm`` lists them with these options."""
    command = ["nm", *options, *compiled_objects(["cc", *FLAGS], [source])]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in listing.splitlines()}


def test_needs_only_functions_that_copy_and_set(sources: Path) -> None:
    # Folders share kernels.
    different = {source.read_bytes(): source for source in sources.rglob("*.c")}
    names = set().union(*(symbols(source, "-u") for source in different.values()))
    ours = {name for name in names if name.startswith("asc_")}
    assert "asc_conv" in ours
    copying = {"memcpy", "memmove", "memset"}
    assert names - ours <= {*copying, "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}


def test_refuses_bad_arenas(models: dict[str, ModelFile], tmp_path: Path) -> None:
    emitted = CNetwork(models["pooling"], tmp_path)
    address = emitted.memory.ctypes.data + emitted.start
    assert emitted.library.asc_net_run(ctypes.c_void_p(None)) == -1
    assert emitted.library.asc_net_run(ctypes.c_void_p(address + 8)) == -2
    assert emitted.library.asc_net_infer(ctypes.c_void_p(address), None, None) == -1


def test_generation_is_repeatable(models: dict[str, ModelFile]) -> None:
    for model_file in models.values():
        files = compiled.generate(model_file)
        assert files == compiled.generate(load(model_file.path))
        for text in files.values():
            assert f"sha256 {model_file.sha256}" in text
            assert text.endswith("\n")
            assert "\r" not in text


def test_two_prefixes_share_no_name(models: dict[str, ModelFile], tmp_path: Path) -> None:
    defined: list[set[str]] = []
    for prefix in ("asc", "left_2"):
        folder = tmp_path / prefix
        emit(models["pieces"], folder)
        for file in [*folder.iterdir()]:
            text = rename_prefix(file.read_text(encoding="utf-8"), prefix)
            file.unlink()
            (folder / rename_prefix(file.name, prefix)).write_text(text, encoding="utf-8")
        objects = (symbols(source, "--defined-only") for source in folder.glob("*.c"))
        defined.append(set().union(*objects))
    assert "asc_net_run" in defined[0]
    assert "left_2_net_run" in defined[1]
    # Static names too, so that all sources may be compiled as one.
    assert not {name for name in defined[1] if name.startswith("asc")}


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("gnu", [True, False])
def test_example_of_the_header_compiles(
    language: str, gnu: bool, sources: Path, tmp_path: Path
) -> None:
    """With the alignment of GNU C and with the standard's own."""
    text = (sources / "pooling" / "asc_net.h").read_text(encoding="utf-8")
    lines = [line.removeprefix(" *     ") for line in text.splitlines() if " *     " in line]
    assert len(lines) == 4
    program = [
        "#include <string.h>",
        '#include "asc_net.h"',
        "extern int8_t features[];",
        "void use(const int8_t *scores);",
        "void stop(void);",
        "void classify(void);",
        "void classify(void) {",
        *lines,
        "}",
    ]
    header = text if gnu else text.replace("defined(__GNUC__)", "0")
    (tmp_path / "asc_net.h").write_text(header, encoding="utf-8")
    (tmp_path / "main.c").write_text("\n".join(program) + "\n", encoding="utf-8")
    standard = {"c": "c99" if gnu else "c11", "c++": "c++11"}[language]
    flags = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
    command = ["cc", f"-x{language}", f"-std={standard}", *flags, tmp_path / "main.c"]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("prefix", ["", "Scene", "9lives", "a-b", "int", "class", "asc_", "ä"])
def test_refuses_prefixes(prefix: str) -> None:
    with pytest.raises(AscError, match="--prefix"):
        check_prefix(prefix)


def test_other_kernels_version_does_not_compile(
    models: dict[str, ModelFile], tmp_path: Path
) -> None:
    emit(models["pooling"], tmp_path)
    header = tmp_path / "asc_kernels.h"
    version = f"#define ASC_KERNELS_VERSION {compiled.KERNELS_VERSION}"
    text = header.read_text(encoding="utf-8")
    assert version in text
    header.write_text(text.replace(version, "#define ASC_KERNELS_VERSION 999"), encoding="utf-8")
    command = ["cc", *FLAGS, "-c", tmp_path / "asc_net.c", "-o", "/dev/null"]
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "another version" in failed.stderr


@pytest.mark.parametrize("compiler", [["cc", "-std=c11"], ["cc", "-xc++", "-std=c++11"], ["cc"]])
def test_model_array_holds_the_file(
    compiler: list[str], models: dict[str, ModelFile], tmp_path: Path
) -> None:
    model_file = models["pooling"]
    for name, text in model_array.generate(model_file).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    library = tmp_path / "model.so"
    flags = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*compiler, *flags, tmp_path / "asc_model.c", "-o", library], check=True)
    loaded = ctypes.CDLL(str(library))
    size = ctypes.c_uint.in_dll(loaded, "asc_model_size").value
    data = (ctypes.c_ubyte * size).in_dll(loaded, "asc_model_data")
    assert bytes(data) == model_file.data
    assert ctypes.addressof(data) % 16 == 0
