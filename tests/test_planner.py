"""The planner: its dump, its choice under limits, and plans that differ in nothing but cost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hand_made import small_network

from asc_tiny.codegen.compiler.choose import Options, choose
from asc_tiny.codegen.compiler.loops import loops
from asc_tiny.codegen.dump import dump
from asc_tiny.codegen.network import compile_network
from asc_tiny.codegen.plan_report import report
from asc_tiny.complexity.artefact import Artefact, load
from asc_tiny.errors import AscError

MODELS = Path(__file__).parents[1] / "models"
MOBILENET = MODELS / "mobilenet_esc10.tflite"
WITHOUT_LIMIT = 1 << 30
PLANS = {
    "default": Options(),
    "layers": Options(order="layers"),
    "cheapest": Options(max_ram=WITHOUT_LIMIT),
    "cheapest layers": Options(order="layers", max_ram=WITHOUT_LIMIT),
    "size": Options(optimize="size"),
}


def test_dump_of_a_small_network() -> None:
    """Exact; after a change that is meant, read the new text before writing it to the file."""
    compiled = choose(small_network(), Options())
    text = "".join(f"== {name}\n\n{part}" for name, part in dump(compiled).items())
    assert text == (Path(__file__).parent / "hand_made_dump.txt").read_text(encoding="utf-8")


def test_report_names_choice_and_peak() -> None:
    text = report(choose(small_network(), Options()))
    assert "1 stages make several rows a run" in text
    assert "order by rows up to whole outputs of stages 0, arena 320 bytes" in text
    assert "set by 0 CONV_2D row 7" in text


@pytest.mark.parametrize("order", [(), (3,), (1, 2) * 40 + (3,), tuple(range(9)) * 7 + (4, 4, 4)])
def test_loops_give_the_order(order: tuple[int, ...]) -> None:
    found = loops(order)
    assert tuple(s for loop in found for _ in range(loop.times) for s in loop.stages) == order


def test_loops_of_a_released_network_are_short() -> None:
    order = compile_network(load(MOBILENET)).schedule.order
    assert sum(len(loop.stages) for loop in loops(order)) < 150 < len(order)


def test_more_memory_is_never_more_expensive() -> None:
    """Every plan is within its limit, and costs no more than the plans of tighter limits."""
    model = load(MOBILENET)
    least = compile_network(model)
    cost = least.cost
    for limit in (least.plan.size, 36_000, WITHOUT_LIMIT):
        compiled = compile_network(model, Options(max_ram=limit))
        assert compiled.plan.size <= limit
        assert compiled.cost <= cost
        cost = compiled.cost
    assert cost < least.cost


def smallest(model: Artefact) -> Options:
    """Return options with the limit that the error for too tight a limit names."""
    with pytest.raises(AscError, match=r"needs an arena of [\d,]+ bytes") as error:
        compile_network(model, Options(max_ram=16))
    assert "\n" not in str(error.value)
    found = re.search(r"arena of ([\d,]+) bytes", str(error.value))
    assert found
    return Options(max_ram=int(found[1].replace(",", "")))


def test_less_memory_costs_instructions() -> None:
    """Below the default, convolutions make their rows in parts, down to what the error names."""
    model = load(MOBILENET)
    least, options = compile_network(model), smallest(model)
    compiled = compile_network(model, options)
    assert compiled.plan.size == options.max_ram
    assert compiled.plan.size <= least.plan.size - 500
    assert compiled.cost > least.cost
    assert sum(stage.work for stage in compiled.program.stages) == sum(
        stage.work for stage in least.program.stages
    )


def test_layer_by_layer_holds_whole_maps() -> None:
    compiled = compile_network(load(MOBILENET), Options(order="layers"))
    extents = compiled.schedule.extents
    assert all(extent.rows == storage.rows for storage, extent in extents.items())
    numbers = list(dict.fromkeys(compiled.schedule.order))
    assert list(compiled.schedule.order) == sorted(compiled.schedule.order)
    assert numbers == list(range(len(compiled.program.stages)))


@pytest.mark.parametrize(
    "seed", [*range(200, 203), *(pytest.param(n, marks=pytest.mark.slow) for n in range(203, 215))]
)
def test_every_plan_gives_the_same_outputs(seed: int, tmp_path: Path) -> None:
    """Random networks in every order, one and several rows a run, as TensorFlow Lite Micro."""
    import numpy as np
    from network_models import CNetwork, quantised
    from test_compiler import artefact, expected, random_network, samples_of

    model = artefact(quantised(random_network(seed)), tmp_path)
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
    from emulated import EmulatedNetwork
    from test_compiler import expected, samples_of

    model = load(MOBILENET)
    samples = samples_of(model, 6)
    options = PLANS.get(plan) or smallest(model)
    outputs, _ = EmulatedNetwork(model, "mps2-an386", tmp_path, options=options).run(samples)
    assert np.array_equal(outputs, expected(model, samples))
