"""What a built image computes on its board: decisions about audio, features and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.complexity.ensemble import output_quantisation
from asc_tiny.errors import AscError
from asc_tiny.frontend.reference import Samples
from asc_tiny.targets import project as projects
from asc_tiny.targets.project import Project

Int8Array = NDArray[np.int8]


@dataclass(frozen=True)
class Decision:
    """The outcome for one window of a stream.

    Attributes:
        start: of the window, in seconds.
        end: in seconds, when all samples that it takes to decide have been heard.
        label: that is reported, "unknown" below the threshold.
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
    text, _ = projects.execute(project, ["run", "in.pcm"], {"in.pcm": pcm_bytes(pcm)}, [])
    return [decision(project, line) for line in text.splitlines() if line.startswith("decision ")]


def decision(project: Project, line: str) -> Decision:
    """Read the line that an image prints for a window."""
    _, window, *rest = line.split(" ")
    count = 2 * len(project.labels)
    codes = np.array(rest[-count:], np.int64).astype(np.int8).reshape(2, -1)
    output = output_quantisation(project.artefact)
    values = output.scale * (codes.astype(np.float64) - output.zero_point)
    scores, smoothed = (dict(zip(project.labels, row, strict=True)) for row in values.tolist())
    return Decision(
        start=project.windows.start(int(window)) / project.frontend.sample_rate,
        end=project.windows.end(int(window)) / project.frontend.sample_rate,
        label=" ".join(rest[:-count]),
        codes=codes[0],
        smoothed_codes=codes[1],
        scores=scores,
        smoothed=smoothed,
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
    _, files = projects.execute(project, arguments, {"in.pcm": pcm_bytes(pcm)}, ["out.bin"])
    data: Int8Array = np.frombuffer(files["out.bin"], np.int8)
    size = int(np.prod(project.feature_shape))
    row = size + len(project.labels)
    if data.size != len(clips) * row:
        raise AscError(f"{project.image}: returned {data.size} bytes for {len(clips)} clips")
    data = data.reshape(len(clips), row)
    bands, columns, channels = project.feature_shape
    by_column = data[:, :size].reshape(len(clips), columns, bands, channels)
    return np.ascontiguousarray(by_column.transpose(0, 2, 1, 3)), data[:, size:]
