"""A checked data set from recordings: cut, converted, split, with the origin of each clip.

What is done is kept in a folder beside the result until all of it is there: a run that was killed
or has failed is gone on with by the next one. ``asc_tiny.audio.prepared`` writes the tables.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np

from asc_tiny.audio import decode
from asc_tiny.audio.clips import Warn, encoded
from asc_tiny.audio.cut import Cut, Piece, kept, pieces
from asc_tiny.audio.journal import Journal, Record
from asc_tiny.audio.layouts.listing import Recording
from asc_tiny.util import parallel, progress
from asc_tiny.util.errors import AscError

FORMATS = ("wav", "flac")
_VERSION = 1
"""Number of what this module makes of a recording: one that changes starts journals anew."""


@dataclass(frozen=True)
class Sound:
    """What is made of a recording before it is cut into files, and how these are written.

    Attributes:
        channel: number of the channel from 1 on, 0 for the mean of all.
        peak_dbfs: level in dBFS that the recording's highest sample gets; None leaves levels.
        bits: bits of a sample: 16 or 24.
        format: ``wav`` or ``flac``.
    """

    channel: int = decode.MEAN
    peak_dbfs: float | None = None
    bits: int = 16
    format: str = "wav"


@dataclass(frozen=True)
class Made:
    """A clip that has been written.

    Attributes:
        filename: path below the data set's folder, with slashes.
        label: class of the clip.
        start: first sample in the recording, at the recording's rate, rounded down.
        length: samples that the recording gives, at the recording's rate, rounded up.
        rate: samples per second of the recording.
    """

    filename: str
    label: str
    start: int
    length: int
    rate: int


@dataclass(frozen=True)
class Cuttings:
    """What has become of a recording.

    Attributes:
        recording: recording of the source.
        clips: clips that have been written.
        silent: number of clips that were left out for their level.
        short: number of sections that were too short for a clip.
        unreadable: reason why it was left out; empty if it was not.
    """

    recording: Recording
    clips: tuple[Made, ...] = field(default=())
    silent: int = 0
    short: int = 0
    unreadable: str = ""


def cut_all(
    recordings: Sequence[Recording],
    folder: Path,
    cut: Cut,
    sound: Sound,
    *,
    skip_unreadable: bool = False,
    warn: Warn | None = None,
    pool: Executor | None = None,
) -> list[Cuttings]:
    """Write the clips of all recordings to ``folder / "audio"``, but those that are there.

    Args:
        recordings: recordings of a source.
        folder: folder that no other run writes to, with what an earlier one has left.
        cut: lengths of the clips.
        sound: conversion of the samples.
        skip_unreadable: leave out what cannot be read, instead of raising an error.
        warn: called with a line for each recording with samples beyond full scale, or left out.
        pool: what ``parallel.executor`` has yielded; the files are the same.

    Raises:
        AscError: a recording cannot be read.
    """
    run = hashlib.sha256(repr((_VERSION, asdict(cut), asdict(sound))).encode()).hexdigest()
    (folder / "audio").mkdir(exist_ok=True)
    journal = Journal(folder / JOURNAL, run)
    keys = [_key(recording) for recording in recordings]
    _remove_strangers(folder, [journal.records[key] for key in keys if key in journal.records])
    missing = [index for index, key in enumerate(keys) if key not in journal.records]
    warnings: dict[int, list[str]] = {}
    done: list[Cuttings] = []

    def go_on() -> None:
        # Whatever is done first, what is said of it comes in the order of the recordings.
        while len(done) < len(keys) and keys[len(done)] in journal.records:
            index = len(done)
            done.append(_cuttings(recordings[index], journal.records[keys[index]]))
            left_out = done[-1].unreadable
            lines = [*warnings.get(index, ()), *([f"left out: {left_out}"] if left_out else [])]
            if warn is not None:
                for line in lines:
                    warn(line)

    done_before = len(recordings) - len(missing)
    with progress.bar(len(recordings), "recordings", "recording", done=done_before) as bar:
        go_on()
        work = [(recordings[index], folder, cut, sound, skip_unreadable) for index in missing]
        for number, (made, lines) in parallel.completed(pool, _cut_one, work, what="data prepare"):
            index = missing[number]
            warnings[index] = lines
            journal.add(keys[index], _record(made))
            go_on()
            bar.update()
    return done


JOURNAL = "journal.jsonl"


def _key(recording: Recording) -> str:
    """Return a digest of all that a recording's clips depend on, but how they are cut."""
    status = recording.path.stat()
    sections = [(each.label, each.start_s, each.end_s) for each in recording.sections]
    text = repr((recording.name, sections, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _remove_strangers(folder: Path, records: Sequence[Record]) -> None:
    """Remove clips of no record: half-written ones, and those of recordings that have changed."""
    known = {PurePosixPath(clip[0]).name for record in records for clip in record["clips"]}
    for path in (folder / "audio").iterdir():
        if path.name not in known:
            path.unlink()


def _record(made: Cuttings) -> Record:
    clips = [[c.filename, c.label, c.start, c.length, c.rate] for c in made.clips]
    rest = {"silent": made.silent, "short": made.short, "unreadable": made.unreadable}
    return {"clips": clips, **rest}


def _cuttings(recording: Recording, record: Record) -> Cuttings:
    clips = tuple(Made(*clip) for clip in record["clips"])
    return Cuttings(recording, clips, record["silent"], record["short"], record["unreadable"])


def _cut_one(
    recording: Recording,
    folder: Path,
    cut: Cut,
    sound: Sound,
    skip_unreadable: bool,
) -> tuple[Cuttings, list[str]]:
    """Write a recording's clips; return what has become of it, and lines of warning."""
    warnings: list[str] = []
    try:
        return _cut_readable(recording, folder, cut, sound, warnings.append), warnings
    except AscError as error:
        if not skip_unreadable:
            raise
        return Cuttings(recording, unreadable=str(error)), warnings


def _cut_readable(
    recording: Recording, folder: Path, cut: Cut, sound: Sound, warn: Warn
) -> Cuttings:
    header = decode.header(recording.path, sound.channel)
    recording = _with_ends(recording, header.frames / header.rate)
    gain, quietest = _measured(recording, cut, sound)
    blocks = decode.stream(recording.path, cut.rate, channel=sound.channel, warn=warn)
    made, silent = [], 0
    for piece in pieces(blocks, recording.sections, cut):
        if piece.level_dbfs < quietest:
            silent += 1
            continue
        clip = _clip(recording, piece, header.rate, cut, sound)
        data = encoded(piece.samples * gain, cut.rate, bits=sound.bits, kind=sound.format)
        (folder / clip.filename).write_bytes(data)
        made.append(clip)
    return Cuttings(recording, tuple(made), silent, _short(recording, header, cut))


def _short(recording: Recording, header: decode.Header, cut: Cut) -> int:
    """Return how many sections give no clip since they are too short for one."""
    whole = header.frames / header.rate
    ends = [whole if each.end_s is None else each.end_s for each in recording.sections]
    spans = zip(recording.sections, ends, strict=True)
    lengths = [round((end - each.start_s) * cut.rate, 6) for each, end in spans]
    return 0 if cut.pad else sum(length < cut.samples for length in lengths)


def _with_ends(recording: Recording, whole_s: float) -> Recording:
    """Return a recording of several sections with an end of each."""
    if len(recording.sections) < 2:
        return recording
    sections = [
        replace(each, end_s=whole_s) if each.end_s is None else each for each in recording.sections
    ]
    return replace(recording, sections=tuple(sections))


def _measured(recording: Recording, cut: Cut, sound: Sound) -> tuple[float, float]:
    """Return a recording's gain, and the level in dBFS below which its clips are left out.

    Levels are those before the gain: silence is what the microphone did not hear.
    """
    levels, peak = [], 0.0
    if cut.quieter_db is not None or sound.peak_dbfs is not None:
        blocks = decode.stream(recording.path, cut.rate, channel=sound.channel)
        for piece in pieces(blocks, recording.sections, cut):
            levels.append(piece.level_dbfs)
            peak = max(peak, float(np.abs(piece.samples).max()))
    gain = 1.0
    if sound.peak_dbfs is not None and peak > 0.0:
        gain = 10.0 ** (sound.peak_dbfs / 20.0) / peak
    loud = [level for level, stays in zip(levels, kept(levels, cut), strict=True) if stays]
    quietest = min(loud, default=float("-inf"))
    return gain, max(quietest, float("-inf") if cut.silence_dbfs is None else cut.silence_dbfs)


def _clip(recording: Recording, piece: Piece, rate: int, cut: Cut, sound: Sound) -> Made:
    label = recording.sections[piece.section].label
    start = piece.start * rate // cut.rate
    length = -(-piece.length * rate // cut.rate)
    name = f"{stem(recording, label)}-{piece.start:09d}.{sound.format}"
    return Made(f"audio/{name}", label, start, length, rate)


def stem(recording: Recording, label: str) -> str:
    """Return how the names of a recording's clips of a class begin: readable and not ambiguous."""
    text = f"{recording.name}\0{label}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    parts = (label, PurePosixPath(recording.name).stem)
    readable = (re.sub(r"[^A-Za-z0-9_]+", "_", part)[:40].strip("_") or "x" for part in parts)
    return "-".join((*readable, digest))
