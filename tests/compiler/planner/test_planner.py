"""The planner: its dump, its choice under limits, and plans that differ in nothing but cost."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.cli.main import main
from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.lower.lower_graph import lower_graph
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.pipeline import compile_graph
from asc_tiny.compiler.planner import arena_allocator, planner
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.schedule_loops import loops
from asc_tiny.compiler.report.dump import dump
from asc_tiny.compiler.report.plan import report
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.library import render_library
from asc_tiny.firmware.network.compiled import compile_network, generate
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.projects import cmake, generator
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.image.bench import measure
from asc_tiny.targets.image.stages import measure_stages
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflm.arena import arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.util.errors import AscError
from support.hand_made import GraphBuilder, small_network
from support.kept_plans import kept_plans
from support.paths import FILES, MODELS

MOBILENET = MODELS / "mobilenet_esc10.tflite"
WITHOUT_LIMIT = 1 << 30
PLANS = {
    "default": Options(),
    "layers": Options(schedule="layers"),
    "cheapest": Options(max_ram=WITHOUT_LIMIT),
    "cheapest layers": Options(schedule="layers", max_ram=WITHOUT_LIMIT),
    "size": Options(optimize="size"),
}


@functools.cache
def released() -> ModelFile:
    """Return a released model, the same each time, so that the compiler knows its plan."""
    return load(MOBILENET)


def test_dump_of_a_small_network() -> None:
    """Exact; after a change that is meant, read the new text before writing it to the file."""
    compiled = compile_graph(small_network(), Options())
    text = "".join(f"== {name}\n\n{part}" for name, part in dump(compiled).items())
    assert text == (FILES / "hand_made_dump.txt").read_text(encoding="utf-8")


def test_report_names_choice_and_peak() -> None:
    text = report(compile_graph(small_network(), Options()))
    assert "1 stages make several rows a run" in text
    assert "order by rows up to whole outputs of stages 0, arena 320 bytes" in text
    assert "set by 0 CONV_2D row 7" in text


@pytest.mark.parametrize("order", [(), (3,), (1, 2) * 40 + (3,), tuple(range(9)) * 7 + (4, 4, 4)])
def test_loops_give_the_order(order: tuple[int, ...]) -> None:
    found = loops(order)
    assert tuple(s for loop in found for _ in range(loop.times) for s in loop.stages) == order


def test_loops_of_a_released_network_are_short() -> None:
    order = compile_network(released()).schedule.order
    assert sum(len(loop.stages) for loop in loops(order)) < 150 < len(order)


def test_more_memory_is_never_more_expensive() -> None:
    """Every plan is within its limit, and costs no more than the plans of tighter limits."""
    model = released()
    least = compile_network(model)
    cost = least.cost
    for limit in (least.arena.size, 36_000, WITHOUT_LIMIT):
        compiled = compile_network(model, Options(max_ram=limit))
        assert compiled.arena.size <= limit
        assert compiled.cost <= cost
        cost = compiled.cost
    assert cost < least.cost


def smallest(model: ModelFile) -> Options:
    """Return options with the limit that the error for too tight a limit names."""
    with pytest.raises(AscError, match=r"needs an arena of [\d,]+ bytes") as error:
        compile_network(model, Options(max_ram=16))
    assert "\n" not in str(error.value)
    found = re.search(r"arena of ([\d,]+) bytes", str(error.value))
    assert found
    return Options(max_ram=int(found[1].replace(",", "")))


def test_less_memory_costs_instructions() -> None:
    """Below the default, convolutions make their rows in parts, down to what the error names."""
    model = released()
    least, options = compile_network(model), smallest(model)
    compiled = compile_network(model, options)
    assert compiled.arena.size == options.max_ram
    assert compiled.arena.size <= least.arena.size - 500
    assert compiled.cost > least.cost
    assert sum(stage.macs for stage in compiled.lowered.stages) == sum(
        stage.macs for stage in least.lowered.stages
    )


@pytest.mark.parametrize(
    "options", [Options(), Options(schedule="time")], ids=["rows", "streaming"]
)
def test_planning_again_gives_the_same_code(options: Options) -> None:
    with kept_plans():
        first = generate(load(MOBILENET), options=options)
    assert generate(load(MOBILENET), options=options) == first


@pytest.mark.parametrize(
    "schedule", [None, pytest.param("streaming", marks=pytest.mark.exhaustive)]
)
def test_effort_tries_more_orders_and_finds_no_worse_plan(
    schedule: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    placed = arena_allocator._Search.placed

    def counted(*arguments: Any) -> list[int] | None:
        nonlocal tried
        tried += 1
        return placed(*arguments)

    monkeypatch.setattr(arena_allocator._Search, "placed", counted)
    graph = load(MOBILENET).graph
    found, orders = {}, []
    for effort in ("low", "medium", "high"):
        before = tried
        found[effort] = compile_graph(graph, Options(schedule, effort=effort))
        orders.append(tried - before)
    assert orders[0] < orders[1] < orders[2]
    medium, high = found["medium"], found["high"]
    assert high.cost <= medium.cost or high.arena.size < medium.arena.size


def one_convolution(shape: Sequence[int], filters: Sequence[int], rows: int) -> GraphBuilder:
    """Return a graph that begins with a recording, as one row of it or as an image.

    Args:
        shape: of the image, NHWC.
        filters: shape of the filters, OHWI.
        rows: rows that the recording has.
    """
    rng = np.random.default_rng(0)
    made = GraphBuilder(shape if rows > 1 else (1, math.prod(shape)), scale=0.1, zero_point=-128)
    image = made.input
    if rows == 1:
        target = made.constant(np.array(shape, np.int32))
        image = made.add("RESHAPE", (image, target), shape, 0.1, -128)
    values = rng.integers(-127, 128, tuple(filters)).astype(np.int8)
    weights = made.constant(values, [0.01] * filters[0])
    biases = made.constant(np.zeros(filters[0], np.int32), [0.001] * filters[0])
    made.add(
        "CONV_2D",
        (image, weights, biases),
        (1, shape[1], (shape[2] + 1) // 2, filters[0]),
        1.0,
        -128,
        fused_activation_function="RELU",
        padding="SAME",
        stride_h=1,
        stride_w=2,
        dilation_h_factor=1,
        dilation_w_factor=1,
    )
    return made


def test_no_plan_needs_more_than_the_interpreter() -> None:
    """Where a narrower plan is within its arena, and the smallest of whole rows is not."""
    graph = one_convolution((1, 5, 20, 32), (4, 2, 3, 32), rows=5).graph()
    most = arena([graph], Core.DSP).size
    planned = compile_graph(graph, Options())
    whole_rows = planner._plan_whole(graph, lower_graph(graph), Options())
    assert whole_rows.arena.size > most >= planned.arena.size


def test_a_recording_is_used_up_row_by_row() -> None:
    """As an image that is one, whose bytes are free for the output once no window reads them."""
    shape, filters = (1, 49, 40, 1), (8, 10, 8, 1)
    image = compile_graph(one_convolution(shape, filters, rows=49).graph(), Options())
    recording = compile_graph(one_convolution(shape, filters, rows=1).graph(), Options())
    assert recording.arena.size == image.arena.size < 1960 + 49 * 20 * 8


def test_high_effort_finds_what_medium_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that only the longer search meets is no error."""
    finished = planner._finished

    def refusing(graph: Graph, initial: LoweredGraph, options: Options) -> Compiled:
        if options.effort == "medium":
            raise AscError("needs more")
        return finished(graph, initial, options)

    monkeypatch.setattr(planner, "_finished", refusing)
    compiled = compile_graph(small_network(), Options(max_ram=400, effort="high"))
    assert compiled.arena.size <= 400
    with pytest.raises(AscError, match="needs more"):
        compile_graph(small_network(), Options(max_ram=400))


