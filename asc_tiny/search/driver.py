"""The search: candidates within the limits are trained in rungs, and the better ones further.

Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) chooses the values.
Asynchronous successive halving (Li et al., MLSys 2020) decides after each rung whether a candidate
is trained further. What is over a limit is told to Optuna as the worst there is, untrained.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from asc_tiny.audio.dataset import Dataset
from asc_tiny.search.candidates import candidate
from asc_tiny.search.figures import Figures, Measure
from asc_tiny.search.pareto import front
from asc_tiny.search.space import Choice, Parameter, Range, Space
from asc_tiny.search.workers import Training, Workers
from asc_tiny.train import recipe as recipes
from asc_tiny.train.recipe import Recipe
from asc_tiny.util import progress
from asc_tiny.util.errors import AscError

STORAGE = "study.db"
"""Optuna's storage in the folder of a search."""

MOST_REJECTED = 300
"""Candidates in a row that may be over a limit or known before the search gives up."""

_STARTUP_TRIALS = 10


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A candidate that was trained.

    Attributes:
        number: number of the candidate, from 0 on.
        values: value of each key of the space.
        figures: what it costs.
        rungs: accuracy on the split ``evaluate`` after each rung, 0 to 1.
        is_whole: whether it was trained to the end.
        seeds: accuracy of each seed at the end, the recipe's seed first; empty if it was not
            trained to the end.
    """

    number: int
    values: Mapping[str, Any]
    figures: Figures
    rungs: Sequence[float]
    is_whole: bool
    seeds: Sequence[float] = ()


@dataclass
class _Running:
    """A candidate in training."""

    trial: Any
    recipe: Recipe
    figures: Figures
    rungs: list[float] = field(default_factory=list)


class Search:
    """A search and its folder.

    Args:
        space: what varies.
        dataset: the clips; candidates are compared on the split ``evaluate`` of its fold.
        root: folder of the search; Optuna's storage ``study.db`` and the runs are in it.
        measure: measures candidates and knows the limits.
        seed: seed of the choices.
        resample: whether clips of another sample rate are converted.
    """

    def __init__(
        self,
        space: Space,
        dataset: Dataset,
        root: Path,
        measure: Measure,
        *,
        seed: int = 1,
        resample: bool = False,
    ) -> None:
        self._space = space
        self._dataset = dataset
        self._root = root
        self._measure = measure
        self._seed = seed
        self._resample = resample
        self._base = recipes.load(space.recipe)
        self.rungs = _rungs(space, self._base)
        self._study = _open(root / STORAGE, seed, space.halving.keep_one_in)
        self.rejected = 0

    def run(self, workers: Workers, trials: int, jobs: int) -> None:
        """Train candidates until ``trials`` of them have ended, earlier ones counted.

        Args:
            workers: what trains them.
            trials: number of candidates, 1 or more.
            jobs: trainings at a time, 1 or more.

        Raises:
            AscError: no candidate is within the limits, or none that is new is found any more.
        """
        running: dict[Future[float], _Running] = {}
        waiting = self._interrupted()
        done = len(self._ended())
        with progress.bar(trials, "search", "candidate", done=done, stays=True) as bar:
            while True:
                while len(running) < jobs and done + len(running) < trials:
                    each = waiting.pop(0) if waiting else self._next()
                    running[self._submit(workers, each)] = each
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(finished, key=lambda f: running[f].trial.number):
                    each = running.pop(future)
                    if self._goes_on(each, future):
                        running[self._submit(workers, each)] = each
                    else:
                        done += 1
                        bar.update()

    def train_seeds(self, workers: Workers, count: int) -> None:
        """Train the candidates on the Pareto front with further seeds.

        Args:
            workers: what trains them.
            count: number of seeds of each, the recipe's own and those that follow it.

        Raises:
            AscError: a training fails.
        """
        while wanted := self._missing_seeds(count):
            futures = [(number, workers.submit(training)) for number, training in wanted]
            for number, future in progress.over(futures, "seeds", "run"):
                # Optuna takes no notes on a trial that has ended.
                name = _further_seeds(number)
                known = self._study.user_attrs.get(name, [])
                self._study.set_user_attr(name, [*known, future.result()])

    def _missing_seeds(self, count: int) -> list[tuple[int, Training]]:
        """Return the trainings that the front lacks; their accuracies may change what is on it."""
        wanted = []
        for each in self.front():
            for index in range(len(each.seeds), count):
                seed = self._base.seed + index
                recipe = recipes.with_seed(self._candidate(each.values), seed)
                out = self._root / "seeds" / f"{each.number:04d}-{seed}"
                wanted.append((each.number, self._training(recipe, out, self.rungs[-1])))
        return wanted

    def trained(self) -> list[Trained]:
        """Return the candidates that were trained, whether to the end or not."""
        notes = self._study.user_attrs
        return [
            _trained(trial, len(self.rungs), notes.get(_further_seeds(trial.number), ()))
            for trial in self._ended()
        ]

    def front(self) -> list[Trained]:
        """Return the candidates that no other one beats, by falling accuracy.

        They are compared by mean accuracy, instructions and arena.
        """
        whole = [each for each in self.trained() if each.is_whole]
        if not whole:
            return []
        accuracies = [sum(each.seeds) / len(each.seeds) for each in whole]
        costs = [
            [each.figures.cycles or each.figures.instructions or 0 for each in whole],
            [each.figures.arena_bytes or 0 for each in whole],
        ]
        return [whole[index] for index in front(accuracies, costs)]

    def _next(self) -> _Running:
        """Return a candidate within the limits that is new."""
        reasons: list[str] = []
        known = {_key(trial.params) for trial in self._study.trials}
        for _ in range(MOST_REJECTED):
            trial = self._ask()
            values = {key: _value(trial, key, p) for key, p in self._space.parameters.items()}
            key = _key(trial.params)
            if key in known:
                reasons.append("was tried before")
                self._reject(trial, reasons[-1])
                continue
            known.add(key)
            try:
                recipe = self._candidate(values)
                figures, over = self._figures(recipe)
            except AscError as error:
                # Not all combinations make a recipe, or a network that can be built.
                over = str(error)
            if over:
                reasons.append(over)
                self._reject(trial, over)
                continue
            trial.set_user_attr("values", values)
            trial.set_user_attr("figures", asdict(figures))
            return _Running(trial, recipe, figures)
        raise AscError(
            f"search: {MOST_REJECTED} candidates in a row are known, over a limit or no recipe, "
            f"the last one: {reasons[-1]}; widen the space or the limits"
        )

    def _candidate(self, values: Mapping[str, Any]) -> Recipe:
        return candidate(self._base, values, len(self._dataset.labels))

    def _figures(self, recipe: Recipe) -> tuple[Figures, str | None]:
        figures, over = self._measure.of(recipe)
        rungs = recipe.schedule.epochs
        if not over and rungs < self.rungs[-1]:
            over = f"its schedule has {rungs} epochs, halving.epochs {self.rungs[-1]}"
        return figures, over

    def _ask(self) -> Any:
        # The sampler's state does not survive a kill: it is a function of what is known.
        self._study.sampler = _sampler(self._seed + len(self._study.trials))
        return self._study.ask()

    def _reject(self, trial: Any, reason: str) -> None:
        from optuna.trial import TrialState

        self.rejected += 1
        trial.set_user_attr("rejected", reason)
        self._study.tell(trial, state=TrialState.PRUNED)

    def _submit(self, workers: Workers, each: _Running) -> Future[float]:
        out = self._root / "trials" / f"{each.trial.number:04d}"
        return workers.submit(self._training(each.recipe, out, self.rungs[len(each.rungs)]))

    def _training(self, recipe: Recipe, out: Path, epochs: int) -> Training:
        return Training(
            recipe=recipe.source.decode("utf-8"),
            recipe_folder=str(recipe.folder.resolve()),
            data=str(self._dataset.root.resolve()),
            fold=self._dataset.fold,
            resample=self._resample,
            out=str(out.resolve()),
            epochs=epochs,
        )

    def _goes_on(self, each: _Running, future: Future[float]) -> bool:
        """Note what a rung gave; return whether the candidate is trained further."""
        from optuna.trial import TrialState

        try:
            accuracy = future.result()
        except BrokenProcessPool as error:
            raise AscError(
                "search: a process training was killed, is there enough memory?"
            ) from error
        except AscError as error:
            each.trial.set_user_attr("failed", str(error))
            self._study.tell(each.trial, state=TrialState.FAIL)
            return False
        # Optuna's rungs are powers of the factor.
        step = self._space.halving.keep_one_in ** len(each.rungs)
        each.rungs.append(accuracy)
        each.trial.report(accuracy, step)
        each.trial.set_user_attr("rungs", each.rungs)
        return not self._has_ended(each)

    def _has_ended(self, each: _Running) -> bool:
        """Tell Optuna if a candidate is trained to the end, or is not among the better ones."""
        from optuna.trial import TrialState

        if len(each.rungs) == len(self.rungs):
            self._study.tell(each.trial, each.rungs[-1])
            return True
        if each.rungs and each.trial.should_prune():
            self._study.tell(each.trial, state=TrialState.PRUNED)
            return True
        return False

    def _interrupted(self) -> list[_Running]:
        """Return the candidates whose training a kill has cut off."""
        from optuna.trial import Trial, TrialState

        found = []
        for frozen in self._study.get_trials(states=[TrialState.RUNNING]):
            trial = Trial(self._study, frozen._trial_id)
            values = frozen.user_attrs.get("values")
            if values is None:
                self._study.tell(trial, state=TrialState.FAIL)
                continue
            figures = Figures(**frozen.user_attrs["figures"])
            rungs = list(frozen.user_attrs.get("rungs", ()))
            each = _Running(trial, self._candidate(values), figures, rungs)
            if not self._has_ended(each):
                found.append(each)
        return found

    def _ended(self) -> list[Any]:
        """Return Optuna's records of the candidates whose training has ended, failed ones too."""
        return [
            trial
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state.is_finished() and "values" in trial.user_attrs
        ]


