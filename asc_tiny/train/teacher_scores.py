"""Files of a teacher's scores per clip, whatever framework and features it has.

CSV: the header ``filename`` and the labels, then a row for each clip. NumPy archive (.npz):
``filenames``, shape (clips,), ``scores`` (probabilities) or ``logits``, shape (clips, labels), and
``labels``, without which the columns are in the order of the data set's.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio.dataset import Clip
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, read_text

Float64Array = NDArray[np.float64]

SUFFIXES = (".csv", ".npz")


def read(path: Path, clips: Sequence[Clip], labels: Sequence[str]) -> Float64Array:
    """Return the probabilities that a file gives clips, shape (clips, labels), rows of sum 1.

    Clips are found by their names in the data set, with or without folders.

    Raises:
        AscError: the file is damaged, has other labels, a score that is no probability, or lacks a
            clip.
    """
    names, columns, scores = _of_csv(path) if path.suffix == ".csv" else _of_npz(path)
    columns = columns or tuple(labels)
    if sorted(columns) != sorted(labels):
        raise AscError(f"{path}: knows {', '.join(columns)}, the data has {', '.join(labels)}")
    if scores.shape != (len(names), len(columns)):
        raise AscError(
            f"{path}: scores of shape {scores.shape}, {(len(names), len(columns))} wanted"
        )
    rows = {name: row for row, name in enumerate(names)}
    order = [_row(path, rows, clip) for clip in clips]
    chosen = scores[order][:, [columns.index(label) for label in labels]]
    total = chosen.sum(axis=1, keepdims=True)
    wrong = np.flatnonzero(
        ~(np.isfinite(chosen) & (chosen >= 0.0)).all(axis=1) | (total[:, 0] <= 0)
    )
    if len(wrong):
        raise AscError(f"{path}: {clips[wrong[0]].filename}: scores must be probabilities")
    return np.asarray(chosen / total)


def _row(path: Path, rows: dict[str, int], clip: Clip) -> int:
    for name in (clip.filename, PurePosixPath(clip.filename).name):
        if name in rows:
            return rows[name]
    raise AscError(f"{path}: has no scores of clip {clip.filename}")


def _of_csv(path: Path) -> tuple[list[str], tuple[str, ...], Float64Array]:
    rows = list(csv.reader(io.StringIO(read_text(path))))
    if not rows or rows[0][:1] != ["filename"]:
        raise AscError(f"{path}: the first line must be filename and the labels")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise AscError(f"{path}:{number}: {len(row)} columns, {len(rows[0])} wanted")
    try:
        scores = np.array([[float(value) for value in row[1:]] for row in rows[1:]])
    except ValueError as error:
        raise AscError(f"{path}: {error}") from error
    return (
        [row[0] for row in rows[1:]],
        tuple(rows[0][1:]),
        scores.reshape(len(rows) - 1, len(rows[0]) - 1),
    )


def _of_npz(path: Path) -> tuple[list[str], tuple[str, ...], Float64Array]:
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as stored:
            names = [str(name) for name in stored["filenames"]]
            labels = tuple(str(label) for label in stored["labels"]) if "labels" in stored else ()
            if "logits" in stored:
                logits = np.asarray(stored["logits"], np.float64)
                scores = np.exp(logits - logits.max(axis=-1, keepdims=True))
            else:
                scores = np.asarray(stored["scores"], np.float64)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise AscError(f"{path}: not an archive of filenames and scores: {error}") from error
    return names, labels, scores