def test_a_manifest_keeps_the_effort() -> None:
    kept = Options(effort="low").to_dict()
    assert kept["effort"] == "low" and Options.from_dict(kept) == Options(effort="low")
    assert "effort" not in Options().to_dict()


def test_layer_by_layer_holds_whole_maps() -> None:
    compiled = compile_network(released(), Options(schedule="layers"))
    rolling_buffers = compiled.schedule.rolling_buffers
    assert all(each.slots == buffer.rows for buffer, each in rolling_buffers.items())
    numbers = list(dict.fromkeys(compiled.schedule.order))
    assert list(compiled.schedule.order) == sorted(compiled.schedule.order)
    assert numbers == list(range(len(compiled.lowered.stages)))


@pytest.mark.parametrize(
    "seed",
    [
        *range(200, 203),
        *(pytest.param(n, marks=pytest.mark.slow) for n in range(203, 206)),
        *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(206, 215)),
    ],
)
def test_every_plan_gives_the_same_outputs(seed: int, tmp_path: Path) -> None:
    """Random networks in every order, one and several rows a run, as TensorFlow Lite Micro."""
    import numpy as np

    from support.keras_networks import random_network
    from support.network_models import CNetwork, converted
    from support.references import expected, model_file, samples_of

    model = model_file(converted(random_network, seed), tmp_path)
    samples = samples_of(model, 16)
    wanted = expected(model, samples)
    plans = {**PLANS, "smallest": smallest(model)} if seed % 4 == 3 else PLANS
    for name, options in plans.items():
        network = CNetwork(model, tmp_path / name, options)
        assert np.array_equal(np.stack([network.run(sample) for sample in samples]), wanted), name


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("plan", ["layers", "cheapest", "size", "smallest"])
def test_plans_on_cortex_m4(plan: str, tmp_path: Path) -> None:
    import numpy as np

    from support.emulated import EmulatedNetwork
    from support.references import expected, samples_of

    model = load(MOBILENET)
    samples = samples_of(model, 6)
    options = PLANS.get(plan) or smallest(model)
    outputs, _ = EmulatedNetwork(model, "mps2-an386", tmp_path, options=options).run(samples)
    assert np.array_equal(outputs, expected(model, samples))


