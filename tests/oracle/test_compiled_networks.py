"""Compiled networks against TensorFlow Lite Micro: random graphs, common networks, every core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.arena_allocator import live_bytes
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import load
from support import compilers
from support.emulated import EmulatedNetwork
from support.keras_networks import COMMON, RELEASED, random_network, upsampled
from support.network_models import SMALL, CNetwork, TflmNetwork, converted
from support.paths import MODELS
from support.references import expected, model_file, samples_of

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

pytestmark = pytest.mark.usefixtures("shared_plans")

ORDERS = (None, "time")
BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "virt-rv32")
CORTEX_M0PLUS = ("-mcpu=cortex-m0plus", "-mthumb")
"""Code for this core runs on the Cortex-M3 as well."""
VECTORS_AND_PAIRS = ("mps2-an386", "mps3-an547")
"""Cores whose kernels are written with instructions of their own: Cortex-M4 and M55."""


@pytest.mark.parametrize("name", COMMON)
def test_common_networks(name: str, tmp_path: Path) -> None:
    model = model_file(converted(COMMON[name]), tmp_path)
    samples = samples_of(model, 12)
    compiled = CNetwork(model, tmp_path / "c")
    outputs = np.stack([compiled.run(sample) for sample in samples])
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.parametrize(
    "seed",
    [
        *range(6),
        *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 24)),
        *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(24, 60)),
    ],
)
def test_random_networks(seed: int, tmp_path: Path) -> None:
    width = float(10.0 ** np.random.default_rng(seed).uniform(-1.5, 1.5))
    model = model_file(converted(random_network, seed, width=width), tmp_path)
    samples = samples_of(model, 34)
    compiled = CNetwork(model, tmp_path / "c")
    outputs = np.stack([compiled.run(sample) for sample in samples])
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.qemu
@pytest.mark.parametrize("board", VECTORS_AND_PAIRS)
@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in COMMON)]
)
def test_networks_on_cores(name: str, board: str, tmp_path: Path) -> None:
    """Assembly and vectors with odd channels, single windows, activations and wide sums."""
    model = model_file(converted({**SMALL, **COMMON}[name]), tmp_path)
    samples = samples_of(model, 16)
    outputs, _ = EmulatedNetwork(model, board, tmp_path / "c").run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.qemu
@pytest.mark.parametrize("board", VECTORS_AND_PAIRS)
@pytest.mark.parametrize(
    "seed",
    [
        *(pytest.param(n, marks=pytest.mark.slow) for n in range(60, 66)),
        *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(66, 76)),
    ],
)
def test_random_networks_on_cores(seed: int, board: str, tmp_path: Path) -> None:
    width = float(10.0 ** np.random.default_rng(seed).uniform(-1.5, 1.5))
    model = model_file(converted(random_network, seed, width=width), tmp_path)
    samples = samples_of(model, 16)
    outputs, _ = EmulatedNetwork(model, board, tmp_path / "c").run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize(
    ("board", "flags"), [*((board, ()) for board in BOARDS), ("mps2-an385", CORTEX_M0PLUS)]
)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", RELEASED)
def test_released_networks_on_every_core(
    name: str, order: str | None, board: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    model = load(MODELS / f"{name}.tflite")
    # Both extremes, 0, signs, quiet and louder noise; on this computer it is hundreds.
    samples = samples_of(model, 6)
    options = Options(schedule=order)
    outputs, _ = EmulatedNetwork(model, board, tmp_path, flags=flags, options=options).run(samples)
    assert np.array_equal(outputs, expected(model, samples))


@pytest.mark.slow
@pytest.mark.parametrize(
    "order", [pytest.param(o, marks=pytest.mark.exhaustive if o else ()) for o in ORDERS]
)
@pytest.mark.parametrize("name", RELEASED)
@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_released_networks_on_many_inputs(
    name: str, order: str | None, count: int, tmp_path: Path
) -> None:
    model = load(MODELS / f"{name}.tflite")
    shape = model.graph.tensor(model.graph.inputs[0]).shape
    rng = np.random.default_rng(7)
    compiled = CNetwork(model, tmp_path, Options(schedule=order), sanitizer=())
    reference = TflmNetwork(model.data)
    labels = set()
    for _ in range(count):
        # Noise of every width around every level, as of quiet and loud clips
        noise = rng.normal(rng.uniform(-100.0, 100.0), rng.uniform(1.0, 80.0), shape)
        sample = np.clip(noise, -128, 127).astype(np.int8)
        output = compiled.run(sample)
        assert np.array_equal(output, reference.run(sample))
        labels.add(int(output.argmax()))
    assert len(labels) > 1


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["convolutions", "upsampled"])
@pytest.mark.parametrize(
    "level", ["-Os", *(pytest.param(each, marks=pytest.mark.slow) for each in ("-O0", "-O3"))]
)
def test_every_optimization_level(name: str, level: str, tmp_path: Path) -> None:
    model = model_file(converted({**SMALL, **COMMON}[name]), tmp_path)
    samples = samples_of(model, 8)
    emulated = EmulatedNetwork(model, "mps2-an386", tmp_path / "c", optimization=level)
    assert np.array_equal(emulated.run(samples)[0], expected(model, samples))


# Instructions of the costliest inference; a figure above its limit is a regression.
MARGIN = compilers.margin()
INSTRUCTIONS = {
    ("mobilenet_esc10", "mps2-an386"): 6_695_000,
    ("mini_segnet_esc10", "mps2-an386"): 12_355_000,
    ("mobilenet_esc10", "mps2-an385"): 34_200_000,
    ("mini_segnet_esc10", "mps2-an385"): 59_500_000,
    ("mobilenet_esc10", "mps3-an547"): 3_290_000,
    ("mini_segnet_esc10", "mps3-an547"): 5_640_000,
}


@pytest.mark.qemu
@pytest.mark.parametrize(("name", "board"), INSTRUCTIONS)
def test_instructions(name: str, board: str, tmp_path: Path) -> None:
    model = load(MODELS / f"{name}.tflite")
    _, instructions = EmulatedNetwork(model, board, tmp_path).run(samples_of(model, 5)[-1:])
    assert 0 < instructions <= MARGIN * INSTRUCTIONS[name, board]


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("name", "limit"), [("mobilenet_esc10", 46_830_000), ("mini_segnet_esc10", 75_350_000)]
)
def test_instructions_of_code_for_cortex_m0plus(name: str, limit: int, tmp_path: Path) -> None:
    model = load(MODELS / f"{name}.tflite")
    network = EmulatedNetwork(model, "mps2-an385", tmp_path, flags=CORTEX_M0PLUS)
    assert 0 < network.run(samples_of(model, 5)[-1:])[1] <= MARGIN * limit


def test_resized_rows_exist_only_where_they_must(tmp_path: Path) -> None:
    stages = compile_network(model_file(converted(upsampled), tmp_path)).lowered.stages
    kernels = [stage.kernel for stage in stages]
    assert kernels.count("asc_upsampled_conv") + kernels.count("asc_upsampled_sum") == 4
    assert kernels.count("asc_resize_nearest") == 1
    stages = compile_network(load(MODELS / "mini_segnet_esc10.tflite")).lowered.stages
    assert sum(stage.macs for stage in stages) == 8_986_368
    assert "asc_resize_nearest" not in [stage.kernel for stage in stages]


@pytest.mark.parametrize(
    ("name", "bytes_"), [("mobilenet_esc10", 30_256), ("mini_segnet_esc10", 29_280)]
)
def test_arena_of_released_networks(name: str, bytes_: int) -> None:
    """A third of what TensorFlow Lite Micro needs, input included."""
    assert compile_network(load(MODELS / f"{name}.tflite")).arena.size <= bytes_


@pytest.mark.parametrize("seed", range(4))
def test_blocks_do_not_meet(seed: int, tmp_path: Path) -> None:
    plan = compile_network(model_file(converted(random_network, seed), tmp_path)).arena
    blocks = list({id(block): (block, offset) for block, offset in plan.placements}.values())
    for i, (block, offset) in enumerate(blocks):
        assert 0 <= offset <= offset + block.size <= plan.size
        for other, place in blocks[:i]:
            apart = offset + block.size <= place or place + other.size <= offset
            assert apart or not block.meets(other)
    steps = max(block.last for block, _ in blocks) + 1
    assert plan.size >= max(live_bytes([block for block, _ in blocks], steps))
