"""Audacity's label tracks: a text file beside each recording says what is heard when.

A line has begin and end in seconds and the label, separated by tabs; a line that begins with a
backslash belongs to the one before it and gives frequencies, which are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asc_tiny.audio.layouts.csv_rows import finite
from asc_tiny.audio.layouts.listing import Options, Recording, Section, device_of, group_of
from asc_tiny.audio.layouts.tree import audio_files
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_text


def read(source: Path, options: Options) -> Iterator[Recording]:
    """Yield the recordings below ``source`` that have a label track, with its regions.

    Raises:
        AscError: a recording has no track, or a track has a line that is none, or a point instead
            of a region.
    """
    for name in audio_files(source):
        track = (source / name).with_suffix(".txt")
        if not track.is_file():
            raise AscError(f"{source / name}: has no label track {track.name} beside it")
        kind, group = group_of(name, options, above=0)
        sections = regions(track)
        if sections:
            device = device_of(str(name), options)
            yield Recording(str(name), source / name, sections, kind, group, device)


def regions(track: Path) -> tuple[Section, ...]:
    """Return the regions of a label track in the order of their begin.

    Raises:
        AscError: a line is none of a label track.
    """
    found = []
    for number, line in enumerate(read_text(track).split("\n"), start=1):
        if not line.strip() or line.startswith("\\"):
            continue
        place = f"{track}:{number}"
        fields = line.split("\t")
        if len(fields) != 3:
            raise AscError(f"{place}: {len(fields)} fields by tabs, must be begin, end and label")
        start, end = finite(fields[0], f"{place}: begin"), finite(fields[1], f"{place}: end")
        if end <= start:
            raise AscError(f"{place}: region from {start:g} s to {end:g} s, must have a length")
        found.append(Section(fields[2].strip(), start, end, place))
    return tuple(found)
