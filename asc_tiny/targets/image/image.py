"""What a built image computes on its board: decisions about audio, features and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.decision.config import UNKNOWN
from asc_tiny.frontend.arrays import Samples
from asc_tiny.model.ensemble import output_quantization
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.image import application
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

Int8Array = NDArray[np.int8]


@dataclass(frozen=True)
class Decision:
    """The outcome for one window of a stream.

    Attributes:
        start: start of the window, in seconds.
        end: time in seconds at which all samples that it takes to decide have been heard.
        label: label that is reported, "unknown" below the threshold.
        codes: int8 output of the network, in label order.
        smoothed_codes: their averages over windows.
        scores, smoothed: label to dequantised score.
    """

    start: float
    end: float
    label: str
    codes: Int8Array
    smoothed_codes: Int8Array
    scores: dict[str, float]
    smoothed: dict[str, float]


def pcm_bytes(pcm: Samples) -> bytes:
    """Return samples as the little-endian bytes that the image reads."""
    return pcm.astype(pcm.dtype.newbyteorder("<")).tobytes()


def classify(project: Project, pcm: Samples) -> list[Decision]:
    """Run a stream of samples, shape (n,), through the image; one decision per window.

    Raises:
        AscError: the image fails or prints something else than decisions.
    """
    text, _ = application.execute(project, ["run", "in.pcm"], {"in.pcm": pcm_bytes(pcm)}, [])
    lines = [line for line in text.splitlines(keepends=True) if is_decision(line)]
    decisions = [decision(project, line, window) for window, line in enumerate(lines)]
    check_complete(project, len(decisions), len(pcm), text)
    return decisions


def is_decision(line: str) -> bool:
    """Return whether a line that an image prints is about a window, and whole."""
    return line.startswith("decision ") and line.endswith("\n")


def decision(project: Project, line: str, window: int) -> Decision:
    """Read the line that an image prints for a window, which is counted from 0.

    Raises:
        AscError: it is not such a line.
    """
    count = 2 * len(project.labels)
    number, label, values = _parts(line, count)
    unknown = () if project.decision.threshold is None else (UNKNOWN,)
    if (
        number != window
        or label not in (*project.labels, *unknown)
        or not all(-128 <= value <= 127 for value in values)
    ):
        raise AscError(
            f"{project.image}: printed {shown(line)} for window {window} on {project.board.name}, "
            f"expected: decision {window} LABEL and {count} int8 scores"
        )
    codes = np.array(values, np.int8).reshape(2, -1)
    output = output_quantization(project.model_file)
    dequantized = output.scale * (codes.astype(np.float64) - output.zero_point)
    scores, smoothed = (dict(zip(project.labels, row, strict=True)) for row in dequantized.tolist())
    return Decision(
        start=project.windows.start(window) / project.frontend.sample_rate,
        end=project.windows.end(window) / project.frontend.sample_rate,
        label=label,
        codes=codes[0],
        smoothed_codes=codes[1],
        scores=scores,
        smoothed=smoothed,
    )


def _parts(line: str, count: int) -> tuple[int, str, list[int]]:
    """Return number, label and scores of a line about a window, -1 for the number if it is none."""
    words = line.rstrip("\n").split(" ")
    if len(words) < 3 + count:
        return -1, "", []
    try:
        return int(words[1]), " ".join(words[2:-count]), [int(word) for word in words[-count:]]
    except ValueError:
        return -1, "", []


def check_complete(project: Project, decisions: int, samples: int, printed: str) -> None:
    """Make sure that an image has decided about every window of a stream.

    Args:
        project: project of the image.
        decisions: number of decisions that it has printed.
        samples: number of samples of the stream.
        printed: all that it has printed, or the last line.

    Raises:
        AscError: some are missing, or there are too many.
    """
    due = project.windows.count(samples)
    if decisions != due:
        raise AscError(
            f"{project.image}: printed {decisions} decisions on {project.board.name}, "
            f"{due} were due for {samples} samples; it printed {application.last_line(printed)}"
        )


def features_and_codes(project: Project, clips: Sequence[Samples]) -> tuple[Int8Array, Int8Array]:
    """Return what the image computes for whole clips, pushed in chunks of changing size.

    Args:
        project: a built project.
        clips: samples of the front end's type, each of shape (clip_samples,).

    Returns:
        Features, shape (clips, n_mels, columns, channels), and scores, shape (clips, labels).

    Raises:
        AscError: the image fails or returns too little.
    """
    pcm = np.concatenate(clips)
    arguments = ["verify", "in.pcm", "out.bin"]
    _, files = application.execute(project, arguments, {"in.pcm": pcm_bytes(pcm)}, ["out.bin"])
    data: Int8Array = np.frombuffer(files["out.bin"], np.int8)
    size = int(np.prod(project.feature_shape))
    row = size + len(project.labels)
    if data.size != len(clips) * row:
        raise AscError(f"{project.image}: returned {data.size} bytes for {len(clips)} clips")
    data = data.reshape(len(clips), row)
    bands, columns, channels = project.feature_shape
    by_column = data[:, :size].reshape(len(clips), columns, bands, channels)
    return np.ascontiguousarray(by_column.transpose(0, 2, 1, 3)), data[:, size:]
