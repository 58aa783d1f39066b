"""Validation of a dataset: everything wrong with it, and how its classes are balanced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.audio.clips import BeyondFullScaleError, clip_info, read_pcm, resampled_length
from asc_tiny.audio.dataset import META, SPLITS, Clip, Index, read_index, split_file
from asc_tiny.audio.table import Finding
from asc_tiny.util import progress
from asc_tiny.util.errors import AscError

Balance = dict[str, dict[str, dict[str, int]]]
"""Number of clips by split, scene and device; absent combinations have no entry."""


@dataclass(frozen=True)
class Report:
    """The result of ``check``.

    Attributes:
        clips: number of clips in ``meta.csv``.
        findings: everything that is wrong, tables first, then audio, then the fold.
        balance: clips by split, scene and device.
    """

    clips: int
    findings: tuple[Finding, ...]
    balance: Balance

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def scenes(self, split: str) -> dict[str, int]:
        """Return the number of clips of each scene in a split."""
        return {scene: sum(devices.values()) for scene, devices in self.balance[split].items()}

    def devices(self, split: str) -> dict[str, int]:
        """Return the number of clips of each device in a split, in alphabetic order."""
        counts: dict[str, int] = {}
        for devices in self.balance[split].values():
            for device, count in devices.items():
                counts[device] = counts.get(device, 0) + count
        return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Group:
    """Findings of one kind, in the order in which they were found."""

    kind: str
    findings: tuple[Finding, ...]


def grouped(findings: Sequence[Finding]) -> list[Group]:
    """Return findings by kind, in the order in which the kinds were found."""
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    return [Group(kind, tuple(members)) for kind, members in kinds.items()]


def check(
    root: Path,
    sample_rate: int = 44100,
    clip_samples: int = 44100,
    fold: int = 1,
    *,
    resample: bool = False,
    audio: bool = True,
) -> Report:
    """Validate the dataset in ``root``: tables, every audio file, and the fold.

    Args:
        root: folder with ``meta.csv``.
        sample_rate: samples per second that each clip must have.
        clip_samples: length in samples that each clip must have.
        fold: number of the fold.
        resample: allow clips of another sample rate, which are converted; the length is of what
            the conversion gives.
        audio: read the audio files, too.

    Raises:
        AscError: the folder has no ``meta.csv``, so it is not a dataset at all.
    """
    index = read_index(root, fold, resample=resample)
    findings = [
        *index.findings,
        *(_check_audio(root, index, sample_rate, clip_samples) if audio else ()),
        *_check_locations(index, fold),
        *_check_labels(index, fold),
    ]
    return Report(len(index.clips), tuple(findings), _balance(index))


def _check_audio(root: Path, index: Index, rate: int, samples: int) -> Iterator[Finding]:
    for filename, clip in progress.over(index.clips.items(), "audio", "clip"):
        if clip.path.is_file():
            for message, kind in _check_clip(root, clip, rate, samples):
                yield Finding(META, index.lines[filename], message, kind)


def _check_clip(root: Path, clip: Clip, rate: int, samples: int) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a clip, and of which kind it is."""
    over: list[str] = []
    try:
        info = clip_info(clip.path)
        if info.rate != rate and not clip.resample:
            yield f"{clip.filename}: {info.rate} Hz, must be {rate} Hz", "sample rate"
        if info.channels != 1:
            yield f"{clip.filename}: {info.channels} channels, must be mono", "channels"
        length = resampled_length(info.frames, info.rate, rate) if clip.resample else info.frames
        if length != samples:
            yield f"{clip.filename}: {length} samples, must be {samples}", "length"
        if info.channels == 1 and info.frames > 0:
            read_pcm(clip.path, info.rate, warn=over.append)
    except BeyondFullScaleError as error:
        yield _relative(root, error), BEYOND
    except AscError as error:
        yield _relative(root, error), "audio that cannot be read"
    for message in over:
        yield _relative(root, message), BEYOND


BEYOND = "samples beyond full scale"


def _relative(root: Path, message: object) -> str:
    return str(message).removeprefix(f"{root}/")


def _check_locations(index: Index, fold: int) -> Iterator[Finding]:
    """Find locations on both sides of the fold, one finding for each location and file."""
    trained = _first_lines(index, "train", "identifier")
    for name in ("evaluate", "test"):
        for location, line in _first_lines(index, name, "identifier").items():
            if location in trained:
                other = f"{split_file('train', fold)}:{trained[location]}"
                message = f"location {location} is on both sides of the fold, also in {other}"
                yield Finding(split_file(name, fold), line, message, "location on both sides")


def _check_labels(index: Index, fold: int) -> Iterator[Finding]:
    """Find scenes that are evaluated but never trained."""
    trained = _first_lines(index, "train", "scene")
    for name in ("evaluate", "test"):
        for scene, line in _first_lines(index, name, "scene").items():
            if trained and scene not in trained:
                message = f"unknown label {scene!r}: no clip of it in {split_file('train', fold)}"
                yield Finding(split_file(name, fold), line, message, "scene that is never trained")


def _first_lines(index: Index, split: str, attribute: str) -> dict[str, int]:
    """Return, for each value of an attribute of the split's clips, the first line with it."""
    first: dict[str, int] = {}
    for filename, line in index.splits.get(split, {}).items():
        first.setdefault(getattr(index.clips[filename], attribute), line)
    return first


def _balance(index: Index) -> Balance:
    balance: Balance = {name: {} for name in SPLITS}
    for name, lines in index.splits.items():
        clips = [index.clips[filename] for filename in lines]
        for clip in sorted(clips, key=lambda clip: (clip.scene, clip.device)):
            devices = balance[name].setdefault(clip.scene, {})
            devices[clip.device] = devices.get(clip.device, 0) + 1
    return balance
