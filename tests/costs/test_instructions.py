"""Costs of networks that the budget reports, against compiled code and counted instructions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from asc_tiny.cli.main import main
from asc_tiny.compiler import stage_costs
from asc_tiny.compiler.kernel_params import (
    KERNELS,
    ONCE_TYPE,
    TWICE_KERNELS,
    UpsampledConvParams,
)
from asc_tiny.compiler.stage_costs import features
from asc_tiny.costs.footprint import footprint
from asc_tiny.costs.instructions import cpu_table, estimate
from asc_tiny.firmware.network import ensemble
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.ensemble import load_model
from asc_tiny.model.model_file import load
from asc_tiny.tflite.graph import Graph, Operator
from support.compiles import compiles
from support.emulated import EmulatedNetwork
from support.graph_batch import model_file
from support.kernel_models import Maker, four_bits
from support.paths import MODELS
from support.random_graphs import random_graph, seeded
from support.recurrent_networks import lstm
from support.references import samples_of
from support.tflite_builder import Builder, Value


def own_bytes(image: Path) -> int:
    """Code and constants of the network in an image, by its symbols."""
    own = ("asc_", "conv_product", "multiply_", "widen", "sum_", "make_four", "depthwise_")
    runtime = (*own, "arrange", "put_", "prepare_", "find_taps", "add_", "fill")
    with image.open("rb") as stream:
        elf = ELFFile(stream)
        (table,) = (s for s in elf.iter_sections() if isinstance(s, SymbolTableSection))
        return sum(
            symbol["st_size"]
            for symbol in table.iter_symbols()
            if symbol.name.startswith(runtime)
            and symbol["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT")
        )


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["mobilenet_esc10", "mini_segnet_esc10"])
def test_flash_and_instructions_on_cortex_m4(name: str, tmp_path: Path) -> None:
    model = load(MODELS / f"{name}.tflite")
    network = EmulatedNetwork(model, "mps2-an386", tmp_path)
    found = footprint(model, "cortex-m4")
    assert found.aot_code_bytes is not None and found.aot_constant_bytes is not None
    flash = found.aot_code_bytes + found.aot_constant_bytes
    assert flash == pytest.approx(own_bytes(tmp_path / "image.elf"), rel=0.04)
    _, instructions = network.run(samples_of(model, 5)[-1:])
    estimated = estimate(model, "cortex-m4")
    assert abs(estimated.instructions / instructions - 1) <= estimated.error_released


def budget(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["budget", *map(str, arguments)])
    captured = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, captured.out, captured.err


MOBILENET = MODELS / "mobilenet_esc10.tflite"


def test_costs_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--cpu", "cortex-m4", "--clock", "64M", "--chip", "stm32l412", "--json")
    code, out, err = budget(capsys, MOBILENET, *options)
    assert (code, err) == (0, "")
    costs = json.loads(out)["models"][0]["costs"]
    assert costs["model_bytes"] == MOBILENET.stat().st_size
    assert costs["tflm_head_bytes"] == 82_944
    assert costs["tflm_head_bytes"] < costs["tflm_arena_bytes"] < 90_000
    assert costs["aot_arena_bytes"] == compile_network(load(MOBILENET)).arena.size
    assert costs["absent"] == {}
    estimate = costs["estimate"]
    assert estimate["is_estimate"] is True
    assert sum(estimate["instructions_per_layer"]) == estimate["instructions"]
    assert estimate["seconds_at_one_cycle"] == estimate["instructions"] / 64e6
    # 79 uA at 1 MHz are 79 pC in each cycle.
    energy = estimate["instructions"] * 79e-12 * 3.3
    assert estimate["joules_at_one_cycle"] == pytest.approx(energy)


def test_what_cannot_be_had_is_absent_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights of four bits, which neither runtime's rules know: no figure, and never 0."""
    path = tmp_path / "model.tflite"
    path.write_bytes(four_bits("CONV_2D")(Maker("INT8")))
    code, out, err = budget(capsys, path, "--cpu", "cortex-m4", "--json")
    assert (code, err) == (0, "")
    costs = json.loads(out)["models"][0]["costs"]
    for name in ("tflm_arena_bytes", "aot_arena_bytes", "aot_code_bytes", "estimate"):
        assert costs[name] is None
        assert "INT4" in costs["absent"][name]
    assert costs["model_bytes"] > 0
    code, out, err = budget(capsys, path, "--cpu", "cortex-m4")
    assert code == 0
    assert "ahead of time: arena" in out and "INT4" in out
    code, out, err = budget(capsys, path, "--plan", tmp_path / "plan.svg")
    assert code == 2
    assert "no memory plan, ahead of time" in err and "INT4" in err


def test_members_of_an_ensemble_share_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """As firmware has it, by its header."""
    path = MODELS / "ensemble1_esc10.toml"
    code, out, _ = budget(capsys, path, "--memory", "--json")
    assert code == 0
    report = json.loads(out)
    (shared,) = report["ensembles"]
    assert shared["path"] == str(path)
    header = ensemble.generate(load_model(path))["asc_net.h"]
    assert f"ASC_NET_ARENA_SIZE {shared['aot_arena_bytes']}" in header
    members = [model["costs"] for model in report["models"]]
    assert len(members) == 2
    arenas = [costs["tflm_arena_bytes"] for costs in members]
    # One head; what is kept adds up.
    assert max(arenas) < shared["tflm_arena_bytes"] < sum(arenas)
    assert shared["absent"] == {"tflm_cmsis_nn_arena_bytes": "needs --cpu"}


