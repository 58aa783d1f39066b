"""Decisions about streams: recordings one after the other, in the arithmetic of the chip."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from itertools import groupby, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip
from asc_tiny.decision.config import DecisionConfig
from asc_tiny.decision.rule import decide
from asc_tiny.decision.windows import Windows
from asc_tiny.evaluation import kept_outputs
from asc_tiny.evaluation.bootstrap import Bootstrap, Interval, interval
from asc_tiny.evaluation.kept_outputs import PART
from asc_tiny.evaluation.metrics import true_outputs
from asc_tiny.evaluation.systems import System
from asc_tiny.features import cache, host_library
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model.ensemble import Model
from asc_tiny.tflm.ensemble_interpreter import interpreter
from asc_tiny.util import progress
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256

BoolArray = NDArray[np.bool_]
Int8Array = NDArray[np.int8]
Int16Array = NDArray[np.int16]
Int64Array = NDArray[np.int64]

LABELLINGS = ("raw", "smoothed", "reported")
"""The highest score, the highest average, and what hysteresis and threshold make of it."""


@dataclass(frozen=True)
class Figures:
    """How well one labelling of the windows follows the scenes.

    Attributes:
        accuracy, accuracy_interval: share of the windows with the right label; the interval is of
            95 %, by the bootstrap over recordings. "Unknown" is wrong.
        accuracy_unmixed: the same over the windows that hold one scene only, None without any.
        accuracy_known: the same over the windows whose label is not "unknown", None without any.
        unknown: share of the windows whose label is "unknown".
        changes_per_minute: number of times that the label changes in a minute of the stream.
        found: share of the scene's changes after which the right label comes before the next
            change, None without changes.
        latency_median, latency_mean: seconds from such a change to the end of the first window
            with the right label, None if none is found.
    """

    accuracy: float
    accuracy_interval: Interval
    accuracy_unmixed: float | None
    accuracy_known: float | None
    unknown: float
    changes_per_minute: float
    found: float | None
    latency_median: float | None
    latency_mean: float | None


@dataclass(frozen=True, eq=False)
class StreamEvaluation:
    """A system's decisions about a stream.

    Attributes:
        system: the classifier.
        config: windows, smoothing, hysteresis and threshold.
        seconds: length of the stream.
        recordings: number of recordings in the stream.
        scene_changes: number of recordings that follow one of another scene.
        windows, mixed: number of windows, and of those that hold more than one scene.
        results: figures by labelling, in the order of ``LABELLINGS``.
    """

    system: System
    config: DecisionConfig
    seconds: float
    recordings: int
    scene_changes: int
    windows: int
    mixed: int
    results: dict[str, Figures]

    def to_json(self) -> dict[str, Any]:
        """Return the system's description and its figures as plain values."""
        return {
            **self.system.to_json(),
            "decision": self.config.to_dict(),
            "seconds": self.seconds,
            "recordings": self.recordings,
            "scene_changes": self.scene_changes,
            "windows": self.windows,
            "mixed": self.mixed,
            "results": {
                name: {**asdict(figures), "accuracy_interval": list(figures.accuracy_interval)}
                for name, figures in self.results.items()
            },
        }


def stream_order(clips: Sequence[Clip]) -> list[Clip]:
    """Return clips in the order of a stream.

    The clips of one recording, scene and device follow each other by the numbers in their names.
    Recordings come in turns, one of each scene, so that the scene changes wherever it can.
    """

    def recording(clip: Clip) -> tuple[str, str, str]:
        return clip.scene, clip.identifier, clip.device

    def place(clip: Clip) -> tuple[tuple[str, str, str], list[tuple[int, str]]]:
        numbers = re.findall(r"\d+|\D+", clip.filename)
        return recording(clip), [(int(n) if n.isdigit() else -1, n) for n in numbers]

    recordings = [list(some) for _, some in groupby(sorted(clips, key=place), key=recording)]
    scenes = [list(some) for _, some in groupby(recordings, key=lambda some: some[0].scene)]
    turns = (each for turn in zip_longest(*scenes, fillvalue=[]) for each in turn)
    return [clip for each in turns for clip in each]


def evaluate(
    system: System,
    clips: Sequence[Clip],
    config: DecisionConfig,
    pool: Executor | None = None,
) -> StreamEvaluation:
    """Run a system over the stream of some clips and compare its labels with their scenes.

    Args:
        system: system whose networks are int8.
        clips: clips in any order; their scenes must be among the system's labels.
        config: windows, smoothing, hysteresis and threshold.
        pool: what ``parallel.executor`` has yielded; the result is the same.

    Raises:
        AscError: the system has no int8 network, the stream is shorter than a window, or a clip
            cannot be used.
    """
    if system.other is not None:
        raise AscError(f"{system.path}: maps devices, a stream needs the model of one")
    if not system.members:
        raise AscError(f"{system.path}: float network, a stream needs a .tflite or an ensemble")
    frontend = system.members[0].frontend
    clips = stream_order(clips)
    pcm = np.concatenate([cache.clip_pcm(clip, frontend) for clip in clips])
    windows = Windows(frontend, config)
    if windows.count(len(pcm)) == 0:
        raise AscError(
            f"{system.path}: a window needs {windows.end(0)} samples, the stream has {len(pcm)}"
        )
    scores = _scores(system, windows, pcm, pool)
    smoothed, reported = decide(scores, config, system.output)
    labels = (scores.argmax(axis=1), smoothed.argmax(axis=1), reported)
    truth = Truth(clips, true_outputs(clips, system.labels), windows, len(scores))
    return StreamEvaluation(
        system=system,
        config=config,
        seconds=len(pcm) / frontend.sample_rate,
        recordings=truth.recordings,
        scene_changes=len(truth.changes),
        windows=len(scores),
        mixed=int(truth.mixed.sum()),
        results={
            name: truth.figures(each, unknown=len(system.labels))
            for name, each in zip(LABELLINGS, labels, strict=True)
        },
    )