@contextmanager
def storage_errors(root: Path) -> Iterator[None]:
    """Turn an error of Optuna's storage in the block into one that names its file.

    Raises:
        AscError: the storage cannot be read or written.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = error.__cause__ or error
        first = (str(cause).splitlines() or [type(cause).__name__])[0]
        raise AscError(f"{root / STORAGE}: {first}") from error


def _rungs(space: Space, base: Recipe) -> tuple[int, ...]:
    if space.halving.epochs:
        return space.halving.epochs
    cycles = base.schedule.cycles
    return tuple(sum(cycles[: end + 1]) for end in range(len(cycles)))


def require_optuna() -> None:
    """Check that Optuna is installed.

    Raises:
        AscError: it is not.
    """
    if importlib.util.find_spec("optuna") is None:
        raise AscError("optuna is not installed: pip install 'asc-tiny[search]'")


def _open(path: Path, seed: int, keep_one_in: int) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        study_name="search",
        storage=f"sqlite:///{path.resolve()}",
        direction="maximize",
        load_if_exists=True,
        sampler=_sampler(seed),
        pruner=optuna.pruners.SuccessiveHalvingPruner(1, keep_one_in),
    )


def _sampler(seed: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTUP_TRIALS)


def _value(trial: Any, key: str, parameter: Parameter) -> Any:
    if isinstance(parameter, Choice):
        chosen = trial.suggest_categorical(key, parameter.texts)
        return parameter.values[parameter.texts.index(chosen)]
    assert isinstance(parameter, Range)
    if parameter.is_whole:
        step = int(parameter.step or 1)
        low, high = int(parameter.low), int(parameter.high)
        return trial.suggest_int(key, low, high, step=step, log=parameter.log)
    found = trial.suggest_float(
        key, parameter.low, parameter.high, step=parameter.step, log=parameter.log
    )
    # Steps add up to numbers such as 0.6000000000000001.
    return float(f"{found:.10g}")


def _key(params: Mapping[str, Any]) -> str:
    return repr(sorted(params.items()))


def _further_seeds(number: int) -> str:
    return f"accuracies of the seeds that follow in candidate {number}"


def _trained(trial: Any, rungs: int, further_seeds: Sequence[float]) -> Trained:
    attributes = trial.user_attrs
    accuracies = tuple(attributes.get("rungs", ()))
    is_whole = len(accuracies) == rungs
    return Trained(
        number=trial.number,
        values=attributes["values"],
        figures=Figures(**attributes["figures"]),
        rungs=accuracies,
        is_whole=is_whole,
        seeds=(accuracies[-1], *further_seeds) if is_whole else (),
    )
