"""What a layout finds: recordings, and which parts of them belong to which class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from asc_tiny.util import labels
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

MAX_RECORDINGS = 1_000_000
"""Most recordings of a source: TAU Urban Acoustic Scenes 2022 Mobile has 230,350."""

PARTS = ("train", "evaluate", "test")


@dataclass(frozen=True)
class Section:
    """A part of a recording that belongs to one class.

    Attributes:
        label: name of the class.
        start_s: begin in seconds from the recording's first sample.
        end_s: end in seconds, None for the recording's end.
        place: file and line that say so, for messages; empty where a folder does.
    """

    label: str
    start_s: float = 0.0
    end_s: float | None = None
    place: str = ""


@dataclass(frozen=True)
class Recording:
    """An audio file of a source.

    Attributes:
        name: path below the source, with slashes.
        path: audio file.
        sections: labelled parts, in any order; those of different classes do not overlap.
        kind: what the group is, such as ``file``, ``place`` or ``speaker``.
        group: name of what must not be on both sides of a split.
        device: name of the recording device.
        part: ``train``, ``evaluate`` or ``test``, or the number of the fold that tests it, where
            the source says so; else empty.
        origin: where the source has the recording from, in words; empty if it does not say.
        licence: licence of the recording; empty if the source does not say.
        url: address of the original; empty if the source does not say.
    """

    name: str
    path: Path
    sections: tuple[Section, ...]
    kind: str
    group: str
    device: str = "a"
    part: str = ""
    origin: str = ""
    licence: str = ""
    url: str = ""

    @property
    def identifier(self) -> str:
        """Group as the tables name it: ``kind-group``, without another hyphen in it."""
        return f"{self.kind}-{self.group.replace('-', '_')}"


@dataclass(frozen=True)
class Options:
    """What a person says about a source; empty where nothing is said.

    Attributes:
        group: ``file``, ``folder``, or a regular expression for a recording's path below the
            source, whose first group in parentheses is the name.
        device: name of the recording device, or such an expression.
        columns: column of a table by what it holds, such as ``label``.
        subset: percentage of the training clips that the DCASE 2024 tables name.
        background: class of Speech Commands' ``_background_noise_``.
        licence: licence of recordings whose source gives none.
        classes: classes to keep; empty for all.
        others: class that all others become; empty to leave them out.
    """

    group: str = ""
    device: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    subset: str = ""
    background: str = ""
    licence: str = ""
    classes: tuple[str, ...] = ()
    others: str = ""


def named(pattern: str, name: str, option: str) -> str:
    """Return what the first parentheses of a regular expression find in a recording's path.

    Raises:
        AscError: the pattern is no expression with parentheses, or finds nothing in this path.
    """
    try:
        expression = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise AscError(f"{option} {shown(pattern)}: no regular expression: {error}") from error
    if expression.groups < 1:
        raise AscError(f"{option} {shown(pattern)}: has no parentheses around the name")
    found = expression.search(name)
    if found is None or not found[1]:
        raise AscError(f"{option} {shown(pattern)}: finds no name in {shown(name, 200)}")
    return found[1]


def group_of(name: PurePosixPath, options: Options, *, above: int) -> tuple[str, str]:
    """Return kind and name of a recording's group.

    Without ``options.group`` a recording in a folder of its own below its class belongs to that
    folder, a place or a machine for instance, and another one to itself.

    Args:
        name: path below the source.
        options: what a person says about the source.
        above: folders at the begin of the path that are no groups, such as that of the class.
    """
    folders = name.parts[above:-1]
    if options.group not in ("", "file", "folder"):
        return "group", named(options.group, str(name), "--group")
    if options.group == "folder" and not folders:
        raise AscError(f"{name}: lies in no folder of its own, which --group folder needs")
    if folders and options.group != "file":
        return "place", folders[0]
    return "file", str(name.with_suffix(""))


def device_of(name: str, options: Options, default: str = "a") -> str:
    """Return the device of a recording: a plain name, or what an expression finds in its path."""
    if "(" in options.device:
        return named(options.device, name, "--device")
    return options.device or default


def checked(found: Iterable[Recording], source: Path, options: Options) -> list[Recording]:
    """Return the recordings with the classes that are asked for, once all names are sound.

    Raises:
        AscError: there are too many or none, a name of a class, a group or a device is none, two
            classes look alike, a class that is asked for is not there, or a file is in two groups.
    """
    kept: list[Recording] = []
    seen: set[str] = set()
    for number, each in enumerate(found):
        if number >= MAX_RECORDINGS:
            raise AscError(f"{source}: more recordings than allowed: up to {MAX_RECORDINGS}")
        seen.update(section.label for section in each.sections)
        _check_overlaps(each)
        chosen = _chosen(each, options)
        if chosen.sections:
            _check_names(chosen, source)
            kept.append(chosen)
    missing = [name for name in options.classes if name not in seen]
    if missing:
        known = ", ".join(sorted(seen)[:20])
        raise AscError(f"{source}: has no class {shown(missing[0])}, found: {known}")
    _check_classes(kept, source)
    _check_groups(kept, source)
    return kept


def _check_overlaps(recording: Recording) -> None:
    """Check that no moment of a recording has two labels."""
    latest: dict[str, Section] = {}
    for section in sorted(recording.sections, key=lambda each: each.start_s):
        for other in latest.values():
            if other.label != section.label and _end_s(other) > section.start_s:
                raise AscError(
                    f"{section.place}: overlaps the region of another label in {other.place}"
                )
        before = latest.setdefault(section.label, section)
        if _end_s(section) > _end_s(before):
            latest[section.label] = section


def _end_s(section: Section) -> float:
    return float("inf") if section.end_s is None else section.end_s


def _chosen(recording: Recording, options: Options) -> Recording:
    licence = recording.licence or options.licence
    if not options.classes:
        return replace(recording, licence=licence)
    sections = []
    for section in recording.sections:
        if section.label in options.classes:
            sections.append(section)
        elif options.others:
            sections.append(replace(section, label=options.others))
    return replace(recording, licence=licence, sections=tuple(sections))


def _check_names(recording: Recording, source: Path) -> None:
    for section in recording.sections:
        if not labels.is_name(section.label):
            where = section.place or f"{source}/{recording.name}"
            raise AscError(f"{where}: class {shown(section.label)}, allowed: {labels.ALLOWED}")
    for what, text in (
        ("group", recording.identifier),
        ("device", recording.device),
        *(("origin", text) for text in (recording.origin, recording.licence, recording.url)),
        ("path", recording.name),
    ):
        most = labels.MAX_BYTES if what in ("group", "device") else 4096
        if len(text) > most or not text.isprintable():
            raise AscError(
                f"{source}: {what} {shown(text)} of {shown(recording.name, 200)}, allowed: up to "
                f"{most} characters that can be printed"
            )


def _check_classes(recordings: list[Recording], source: Path) -> None:
    names = sorted({section.label for each in recordings for section in each.sections})
    if len(names) < 2:
        found = f"one class, {shown(names[0])}" if names else "no recordings"
        raise AscError(f"{source}: {found}; at least two classes are needed")
    for one, other in labels.look_alikes(names):
        raise AscError(
            f"{source}: classes {shown(one)} and {shown(other)} differ in case or blanks alone"
        )


def _check_groups(recordings: list[Recording], source: Path) -> None:
    """Check that no file is in two groups, and no group in two parts of the source's own split."""
    groups: dict[str, str] = {}
    parts: dict[str, str] = {}
    for each in recordings:
        if groups.setdefault(each.name, each.identifier) != each.identifier:
            one, other = groups[each.name], each.identifier
            raise AscError(f"{source}: {each.name} is in two groups, {one} and {other}")
        if parts.setdefault(each.identifier, each.part) != each.part:
            one, other = (name or "none" for name in (parts[each.identifier], each.part))
            raise AscError(
                f"{source}: group {shown(each.identifier, 200)} is in two parts of the split, "
                f"{one} and {other}"
            )
