"""What models cost: parameters, multiply-accumulates, bytes; and the gate that limits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.complexity.gate import baseline as baselines
from asc_tiny.complexity.gate.gate import Subject, Verdict, judge
from asc_tiny.complexity.gate.limits import CHALLENGE_MACS, CHALLENGE_PARAMS, Limits
from asc_tiny.complexity.report import ModelComplexity
from asc_tiny.complexity.report import measure as measure_graph
from asc_tiny.tflite.reader import read_graph
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from fractions import Fraction

    from asc_tiny.complexity.gate.settings import ModelLimits

_SUFFIXES = (".keras", ".tflite", ".toml")


def measure(path: Path | str, *, convention: str = "exact") -> list[ModelComplexity]:
    """Measure a model: parameters, multiply-accumulates and bytes, layer by layer.

    Only a ``.keras`` file imports TensorFlow, only an ensemble imports NumPy.

    Parameters
    ----------
    path
        A ``.tflite`` or ``.keras`` file, or the ``.toml`` file of an ensemble.
    convention
        ``"exact"`` counts as docs/reference/counting.md says; ``"nessi"`` as the tool NeSsi
        of the DCASE challenge does, ``.tflite`` files and ensembles alone.

    Returns
    -------
    list of ModelComplexity
        One for a single network, one for each member of an ensemble. ``params`` and ``macs``
        count values and multiplies of one inference, ``weight_bytes`` and
        ``peak_activation_bytes`` are bytes.

    Raises
    ------
    AscError
        Another kind of file, one that cannot be read or counted, or a ``.keras`` file that is to
        be counted as NeSsi does.

    Examples
    --------
    >>> from asc_tiny import api
    >>> [model] = api.measure("models/mobilenet_esc10.tflite")
    >>> model.params, model.macs
    (7210, 3972224)
    """
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise AscError(f"{path}: unknown kind of model, allowed: {', '.join(_SUFFIXES)}")
    if path.suffix == ".keras":
        if convention != "exact":
            raise AscError(f"{path}: --convention {convention} counts .tflite files only")
        from asc_tiny.complexity.keras import measure_keras

        return [measure_keras(path)]
    if path.suffix == ".toml":
        from asc_tiny.model import ensemble

        return [
            measure_graph(member.model_file.graph, convention=convention)
            for member in ensemble.load(path).members
        ]
    return [measure_graph(read_graph(path), convention=convention)]


def check_budget(
    paths: Sequence[Path | str],
    *,
    max_params: int | None = CHALLENGE_PARAMS,
    max_macs: int | None = CHALLENGE_MACS,
    max_ram: int | None = None,
    max_flash: int | None = None,
    model_limits: Sequence[ModelLimits] = (),
    convention: str = "exact",
    baseline: Path | str | None = None,
    max_growth: Fraction | int = 0,
    memory: bool = False,
    cpu: str | None = None,
    chip: str | None = None,
    clock_hz: int | None = None,
) -> Verdict:
    """Measure models and compare them with limits, and with figures on file.

    Parameters
    ----------
    paths
        Files as for ``measure``.
    max_params, max_macs
        Most parameters and multiply-accumulates of an inference that all models together may
        have; None for no limit. The defaults are those of DCASE task 1, low-complexity acoustic
        scene classification.
    max_ram, max_flash
        Most bytes of activations at the peak, and of weights, of all models together; None for
        no limit.
    model_limits
        Limits of single models, as the settings file of ``asc-tiny budget`` has them.
    convention
        How parameters and multiply-accumulates are counted, as for ``measure``.
    baseline
        JSON file with the figures of an earlier state, as ``write_baseline`` writes it.
    max_growth
        Share of 1, at least 0, by which figures may be above those of the baseline.
    memory
        Add the bytes of both runtimes' arenas to the report.
    cpu, chip, clock_hz
        Add estimates for a microcontroller, as ``estimate_costs`` gives them.

    Returns
    -------
    Verdict
        ``passed``, and ``checks`` with every comparison; ``models`` has the figures.

    Raises
    ------
    AscError
        A model or the baseline cannot be used, or a core or chip is not known.

    Examples
    --------
    >>> from asc_tiny import api
    >>> verdict = api.check_budget(["models/mobilenet_esc10.tflite"], max_params=46_000)
    >>> verdict.passed
    True
    >>> [check.rule for check in verdict.checks]
    ['max_params', 'max_macs']
    """
    # Read first: a baseline that cannot be used should not cost a long measurement.
    on_file = None if baseline is None else baselines.read(Path(baseline), convention=convention)
    costs: dict[str, Any] = {"cpu": cpu, "chip": chip, "clock_hz": clock_hz}
    with_costs = memory or cpu is not None or chip is not None

    def subject(path: Path) -> Subject:
        models = measure(path, convention=convention)
        return Subject(str(path), tuple(_with_costs(models, costs) if with_costs else models))

    files = [Path(path) for path in paths]
    verdict = judge(
        [subject(path) for path in files],
        Limits(max_params=max_params, max_macs=max_macs, max_ram=max_ram, max_flash=max_flash),
        convention=convention,
        model_limits=model_limits,
        baseline=on_file,
        growth=max_growth,
    )
    return replace(verdict, ensembles=_shared(files, cpu, chip)) if with_costs else verdict


def _with_costs(models: Sequence[ModelComplexity], costs: dict[str, Any]) -> list[ModelComplexity]:
    from asc_tiny.costs.estimates import estimate_costs

    return [replace(model, costs=estimate_costs(model.path, **costs)) for model in models]


def _shared(paths: Sequence[Path], cpu: str | None, chip: str | None) -> tuple[dict[str, Any], ...]:
    """Return what the members of each ensemble share on a microcontroller."""
    from asc_tiny.costs.estimates import core_of
    from asc_tiny.costs.footprint import ensemble_footprint
    from asc_tiny.model.ensemble import SUFFIX, load

    core, _ = core_of(cpu, chip)
    return tuple(
        {"path": str(path), **ensemble_footprint(load(path), core)}
        for path in paths
        if path.suffix == SUFFIX
    )


def write_baseline(path: Path | str, verdict: Verdict) -> None:
    """Write the figures of a verdict to a file that ``check_budget`` compares later ones with.

    Parameters
    ----------
    path
        JSON file to write.
    verdict
        What ``check_budget`` returned.

    Raises
    ------
    AscError
        The file cannot be written.
    """
    baselines.write(Path(path), verdict.models, convention=verdict.convention)
