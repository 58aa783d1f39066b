"""TAU Urban Acoustic Scenes 2022 Mobile, with the tables of DCASE 2022 to 2025.

``meta.csv`` has filename, scene_label, identifier and source_label. The fold of 2022 and 2023 is
in ``evaluation_setup/fold1_{train,evaluate,test}.csv``. For 2024 and 2025 the task's baselines
give ``split5.csv`` to ``split100.csv``, which name that percentage of the training clips, and
``test.csv``; both have the column filename, and lie in ``split_setup`` there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from asc_tiny.audio.layouts.csv_rows import rows
from asc_tiny.audio.layouts.listing import Options, Recording, Section
from asc_tiny.audio.layouts.tree import below
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

TABLE = "meta.csv"
COLUMNS = ("filename", "scene_label", "identifier", "source_label")
SPLIT_FOLDERS = ("split_setup", "evaluation_setup", ".")
OFFICIAL = "evaluation_setup/fold1_{}.csv"


def read(source: Path, options: Options) -> Iterator[Recording]:
    """Yield the clips that the split's tables name; ``evaluate`` and ``test`` are the same clips.

    Raises:
        AscError: a table is missing or has no such column, a clip has no scene as in sets for
            evaluation alone, or a table names a clip that is not in ``meta.csv``.
    """
    parts = _parts(source, options.subset)
    for row in rows(source / TABLE, COLUMNS):
        filename, scene, identifier, device = (row.values[name] for name in COLUMNS)
        part = parts.pop(filename, None)
        if part is None:
            continue
        if not scene or not identifier or not device:
            raise AscError(f"{row.place}: scene_label, identifier or source_label is empty")
        path = below(source, filename, row.place)
        kind, _, group = identifier.rpartition("-")
        yield Recording(
            filename, path, (Section(scene, place=row.place),), kind or "place", group, device,
            part[0], f"TAU Urban Acoustic Scenes {filename}",
        )  # fmt: skip
    for filename, (_, place) in parts.items():
        raise AscError(f"{place}: {shown(filename, 200)}: is not listed in {TABLE}")


def _parts(source: Path, subset: str) -> dict[str, tuple[str, str]]:
    """Return part and place in its table by the name of a clip."""
    found: dict[str, tuple[str, str]] = {}
    for table, part in _tables(source, subset):
        for row in rows(table, ("filename",)):
            filename = row.values["filename"]
            if filename in found:
                raise AscError(f"{row.place}: {shown(filename, 200)}: also in {found[filename][1]}")
            found[filename] = part, row.place
    return found


def _tables(source: Path, subset: str) -> list[tuple[Path, str]]:
    """Return the tables of the split with the part that each names."""
    subsets = {
        match[1]: path
        for folder in reversed(SPLIT_FOLDERS)
        for path in sorted((source / folder).glob("split*.csv"))
        if (match := re.fullmatch(r"split(\d+)\.csv", path.name))
    }
    known = ", ".join(sorted(subsets, key=int))
    if subset and subset not in subsets:
        found = f"found: {known}" if known else "there is no split*.csv"
        raise AscError(f"{source}: no table of the subset {shown(subset)}, {found}")
    official = [source / OFFICIAL.format(name) for name in ("train", "test")]
    if not subset and official[0].is_file():
        return list(zip(official, ("train", "test"), strict=True))
    if not subset and len(subsets) != 1:
        found = f"--subset chooses one of {known}" if known else f"{official[0]} is missing"
        raise AscError(f"{source}: which clips are for training is not said: {found}")
    train = subsets[subset or known]
    tests = [source / folder / "test.csv" for folder in SPLIT_FOLDERS]
    test = next((path for path in tests if path.is_file()), official[1])
    return [(train, "train"), (test, "test")]