def test_kind_that_was_not_measured_gives_no_estimate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cpus = {"cortex-m4": {**cpu_table("cortex-m4"), "instructions": {}}}
    monkeypatch.setattr(stage_costs, "cpus", lambda: cpus)
    code, out, _ = budget(capsys, MOBILENET, "--cpu", "cortex-m4", "--json")
    assert code == 0
    costs = json.loads(out)["models"][0]["costs"]
    assert costs["estimate"] is None
    assert "operator 2 CONV_2D runs asc_conv, whose instructions" in costs["absent"]["estimate"]
    assert costs["aot_arena_bytes"] > 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--cpu", "z80"), "--cpu z80: was not measured; measured are cortex-m0plus, "),
        (("--chip", "z80"), "--chip z80: is not known; known are cc2340r2, "),
        (("--chip", "stm32l412", "--cpu", "cortex-m7"), "--chip stm32l412: has a cortex-m4"),
        (("--clock", "64M"), "--clock: needs --cpu or --chip"),
        (("--clock", "0", "--cpu", "cortex-m4"), "--clock 0: must be above 0"),
        (("--plan", "plan.pdf"), "--plan plan.pdf: must end in .png or .svg"),
        (("--json", "--plan"), "--plan -: prints text, give a file with --format json"),
        (("--compare",), "--compare: needs one .keras and one .tflite file"),
    ],
)
def test_bad_options(
    options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = budget(capsys, MOBILENET, *options)
    assert code == 2
    assert reason in err


def test_plans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    code, out, _ = budget(capsys, MOBILENET, "--plan")
    assert code == 0
    # Head and arena, each with the layer that sets it.
    assert "TensorFlow Lite Micro's arena (reference kernels): 82,944 bytes, set by " in out
    size = compile_network(load(MOBILENET)).arena.size
    assert f"compiled ahead of time: {size:,} bytes, set by " in out
    for name in ("plan.svg", "plan.png"):
        assert budget(capsys, MOBILENET, "--plan", tmp_path / name)[0] == 0
        assert (tmp_path / name).stat().st_size > 10_000


def test_nessi_says_what_its_parameters_are(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = budget(capsys, MOBILENET, "--convention", "nessi", "--json")
    assert json.loads(out)["params_unit"].startswith("bytes of constants")
    _, out, _ = budget(capsys, MOBILENET, "--convention", "nessi")
    assert "parameters are bytes of constants" in out


CPUS = stage_costs.cpus()


@pytest.mark.parametrize("cpu", CPUS)
def test_every_kernel_was_measured(cpu: str) -> None:
    """``python benchmarks/network_costs.py --missing`` measures those that were not."""
    table = cpu_table(cpu)
    measured = {f"asc_{kind.split(' ')[0]}" for kind in table["instructions"]}
    assert set(KERNELS) <= measured
    forms = {f"{kernel}_twice" for kernel in TWICE_KERNELS}
    assert set(KERNELS) | forms <= set(table["code"]["needs"])
    structures = {params.c_type for params in KERNELS.values()} | {ONCE_TYPE}
    assert structures <= set(table["code"]["structures"])


@pytest.mark.qemu
def test_instructions_of_a_kernel_that_has_its_own_networks(tmp_path: Path) -> None:
    """An LSTM of a size that was not measured."""
    builder, rng = Builder(), np.random.default_rng(0)
    source = builder.activation((1, 6, 10), 0.05, 0)
    output = lstm(builder, rng, source, units=20)
    model = model_file(builder.finish([source], [output]), "lstm.tflite")
    network = EmulatedNetwork(model, "mps2-an386", tmp_path)
    _, counted = network.run([rng.integers(-128, 128, source.shape).astype(np.int8)])
    assert estimate(model, "cortex-m4").instructions == pytest.approx(counted, rel=0.1)


def test_error_of_the_estimate_is_stated() -> None:
    """Networks that the fit had not seen; Helium's vectors are not in what it is fitted to."""
    for cpu in ("cortex-m0plus", "cortex-m4", "cortex-m55", "rv32imc"):
        error = cpu_table(cpu)["error"]
        magnitudes = {name: abs(value) for name, value in error["networks"].items()}
        released = [magnitudes.pop(n) for n in ("mobilenet_esc10", "mini_segnet_esc10")]
        assert error["released"] == pytest.approx(max(released), abs=1e-3)
        assert max(released) <= (0.27 if cpu == "cortex-m55" else 0.12)
        assert magnitudes["upsampled"] < 0.2
        assert magnitudes["decoder"] < 0.15
        assert error["largest"] == pytest.approx(max(magnitudes.values()), abs=1e-3)


def resized(width: int = 16, **options: bool) -> bytes:
    """A nearest resize by two, and a convolution that may do it itself."""
    builder = Builder()
    x = builder.activation((1, 16, width, 16), 0.1, 0)
    y, z = (builder.activation((1, 32, 2 * width, 16), 0.1, 0) for _ in range(2))
    size = builder.constant(np.array([32, 2 * width], np.int32))
    builder.operator("RESIZE_NEAREST_NEIGHBOR", [x, size], [y], **options)
    convolve(builder, y, z)
    return builder.finish([x], [z])


def convolve(builder: Builder, source: Value, target: Value, groups: int = 1) -> None:
    channels = target.shape[3]
    rng = np.random.default_rng(0)
    values = rng.integers(-99, 99, (channels, 3, 3, source.shape[3] // groups)).astype(np.int8)
    weights = builder.constant(values, [0.01] * channels)
    bias = builder.constant(np.zeros(channels, np.int32), [0.001] * channels)
    strides = {"padding": "SAME", "strideW": 1, "strideH": 1}
    builder.operator("CONV_2D", [source, weights, bias], [target], **strides)


def grouped() -> bytes:
    builder = Builder()
    x, y = (builder.activation((1, 5, 6, 8), 0.1, 0) for _ in range(2))
    convolve(builder, x, y, groups=4)
    return builder.finish([x], [y])


def between_floats() -> bytes:
    """A convolution between conversions, which the C code has not."""
    builder = Builder()
    first, last = (builder.activation((1, 5, 6, 8), 1.0, 0, "FLOAT32") for _ in range(2))
    x, y = (builder.activation((1, 5, 6, 8), 0.1, 0) for _ in range(2))
    builder.operator("QUANTIZE", [first], [x])
    convolve(builder, x, y)
    builder.operator("DEQUANTIZE", [y], [last])
    return builder.finish([first], [last])


def padded_products(graph: Graph, operator: Operator) -> int:
    """Return the products of a convolution or dense layer, by hand from its shapes.

    Filters are there in pairs, columns of a window have an even number of values, and windows a
    multiple of four; a filter of a group has zeros for the channels of all others.
    """
    filters, *window = graph.tensor(operator.inputs[1]).shape
    height, width, depth = window if len(window) == 3 else (1, 1, window[0])
    if operator.name == "CONV_2D":
        depth = graph.tensor(operator.inputs[0]).shape[-1]
    column = (height * depth + 1) // 2 * 2
    length = (width * column + 3) // 4 * 4
    positions = graph.tensor(operator.outputs[0]).size // filters
    return positions * (filters + filters % 2) * length


HAND_MADE = {
    "resized": resized(),
    "corners": resized(alignCorners=True),
    "centers": resized(halfPixelCenters=True),
    "grouped": grouped(),
    "between_floats": between_floats(),
    "wide": resized(width=32),
    "wide_corners": resized(width=32, alignCorners=True),
}


def test_products_are_those_of_the_kernels() -> None:
    """Padding, groups, and resizing that a convolution does."""
    contents = [random_graph(seeded(seed)) for seed in range(60)] + list(HAND_MADE.values())
    compared = merged = 0
    for content in contents:
        model = model_file(content, "graph")
        if not compiles(model):
            continue
        stages = compile_network(model).lowered.stages
        for operator in model.graph.operators:
            own = [stage for stage in stages if stage.operator == operator.index]
            if operator.name in ("CONV_2D", "FULLY_CONNECTED") and own:
                expected = padded_products(model.graph, operator)
                found = sum(features(stage).products for stage in own)
                params = own[0].params
                if isinstance(params, UpsampledConvParams):
                    # Each pixel is multiplied once, with all columns of the window.
                    assert found <= expected // params.factor * 1.25
                    merged += 1
                else:
                    assert found == expected
                compared += 1
    assert compared >= 25
    assert merged >= 2


@pytest.mark.parametrize("name", HAND_MADE)
def test_what_the_compiler_leaves_out_costs_nothing(name: str) -> None:
    """A convolution does what repeats every pixel alike, unless its sums would take too much."""
    removed = {"resized": [0], "centers": [0], "between_floats": [0, 2]}.get(name, [])
    layers = estimate(model_file(HAND_MADE[name], name), "cortex-m4").layers
    assert [number for number, cost in enumerate(layers) if cost == 0] == removed


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["corners", "resized", "wide", "wide_corners"])
def test_instructions_of_resizing_on_cortex_m4(name: str, tmp_path: Path) -> None:
    model = model_file(HAND_MADE[name], name)
    network = EmulatedNetwork(model, "mps2-an386", tmp_path)
    _, instructions = network.run(samples_of(model, 5)[-1:])
    estimated = estimate(model, "cortex-m4")
    assert estimated.instructions == pytest.approx(instructions, rel=0.15)


def test_tables_are_about_kernels_that_there_are() -> None:
    """A kernel with a new name would seem not to have been measured."""
    tables = json.loads(
        Path(stage_costs.__file__).with_name("cpu_costs.json").read_text(encoding="utf-8")
    )["cpus"].values()
    measured = {f"asc_{kind.split(' ')[0]}" for table in tables for kind in table["instructions"]}
    assert measured <= set(KERNELS)
