"""ESC-50 and its part ESC-10 (Piczak, "ESC: Dataset for Environmental Sound Classification", 2015).

``meta/esc50.csv`` names file, fold, class and the number of the original at Freesound; the clips
are in ``audio``. All clips of an original are in one fold.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asc_tiny.audio.layouts.csv_rows import rows
from asc_tiny.audio.layouts.listing import Options, Recording, Section, device_of
from asc_tiny.audio.layouts.tree import below
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

TABLE = "meta/esc50.csv"
COLUMNS = ("filename", "fold", "category", "esc10", "src_file")
FOLDS = ("1", "2", "3", "4", "5")


def read(source: Path, options: Options, *, esc10: bool = False) -> Iterator[Recording]:
    """Yield the clips of ESC-50, or those alone that are marked as ESC-10's.

    Raises:
        AscError: the table has no such columns, a fold that is none, an original in two folds, or
            names a missing file.
    """
    folds: dict[str, str] = {}
    for row in rows(source / TABLE, COLUMNS):
        filename, fold, category, marked, original = (row.values[name] for name in COLUMNS)
        if esc10 and marked != "True":
            continue
        if fold not in FOLDS:
            raise AscError(f"{row.place}: fold {shown(fold)}, allowed: {', '.join(FOLDS)}")
        if not original:
            raise AscError(f"{row.place}: src_file is empty")
        if folds.setdefault(original, fold) != fold:
            raise AscError(
                f"{row.place}: src_file {shown(original)} is in two folds, {folds[original]} and "
                f"{fold}"
            )
        path = below(source / "audio", filename, row.place)
        yield Recording(
            f"audio/{filename}",
            path,
            (Section(category, place=row.place),),
            f"fold{fold}",
            original,
            device_of(filename, options),
            fold,
            f"ESC-50 {filename}",
            # By the data set's README: ESC-10 is the part that may be used commercially.
            "CC BY" if marked == "True" else "CC BY-NC",
            f"https://freesound.org/s/{original}/" if original.isdecimal() else "",
        )


def read_esc10(source: Path, options: Options) -> Iterator[Recording]:
    """Yield the clips that the table marks as ESC-10's, as ``read`` does."""
    return read(source, options, esc10=True)
