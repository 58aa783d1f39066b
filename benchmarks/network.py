"""What the released networks cost on every emulated core: docs/reference/performance*.md.

    tools/bench [--models NAME ...] [--cores NAME ...] [--layers] [--write]

Each network is generated, built and measured as by ``asc-tiny generate``, ``build`` and ``bench``.
Code for a Cortex-M0+ runs on the emulated Cortex-M3, which executes all of its instructions. With
``--layers`` the instructions of every stage are printed instead; ``--write`` puts the tables into
the pages.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from page_tables import ROOT, put, table

from asc_tiny.api import bench
from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import Options
from asc_tiny.complexity.report import measure as measure_complexity
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.library import render_library
from asc_tiny.model.ensemble import Ensemble, Model, load_model
from asc_tiny.projects import cmake, generator
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.image.bench import Costs, measure
from asc_tiny.targets.image.stages import measure_stages

RELEASED = (
    "mobilenet_esc10.tflite",
    "mini_segnet_esc10.tflite",
    "mobilenet_double_esc10.tflite",
    "ensemble1_esc10.toml",
    "ensemble2_esc10.toml",
)
_M0PLUS = replace(
    catalog.get("mps2-an385"), core="Cortex-M0+", core_flags=("-mcpu=cortex-m0plus", "-mthumb")
)
CORES: dict[str, Board] = {
    "Cortex-M0+": _M0PLUS,
    "Cortex-M3": catalog.get("mps2-an385"),
    "Cortex-M4": catalog.get("mps2-an386"),
    "Cortex-M7": catalog.get("mps2-an500"),
    "Cortex-M33": catalog.get("mps2-an505"),
    "Cortex-M55": catalog.get("mps3-an547"),
    "RV32IMC": catalog.get("virt-rv32"),
}
PLANS = {
    "default": Options(),
    "--optimize size": Options(optimize="size"),
    "--max-ram 29000": Options(max_ram=29_000),
    "--max-ram 36K": Options(max_ram=36 * 1024),
    "--schedule rows": Options(schedule="rows"),
    "--schedule layers": Options(schedule="layers"),
}
PLANNED = RELEASED[:2]
STREAMING = {"whole": Options(), "streaming": Options(schedule="streaming")}


@dataclass(frozen=True)
class Row:
    """A model on a core, or with options of the planner."""

    model: str
    label: str
    macs: int
    costs: Costs

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows."""
        costs = self.costs
        stack = costs.network_stack_bound_bytes or 0
        return (
            Path(self.model).stem,
            self.label,
            f"{costs.arena_bytes:,}",
            f"{costs.arena_bytes + stack:,}",
            f"{costs.network_flash_bytes or 0:,}",
            f"{costs.instructions_per_inference:,}",
            f"{costs.instructions_per_inference / self.macs:.2f}",
        )

    @property
    def streaming_cells(self) -> tuple[str, ...]:
        """What the table of streaming shows."""
        costs = self.costs
        return (
            *self.cells[:2],
            *self.cells[3:6],
            f"{costs.instructions_worst_hop:,}",
            f"{costs.instructions_after_last_sample:,}",
        )


HEAD = ("model", "", "arena", "arena + stack", "flash", "instructions", "per MAC")
STREAMING_HEAD = (
    "model",
    "core, schedule",
    "arena + stack",
    "flash",
    "instructions",
    "costliest hop",
    "after the last sample",
)


def macs(model: Model) -> int:
    """Return the multiply-accumulates of a model or of all members of an ensemble."""
    if isinstance(model, Ensemble):
        return sum(macs(member.model_file) for member in model.members)
    return measure_complexity(model.graph).macs


def built(model: Model, board: Board, options: Options, folder: Path) -> projects.Project:
    """Generate and build a project."""
    complete = replace(classifier(model, runtime="aot"), options=options)
    request = generator.GenerationRequest(library=render_library(complete), board=board)
    generator.write(cmake.CMakeGenerator(), request, folder)
    project = projects.load(folder)
    projects.build(project)
    return project


def measured(name: str, label: str, board: Board, options: Options) -> Row:
    """Measure a released model."""
    model = load_model(ROOT / "models" / name)
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        project = built(model, board, options, Path(folder) / "project")
        return Row(name, label, macs(model), measure(project))


def by_core(models: Sequence[str], cores: Sequence[str]) -> Iterator[Row]:
    """Measure models on cores with the default plan."""
    for name in models:
        for core in cores:
            yield measured(name, core, CORES[core], Options())


def by_plan(models: Sequence[str]) -> Iterator[Row]:
    """Measure models on a Cortex-M4 with other plans."""
    for name in models:
        for label, options in PLANS.items():
            yield measured(name, label, CORES["Cortex-M4"], options)


def by_schedule(models: Sequence[str], cores: Sequence[str]) -> Iterator[Row]:
    """Measure models on whole windows and streaming."""
    for name in models:
        for core in cores:
            for label, options in STREAMING.items():
                yield measured(name, f"{core}, {label}", CORES[core], options)


