"""Search for recipes under the budgets of a chip; needs TensorFlow and Optuna."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asc_tiny.api.generation import generate
from asc_tiny.api.running import bench, build, load_project
from asc_tiny.audio.dataset import Dataset
from asc_tiny.boards import catalog
from asc_tiny.costs.instructions import cpu_table
from asc_tiny.nets import require_tensorflow
from asc_tiny.util import locks, scratch_folders

if TYPE_CHECKING:
    from asc_tiny.search.driver import Trained

_CYCLES_BOARD = "mps2-an386"


def search(
    space: Path | str,
    dataset: Dataset,
    out: Path | str,
    *,
    trials: int = 30,
    seeds: int = 1,
    jobs: int = 1,
    seed: int = 1,
    max_params: int | None = 128_000,
    max_macs: int | None = 30_000_000,
    max_ram: int | None = None,
    max_instructions: int | None = None,
    max_cycles: int | None = None,
    board: str | None = None,
    cpu: str = "cortex-m4",
    ray: str | None = None,
    resample: bool = False,
    resume: bool = False,
) -> list[Trained]:
    """Search for the recipes that are most accurate within limits.

    Candidates that are over a limit are told by the compiler and never trained. The others are
    trained in rungs, and only the better ones further (successive halving).

    Parameters
    ----------
    space
        TOML file that says what varies; docs/how_to/search.md has its keys.
    dataset
        The clips, as ``load_dataset`` gives them; the split ``evaluate`` decides.
    out
        Folder of the search: ``candidates.csv``, ``pareto.png``, ``report.html``, Optuna's storage
        ``study.db`` and a run for each candidate.
    trials
        Candidates that are trained, 1 or more.
    seeds
        Trainings of each candidate on the Pareto front whose accuracies are averaged, 1 or more.
    jobs
        Trainings at a time, 1 or more.
    seed
        Seed of the choices.
    max_params, max_macs
        Parameters, and multiply-accumulates of an inference, at most; None for no limit.
    max_ram
        Bytes of the network's arena at most, as the compiler lays it out; None for no limit.
    max_instructions
        Estimated instructions of an inference on ``cpu`` at most; None for no limit.
    max_cycles
        Estimated cycles of an inference on a Cortex-M4 at most, by an emulated core; None for no
        limit.
    board
        Name or file of a board that the whole classifier has to fit; None for none.
    cpu
        Core that instructions are estimated for, such as ``"cortex-m4"``.
    ray
        Address of a Ray cluster whose computers train; None for this computer.
    resample
        Whether clips of another sample rate are converted, as the dataset was loaded.
    resume
        Go on with the search in ``out``.

    Returns
    -------
    list of Trained
        The candidates on the Pareto front of accuracy, cycles or instructions, and arena, the most
        accurate first.

    Raises
    ------
    AscError
        The space or the recipe is not fit, no candidate is within the limits, ``out`` holds another
        search, or TensorFlow, Optuna or Ray is missing.
    """
    require_tensorflow()
    cpu_table(cpu)
    from asc_tiny.search import report, settings, workers
    from asc_tiny.search import space as spaces
    from asc_tiny.search.driver import STORAGE, Search, require_optuna, storage_errors
    from asc_tiny.search.figures import Limits, Measure
    from asc_tiny.train import recipe as recipes

    require_optuna()
    root, path = Path(out), Path(space)
    found = spaces.load(path)
    limits = Limits(
        params=max_params,
        macs=max_macs,
        arena_bytes=max_ram,
        instructions=max_instructions,
        cycles=max_cycles,
        board=catalog.get(board) if board else None,
    )
    started = settings.Settings(
        space_sha256=found.sha256,
        recipe_sha256=recipes.load(found.recipe).sha256,
        dataset_fingerprint=dataset.fingerprint(),
        limits=limits.to_json(),
        cpu=cpu,
        seed=seed,
    )
    with (
        locks.exclusive(root),
        storage_errors(root),
        settings.claimed(root, started, resume=resume, also=[STORAGE]),
    ):
        measure = Measure(len(dataset.labels), cpu, limits, _count_cycles)
        driver = Search(found, dataset, root, measure, seed=seed, resample=resample)
        with workers.ray(ray) if ray else workers.local(jobs) as pool:
            driver.run(pool, trials, jobs)
            driver.train_seeds(pool, seeds)
        best = driver.front()
        report.write(root, driver.trained(), best, f"Search {path.name} on {dataset.root.name}")
    return best


def _count_cycles(model: Path) -> int:
    """Return the cycles of an inference of a network on an emulated Cortex-M4."""
    with scratch_folders.folder() as folder:
        project = load_project(generate(model, folder / "project", board=_CYCLES_BOARD).folder)
        build(project)
        cycles = bench(project, cycles=True).cycles
    assert cycles is not None
    return cycles.inference.waiting_cycles
