"""Trial of one model, rung by rung: budget, both runtimes, and the comparisons.

The reference is TensorFlow Lite Micro's interpreter on this computer.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from asc_tiny import api
from asc_tiny.complexity.report import figures
from asc_tiny.model.model_file import load
from asc_tiny.tflite.reader import read_graph
from asc_tiny.util.errors import AscError
from model_trials import comparison
from model_trials.outcome import Outcome

Rung = Callable[[Path, "Settings", Outcome], Outcome]


@dataclass(frozen=True)
class Settings:
    """What a trial compares.

    Attributes:
        emulated: number of inputs on the emulated core, 0 to leave it out.
    """

    emulated: int = 0


def rungs(settings: Settings) -> dict[str, Rung]:
    """Return what a trial does, in its order."""
    found: dict[str, Rung] = {
        "operators": _operators,
        "budget": _budget,
        "reference": _reference,
        "tflm": _tflm,
        "aot": _aot,
        "comparison": _compared,
    }
    if settings.emulated:
        found["emulated core"] = _emulated
    return found


def trial(path: Path, settings: Settings) -> Iterator[Outcome]:
    """Try a model, and yield what is known before each rung and after the last one.

    Args:
        path: the file.
        settings: what to compare.
    """
    outcome = Outcome()
    for name, rung in rungs(settings).items():
        outcome = replace(outcome, rung=name)
        yield outcome
        outcome = rung(path, settings, outcome)
        if outcome.differs:
            break
    yield outcome


def print_trial(path: Path, settings: Settings) -> None:
    """Print the outcomes of a trial as lines, each as soon as it is known."""
    for outcome in trial(path, settings):
        sys.stdout.write(outcome.to_json() + "\n")
        sys.stdout.flush()


def _operators(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    try:
        graph = read_graph(path)
    except AscError:  # The next rung says why.
        return outcome
    names = Counter(op.name for each in (graph, *graph.others) for op in each.operators)
    return replace(outcome, operators=dict(names))


def _budget(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    try:
        (measured,) = api.measure(path)
    except AscError as error:
        return _refused(outcome, path, error)
    outcome = replace(
        outcome,
        params=measured.params,
        macs=figures(measured)["macs"],
        tflm_head_bytes=measured.head_bytes,
    )
    for reason in measured.unmeasured.values():
        outcome = _refused(outcome, path, AscError(reason))
    return outcome


def _reference(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    try:
        comparison.check_reference(path)
    except AscError as error:
        return _refused(outcome, path, error)
    return outcome


def _tflm(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    if "reference" in outcome.refusals:
        return outcome
    try:
        _generate(path, "tflm")
    except AscError as error:
        return _refused(outcome, path, error)
    return outcome


def _aot(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    try:
        _generate(path, "aot")
        compiled = api.compile_network(load(path))
    except AscError as error:
        return _refused(outcome, path, error)
    return replace(outcome, arena_bytes=compiled.arena_bytes)


def _generate(path: Path, runtime: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        api.generate(path, folder, project="sources", runtime=runtime)


def _compared(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    if outcome.arena_bytes is None or "reference" in outcome.refusals:
        return outcome
    try:
        found = comparison.on_this_computer(path)
    except AscError as error:
        return _refused(outcome, path, error)
    what = f"{len(found.samples)} inputs on this computer"
    return _noted(outcome, what, comparison.in_words(found))


def _emulated(path: Path, settings: Settings, outcome: Outcome) -> Outcome:
    if not outcome.is_equal:
        return outcome
    try:
        differs, instructions = comparison.on_a_core(path, settings.emulated)
    except AscError as error:
        return _refused(outcome, path, error)
    outcome = replace(outcome, instructions=instructions)
    return _noted(outcome, f"{settings.emulated} on a Cortex-M4", differs)


def _noted(outcome: Outcome, what: str, differs: str) -> Outcome:
    if differs:
        return replace(outcome, differs=f"{what}: {differs}")
    return replace(outcome, equal=(*outcome.equal, what))


def _refused(outcome: Outcome, path: Path, error: AscError) -> Outcome:
    """Note a refusal without the path, which stands beside it in the table."""
    text = str(error)
    for name in (f"{path}: ", f"{path.name}: "):
        text = text.replace(name, "")
    return replace(outcome, refusals={**outcome.refusals, outcome.rung: text})
