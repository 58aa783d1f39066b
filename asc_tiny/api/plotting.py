"""Pictures of recordings: what the network sees of them, and what it decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from asc_tiny.decision.config import UNKNOWN
from asc_tiny.features import recording
from asc_tiny.frontend.arrays import Samples
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.emulator.course import Course, draw
from asc_tiny.targets.emulator.thinned import Waveform
from asc_tiny.targets.image.image import Decision
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError
from asc_tiny.util.picture import Picture


def plot_features(
    clips: Sequence[Samples] | Samples, frontend: FrontEndConfig, *, title: str = "features"
) -> Picture:
    """Draw the features of clips side by side: float64 values, int8 codes, and their error.

    Parameters
    ----------
    clips
        Samples of each clip, as for ``features``; one clip or more, also as the rows of an array.
    frontend
        A model's front end, as ``frontends`` gives it.
    title
        Text above the picture.

    Returns
    -------
    Picture
        The picture, which a notebook shows. ``save("features.png")`` writes it.

    Raises
    ------
    AscError
        There is no clip or one has another length, the front end has no quantization, or
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from asc_tiny import api
    >>> [frontend] = api.frontends(api.load_model("models/mobilenet_esc10.tflite"))
    >>> silence = np.zeros(frontend.clip_samples, np.int16)
    >>> api.plot_features([silence], frontend, title="silence").title
    'silence'
    """
    from asc_tiny.evaluation.plots import feature_panels

    if len(clips) == 0:
        raise AscError("clips: none are given, allowed: one or more")
    clips = list(clips)
    codes = recording.features(clips, [frontend], "fixed")
    floats = recording.features(clips, [frontend], "float")
    values = np.concatenate(floats, axis=1)
    title = printable(title)
    return Picture(title, feature_panels(values, np.concatenate(codes, axis=1), frontend, title))


def plot_decisions(
    project: Project,
    decisions: Iterable[Decision],
    samples: Samples | None = None,
    *,
    title: str = "decisions",
) -> Picture:
    """Draw decisions over time, with the scores that led to them and the waveform.

    Parameters
    ----------
    project
        The project that decided, which has the labels.
    decisions
        What ``run`` or ``simulate`` gave, one decision or more.
    samples
        Samples that were decided about, shape (samples,); None to draw no waveform.
    title
        Text above the picture.

    Returns
    -------
    Picture
        The picture, which a notebook shows. ``save("decisions.png")`` writes it.

    Raises
    ------
    AscError
        There is no decision, or matplotlib is not installed.
    """
    unknown = () if project.decision.threshold is None else (UNKNOWN,)
    course = Course((*project.labels, *unknown))
    for decision in decisions:
        course.add(decision)
    if not course.decisions:
        raise AscError("decisions: none are given, allowed: one or more")
    waveform = None
    if samples is not None:
        config = project.frontend
        waveform = Waveform(config.sample_rate, 1 << (8 * config.sample_type().itemsize - 1))
        waveform.add(samples)
    title = printable(title)
    return Picture(title, draw(course, title, waveform))
