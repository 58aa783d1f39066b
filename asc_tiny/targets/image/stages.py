"""Where the instructions of a network go: counted on the emulated core at the borders of stages."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from asc_tiny.compiler.ir import Stage
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import NetworkProject, Project
from asc_tiny.targets.image import application
from asc_tiny.util import scratch_folders
from asc_tiny.util.errors import AscError

PROFILE = "ASC_NET_PROFILE=1"

_PAIR = re.compile(r"^([0-9]+) ([0-9]+)$", re.MULTILINE)


@dataclass(frozen=True)
class StageCosts:
    """A stage of the network: what it does, how often it runs in an inference, and its cost.

    Attributes:
        layer: operator and shapes.
        kernel: the C function.
        runs: number of runs of the stage in an inference.
        macs: multiply-accumulates of all runs.
        instructions: instructions of all runs, those that find their rows included.
    """

    layer: str
    kernel: str
    runs: int
    macs: int
    instructions: int


def measure_stages(project: NetworkProject, instructions: int) -> list[StageCosts]:
    """Count the instructions of every stage in a copy of a project.

    The core's counter is read after every step. What reading costs is known from the total: it is
    shared out over the steps. A stage that runs once is exact to a tick of the counter, 40
    instructions or less; of those that run often the errors cancel out.

    Args:
        project: project for an emulated board.
        instructions: instructions of an inference without counting.

    Raises:
        AscError: the network is not compiled ahead of time, is an ensemble, or the build fails.
    """
    stages, order = executed_stages(project)
    counted = _counted(project)
    runs = Counter(order)
    extra = (sum(counted.values()) - instructions) / runs.total()
    return [
        StageCosts(
            layer=stage.comment,
            kernel=stage.kernel,
            runs=runs[number],
            macs=stage.macs,
            instructions=max(0, round(counted.get(number, 0) - runs[number] * extra)),
        )
        for number, stage in stages.items()
    ]


def executed_stages(project: NetworkProject) -> tuple[dict[int, Stage], list[int]]:
    """Return the stages of a project's network by number, and the numbers in the order of runs.

    Raises:
        AscError: the network is not compiled ahead of time, or is an ensemble.
    """
    if project.runtime != "aot" or isinstance(project.model_file, Ensemble):
        raise AscError(f"{project.folder}: layers are counted of one network of runtime aot")
    compiled = compile_network(project.model_file, project.options)
    # The front end stands in the order where it brings columns; it has no kernel.
    stages = {n: stage for n, stage in enumerate(compiled.lowered.stages) if stage.kernel}
    return stages, [number for number in compiled.schedule.order if number in stages]


@contextmanager
def profiled_copy(
    project: NetworkProject,
) -> Iterator[tuple[NetworkProject, list[str], dict[str, bytes]]]:
    """Yield a built copy of a project that reads the core's counter after every step.

    With it come the image's arguments that run the network once, and the files that it reads.

    Raises:
        AscError: the build fails.
    """
    with scratch_folders.folder() as temporary:
        folder = temporary / "project"
        shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("build"))
        copy = projects.load(folder)
        projects.build(copy, definitions=[PROFILE])
        # That of a classifier asks for a file.
        files = {"in.pcm": b""} if isinstance(copy, Project) else {}
        yield copy, ["stages", *files], files


def _counted(project: NetworkProject) -> dict[int, int]:
    """Return the instructions of each stage, with those of counting."""
    with profiled_copy(project) as (copy, arguments, files):
        text, _ = application.execute(copy, arguments, files, [])
    pairs = _PAIR.findall(text)
    if not pairs:
        raise AscError(
            f"{project.folder}: the image counts no stages; it printed "
            f"{application.last_line(text)}"
        )
    return {int(number): int(count) for number, count in pairs}