TFLM = {
    ("mobilenet_esc10", "Cortex-M0+", "reference"): (89_700, 148_154_920),
    ("mobilenet_esc10", "Cortex-M4", "reference"): (89_700, 84_619_440),
    ("mobilenet_esc10", "Cortex-M4", "CMSIS-NN"): (89_748, 24_021_720),
    ("mini_segnet_esc10", "Cortex-M0+", "reference"): (128_884, 310_313_200),
    ("mini_segnet_esc10", "Cortex-M4", "reference"): (128_884, 192_768_680),
    ("mini_segnet_esc10", "Cortex-M4", "CMSIS-NN"): (129_220, 65_841_880),
}
"""Arena in bytes and instructions of TensorFlow Lite Micro's library, which is not built here."""

TFLM_HEAD = ("model", "core", "kernels", "arena", "ratio", "instructions", "ratio")


def beside_tflm(rows: Sequence[Row]) -> str:
    """Return TensorFlow Lite Micro's figures, and those of the rows as ratios to them."""
    costs = {(Path(row.model).stem, row.label): row.costs for row in rows}
    lines = [TFLM_HEAD, ("---", "---", "---", "---:", "---:", "---:", "---:")]
    for (model, core, kernels), (arena, instructions) in TFLM.items():
        if (ours := costs.get((model, core))) is not None:
            memory = f"{ours.arena_bytes / arena:.2f}"
            work = f"{ours.instructions_per_inference / instructions:.2f}"
            lines.append((model, core, kernels, f"{arena:,}", memory, f"{instructions:,}", work))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


LAYER_CORES = ("Cortex-M4",)
CYCLE_CORES = ("Cortex-M3", "Cortex-M4")
CYCLE_HEAD = ("model", "core", "inference", "5 wait states", "costliest hop", "5 wait states")


def by_cycles(models: Sequence[str], cores: Sequence[str]) -> Iterator[Sequence[str]]:
    """Return the estimated cycles of models, without and with wait states of the flash."""
    for name in models:
        for core in cores:
            with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
                model = load_model(ROOT / "models" / name)
                project = built(model, CORES[core], Options(), Path(folder) / "project")
                found = bench(project, cycles=True).cycles
            assert found is not None and found.hop is not None
            parts = (found.inference, found.hop)
            cells = [f"{n:,}" for part in parts for n in (part.cycles, part.waiting_cycles)]
            yield (Path(name).stem, core, *cells)


def _labeled(label: str) -> list[str]:
    return [title or label for title in HEAD]


def layers(models: Sequence[str], cores: Sequence[str]) -> str:
    """Return the instructions of every stage on each core as Markdown tables."""
    parts = []
    for name in models:
        model = load_model(ROOT / "models" / name)
        if isinstance(model, Ensemble):
            continue
        for core in cores:
            with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
                project = built(model, CORES[core], Options(), Path(folder) / "project")
                total = measure(project).instructions_per_inference
                stages = measure_stages(project, total)
            lines = [f"{Path(name).stem} on {core}:", ""]
            lines += ["| layer | MACs | instructions | share | per MAC |"]
            lines += ["| --- | ---: | ---: | ---: | ---: |"]
            for stage in stages:
                each = f"{stage.instructions / stage.macs:.2f}" if stage.macs else ""
                share = f"{stage.instructions / total:.1%}"
                cells = (stage.layer, f"{stage.macs:,}", f"{stage.instructions:,}", share, each)
                lines.append("| " + " | ".join(cells) + " |")
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=RELEASED, default=RELEASED)
    parser.add_argument("--cores", nargs="+", choices=CORES, default=list(CORES))
    parser.add_argument("--layers", action="store_true", help="where the instructions go")
    parser.add_argument("--write", action="store_true", help="into docs/reference/performance*.md")
    arguments = parser.parse_args()
    if arguments.layers:
        found = {"layers": layers(arguments.models, arguments.cores)}
    else:
        planned = [name for name in PLANNED if name in arguments.models]
        rows = list(by_core(arguments.models, arguments.cores))
        found = {
            "cores": table(_labeled("core"), [row.cells for row in rows]),
            "cycles": table(
                CYCLE_HEAD,
                list(by_cycles(planned, [c for c in CYCLE_CORES if c in arguments.cores])),
            ),
            "tflm": beside_tflm(rows),
            "plans": table(_labeled("options"), [row.cells for row in by_plan(planned)]),
            "streaming": table(
                STREAMING_HEAD,
                [row.streaming_cells for row in by_schedule(planned, arguments.cores)],
            ),
            "layers": layers(planned, [core for core in LAYER_CORES if core in arguments.cores]),
        }
    for name, text in found.items():
        print(text, end="\n\n")
        if arguments.write:
            put(name, text)


if __name__ == "__main__":
    main()
