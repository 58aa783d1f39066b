"""Systems, from their files to the metrics of every arithmetic that they can run in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip, Dataset
from asc_tiny.evaluation import kept_outputs
from asc_tiny.evaluation.figures_table import confusion_table, figures_table
from asc_tiny.evaluation.kept_outputs import KeptOutputs
from asc_tiny.evaluation.metrics import FLOAT_FLOOR, Metrics, metrics, true_outputs
from asc_tiny.evaluation.systems import FloatNetwork, System
from asc_tiny.features import cache, host_library
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.frontend.reference import quantize
from asc_tiny.model.ensemble import Member
from asc_tiny.tflm.ensemble_interpreter import interpreter
from asc_tiny.util import progress
from asc_tiny.util.blocks import Table, text
from asc_tiny.util.displayed import Displayed
from asc_tiny.util.errors import AscError

Float64Array = NDArray[np.float64]
Int8Array = NDArray[np.int8]

ARITHMETICS = ("float", "int8", "int8_integer_frontend")
"""Float features and network; those features rounded to int8, int8 network; as on the chip."""


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Displayed):
    """A system's metrics by arithmetic, those of ``ARITHMETICS`` that its files allow.

    Attributes:
        system: the system.
        results: metrics by arithmetic, that nearest to the chip's last.
        clips: clips of the split.
        scores: probabilities in the arithmetic nearest to the chip's, shape (clips, labels).
    """

    system: System
    results: dict[str, Metrics]
    clips: tuple[Clip, ...]
    scores: Float64Array

    def to_json(self) -> dict[str, Any]:
        """Return the system's description and its metrics as plain values."""
        results = {name: result.to_json() for name, result in self.results.items()}
        return {**self.system.to_json(), "results": results}

    @property
    def summary(self) -> str:
        """One line for people."""
        found = ", ".join(f"{name} {r.overall.accuracy:.4f}" for name, r in self.results.items())
        return f"{self.system.path.name}: {len(self.clips)} clips, accuracy {found}"

    def shown_blocks(self) -> Iterator[Table]:
        """Return the figures of every arithmetic, and the confusion nearest to the chip's."""
        # It tells of evaluations, and so knows this class.
        from asc_tiny.evaluation.tables import TITLES, rows

        name = text(self.system.path.name)
        for arithmetic, result in self.results.items():
            caption = f"{name}, {TITLES[arithmetic]}"
            yield figures_table(caption, rows(result), is_folded=result is not self.nearest)
        yield confusion_table(f"{name}: clips by scene", self.system.labels, self.nearest.confusion)

    @property
    def nearest(self) -> Metrics:
        """The metrics in the arithmetic nearest to the chip's."""
        return list(self.results.values())[-1]


def evaluate(
    systems: Sequence[System], dataset: Dataset, split_name: str, pool: Executor | None = None
) -> list[Evaluation]:
    """Evaluate systems on a split; features and networks that they share are run once.

    An int8 output code of 0 above the zero point stands for anything below half a step, so the
    log loss counts it as half a step.

    Args:
        systems: what to evaluate.
        dataset: the clips.
        split_name: ``train``, ``evaluate`` or ``test``.
        pool: what runs int8 networks and their front ends, a part of the clips at a time; None for
            this process. The result is the same.

    Raises:
        AscError: the split is unknown or empty, has a scene that a system does not know, or a
            clip cannot be used.
    """
    for system in systems:
        clips = split(dataset, split_name, system.labels, source=str(system.path))
    parts = [part for system in systems for part in system.parts]
    floats = {network.sha256: network for part in parts for network in part.floats}
    members = {member.model_file.sha256: member for part in parts for member in part.members}
    probabilities = {key: float_scores(network, clips) for key, network in floats.items()}
    with kept_outputs.until_complete() as kept:
        codes = {
            name: int8_codes(members, clips, integer_front_end=integer, pool=pool, kept=kept)
            for name, integer in (("int8", False), ("int8_integer_frontend", True))
            if members
        }

    def scored(system: System) -> Iterator[tuple[str, Float64Array, float]]:
        if system.other is not None:
            found = {part.path: list(scored(part)) for part in system.parts}
            yield from _by_device(system, clips, found)
        if system.floats:
            of_network = [probabilities[n.sha256] for n in system.floats]
            yield "float", system.float_scores(of_network), FLOAT_FLOOR
        if system.members:
            for name, of_member in codes.items():
                scores = [of_member[m.model_file.sha256] for m in system.members]
                yield name, system.int8_scores(scores), system.output.scale / 2

    def evaluated(system: System) -> Evaluation:
        found = list(scored(system))
        results = {
            name: metrics(scores, clips, system.labels, floor=floor)
            for name, scores, floor in found
        }
        return Evaluation(system, results, tuple(clips), found[-1][1])

    return [evaluated(system) for system in systems]


