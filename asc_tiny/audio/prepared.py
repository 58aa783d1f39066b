"""The tables of a prepared data set: clips, splits, sources, origins, and ``dataset.toml``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.audio.dataset import META, META_COLUMNS, SPLIT_COLUMNS, split_file
from asc_tiny.audio.layouts.listing import PARTS, Recording
from asc_tiny.audio.prepare import Cuttings, stem
from asc_tiny.audio.split import Shares, assign, capped
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml

SOURCES = "sources.csv"
SOURCE_COLUMNS = ("recording", "split", "clips", "origin", "licence", "url")
ORIGINS = "origins.csv"
ORIGIN_COLUMNS = ("filename", "source", "start", "length", "rate", "channel")
DATASET = "dataset.toml"


@dataclass(frozen=True)
class Split:
    """How clips come to their parts.

    Attributes:
        shares: weights of train, evaluate and test, or of train and a part that is both; empty for
            the source's own split, or ``DEFAULT`` where it has none.
        folds: number of folds, each of which tests one part and trains on the others; 0 for none.
        seed: number that decides between groups that are alike.
        cap: most clips of a class to train on; None for all.
    """

    shares: tuple[float, ...] = ()
    folds: int = 0
    seed: int = 0
    cap: int | None = None


DEFAULT = (70.0, 15.0, 15.0)


def parts_of(weights: Mapping[str, Mapping[str, float]], own: Mapping[str, str], split: Split
             ) -> dict[str, str]:  # fmt: skip
    """Return the part of each group: one of ``PARTS``, or the number of a fold.

    Args:
        weights: clips by class by the group's identifier.
        own: part of each group in the source's own split, empty where it has none.
        split: what is asked for.

    Raises:
        AscError: the groups are too few, or the source's own split is not whole.
    """
    if split.folds:
        shares = {str(number): 1.0 for number in range(1, split.folds + 1)}
    elif split.shares or not any(own.values()):
        weight = split.shares or DEFAULT
        shares = dict(zip(PARTS if len(weight) == 3 else ("train", "test"), weight, strict=True))
    else:
        return _own(own)
    return assign(weights, Shares(shares, split.seed))  # type: ignore[arg-type]


def _own(own: Mapping[str, str]) -> dict[str, str]:
    names = set(own.values())
    for group, part in own.items():
        if not part:
            raise AscError(
                f"group {shown(group)} is in no part of the source's own split; give --split or "
                "--folds to split anew"
            )
    found = ", ".join(sorted(names))
    anew = "give --split or --folds to split anew"
    numbers = {name for name in names if name.isdecimal()}
    if numbers and names != {str(number) for number in range(1, len(names) + 1)}:
        allowed = "train, evaluate and test, or folds from 1 on without a gap"
        raise AscError(f"the source's own split has {found}, allowed: {allowed}; {anew}")
    if len(names) < 2 or (not numbers and "train" not in names):
        raise AscError(f"the source's own split has {found} alone; {anew}")
    return dict(own)


def folds_of(parts: Iterable[str]) -> list[dict[str, set[str]]]:
    """Return for each fold which parts are in ``train``, ``evaluate`` and ``test``."""
    names = set(parts)
    if not names & set(PARTS):
        return [
            {"train": names - {str(number)}, "evaluate": {str(number)}, "test": {str(number)}}
            for number in range(1, len(names) + 1)
        ]
    evaluate = "evaluate" if "evaluate" in names else "test"
    test = "test" if "test" in names else "evaluate"
    return [{"train": {"train"}, "evaluate": {evaluate}, "test": {test}}]


def write_tables(
    root: Path, cuttings: Sequence[Cuttings], parts: Mapping[str, str], cap: int | None,
    channel: int,
) -> int:  # fmt: skip
    """Write all tables of a data set whose clips lie in ``root / "audio"``.

    Args:
        root: folder of the data set.
        cuttings: clips by recording.
        parts: part by the identifier of a group.
        cap: most clips of a class to train on; None for all.
        channel: number of the channel, 0 for the mean of all.

    Returns:
        The number of folds.
    """
    clips = [(each.recording, clip) for each in cuttings for clip in each.clips]
    rows = sorted((c.filename, c.label, r.identifier, r.device) for r, c in clips)
    _write(root / META, META_COLUMNS, rows)
    folds = folds_of(parts.values())
    recording_of = {c.filename: r.name for r, c in clips}
    for number, members in enumerate(folds, start=1):
        for name, columns in SPLIT_COLUMNS.items():
            chosen = [row for row in rows if parts[row[2]] in members[name]]
            if name == "train" and cap is not None:
                stay = set(capped([(row[0], row[1], recording_of[row[0]]) for row in chosen], cap))
                chosen = [row for row in chosen if row[0] in stay]
            _write(root / split_file(name, number), columns, [r[: len(columns)] for r in chosen])
    _write(root / SOURCES, SOURCE_COLUMNS, _sources(cuttings, parts))
    _write(
        root / ORIGINS,
        ORIGIN_COLUMNS,
        sorted(
            (c.filename, r.name, str(c.start), str(c.length), str(c.rate),
             str(channel) if channel else "mean")
            for r, c in clips
        ),
    )  # fmt: skip
    return len(folds)


def _sources(cuttings: Sequence[Cuttings], parts: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return a row for each recording and class that gives clips."""
    counts: Counter[tuple[str, str]] = Counter()
    of: dict[tuple[str, str], Recording] = {}
    for each in cuttings:
        for clip in each.clips:
            key = stem(each.recording, clip.label), each.recording.name
            counts[key] += 1
            of[key] = each.recording
    rows = []
    for (name, path), recording in of.items():
        part = parts[recording.identifier]
        split = f"fold{part}" if part.isdecimal() else part
        origin = recording.origin or path
        rows.append(
            (name, split, str(counts[name, path]), origin, recording.licence, recording.url)
        )
    return sorted(rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = ("\t".join(row) + "\n" for row in (header, *rows))
    path.write_bytes("".join(lines).encode("utf-8"))


@dataclass(frozen=True)
class Description:
    """What ``dataset.toml`` says of a prepared data set.

    Attributes:
        layout: layout of the source.
        sample_rate: samples per second.
        clip_samples: length of a clip in samples.
        hop_samples: samples from the begin of a clip to that of the next one.
        bits: bits of a sample.
        folds: number of folds.
    """

    layout: str
    sample_rate: int
    clip_samples: int
    hop_samples: int
    bits: int
    folds: int

    def write(self, root: Path) -> None:
        """Write it to a data set's folder."""
        lines = [f'layout = "{self.layout}"']
        for name in ("sample_rate", "clip_samples", "hop_samples", "bits", "folds"):
            lines.append(f"{name} = {getattr(self, name)}")
        (root / DATASET).write_bytes(("\n".join(lines) + "\n").encode())


def shape(root: Path) -> tuple[int, int] | None:
    """Return sample rate in Hz and clip length in samples of a prepared data set, None of others.

    Raises:
        AscError: its ``dataset.toml`` cannot be read or has no such numbers.
    """
    path = root / DATASET
    if not path.is_file():
        return None
    values = read_toml(path)
    found = [values.get(name) for name in ("sample_rate", "clip_samples")]
    for name, value in zip(("sample_rate", "clip_samples"), found, strict=True):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise AscError(f"{path}: {name} = {shown(value)}, must be a whole number from 1 on")
    return int(found[0] or 0), int(found[1] or 0)
