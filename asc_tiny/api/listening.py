"""Recordings: their features, and the accuracy of models on data sets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny import __version__
from asc_tiny.audio import prepared
from asc_tiny.audio.check import Report, check
from asc_tiny.audio.dataset import Dataset
from asc_tiny.decision.config import DecisionConfig, read_toml
from asc_tiny.evaluation import evaluate as evaluation
from asc_tiny.evaluation import fit_ensemble as fitting
from asc_tiny.evaluation import stream, systems
from asc_tiny.evaluation.evaluate import Evaluation
from asc_tiny.evaluation.fit_ensemble import Fit
from asc_tiny.evaluation.stream import StreamEvaluation
from asc_tiny.features import host_library, recording
from asc_tiny.frontend import reference
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import model_file
from asc_tiny.model.ensemble import SUFFIX, Ensemble, Model, member_of, to_toml
from asc_tiny.tflm.ensemble_interpreter import interpreter
from asc_tiny.train import recipe as recipes
from asc_tiny.util import parallel
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text


def load_dataset(folder: Path | str, *, fold: int = 1, resample: bool = False) -> Dataset:
    """Read the tables of a data set in the layout of TAU Urban Acoustic Scenes 2022 Mobile.

    Parameters
    ----------
    folder
        Folder with ``meta.csv``, ``evaluation_setup`` and the audio, which is not read yet.
    fold
        Number of the fold, 1 or more.
    resample
        Convert clips of another sample rate where they are read; else they are an error.

    Returns
    -------
    Dataset
        The clips with their scenes, and those of each split.

    Raises
    ------
    AscError
        Not a data set, or the first thing that is wrong in it, with file and line.
    """
    return Dataset.load(Path(folder), fold, resample=resample)


def check_dataset(
    folder: Path | str,
    *,
    recipe: Path | str | None = None,
    sample_rate: int | None = None,
    fold: int = 1,
    resample: bool = False,
) -> Report:
    """Check all files of a data set: tables, audio, and that no recording is on both sides.

    Parameters
    ----------
    folder
        Folder as for ``load_dataset``.
    recipe
        TOML file of a training whose front end says how long clips are, and their sample rate;
        None for clips of one second at ``sample_rate``.
    sample_rate
        Samples per second, without a recipe; None for rate and length that ``prepare_dataset``
        has written down, or one second at 44,100 of other data sets.
    fold
        Number of the fold, 1 or more.
    resample
        Allow clips of another sample rate, which are converted where they are read.

    Returns
    -------
    Report
        ``passed``, ``findings`` with file, line and message, and the number of clips by scene and
        by device of each split.

    Raises
    ------
    AscError
        The folder is no data set at all, or the recipe cannot be used.
    """
    rate, samples = sample_rate or 44100, sample_rate or 44100
    if recipe is not None:
        frontend = recipes.load(Path(recipe)).frontend
        rate, samples = frontend.sample_rate, frontend.clip_samples
    elif sample_rate is None:
        rate, samples = prepared.shape(Path(folder)) or (rate, samples)
    return check(Path(folder), rate, samples, fold, resample=resample)


def features(
    samples: Samples, frontend: FrontEndConfig, *, arithmetic: str = "fixed"
) -> NDArray[Any]:
    """Compute the features of a clip as the network sees them.

    Parameters
    ----------
    samples
        Shape (clip_samples,), int16, or int32 with values of 24 bits where the front end takes 24.
    frontend
        A model's front end, as ``frontends`` gives it.
    arithmetic
        ``"fixed"`` for the int8 codes of the integer front end, the same as on the chip;
        ``"float"`` for float64 values before quantization.

    Returns
    -------
    ndarray
        Shape (n_mels, columns, channels): log-mel, first delta, second delta; int8 codes, or
        float64 values in the units of the front end's logarithm.

    Raises
    ------
    AscError
        The clip has another length, or codes are asked for of a front end without quantization.

    Examples
    --------
    >>> import numpy as np
    >>> from asc_tiny import api
    >>> [frontend] = api.frontends(api.load_model("models/mobilenet_esc10.tflite"))
    >>> silence = np.zeros(frontend.clip_samples, np.int16)
    >>> codes = api.features(silence, frontend)
    >>> codes.shape, codes.dtype
    ((256, 36, 3), dtype('int8'))
    """
    if arithmetic not in ("fixed", "float"):
        raise AscError(f"arithmetic = {arithmetic}, allowed: fixed, float")
    if arithmetic == "float":
        return reference.features(samples, frontend)
    return host_library.features(samples, frontend)


def recording_features(
    clips: Sequence[Samples],
    frontends: Sequence[FrontEndConfig],
    *,
    arithmetic: str = "fixed",
    jobs: int = 1,
    ray: str | None = None,
) -> NDArray[Any]:
    """Compute the features of the clips of a recording, several clips at a time.

    Parameters
    ----------
    clips
        Samples of each clip, as for ``features``; one clip or more.
    frontends
        Front ends, as ``frontends`` gives them.
    arithmetic
        ``"fixed"`` or ``"float"``, as for ``features``.
    jobs
        Number of processes that compute, at least 1; the result is the same.
    ray
        Address of a Ray cluster that computes instead; None for this computer.

    Returns
    -------
    ndarray
        Shape (clips, n_mels, columns, channels), the channels of all front ends one after the
        other.

    Raises
    ------
    AscError
        A clip has another length, codes are asked for of a front end without quantization, or a
        process was killed.

    Examples
    --------
    >>> import numpy as np
    >>> from asc_tiny import api
    >>> frontends = api.frontends(api.load_model("models/mobilenet_esc10.tflite"))
    >>> silence = np.zeros(frontends[0].clip_samples, np.int16)
    >>> api.recording_features([silence, silence], frontends).shape
    (2, 256, 36, 3)
    """
    with parallel.executor(jobs, ray) as pool:
        return recording.features(clips, frontends, arithmetic, pool)


def scores(model: Model, clips: Sequence[Samples]) -> Int8Array:
    """Compute the scores of clips as the chip does: integer front end, int8 network.

    TensorFlow Lite Micro's reference kernels run the network on this computer; this needs the
    package tflite-micro.

    Parameters
    ----------
    model
        An int8 network, with conversions from and to other types at its ends or without, or an
        ensemble, with front end and labels, as ``load_model`` gives it.
    clips
        Samples of each clip, as for ``features``.

    Returns
    -------
    ndarray
        Shape (clips, labels), int8: the scores before a conversion to another type. An ensemble's
        are combined in the integers of the firmware.

    Raises
    ------
    AscError
        The model holds no front end or labels, is not int8 between conversions, TensorFlow Lite
        Micro does not run it, or a clip has another length.

    Examples
    --------
    >>> import numpy as np
    >>> from asc_tiny import api
    >>> model = api.load_model("models/ensemble2_esc10.toml")
    >>> silence = np.zeros(model.frontends[0].clip_samples, np.int16)
    >>> api.scores(model, [silence]).shape
    (1, 10)
    """
    if isinstance(model, Ensemble):
        configs = model.frontends
    else:
        configs = (member_of(model, weight=1.0, name=model.path.stem).frontend,)
    run = interpreter(model).run
    rows = [np.concatenate([features(clip, c) for c in configs], axis=-1) for clip in clips]
    return np.stack([run(codes) for codes in rows])


def evaluate(
    paths: Sequence[Path | str],
    dataset: Dataset,
    *,
    split: str = "test",
    jobs: int = 1,
    ray: str | None = None,
) -> list[Evaluation]:
    """Evaluate models on a split in every arithmetic that they can run in.

    Parameters
    ----------
    paths
        ``.tflite`` files, ``.toml`` files of ensembles, and ``model.keras`` files in the folders
        of their runs; one that a given ``.tflite`` file was made from adds its float figures to
        that file's.
    dataset
        The clips, as ``load_dataset`` gives them.
    split
        ``"train"``, ``"evaluate"`` or ``"test"``.
    jobs
        Processes that share the clips for int8 models, 1 or more. A script that gives more needs
        an ``if __name__ == "__main__":``.
    ray
        Address of a Ray cluster whose cores share them instead; None for this computer. The clips
        have the same paths there.

    Returns
    -------
    list of Evaluation
        One for each system. ``results`` has, under ``"float"``, ``"int8"`` and
        ``"int8_integer_frontend"``, accuracy and log loss with intervals of 95 %.

    Raises
    ------
    AscError
        A file or a clip cannot be used, or the split is unknown, empty or has another scene.
    """
    loaded = systems.load([Path(path) for path in paths])
    with parallel.executor(jobs, ray) as pool:
        return evaluation.evaluate(loaded, dataset, split, pool)


def evaluate_stream(
    paths: Sequence[Path | str],
    dataset: Dataset,
    *,
    split: str = "test",
    decision: Path | str | None = None,
    jobs: int = 1,
    ray: str | None = None,
) -> list[StreamEvaluation]:
    """Evaluate the decisions of int8 models about a split as one stream of recordings.

    Parameters
    ----------
    paths
        ``.tflite`` files and ``.toml`` files of ensembles.
    dataset, split
        As for ``evaluate``.
    decision
        TOML file of windows, smoothing, hysteresis and threshold; None decides about each clip.
    jobs, ray
        As for ``evaluate``: what shares the windows.

    Returns
    -------
    list of StreamEvaluation
        One for each system: the share of windows with the right label, and how late it changes.

    Raises
    ------
    AscError
        A file or a clip cannot be used, or the stream is shorter than a window.
    """
    found = []
    with parallel.executor(jobs, ray) as pool:
        for system in systems.load([Path(path) for path in paths]):
            clips = evaluation.split(dataset, split, system.labels, source=str(system.path))
            config = DecisionConfig()
            if decision and system.members:
                config = read_toml(Path(decision), system.members[0].frontend, system.output)
            found.append(stream.evaluate(system, clips, config, pool))
    return found


@dataclass(frozen=True, eq=False)
class FittedEnsemble:
    """What ``fit_ensemble`` has written.

    Attributes:
        path: TOML file of the ensemble.
        fit: weights, bias and figures on the clips of the fit.
        source: how the numbers came to be, the table ``fit`` of the file.
    """

    path: Path
    fit: Fit
    source: Mapping[str, str | int | float]


def fit_ensemble(
    members: Sequence[Path | str], dataset: Dataset, out: Path | str
) -> FittedEnsemble:
    """Write the ensemble of int8 models, with weights and bias fitted on the split ``train``.

    Parameters
    ----------
    members
        Two or more ``.tflite`` files that share front end and labels. The ensemble's file names
        them relative to itself.
    dataset
        The clips, as ``load_dataset`` gives them.
    out
        The ``.toml`` file to write.

    Returns
    -------
    FittedEnsemble
        The weights and the bias, with log loss in nats and accuracy of each member and of the
        whole.

    Raises
    ------
    AscError
        Too few members, such as do not go together, clips that cannot be used, or a file that
        cannot be written.
    """
    paths, out = [Path(path) for path in members], Path(out)
    if len(paths) < 2:
        raise AscError(f"{', '.join(map(str, paths)) or out}: an ensemble needs 2 members or more")
    if out.suffix != SUFFIX:
        raise AscError(f"--out {out}: must end in {SUFFIX}")
    for path in paths:
        if not str(path).isprintable():
            raise AscError(f"{path}: an ensemble's file cannot hold this name; rename the member")
    loaded = [member_of(model_file.load(path), weight=1.0, name=path.stem) for path in paths]
    fit = fitting.fit(out, loaded, dataset)
    source: dict[str, str | int | float] = {
        "tool_version": __version__,
        "dataset_fingerprint": dataset.fingerprint(),
        "split": fitting.SPLIT,
        "clips": fit.clips,
        "log_loss": round(fit.rows[-1].log_loss, 6),
    }
    folder = out.parent.resolve()
    relative = [Path(os.path.relpath(path.resolve(), folder)).as_posix() for path in paths]
    write_text(out, to_toml(fit.ensemble.members, fit.ensemble.bias, relative, fit=source))
    return FittedEnsemble(out, fit, source)
