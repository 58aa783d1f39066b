"""The layouts by name, and which one a source has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.audio.layouts import audacity, csv_table, dcase, esc50, folders, speech_commands
from asc_tiny.audio.layouts.listing import Options, Recording, checked
from asc_tiny.audio.layouts.tree import audio_files
from asc_tiny.util.errors import AscError


@dataclass(frozen=True)
class Layout:
    """A way to lay out recordings.

    Attributes:
        read: function that yields the recordings of a source.
        takes: attributes of ``Options`` that mean something to it, besides those of all.
        needs: paths that a source must have.
    """

    read: Callable[[Path, Options], Iterator[Recording]]
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


LAYOUTS = {
    "folders": Layout(folders.read, ("group", "device")),
    "csv": Layout(csv_table.read, ("group", "device", "columns")),
    "audacity": Layout(audacity.read, ("group", "device")),
    "esc50": Layout(esc50.read, ("device",), (esc50.TABLE,)),
    "esc10": Layout(esc50.read_esc10, ("device",), (esc50.TABLE,)),
    "speech_commands": Layout(
        speech_commands.read, ("device", "background"), tuple(speech_commands.LISTS)
    ),
    "dcase": Layout(dcase.read, ("subset",), (dcase.TABLE,)),
}

_OPTIONS = {
    "group": "--group",
    "device": "--device",
    "columns": "--column",
    "subset": "--subset",
    "background": "--background",
}


def recordings(source: Path, layout: str, options: Options) -> tuple[str, list[Recording]]:
    """Return the layout of a source and its recordings in the layout's order.

    Args:
        source: folder, or the table of the layout ``csv``.
        layout: one of ``LAYOUTS``, or empty to find it.
        options: what a person says about the source.

    Raises:
        AscError: the layout cannot be told or is not that of the source, an option means nothing
            to it, or something in the source is wrong.
    """
    if not source.exists():
        raise AscError(f"{source}: no such folder or table")
    name = layout or found(source)
    chosen = LAYOUTS[name]
    if source.is_file() != (name == "csv"):
        what = "the table itself" if name == "csv" else "a folder"
        raise AscError(f"{source}: layout {name} needs {what}")
    for path in chosen.needs:
        if not (source / path).is_file():
            raise AscError(f"{source}: not in the layout {name}, there is no {path}")
    for attribute, option in _OPTIONS.items():
        if getattr(options, attribute) and attribute not in chosen.takes:
            raise AscError(f"{option} means nothing in the layout {name}, leave it out")
    return name, checked(chosen.read(source, options), source, options)


def found(source: Path) -> str:
    """Return the name of the layout that a source has.

    Raises:
        AscError: it has several or none.
    """
    if source.is_file():
        if source.suffix.lower() in (".csv", ".tsv", ".txt"):
            return "csv"
        raise AscError(f"{source}: neither a folder nor a table (.csv, .tsv)")
    marked = [
        name
        for name, layout in LAYOUTS.items()
        if layout.needs and all((source / path).is_file() for path in layout.needs)
    ]
    if "esc50" in marked:
        marked.remove("esc10")
    if len(marked) == 1:
        return marked[0]
    if marked:
        raise AscError(f"{source}: may be {' or '.join(marked)}; --layout chooses one")
    return _without_tables(source)


def _without_tables(source: Path) -> str:
    """Return whether recordings lie in folders of classes, or have label tracks beside them."""
    with_track, without = None, None
    for name in audio_files(source):
        if (source / name).with_suffix(".txt").is_file():
            with_track = with_track or name
        else:
            without = without or name
    if with_track and without:
        raise AscError(
            f"{source}: {with_track} has a label track beside it and {without} has none; --layout "
            "audacity or folders chooses one"
        )
    if not with_track and not without:
        raise AscError(f"{source}: no recordings (wav, flac, ogg, mp3), and no layout's tables")
    return "audacity" if with_track else "folders"