def _by_device(
    system: System,
    clips: Sequence[Clip],
    found: Mapping[Path, Sequence[tuple[str, Float64Array, float]]],
) -> Iterator[tuple[str, Float64Array, float]]:
    """Yield the scores of a map of devices, each clip's from the system of its device.

    Args:
        system: the map.
        clips: what was evaluated.
        found: arithmetic, scores of all clips and floor of the log loss of each system, by path.

    Raises:
        AscError: the systems have no arithmetic in common.
    """
    tables = {
        path: {name: (scores, floor) for name, scores, floor in rows}
        for path, rows in found.items()
    }
    common = [name for name in ARITHMETICS if all(name in table for table in tables.values())]
    if not common:
        raise AscError(f"{system.path}: some models are float networks and some are int8")
    for name in common:
        chosen = [tables[system.of_device(clip.device).path][name] for clip in clips]
        scores = np.stack([each[0][index] for index, each in enumerate(chosen)])
        yield name, scores, max(floor for _, floor in chosen)


def float_scores(network: FloatNetwork, clips: Sequence[Clip]) -> Float64Array:
    """Return a Keras model's probabilities on float features, shape (clips, labels)."""
    from asc_tiny.train.training_data import predict

    return predict(network.model, cache.load(clips, network.config)).astype(np.float64)


def int8_codes(
    members: Mapping[str, Member],
    clips: Sequence[Clip],
    *,
    integer_front_end: bool,
    pool: Executor | None = None,
    kept: KeptOutputs | None = None,
) -> dict[str, Int8Array]:
    """Return the outputs of quantised models from TensorFlow Lite Micro's kernels.

    Args:
        members: the models, by any key; those with the same front end share its features.
        clips: what to evaluate.
        integer_front_end: compute the input with the firmware's integer arithmetic instead of
            rounding the float features.
        pool: runs parts of the clips side by side; None for this process.
        kept: keeps what is done if this run is killed; None for as long as this call takes.

    Returns:
        An array of shape (clips, labels) under the key of each model.

    Raises:
        AscError: TensorFlow Lite Micro does not run a model, or a clip cannot be used.
    """
    if kept is None:
        with kept_outputs.until_complete() as own:
            return int8_codes(
                members, clips, integer_front_end=integer_front_end, pool=pool, kept=own
            )
    # Those of the feature cache's files, each of which a process has for itself.
    some = [clips[at : at + cache.SHARD_CLIPS] for at in range(0, len(clips), cache.SHARD_CLIPS)]
    by_name = {f"{number}": member for number, member in enumerate(members.values())}
    described = [str(integer_front_end)]
    for member in by_name.values():
        front_end = host_library.digest if integer_front_end else FrontEndConfig.digest
        described += [member.model_file.sha256, front_end(member.frontend)]
    keys = [cache.clips_key(each, "\n".join(described)) for each in some]
    parts = [(by_name, each, integer_front_end) for each in some]
    title = "int8, integer features" if integer_front_end else "int8"
    with progress.bar(len(clips), title, "clip") as bar:
        found = kept.computed(_int8_codes, parts, keys, pool, bar)
    return dict(zip(members, (found[name] for name in by_name), strict=True))


def _int8_codes(
    members: Mapping[str, Member],
    clips: Sequence[Clip],
    integer_front_end: bool,
    advance: Callable[[], object] = lambda: None,
) -> dict[str, Int8Array]:
    source = _integer_codes if integer_front_end else _float_codes
    inputs = {m.frontend: source(clips, m.frontend) for m in members.values()}
    interpreters = {key: interpreter(member.model_file) for key, member in members.items()}
    outputs: dict[str, list[Int8Array]] = {key: [] for key in members}
    for index in range(len(clips)):
        features = {frontend: features_of(index) for frontend, features_of in inputs.items()}
        for key, member in members.items():
            outputs[key].append(interpreters[key].run(features[member.frontend]))
        advance()
    return {key: np.stack(rows) for key, rows in outputs.items()}


def split(
    dataset: Dataset, name: str, labels: Sequence[str], *, source: str = "the model"
) -> tuple[Clip, ...]:
    """Return the clips of a split that a model with these labels can be evaluated on.

    ``source`` is the model's name in errors.

    Raises:
        AscError: the split is unknown or empty, or has a scene that the model does not know.
    """
    clips = dataset.split(name)
    if not clips:
        raise AscError(f"{dataset.root}: split {name} has no clips")
    true_outputs(clips, labels, source=source)
    return clips


def _float_codes(clips: Sequence[Clip], config: FrontEndConfig) -> Callable[[int], Int8Array]:
    quantization = config.quantization
    assert quantization is not None
    features = cache.load(clips, config)

    def codes(index: int) -> Int8Array:
        return quantize(features.take(np.array([index]))[0].astype(np.float64), quantization)

    return codes


def _integer_codes(clips: Sequence[Clip], config: FrontEndConfig) -> Callable[[int], Int8Array]:
    return lambda index: host_library.features(cache.clip_pcm(clips[index], config), config)
