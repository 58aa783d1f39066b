"""Real TensorFlow Lite Micro on an emulated core, where TFLM_ROOT and TFLM_LIB name it."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.network import tflm_arena
from asc_tiny.frontend import fixed
from asc_tiny.model import model_file
from asc_tiny.model.ensemble import Model, frontends, load_model
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure
from asc_tiny.tflm.interpreter import NetworkInterpreter
from asc_tiny.tflm.options import TflmOptions
from asc_tiny.tflm.structs import TYPES, Abi
from support.commands import asc_tiny
from support.ensemble_models import small, write_ensemble
from support.graph_batch import model_file as model_of
from support.kernel_models import CASES, Maker
from support.native import write
from support.network_models import SMALL, TflmNetwork, converted, inputs
from support.paths import MODEL
from support.recorded_arena import MADE
from support.tflm_firmware import Build, EmulatedNetwork, find
from support.tflm_networks import (
    WHIRL,
    WHIRL_SOURCES,
    branch,
    custom,
    ends_of_many_types,
    loop,
    streaming,
)

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

pytestmark = [pytest.mark.qemu, pytest.mark.slow]

RELEASED = ("mobilenet_esc10.tflite", "mini_segnet_esc10.tflite", "mobilenet_double_esc10.tflite")
ENSEMBLES = ("ensemble1_esc10.toml", "ensemble2_esc10.toml")
CLIPS = sorted((MODEL.parent / "clips").glob("*.flac"))


@pytest.fixture(scope="module")
def build() -> Build:
    return find()


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> model_file.ModelFile:
    path = tmp_path_factory.mktemp("little") / "depthwise.tflite"
    path.write_bytes(converted(SMALL["depthwise"]))
    return model_file.load(path)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three members with two quantisations of the input."""
    folder = tmp_path_factory.mktemp("mixed")
    labels = ("park", "street", "tram")
    members = [
        small(folder / "fine.tflite", labels, filters=6, width=1.0),
        small(folder / "wide.tflite", labels, filters=24, width=4.0),
        small(folder / "fine_too.tflite", labels, filters=12, width=1.0),
    ]
    return write_ensemble(folder / "mixed.toml", members, [0.9, 0.7, -0.3], [0.0, -0.05, 0.1])


def check(model: Model, build: Build, folder: Path, count: int) -> dict[str, int]:
    """Assert that scores are the package's and the arena's use is as computed."""
    firmware = EmulatedNetwork(model, build, folder)
    computed = tflm_arena.memory(model, build.kernels)
    if isinstance(model, model_file.ModelFile):
        values = inputs(model.graph.tensor(model.graph.inputs[0]).shape, count)
        reference = TflmNetwork(model.data)
        expected = [reference.run(value) for value in values]
    else:
        from asc_tiny.tflm.ensemble_interpreter import EnsembleInterpreter

        height, width, channels = model.frontends[0].shape
        values = inputs((height, width, channels * len(model.frontends)), count)
        together = EnsembleInterpreter(model)
        expected = [together.run(value) for value in values]
    codes, figures = firmware.run(values)
    assert (figures["init"], figures["run"]) == (0, 0), firmware.text
    assert np.array_equal(codes, np.stack(expected))
    assert figures["used"] == computed.used
    assert figures["size"] >= computed.size
    return figures


@pytest.mark.parametrize("name", RELEASED)
def test_released_networks(name: str, build: Build, tmp_path: Path) -> None:
    check(load_model(MODEL.parent / name), build, tmp_path, 5)