def _scores(system: System, windows: Windows, pcm: Int16Array, pool: Executor | None) -> Int8Array:
    """Return the int8 scores of all windows, shape (windows, labels)."""
    model = system.ensemble or system.members[0].model_file
    frontends = system.ensemble.frontends if system.ensemble else (windows.frontend,)
    count, hop = windows.count(len(pcm)), windows.config.hop_columns
    if hop is None:
        # Each part's features are computed with its scores.
        sound, clip = pcm, windows.frontend.clip_samples
        pieces = [sound[at : at + PART * clip] for at in range(0, count * clip, PART * clip)]
        pieces[-1] = pieces[-1][: len(pieces[-1]) // clip * clip]
    else:
        columns = np.concatenate(
            [host_library.stream_features(pcm, each) for each in frontends], axis=-1
        )
        last, width = (count - 1) * hop, windows.frontend.columns
        starts = range(0, count * hop, PART * hop)
        pieces = [columns[:, at : min(at + (PART - 1) * hop, last) + width] for at in starts]
    described = "\n".join(
        [f"stream {hop}", *(m.model_file.sha256 for m in system.members)]
        + [host_library.digest(each) for each in frontends]
    )
    keys = [f"{described} {sha256(piece.tobytes())}" for piece in pieces]
    parts = [(model, frontends, windows, piece) for piece in pieces]
    with (
        kept_outputs.until_complete() as kept,
        progress.bar(count, "stream", "window") as bar,
    ):
        return kept.computed(_part_scores, parts, keys, pool, bar)[_SCORES]


_SCORES = "scores"


def _part_scores(
    model: Model,
    frontends: Sequence[FrontEndConfig],
    windows: Windows,
    piece: NDArray[Any],
    advance: Callable[[], object] = lambda: None,
) -> dict[str, Int8Array]:
    """Return the int8 scores of some windows, from their samples or columns."""
    network, rows = interpreter(model), []
    for each in _windows(frontends, windows, piece):
        rows.append(network.run(np.ascontiguousarray(each)))
        advance()
    return {_SCORES: np.stack(rows)}


def _windows(
    frontends: Sequence[FrontEndConfig], windows: Windows, piece: NDArray[Any]
) -> Iterator[Int8Array]:
    """Yield the features of each window, shape (n_mels, columns, channels)."""
    hop, width = windows.config.hop_columns, windows.frontend.columns
    if hop is None:
        for clip in piece.reshape(-1, windows.frontend.clip_samples):
            yield np.concatenate([host_library.features(clip, each) for each in frontends], axis=-1)
        return
    for start in range(0, piece.shape[1] - width + 1, hop):
        yield piece[:, start : start + width]


class Truth:
    """What the windows of a stream hold.

    Args:
        clips: clips of the stream in its order, each as long as a clip of the front end.
        scenes: index of each clip's scene among the labels, shape (clips,).
        windows: where the windows lie.
        count: number of windows.

    Attributes:
        recordings: number of recordings in the stream.
        changes: clips that follow one of another scene.
        mixed: whether a window holds more than one scene, shape (windows,).
    """

    def __init__(
        self, clips: Sequence[Clip], scenes: Int64Array, windows: Windows, count: int
    ) -> None:
        frontend = windows.frontend
        self._clip, self._rate = frontend.clip_samples, frontend.sample_rate
        self._scenes = scenes
        first, start, self._ends = (
            np.array([of(window) for window in range(count)])
            for of in (windows.first, windows.start, windows.end)
        )
        center = (start + self._ends) // 2 // self._clip
        self._truth = scenes[center]
        self._bootstrap = Bootstrap([clips[index].identifier for index in center])
        self.recordings = len({(c.scene, c.identifier, c.device) for c in clips})
        changed = np.concatenate([[0], np.cumsum(np.diff(scenes) != 0)])
        self.mixed: BoolArray = (
            changed[first // self._clip] != changed[(self._ends - 1) // self._clip]
        )
        self.changes: Int64Array = 1 + np.flatnonzero(np.diff(scenes))

    def figures(self, labels: Int64Array, *, unknown: int) -> Figures:
        """Compare a label per window, shape (windows,), with the scenes.

        The right label of a window is the scene at its centre. ``unknown`` is the label that
        stands for none.
        """
        hits = labels == self._truth
        known = labels != unknown
        latencies = self._latencies(labels)
        minutes = len(self._scenes) * self._clip / self._rate / 60
        every = np.ones(len(hits), np.bool_)
        return Figures(
            accuracy=float(hits.mean()),
            accuracy_interval=interval(self._bootstrap.means(hits.astype(np.float64), every)),
            accuracy_unmixed=_mean(hits[~self.mixed]),
            accuracy_known=_mean(hits[known]),
            unknown=float(1.0 - known.mean()),
            changes_per_minute=float(np.count_nonzero(np.diff(labels)) / minutes),
            found=len(latencies) / len(self.changes) if len(self.changes) else None,
            latency_median=float(np.median(latencies)) if latencies else None,
            latency_mean=_mean(np.array(latencies)),
        )

    def _latencies(self, labels: Int64Array) -> list[float]:
        """Return the seconds from each change of scene to the right label, where it comes."""
        seconds = []
        until = [*self.changes[1:], len(self._scenes)]
        for first, end in zip(self.changes, until, strict=True):
            start = first * self._clip
            heard = (self._ends > start) & (self._ends <= end * self._clip)
            right = self._ends[heard & (labels == self._scenes[first])]
            if len(right):
                seconds.append(float(right[0] - start) / self._rate)
        return seconds


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None