def asc_tiny(*arguments: object) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


def test_generate_prints_plan_and_dump(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "firmware"
    with kept_plans():
        assert asc_tiny("generate", MOBILENET, "--out", out, "--plan", "--dump=-") == 0
    text = capsys.readouterr().out
    compiled = compile_network(load(MOBILENET))
    assert f"arena {compiled.arena.size:,} bytes" in text
    for number, (name, part) in enumerate(dump(compiled).items()):
        assert f"== {number}_{name}\n\n{part}" in text
    header = (out / "asc" / "asc_net.h").read_text()
    assert f"#define ASC_NET_ARENA_SIZE {compiled.arena.size}\n" in header


def test_generate_writes_plan_and_dump(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("plan.txt", "plan.png", "plan.svg"):
        arguments = ("--plan", tmp_path / name, "--dump", tmp_path / "dump")
        with kept_plans():
            assert asc_tiny("generate", MOBILENET, "--out", tmp_path / "p", *arguments) == 0
        assert (tmp_path / name).stat().st_size > 1000
    names = ["graph", "checked", "stages", "schedule", "memory"]
    files = sorted(path.name for path in (tmp_path / "dump").iterdir())
    assert files == [f"{number}_{name}.txt" for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--max-ram", "10K"), "needs an arena of"),
        (("--max-ram", "much"), "--max-ram much: must be a whole number"),
        (("--plan", "plan.gif"), "allowed endings are .txt, .png and .svg"),
        (("--dump", "dump.json"), "must be a .txt file or a folder"),
        (("--runtime", "tflm", "--optimize", "size"), "--optimize: is for --runtime aot"),
        (("--runtime", "tflm", "--effort", "low"), "--effort: is for --runtime aot"),
    ],
)
def test_bad_options_are_one_line(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert asc_tiny("generate", MOBILENET, "--out", tmp_path / "p", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "p").exists()


def test_size_takes_less_flash_for_dense_layers() -> None:
    """A channel takes 8 bytes instead of 12, weights have no zeros that fill up."""
    model = load(MODELS / "mini_segnet_esc10.tflite")
    sizes = {}
    for optimize in ("speed", "size"):
        arrays = {
            array.name: array.values.nbytes
            for stage in compile_network(model, Options(optimize=optimize)).lowered.stages
            for array in stage.arrays
        }
        sizes[optimize] = sum(arrays.values())
    # 80 of 1,280 channels of the first are constant, and gone.
    assert sizes["speed"] - sizes["size"] == 1200 * (4 + 2) + 10 * 4


@pytest.mark.exhaustive
@pytest.mark.qemu
def test_instructions_of_stages_do_not_depend_on_the_order(tmp_path: Path) -> None:
    """Counted at the borders of stages: each costs the same by rows and layer by layer.

    With so much memory all plans have the same stages.
    """
    counted = []
    for order in ("rows", "layers"):
        complete = classifier(load(MODELS / "mini_segnet_esc10.tflite"), runtime="aot")
        complete = replace(complete, options=Options(schedule=order, max_ram=200_000))
        board = catalog.get("mps2-an386")
        generator.write(
            cmake.CMakeGenerator(),
            generator.GenerationRequest(library=render_library(complete), board=board),
            tmp_path / order,
        )
        project = projects.load(tmp_path / order)
        projects.build(project)
        total = measure(project).instructions_per_inference
        stages = measure_stages(project, total)
        assert abs(sum(stage.instructions for stage in stages) - total) < 100
        counted.append(stages)
    for one, other in zip(*counted, strict=True):
        assert one.layer == other.layer
        assert abs(one.instructions - other.instructions) <= 0.02 * one.instructions + 80
