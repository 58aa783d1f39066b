"""Datasets in the layout of TAU Urban Acoustic Scenes 2022 Mobile.

``meta.csv`` lists every clip (``filename``, ``scene_label``, ``identifier`` of the recording
location, ``source_label`` of the device), ``evaluation_setup/fold1_{train,evaluate,test}.csv``
name the clips of the official fold, ``audio/`` holds them. The tables are tab-separated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from asc_tiny.audio.table import MISSING, Finding, Row, read_table
from asc_tiny.util import labels, progress
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, sha256

META = "meta.csv"
META_COLUMNS = ("filename", "scene_label", "identifier", "source_label")
# The file for testing has no labels: they come from meta.csv.
SPLIT_COLUMNS = {
    "train": ("filename", "scene_label"),
    "evaluate": ("filename", "scene_label"),
    "test": ("filename",),
}
SPLITS = tuple(SPLIT_COLUMNS)


@dataclass(frozen=True)
class Clip:
    """One recording.

    Attributes:
        path: the audio file.
        filename: its name in the tables, relative to the dataset's folder.
        scene: label of the scene.
        identifier: recording location; all clips of a location belong on one side of the fold.
        device: recording device.
        resample: whether it may have another sample rate than is wanted, and is converted.
    """

    path: Path
    filename: str
    scene: str
    identifier: str
    device: str
    resample: bool = False

    @property
    def city(self) -> str:
        """City of the recording, from an identifier "city-location"; ESC-10 has its fold there."""
        return self.identifier.rsplit("-", 1)[0]


@dataclass(frozen=True)
class Index:
    """All that the tables of a dataset say, right or wrong.

    Attributes:
        clips: clips of ``meta.csv`` by file name.
        lines: line number in ``meta.csv`` by file name.
        splits: line number by file name, for each split; only clips that ``clips`` has.
        findings: what is wrong, in the order of files and lines.
    """

    clips: Mapping[str, Clip]
    lines: Mapping[str, int]
    splits: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Dataset:
    """A dataset whose tables are consistent; ``load`` reads one.

    Attributes:
        root: its folder.
        fold: number of the fold.
        clips: every clip of ``meta.csv``, also those in no split, in the file's order.
        splits: clips of each split, in the order of its file.
    """

    root: Path
    fold: int
    clips: tuple[Clip, ...]
    splits: Mapping[str, tuple[Clip, ...]]

    @classmethod
    def load(cls, root: Path, fold: int = 1, *, resample: bool = False) -> Dataset:
        """Read the tables of the dataset in ``root``; no audio is read.

        Args:
            root: its folder.
            fold: number of the fold.
            resample: convert clips of another sample rate where they are read.

        Raises:
            AscError: not a dataset, or the first thing wrong in it, with file and line.
        """
        index = read_index(root, fold, resample=resample)
        if index.findings:
            raise AscError(f"{root}/{index.findings[0]}")
        splits = {
            name: tuple(index.clips[filename] for filename in lines)
            for name, lines in index.splits.items()
        }
        return cls(root, fold, tuple(index.clips.values()), splits)

    @property
    def labels(self) -> tuple[str, ...]:
        """Scene names in alphabetic order: the order of the network's outputs."""
        return tuple(sorted({clip.scene for clip in self.clips}))

    def split(self, name: str) -> tuple[Clip, ...]:
        """Return the clips of the split ``train``, ``evaluate`` or ``test``.

        Raises:
            AscError: there is no such split.
        """
        if name not in self.splits:
            raise AscError(f"split {name!r} is unknown, allowed: {', '.join(self.splits)}")
        return self.splits[name]

    def fingerprint(self) -> str:
        """Return a SHA-256 over all clips' names, labels and bytes, in hexadecimal.

        It covers the line ``<filename> TAB <scene> TAB <SHA-256 of the file> LF`` of every clip,
        sorted by file name, so it does not depend on the order of the tables.

        Raises:
            AscError: an audio file cannot be read.
        """
        digest = hashlib.sha256()
        clips = sorted(self.clips, key=lambda clip: clip.filename)
        for clip in progress.over(clips, "fingerprint", "clip"):
            line = f"{clip.filename}\t{clip.scene}\t{sha256(read_bytes(clip.path))}\n"
            digest.update(line.encode("utf-8"))
        return digest.hexdigest()


