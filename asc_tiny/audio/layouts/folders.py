"""A folder for each class, with recordings at any depth below it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asc_tiny.audio.layouts.listing import Options, Recording, Section, device_of, group_of
from asc_tiny.audio.layouts.tree import audio_files, folders
from asc_tiny.util.errors import AscError


def read(source: Path, options: Options) -> Iterator[Recording]:
    """Yield the recordings below ``source``; the first folder of a path names the class.

    A second folder names the place (or machine, or speaker), the same in all classes, unless
    ``options.group`` says otherwise.

    Raises:
        AscError: a recording lies in no folder, or a folder holds no recordings.
    """
    empty = set(folders(source))
    for name in audio_files(source):
        if len(name.parts) < 2:
            raise AscError(f"{source / name}: lies in no folder, each class has one below {source}")
        empty.discard(name.parts[0])
        kind, group = group_of(name, options, above=1)
        device = device_of(str(name), options)
        section = Section(name.parts[0])
        yield Recording(str(name), source / name, (section,), kind, group, device)
    unused = sorted(empty if not options.classes else empty & set(options.classes))
    if unused:
        raise AscError(
            f"{source / unused[0]}: class without recordings; remove the folder, or name the "
            "others by --classes"
        )