@pytest.mark.parametrize("name", sorted({*MADE} - {"outputs"}))
def test_small_networks(name: str, build: Build, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(converted(MADE[name]))
    check(model_file.load(path), build, tmp_path / "firmware", 12)


@pytest.mark.parametrize("network", [ends_of_many_types, streaming])
def test_networks_of_any_types_and_state(
    network: Callable[[], model_file.ModelFile], build: Build, tmp_path: Path
) -> None:
    """Outputs are the package's, and after a reset those of the first run; the arena is enough."""
    model, random = network(), np.random.default_rng(0)
    reference = NetworkInterpreter(model.data, model.path)
    inferences = [
        [random.integers(1, 90, end.shape).astype(end.dtype) for end in reference.inputs]
        for _ in range(6)
    ]
    expected = [reference.run(each) for each in inferences]
    firmware = EmulatedNetwork(model, build, tmp_path)
    found, figures = firmware.run_bytes([_packed(each) for each in inferences])
    assert (figures["init"], figures["run"]) == (0, 0), firmware.text
    expected += expected[:1] if network is streaming else []
    assert found == b"".join(_packed(each) for each in expected)
    assert figures["used"] == tflm_arena.memory(model, build.kernels).used <= figures["size"]


@pytest.mark.parametrize("network", [loop, branch])
def test_control_flow(
    network: Callable[[], model_file.ModelFile], build: Build, tmp_path: Path
) -> None:
    """Loops of no pass, one and several, and both branches; the arena that was measured is enough.

    Zero, small integers and their multiples: floats are exact on every machine.
    """
    model, random = network(), np.random.default_rng(0)
    reference = NetworkInterpreter(model.data, model.path)
    inferences = [
        [
            np.full(1, count, np.int32)
            if end.dtype == "int32"
            else random.integers(-9, 9, end.shape).astype(np.float32)
            for end in reference.inputs
        ]
        for count in (0, 1, 7, 3, 0)
    ]
    expected = b"".join(_packed(reference.run(each)) for each in inferences)
    firmware = EmulatedNetwork(model, build, tmp_path)
    found, figures = firmware.run_bytes([_packed(each) for each in inferences])
    assert (figures["init"], figures["run"]) == (0, 0), firmware.text
    assert found == expected
    assert figures["used"] <= figures["size"]


KEPT = ("ADD_N", "BATCH_MATMUL", "MIRROR_PAD", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")
"""Operators whose kernels keep more than a structure."""


@pytest.mark.parametrize("name", KEPT)
def test_arena_of_an_operator(name: str, build: Build, tmp_path: Path) -> None:
    model = model_of(CASES[name][1](Maker("INT8")), f"{name}.tflite")
    figures = EmulatedNetwork(model, build, tmp_path).run_bytes([])[1]
    assert figures["init"] == 0
    assert figures["used"] == tflm_arena.memory(model, build.kernels).used


def _packed(values: Sequence[np.ndarray]) -> bytes:
    return b"".join(each.tobytes() for each in values)


def test_custom_operator_of_the_user(build: Build, tmp_path: Path) -> None:
    firmware = EmulatedNetwork(custom(), build, tmp_path, options=WHIRL, others=WHIRL_SOURCES)
    found, figures = firmware.run_bytes([bytes([1, 2, 3, 250]), bytes(4)])
    assert (figures["init"], figures["run"]) == (0, 0), firmware.text
    once = [bytes([251, 2, 3, 0]), bytes([1, 1, 1, 1])]
    # It may have a state: the program resets it, and begins anew.
    assert found == b"".join([*once, once[0]])


def test_custom_operator_that_cmake_adds(build: Build, tmp_path: Path) -> None:
    """The commands of docs/explanation/tflm.md, from the model to the outputs of the board."""
    model, operators = tmp_path / "custom.tflite", tmp_path / "operators"
    model.write_bytes(custom().data)
    write(WHIRL_SOURCES, operators)
    (kernel,) = WHIRL.operators
    options = ["--runtime", "tflm", "--tflm-arena", WHIRL.arena_bytes, "--board", build.board.name]
    options += ["--tflm-op", f"{kernel.name}={kernel.header}:{kernel.function}"]
    folder = tmp_path / "firmware"
    assert asc_tiny("generate", model, "--out", folder, *options) == 0
    assert asc_tiny("build", folder, "--tflm-ops", operators) == 0
    np.save(tmp_path / "in.npy", np.array([[1, 2, 3, -6], [0, 0, 0, 0]], np.int8))
    out = tmp_path / "out.npy"
    assert asc_tiny("run", folder, "--input", tmp_path / "in.npy", "--out", out) == 0
    assert np.load(out).tolist() == [[-5, 2, 3, 0], [1, 1, 1, 1]]


def test_npu_that_the_library_is_not_for(build: Build, tmp_path: Path) -> None:
    options = TflmOptions(20000)
    network = EmulatedNetwork(custom("ethos-u"), build, tmp_path, options=options)
    assert network.run_bytes([])[1]["init"] == -3


@pytest.mark.parametrize("name", ENSEMBLES)
def test_released_ensembles(name: str, build: Build, tmp_path: Path) -> None:
    check(load_model(MODEL.parent / name), build, tmp_path, 4)


def test_ensemble_of_several_quantizations(build: Build, mixed: Path, tmp_path: Path) -> None:
    check(load_model(mixed), build, tmp_path, 6)


@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.08, 0.3, 0.5, 0.9, 0.99])
def test_arena_far_too_small(
    share: float, build: Build, little: model_file.ModelFile, tmp_path: Path
) -> None:
    memory = tflm_arena.memory(little, build.kernels)
    size = max(1, int(share * memory.smallest))
    network = EmulatedNetwork(little, build, tmp_path, arena_size=size)
    _, figures = network.run([])
    assert (figures["init"], figures["run"], figures["used"]) == (-4, -4, 0), network.text


@pytest.mark.parametrize("name", [*RELEASED[:2], ENSEMBLES[0]])
def test_arena_a_byte_short(name: str, build: Build, tmp_path: Path) -> None:
    model = load_model(MODEL.parent / name)
    smallest = tflm_arena.memory(model, build.kernels).smallest
    enough = EmulatedNetwork(model, build, tmp_path / "enough", arena_size=smallest)
    assert enough.run([])[1]["init"] == 0, enough.text
    short = EmulatedNetwork(
        model, build, tmp_path / "short", arena_size=smallest - 1, checked=False
    )
    figures = short.run([])[1]
    assert figures["init"] == -4, short.text
    assert "Failed to" in short.text
    told = EmulatedNetwork(model, build, tmp_path / "told", arena_size=smallest - 1)
    assert told.run([])[1]["init"] == -4, told.text