def split_file(name: str, fold: int) -> str:
    """Return the path of a split's table below the dataset's folder."""
    return f"evaluation_setup/fold{fold}_{name}.csv"


def read_index(root: Path, fold: int = 1, *, resample: bool = False) -> Index:
    """Read the tables of the dataset in ``root`` and collect everything wrong in them.

    ``resample`` is for the clips.

    Raises:
        AscError: the folder has no ``meta.csv``, so it is not a dataset at all.
    """
    if not (root / META).is_file():
        raise AscError(f"{root}: not a dataset in the TAU layout, there is no {META}")
    clips, lines, findings = _read_meta(root, resample)
    splits: dict[str, dict[str, int]] = {}
    # Without any clip every line of the splits would be reported: one finding says it all.
    for name in SPLITS if clips else ():
        splits[name], wrong = _read_split(root, name, fold, clips)
        findings += wrong
    return Index(clips, lines, splits, tuple(findings))


def _read_meta(root: Path, resample: bool) -> tuple[dict[str, Clip], dict[str, int], list[Finding]]:
    table = read_table(root, META, META_COLUMNS)
    findings = list(table.findings)
    clips: dict[str, Clip] = {}
    lines: dict[str, int] = {}
    for row in table.rows:
        filename, scene, identifier, device = (row.values[name] for name in META_COLUMNS)
        if filename in lines:
            findings.append(_duplicate(META, row, lines[filename]))
            continue
        if _leaves_folder(filename):
            message = f"{filename}: must be a path below the dataset's folder"
            findings.append(Finding(META, row.line, message, "path outside the dataset"))
            continue
        clip = Clip(root / filename, filename, scene, identifier, device, resample)
        if not clip.path.is_file():
            findings.append(Finding(META, row.line, f"{filename}: file is missing", MISSING))
        lines[filename] = row.line
        clips[filename] = clip
    findings += _check_names(clips, lines)
    return clips, lines, _sorted(findings)


def _read_split(
    root: Path, name: str, fold: int, clips: Mapping[str, Clip]
) -> tuple[dict[str, int], list[Finding]]:
    file = split_file(name, fold)
    table = read_table(root, file, SPLIT_COLUMNS[name])
    findings = list(table.findings)
    lines: dict[str, int] = {}
    for row in table.rows:
        filename = row.values["filename"]
        clip = clips.get(filename)
        if filename in lines:
            findings.append(_duplicate(file, row, lines[filename]))
        elif clip is None:
            message = f"{filename}: is not listed in {META}"
            findings.append(Finding(file, row.line, message, f"clip that {META} does not list"))
        else:
            lines[filename] = row.line
            label = row.values.get("scene_label", clip.scene)
            if label != clip.scene:
                message = f"{filename}: label {label!r}, {META} says {clip.scene!r}"
                findings.append(Finding(file, row.line, message, f"label other than {META}'s"))
    return lines, _sorted(findings)


def _duplicate(file: str, row: Row, first: int) -> Finding:
    message = f"{row.values['filename']}: duplicate of line {first}"
    return Finding(file, row.line, message, "clip listed twice")


def _check_names(clips: Mapping[str, Clip], lines: Mapping[str, int]) -> list[Finding]:
    """Find names of scenes that no class may have, and such as people would confuse."""
    first: dict[str, int] = {}
    for name, clip in clips.items():
        first.setdefault(clip.scene, lines[name])
    findings = [
        Finding(META, first[scene], f"scene_label {shown(scene)}, allowed: {labels.ALLOWED}", _NAME)
        for scene in first
        if not labels.is_name(scene)
    ]
    for one, other in labels.look_alikes(list(first)):
        message = f"scene_label {shown(other)} differs from {shown(one)} in case or blanks alone"
        findings.append(Finding(META, first[other], message, _NAME))
    return findings


_NAME = "name of a class"


def _leaves_folder(filename: str) -> bool:
    path = PurePosixPath(filename)
    return path.is_absolute() or ".." in path.parts


def _sorted(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.line or 0)
