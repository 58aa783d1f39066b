"""The whole way from a source of recordings to a data set that is checked, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.audio import decode
from asc_tiny.audio.check import Report, check
from asc_tiny.audio.clips import Warn
from asc_tiny.audio.cut import Cut
from asc_tiny.audio.layouts import registry
from asc_tiny.audio.layouts.listing import Options, Recording, Section
from asc_tiny.audio.prepare import JOURNAL, Cuttings, Sound, cut_all
from asc_tiny.audio.prepared import Description, Split, parts_of, write_tables
from asc_tiny.util import parallel, progress
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing_folder


@dataclass(frozen=True)
class Prepared:
    """What has been made of a source.

    Attributes:
        layout: layout of the source.
        recordings: number of recordings that gave clips.
        silent: number of clips that were left out for their level.
        short: number of recordings and regions that were too short for a clip.
        unreadable: number of recordings that were left out since they cannot be read.
        folds: number of folds.
        report: check of the first fold, with the numbers of clips.
    """

    layout: str
    recordings: int
    silent: int
    short: int
    unreadable: int
    folds: int
    report: Report


@dataclass(frozen=True)
class Request:
    """All that a person says about a data set to make.

    Attributes:
        layout: name of the source's layout, empty to find it.
        options: what is said about the source.
        cut: lengths of the clips.
        sound: conversion of the samples.
        split: parts.
        skip_unreadable: leave out what cannot be read, instead of raising an error.
    """

    layout: str
    options: Options
    cut: Cut
    sound: Sound
    split: Split
    skip_unreadable: bool = False


def prepare(
    source: Path, out: Path, request: Request, *, warn: Warn | None = None, jobs: int = 1
) -> Prepared:
    """Make the data set ``out`` of the recordings in ``source``.

    Args:
        source: folder of recordings, or a table of them.
        out: folder of the data set, new or empty.
        request: what is asked for.
        warn: called with a line for each recording with samples beyond full scale, or left out.
        jobs: processes that share the recordings, 1 or more; the files are the same.

    Raises:
        AscError: something in the source is wrong, or the classes cannot be split; what has been
            done until then stays beside ``out`` for the next run.
    """
    if out.is_dir() and any(out.iterdir()):
        raise AscError(f"{out}: is not empty, a new or empty folder is needed")
    if source.is_dir() and source.resolve() in out.resolve().parents:
        raise AscError(f"{out}: lies in {source}, which would read what it writes")
    layout, recordings = registry.recordings(source, request.layout, request.options)
    readable = _looked_at(source, recordings, request, warn)
    with replacing_folder(out, keep=True) as folder, parallel.executor(jobs) as pool:
        try:
            cuttings = cut_all(
                readable,
                folder,
                request.cut,
                request.sound,
                skip_unreadable=request.skip_unreadable,
                warn=warn,
                pool=pool,
            )
            parts = _parts(source, cuttings, request)
        except AscError as error:
            raise AscError(f"{error}; clips that are done are kept for the next run") from error
        folds = _write(folder, layout, cuttings, parts, request)
        report = _checked(folder, out, request.cut, folds)
        (folder / JOURNAL).unlink()
    return Prepared(
        layout,
        sum(bool(each.clips) for each in cuttings),
        sum(each.silent for each in cuttings),
        sum(each.short for each in cuttings),
        len(recordings) - len(readable) + sum(bool(each.unreadable) for each in cuttings),
        folds,
        report,
    )


def _looked_at(
    source: Path, recordings: Sequence[Recording], request: Request, warn: Warn | None
) -> list[Recording]:
    """Return the recordings that can be read by their headers; nothing has been written yet.

    The groups are split by the lengths that the headers say, so that too few of them are told
    before hours of work.
    """
    weights: dict[str, Counter[str]] = {}
    own: dict[str, str] = {}
    readable = []
    for each in progress.over(recordings, "headers", "recording"):
        try:
            seconds = _seconds(each, request.sound.channel)
        except AscError as error:
            if not request.skip_unreadable:
                raise
            if warn is not None:
                warn(f"left out: {error}")
            continue
        readable.append(each)
        own[each.identifier] = each.part
        for label, length in seconds.items():
            weights.setdefault(each.identifier, Counter())[label] += length
    _split(source, weights, own, request.split)
    return readable


def _seconds(recording: Recording, channel: int) -> dict[str, int]:
    """Return the length in milliseconds of each class in a recording, by its header."""
    header = decode.header(recording.path, channel)
    whole = header.frames / header.rate
    found: dict[str, int] = {}
    for section in recording.sections:
        end = _end(section, whole)
        length = max(1, round(1000 * (end - section.start_s)))
        found[section.label] = found.get(section.label, 0) + length
    return found


def _end(section: Section, whole: float) -> float:
    # Tables round, and encoders of compressed audio add some milliseconds or say no length.
    end = whole if section.end_s is None else section.end_s
    if section.start_s >= whole or end > whole + 1e-3:
        raise AscError(
            f"{section.place}: from {section.start_s:g} s to {end:g} s, the recording ends at "
            f"{whole:g} s"
        )
    return end


def _parts(source: Path, cuttings: Sequence[Cuttings], request: Request) -> dict[str, str]:
    """Return the part of each group, by the clips that there are."""
    weights: dict[str, Counter[str]] = {}
    own: dict[str, str] = {}
    missing: dict[str, Counter[str]] = {}
    for each in cuttings:
        for clip in each.clips:
            weights.setdefault(each.recording.identifier, Counter())[clip.label] += 1
            own[each.recording.identifier] = each.recording.part
        for section in each.recording.sections:
            counts = missing.setdefault(section.label, Counter())
            counts.update(silent=each.silent, short=each.short, unreadable=bool(each.unreadable))
    present = {label for counts in weights.values() for label in counts}
    for label, counts in sorted(missing.items()):
        if label not in present:
            why = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
            raise AscError(f"{source}: class {shown(label)}: no clip is left ({why})")
    return _split(source, weights, own, request.split)


def _split(
    source: Path, weights: Mapping[str, Mapping[str, int]], own: Mapping[str, str], split: Split
) -> dict[str, str]:
    try:
        return parts_of(weights, own, split)
    except AscError as error:
        raise AscError(f"{source}: {error}") from None


def _write(
    folder: Path,
    layout: str,
    cuttings: Sequence[Cuttings],
    parts: Mapping[str, str],
    request: Request,
) -> int:
    cut, sound = request.cut, request.sound
    folds = write_tables(folder, cuttings, parts, request.split.cap, sound.channel)
    description = Description(layout, cut.rate, cut.samples, cut.hop, sound.bits, folds)
    description.write(folder)
    return folds


def _checked(folder: Path, out: Path, cut: Cut, folds: int) -> Report:
    """Check what has been written, as ``asc-tiny data check`` does it, and return the first fold's.

    Raises:
        AscError: something is wrong with it.
    """
    reports = [
        check(folder, cut.rate, cut.samples, fold, audio=fold == 1) for fold in range(1, folds + 1)
    ]
    for report in reports:
        for finding in report.findings:
            raise AscError(f"{out}/{finding}")
    return reports[0]