def test_model_of_another_schema_version(
    build: Build, little: model_file.ModelFile, tmp_path: Path
) -> None:
    data = bytearray(little.data)
    (root,) = struct.unpack_from("<I", data, 0)
    (to_table,) = struct.unpack_from("<i", data, root)
    (field,) = struct.unpack_from("<H", data, root - to_table + 4)
    assert struct.unpack_from("<I", data, root + field) == (3,)
    struct.pack_into("<I", data, root + field, 4)
    other = EmulatedNetwork(replace(little, data=bytes(data)), build, tmp_path)
    assert other.run([])[1]["init"] == -3


def test_mistakes_have_codes(build: Build, little: model_file.ModelFile, tmp_path: Path) -> None:
    assert EmulatedNetwork(little, build, tmp_path).faults() == {
        "init_null": -1,
        "init_misaligned": -2,
        "run_null": -1,
        "run_misaligned": -2,
        "run_unprepared": -5,
        "infer_unprepared": -5,
        "infer_null": -1,
        "init": 0,
        "run": 0,
        "init_again": 0,
        "run_again": 0,
    }


@pytest.mark.parametrize("name", [*RELEASED[:2], *ENSEMBLES])
def test_projects_classify_clips(
    name: str, build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asc_tiny.tflm.ensemble_interpreter import interpreter

    folder = tmp_path / "firmware"
    model = MODEL.parent / name
    options = ["--runtime", "tflm", "--board", build.board.name]
    assert asc_tiny("generate", model, "--out", folder, *options) == 0
    assert asc_tiny("build", folder) == 0
    project = targets.load(folder)
    clips = [read_pcm(path, 44100) for path in CLIPS[::4]]
    features, codes = image.features_and_codes(project, clips)
    expected = np.stack(
        [
            np.concatenate(
                [fixed.features(clip, each) for each in frontends(project.model_file)], -1
            )
            for clip in clips
        ]
    )
    kernels = interpreter(project.model_file)
    assert np.array_equal(features, expected)
    assert np.array_equal(codes, np.stack([kernels.run(clip) for clip in expected]))
    assert asc_tiny("verify", folder) == 0
    costs = measure(project)
    assert costs.arena_bytes == tflm_arena.memory(project.model_file, build.kernels).used
    print(f"\n{name} {build.board.name} {build.kernels}: {costs}")


SIZES = """
#define private public
#define protected public
#include "tensorflow/lite/c/builtin_op_data.h"
#include "tensorflow/lite/micro/kernels/activations.h"
#include "tensorflow/lite/micro/kernels/add.h"
#include "tensorflow/lite/micro/kernels/batch_matmul.h"
#include "tensorflow/lite/micro/kernels/conv.h"
#include "tensorflow/lite/micro/kernels/dequantize.h"
#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/hard_swish.h"
#include "tensorflow/lite/micro/kernels/leaky_relu.h"
#include "tensorflow/lite/micro/kernels/logistic.h"
#include "tensorflow/lite/micro/kernels/lstm_shared.h"
#include "tensorflow/lite/micro/kernels/mul.h"
#include "tensorflow/lite/micro/kernels/pad.h"
#include "tensorflow/lite/micro/kernels/pooling.h"
#include "tensorflow/lite/micro/kernels/quantize.h"
#include "tensorflow/lite/micro/kernels/reduce.h"
#include "tensorflow/lite/micro/kernels/softmax.h"
#include "tensorflow/lite/micro/kernels/sub.h"
#include "tensorflow/lite/micro/kernels/svdf.h"
#include "tensorflow/lite/micro/memory_planner/greedy_memory_planner.h"
#include "tensorflow/lite/micro/micro_allocation_info.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/arena_allocator/single_arena_buffer_allocator.h"
#include "tensorflow/lite/schema/schema_generated.h"
using namespace tflite;
#define CHECK(bytes, alignment, ...) \\
    static_assert(sizeof(__VA_ARGS__) == bytes && alignof(__VA_ARGS__) == alignment, #__VA_ARGS__)
"""


@pytest.mark.parametrize("abi", Abi)
def test_types_have_their_sizes(abi: Abi, build: Build, tmp_path: Path) -> None:
    """As a compiler of that layout says."""
    checks = [f"CHECK({t.size(abi)}, {t.alignment(abi)}, {name});" for name, t in TYPES.items()]
    source = tmp_path / "sizes.cc"
    source.write_text(SIZES + "\n".join(checks) + "\n")
    arm = ["arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb"]
    compiler = {Abi.ARM: arm, Abi.ILP32: [*arm, "-fno-short-enums"], Abi.LP64: ["c++"]}[abi]
    root = build.tflm.root
    downloads = root / "tensorflow/lite/micro/tools/make/downloads"
    include = [f"-isystem{p}" for p in (root, downloads / "flatbuffers/include")]
    include += [f"-isystem{downloads / name}" for name in ("gemmlowp", "ruy")]
    flags = ["-std=c++17", "-DTF_LITE_STATIC_MEMORY", "-fno-rtti", "-fsyntax-only"]
    subprocess.run([*compiler, *flags, *include, source], check=True)
